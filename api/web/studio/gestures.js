// What hands do on the map: move, zoom, pinch, draw a lasso; and the same by keys.

const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STEP = 48; // CSS pixels
const STILL = 5; // CSS pixels that a click may move

/**
 * @param {Plane} plane
 * @param {object} heard  `lassoed(polygon, isMore)`, `clicked(place)`, `hovered(place, x, y)`,
 *     `isLasso()`: whether a drag draws, `told(text)`: said to screen readers
 */
export function join(plane, heard) {
  const { canvas } = plane;
  const fingers = new Map(); // by pointerId, where they are
  let drag = null;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 33 : 1;
    plane.zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), ...place(event));
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    if (fingers.size > 1) { // a second finger turns whatever was begun into a pinch
      drag = null;
      plane.outline = null;
      return;
    }
    const isLasso = heard.isLasso() || event.shiftKey;
    drag = { from: place(event), moved: false, isLasso, isMore: event.ctrlKey || event.metaKey };
    if (isLasso) plane.outline = [plane.toPlane(...place(event))];
  });

  canvas.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") heard.hovered(plane.at(...now), ...now);
      return;
    }
    if (fingers.size === 2) pinch(event.pointerId, before, now);
    else if (drag) dragged(before, now);
    fingers.set(event.pointerId, now);
  });

  function pinch(id, before, now) {
    const other = [...fingers].find(([one]) => one !== id)[1];
    const length = (from) => Math.hypot(from[0] - other[0], from[1] - other[1]) || 1;
    plane.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    plane.zoomBy(length(now) / length(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  function dragged(before, now) {
    if (Math.hypot(now[0] - drag.from[0], now[1] - drag.from[1]) > STILL) drag.moved = true;
    if (!drag.moved) return;
    heard.hovered(-1);
    if (drag.isLasso) {
      plane.outline.push(plane.toPlane(...now));
      plane.redraw();
    } else plane.pan(now[0] - before[0], now[1] - before[1]);
  }

  function released(event) {
    if (!fingers.delete(event.pointerId) || !drag) return;
    const { isLasso, moved, isMore } = drag;
    const polygon = plane.outline;
    drag = null;
    plane.outline = null;
    plane.redraw();
    if (event.type === "pointercancel") return;
    if (!moved) heard.clicked(plane.at(...place(event), event.pointerType === "touch" ? 24 : 12), ...place(event));
    else if (isLasso && polygon.length > 2) heard.lassoed(polygon, isMore);
  }
  canvas.addEventListener("pointerup", released);
  canvas.addEventListener("pointercancel", released);
  canvas.addEventListener("pointerleave", () => heard.hovered(-1));
  canvas.addEventListener("dblclick", (event) => plane.zoomBy(event.shiftKey ? 0.5 : 2, ...place(event)));
  joinKeys(plane, heard);
}

/** Arrows move, + and − zoom, 0 shows all; B draws a box that arrows move and Shift resizes. */
function joinKeys(plane, heard) {
  const { canvas } = plane;
  let box = null; // CSS pixels: [left, top, width, height]

  const show = () => {
    const [left, top, width, height] = box;
    plane.outline = [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]
      .map((corner) => plane.toPlane(...corner));
    plane.redraw();
    heard.told(`Box over ${plane.grid.within(plane.outline).length} points. Enter selects them, Escape leaves.`);
  };
  const leave = () => { box = null; plane.outline = null; plane.redraw(); };

  function inBox(event) {
    const arrow = ARROWS[event.key];
    if (arrow) {
      const [dx, dy] = arrow.map((one) => -one * STEP / 2);
      if (event.shiftKey) box = [box[0], box[1], Math.max(16, box[2] + dx), Math.max(16, box[3] + dy)];
      else box = [box[0] + dx, box[1] + dy, box[2], box[3]];
      show();
    } else if (event.key === "Enter") {
      const polygon = plane.outline;
      leave();
      heard.lassoed(polygon, event.ctrlKey || event.metaKey);
    } else if (event.key === "Escape") {
      leave();
      heard.told("Left the box");
    } else return false;
    return true;
  }

  function onMap(event) {
    const arrow = ARROWS[event.key];
    if (arrow) plane.pan(arrow[0] * STEP, arrow[1] * STEP);
    else if (event.key === "+" || event.key === "=") plane.zoomBy(1.4);
    else if (event.key === "-") plane.zoomBy(1 / 1.4);
    else if (event.key === "0") plane.fit();
    else if (event.key === "b" || event.key === "B") {
      const { clientWidth, clientHeight } = canvas;
      box = [clientWidth * 0.4, clientHeight * 0.4, clientWidth * 0.2, clientHeight * 0.2];
      show();
    } else return false;
    return true;
  }

  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || ((event.ctrlKey || event.metaKey) && event.key !== "Enter")) return;
    if (box ? inBox(event) : onMap(event)) {
      event.preventDefault();
      event.stopPropagation(); // "/" and Escape of other views
    }
  });
  canvas.addEventListener("blur", () => { if (box) leave(); });
}
