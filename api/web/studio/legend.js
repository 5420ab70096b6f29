// What the colours mean; every entry selects its points.

import { element, figure } from "../js/dom.js";

/**
 * @param {object} legend  of `coloured`
 * @param {string} heading
 * @param {(test: (value: number) => boolean, entry: object) => void} onSelect
 */
export function legendOf(legend, heading, onSelect) {
  return [
    element("h2", {}, heading),
    legend.bar ? barOf(legend.bar, onSelect) : null,
    legend.entries.length ? element("ul", { class: "keys" }, ...legend.entries.map((entry) => element("li", {},
      element("button", {
        type: "button", class: "key", title: `Select ${entry.name}`,
        onclick: () => onSelect(entry.test, entry),
      },
      element("i", { class: "swatch", style: { background: entry.colour } }),
      element("span", {}, entry.name),
      element("span", { class: "faint number" }, entry.count.toLocaleString("en")))))) : null,
  ].filter(Boolean);
}

function barOf(bar, onSelect) {
  const input = (label, value) => element("input", { type: "number", step: "any", value: rounded(value), "aria-label": label });
  const [from, to] = [input("Select from", bar.middle ?? bar.low), input("Select up to", bar.high)];
  const select = () => {
    const [low, high] = [Number(from.value), Number(to.value)];
    onSelect((value) => value >= low && value <= high, { name: `${figure(low)} to ${figure(high)}` });
  };
  return element("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); select(); } },
    element("div", { class: "ramp", style: { background: `linear-gradient(to right, ${bar.stops.join(", ")})` } }),
    element("div", { class: "ticks number" },
      element("span", {}, figure(bar.low)),
      bar.middle === null ? null : element("span", {}, figure(bar.middle)),
      element("span", {}, figure(bar.high))),
    bar.unit ? element("p", { class: "note" }, `in ${bar.unit}`) : null,
    element("div", { class: "range" }, from, element("span", { class: "faint" }, "to"), to,
      element("button", { type: "submit" }, "Select")));
}

const rounded = (value) => String(Number(value.toPrecision(3)));
