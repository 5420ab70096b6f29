// Sliders along fitted directions, in standard deviations; each says how well it was learnt.

import { element, figure, plain } from "./dom.js";

const PAUSE_MS = 140;
const MOST = 4;

/** Directions that can be asked with: one line for each name, those of the space first. */
function namesOf(directions, space, from) {
  const best = new Map();
  for (const one of directions) {
    const home = one.space.name;
    if ((space || from) && home !== space && home !== from) continue;
    if (!best.has(one.name) || home === space) best.set(one.name, one);
  }
  return [...best.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * @param {(directions: object, isResting: boolean) => void} onChange  is told while a slider
 *     moves, after a breath, and once more when it rests
 */
export class Sliders {
  constructor(onChange) {
    this.onChange = onChange;
    this.rows = element("div", { class: "sliders" });
    this.reset = element(
      "button",
      { type: "button", class: "quiet", onclick: () => this.onChange({}, true) },
      "Reset",
    );
    this.element = element(
      "fieldset",
      { class: "field", hidden: true },
      element(
        "legend",
        {},
        "Directions ",
        element("span", { class: "faint" }, "in standard deviations"),
      ),
      this.rows,
      this.reset,
    );
    this.drawn = "";
  }

  /** The sliders of the directions of a space, standing at `strengths`. */
  show(directions, space, from, strengths) {
    const shown = namesOf(directions, space, from);
    const drawn = JSON.stringify(shown.map((one) => [one.name, one.space.name]));
    if (drawn !== this.drawn) this.rows.replaceChildren(...shown.map((one) => this.row(one)));
    this.drawn = drawn;
    this.element.hidden = shown.length === 0;
    this.reset.disabled = Object.keys(strengths).length === 0;
    for (const slider of this.rows.querySelectorAll("input")) {
      if (document.activeElement !== slider || this.reset.disabled)
        slider.value = strengths[slider.name] ?? 0;
      this.tell(slider);
    }
  }

  get values() {
    const moved = [...this.rows.querySelectorAll("input")].filter((one) => Number(one.value) !== 0);
    return Object.fromEntries(moved.map((one) => [one.name, Number(one.value)]));
  }

  row(direction) {
    const id = `direction-${direction.name}`;
    const auc = direction.scores?.auc;
    const told = auc ? `AUC ${auc.value.toFixed(3)}` : "no score";
    const title = auc
      ? `Held-out AUC ${auc.value.toFixed(3)} [${auc.low.toFixed(3)}, ${auc.high.toFixed(3)}] in ${direction.space.name}`
      : `in ${direction.space.name}`;
    const slider = element("input", {
      id,
      name: direction.name,
      type: "range",
      min: -MOST,
      max: MOST,
      step: "0.5",
      value: "0",
      "aria-describedby": `${id}-auc`,
      oninput: () => {
        this.tell(slider);
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.onChange(this.values, false), PAUSE_MS);
      },
      onchange: () => {
        clearTimeout(this.timer);
        this.onChange(this.values, true);
      },
    });
    return element(
      "div",
      { class: "slider" },
      element("label", { for: id }, plain(direction.name)),
      element("span", { id: `${id}-auc`, class: "faint small", title }, told),
      slider,
      element("output", { for: id, class: "number" }, "0"),
    );
  }

  tell(slider) {
    const value = Number(slider.value);
    const output = slider.nextElementSibling;
    output.textContent = `${value > 0 ? "+" : ""}${figure(value)}`;
    output.classList.toggle("moved", value !== 0);
    slider.setAttribute("aria-valuetext", `${output.textContent} standard deviations`);
  }
}
