// Between two pictures: ways from one to the other, side by side. Among several: their middle.

import { imageOf } from "../js/api.js";
import { drawn, element, empty, figure } from "../js/dom.js";
import { dataOf, madePicture, normOf } from "../studio/drawn.js";
import { Offer } from "../studio/subject.js";

export const title = "Between";

const STEPS = 7;
const MOST = 48;
const SHOWN = 12;
const PATHS = ["nao", "lol", "slerp", "lerp"];
const MIDDLES = ["nao", "lol", "karcher", "mean"];
const ABOUT = {
  nao: "shortest in the metric that keeps likely norms", lol: "lerp brought back to the law of noise",
  slerp: "along the sphere", lerp: "the straight line", karcher: "nearest to all on the sphere", mean: "the plain mean",
};
let view = null;

export async function show(root, params, app) {
  view ??= new BetweenView(root, app);
  await view.show(params);
}

export function hide() {
  view?.asking?.abort();
}

class BetweenView {
  constructor(root, app) {
    this.app = app;
    this.offer = new Offer(app, { label: "Add pictures from the database", onChoose: (id) => this.toggle(id) });
    this.members = element("ul", { class: "offer members", "aria-label": "Chosen pictures" });
    this.space = element("select", { onchange: () => this.follow({ space: this.space.value }) });
    this.walk = element("input", { type: "radio", name: "between-show", onchange: () => this.follow({ show: "walk" }) });
    this.middle = element("input", { type: "radio", name: "between-show", onchange: () => this.follow({ show: "centroid" }) });
    this.method = element("select", { onchange: () => this.follow({ method: this.method.value }) },
      ...MIDDLES.map((one) => element("option", { value: one }, `${one}: ${ABOUT[one]}`)));
    this.methodField = element("label", { class: "field" }, element("span", {}, "Middle by"), this.method);
    this.swap = element("button", { type: "button", class: "low", onclick: () => this.follow({ ids: this.ids.toReversed().join(",") }) }, "Swap");
    this.clear = element("button", { type: "button", class: "quiet low", onclick: () => this.follow({ ids: "" }) }, "Clear");
    this.result = element("div", { class: "stack", "aria-live": "polite" });
    const option = (input, text) => element("label", {}, input, element("span", {}, text));
    root.append(
      element("div", { class: "panel stack" }, this.members,
        element("div", { class: "row" },
          element("fieldset", { class: "field" }, element("legend", {}, "Show"),
            element("div", { class: "switch" }, option(this.walk, "A way"), option(this.middle, "The middle"))),
          element("label", { class: "field" }, element("span", {}, "Space"), this.space), this.methodField, this.swap, this.clear)),
      this.offer.element, this.result);
  }

  follow(change) {
    this.app.go("between", { ids: this.ids.join(","), space: this.space.value, show: this.mode, method: this.method.value, ...change });
  }

  toggle(id) {
    const ids = this.ids.includes(id) ? this.ids.filter((one) => one !== id) : [...this.ids, id];
    this.follow({ ids: ids.slice(-MOST).join(",") });
  }

  async show(params) {
    const { app } = this;
    const spaces = [...app.spaces].sort((one, other) => (other.kind === "noise") - (one.kind === "noise"));
    this.ids = [params.get("ids"), params.get("a"), params.get("b")].flatMap((one) => (one ?? "").split(",")).filter((one) => /^\d{1,19}$/.test(one)).slice(0, MOST);
    this.mode = params.get("show") || (this.ids.length > 2 ? "centroid" : "walk");
    this.space.replaceChildren(...spaces.map((one) => element("option", { value: one.name }, one.name)));
    this.space.value = params.get("space") || spaces[0]?.name || "";
    this.home = app.spaces.find((one) => one.name === this.space.value);
    this.method.value = params.get("method") || (this.home?.kind === "noise" ? "nao" : "karcher");
    this[this.mode === "walk" ? "walk" : "middle"].checked = true;
    this.methodField.hidden = this.mode === "walk";
    this.swap.hidden = this.mode !== "walk" || this.ids.length !== 2;
    this.clear.hidden = !this.ids.length;
    this.members.replaceChildren(...this.ids.map((id, at) => this.member(id, at)));
    this.members.hidden = !this.ids.length;
    this.asking?.abort();
    this.asking = new AbortController();
    if (this.ids.length < 2) {
      this.offer.element.open = true;
      this.result.replaceChildren(empty(this.ids.length ? "Choose one more picture" : "Choose two pictures, or more",
        "Two make a way from one to the other; several have a middle. A lasso on the map chooses many at once."));
    } else if (this.mode === "walk") await this.ways(this.asking.signal);
    else await this.centroid(this.asking.signal);
  }

  member(id, at) {
    const isUsed = this.mode !== "walk" || at < 2;
    return element("li", { class: isUsed ? "" : "unused" }, element("button", { type: "button", "aria-label": `Remove picture ${at + 1}`, title: "Remove", onclick: () => this.toggle(id) },
      element("img", { src: imageOf(id, 128), alt: `Item ${id}` }), element("span", { class: "cross", "aria-hidden": "true" }, "×")));
  }

  // The way between two

  async ways(signal) {
    const [start, end] = this.ids;
    const table = element("tbody", {});
    const curves = element("div", { class: "curves" });
    const rows = element("div", { class: "stack" });
    this.result.replaceChildren(rows, element("section", { class: "panel stack", "aria-labelledby": "norms-title" },
      element("h2", { id: "norms-title" }, "Norms and lengths"), curves,
      element("table", {}, element("thead", {}, element("tr", {}, ...["Way", "Length by nao", "Norms, beside that of noise"].map((one) => element("th", { scope: "col" }, one)))), table)));
    const lines = [];
    this.app.say("Drawing…");
    for (const method of PATHS) { // one after the other: they share one lane of the server
      const place = element("section", { class: "panel stack", "aria-label": method }, this.heading(method), element("p", { class: "faint" }, "Drawing…"));
      rows.append(place);
      try {
        const answer = await this.app.call("/v1/interpolate", { json: { start, end, space: this.space.value, method, steps: STEPS }, signal });
        place.replaceChildren(this.heading(method), this.strip(answer, method));
        table.append(this.row(answer, method));
        lines.push({ method, values: answer.points.map((one) => one.norm_z ?? one.norm) });
      } catch (error) {
        if (error.name === "AbortError") return;
        place.replaceChildren(this.heading(method), element("p", { class: "wrong" }, error.message));
      }
    }
    this.app.say("");
    if (lines.length) curves.replaceChildren(chartOf(lines, this.home?.kind === "noise"));
  }

  heading(method) {
    return element("h2", {}, method, " ", element("span", { class: "faint small" }, ABOUT[method]));
  }

  strip(answer, method) {
    const last = answer.points.length - 1;
    return element("div", { class: "walk" }, ...answer.points.map((one, at) => {
      const caption = [at === 0 ? "start" : at === last ? "end" : `${Math.round(100 * one.t)} %`, " ", normOf(one.norm_z)];
      const alt = `${method}, ${Math.round(100 * one.t)} % of the way`;
      const png = one.png ?? answer.pictures?.[at];
      if (png) return madePicture(png, { alt, caption, name: `${method}-${at}.png` });
      if (!one.nearest) return element("figure", { class: "drawn" }, element("span", { class: "nothing" }, "not searched"), element("figcaption", {}, ...caption));
      const id = this.app.idOf(one.nearest.image); // no picture can be drawn in this space: the nearest there is
      return element("figure", { class: "drawn" }, element("a", { href: this.app.link("item", { id }) },
        element("img", { class: "made", src: imageOf(id, 128), alt: `Nearest item, ${alt}` })), element("figcaption", {}, ...caption, element("span", { class: "faint" }, ` nearest, ${figure(one.nearest.distance)}`)));
    }));
  }

  row(answer, method) {
    const norms = answer.points.map((one) => one.norm_z ?? one.norm);
    const unit = answer.points[0].norm_z === null || answer.points[0].norm_z === undefined ? "" : " σ";
    return element("tr", {}, element("th", { scope: "row" }, method),
      element("td", {}, figure(answer.points.at(-1).length, 4)),
      element("td", {}, `${figure(Math.min(...norms))} to ${figure(Math.max(...norms))}${unit}`));
  }

  // The middle of several

  async centroid(signal) {
    this.app.say("Looking for the middle…");
    this.result.classList.add("busy");
    try {
      const answer = await this.app.call("/v1/centroid", { json: { ids: this.ids, space: this.space.value, method: this.method.value, k: SHOWN }, signal });
      this.app.say("");
      const png = answer.png ?? answer.picture?.png ?? answer.pictures?.[0];
      this.result.replaceChildren(element("section", { class: "panel middle" },
        png ? element("figure", { class: "drawn" }, element("img", { class: "made", src: dataOf(png), alt: "The middle, drawn" })) : null,
        element("div", { class: "stack" },
          element("h2", {}, `The middle of ${this.app.counted(this.ids.length, "picture")}`),
          element("p", {}, `By ${answer.method} in ${answer.space.name ?? answer.space}: ${ABOUT[answer.method]}.`),
          element("p", {}, `Norm ${figure(answer.norm, 4)}; the pictures lie ${figure(answer.mean_distance)} from it on average. `, normOf(answer.norm_z)))),
      element("section", { class: "panel stack", "aria-labelledby": "near-title" },
        element("h2", { id: "near-title" }, "Nearest to it"),
        element("ol", { class: "cards" }, ...answer.hits.map((hit, at) => this.app.card(hit, { rank: at + 1, marked: this.ids.includes(this.app.idOf(hit.image)) })))));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.app.say("");
      this.result.replaceChildren(empty("There is no such middle", error.message));
    } finally {
      if (!signal.aborted) this.result.classList.remove("busy");
    }
  }
}

/** Norms along each way, as lines of different dashes, named at their ends. */
function chartOf(lines, isNoise) {
  const [width, height, pad] = [640, 180, 28];
  const all = lines.flatMap((one) => one.values);
  const [low, high] = [Math.min(...all, isNoise ? -3 : Infinity), Math.max(...all, isNoise ? 3 : -Infinity)];
  const x = (at, count) => pad + at / (count - 1) * (width - pad - 72);
  const y = (value) => height - 12 - (value - low) / (high - low || 1) * (height - 24);
  const ends = lines.map((one) => ({ name: one.method, at: y(one.values.at(-1)) }));
  const rest = lines.map((one, at) => drawn("polyline", { class: `line line-${at}`, points: one.values.map((value, step) => `${x(step, one.values.length)},${y(value)}`).join(" ") }));
  const keys = ends.map((one, at) => drawn("g", {}, drawn("line", { class: `line line-${at}`, x1: width - 68, x2: width - 46, y1: 18 + at * 18, y2: 18 + at * 18 }),
    drawn("text", { x: width - 42, y: 22 + at * 18 }, one.name)));
  const grid = isNoise ? [drawn("rect", { class: "likely", x: pad, width: width - pad - 72, y: y(3), height: y(-3) - y(3) }), drawn("text", { x: 2, y: y(0) + 4 }, "0 σ"), drawn("line", { class: "axis", x1: pad, x2: width - 72, y1: y(0), y2: y(0) })] : [];
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Norms along ${lines.map((one) => one.method).join(", ")}; the table below has the figures` }, ...grid, ...rest, ...keys);
}
