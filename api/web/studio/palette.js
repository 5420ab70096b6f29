// Colours of points. Every scale also runs from light to dark, and no two categories are told apart
// by red against green, so that they can be read with any colour vision, and in both schemes.

// Okabe and Ito's colours, made darker for a light ground and lighter for a dark one where they
// would not stand out.
const CATEGORIES = {
  light: ["#0072b2", "#d55e00", "#009e73", "#b5479a", "#8a6d00", "#4aa8dd", "#e69f00", "#5b3fa0"],
  dark: ["#56b4e9", "#e69f00", "#2cc79a", "#e08cc0", "#f0e442", "#8fa8ff", "#ff8a5c", "#c9c9c9"],
};
const REST = { light: "#9aa0a8", dark: "#6d747f" }; // of other categories
const MISSING = { light: "#c6c9cd", dark: "#474d57" }; // of points without a value
const YES_NO = { light: ["#93a9c9", "#d55e00"], dark: ["#4f6a94", "#ffab40"] };
// Viridis (van der Walt and Smith, 2015), so turned that high values stand out from the ground.
const SEQUENTIAL = {
  light: ["#a5d635", "#48b97a", "#25838e", "#3a528b", "#440154"],
  dark: ["#4a3f8f", "#355f8d", "#21908d", "#6ccd5a", "#fde725"],
};
const DIVERGING = {
  light: ["#0b5394", "#6fa3d0", "#b9bcc2", "#e2964f", "#a84300"],
  dark: ["#4fa3f0", "#4a7fae", "#565c66", "#b87a3a", "#ffab40"],
};
const STEPS = 200;
export const MOST_CATEGORIES = 8;
const MISSING_INDEX = 255;

const scheme = () => (document.documentElement.dataset.theme
  ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));

export const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function along(stops, share) {
  const at = Math.min(stops.length - 2, Math.floor(share * (stops.length - 1)));
  const part = share * (stops.length - 1) - at;
  const [from, to] = [rgb(stops[at]), rgb(stops[at + 1])];
  return from.map((value, channel) => Math.round(value + (to[channel] - value) * part));
}

/**
 * Colours for values as the server tells of them.
 *
 * @returns {{ colours: number[][], index: Uint8Array, legend: object }}  256 colours, each value's
 *     place among them, and what the legend shows: `entries` [{ colour, name, test }] or `bar`
 */
export function coloured(told, values) {
  const now = scheme();
  const colours = Array.from({ length: 256 }, () => rgb(MISSING[now]));
  const index = new Uint8Array(values.length).fill(MISSING_INDEX);
  const legend = told.kind === "number"
    ? number(told, values, index, colours, now) : named(told, values, index, colours, now);
  return { colours, index, legend };
}

/** The same of points that nothing is known of. */
export function plainly(count) {
  const now = scheme();
  const colours = Array.from({ length: 256 }, () => rgb(CATEGORIES[now][0]));
  return { colours, index: new Uint8Array(count), legend: { entries: [] } };
}

function number(told, values, index, colours, now) {
  // About a boundary at 0, both sides alike; else between the quantiles that the server names.
  const isSigned = told.by.startsWith("direction:");
  const reach = Math.max(Math.abs(told.low ?? 0), Math.abs(told.high ?? 0)) || 1;
  const [low, high] = isSigned ? [-reach, reach] : [told.low ?? 0, told.high ?? 1];
  const stops = isSigned ? DIVERGING[now] : SEQUENTIAL[now];
  for (let at = 0; at <= STEPS; at++) colours[at] = along(stops, at / STEPS);
  const factor = high > low ? STEPS / (high - low) : 0;
  for (let at = 0; at < values.length; at++) {
    if (!Number.isNaN(values[at])) index[at] = Math.min(STEPS, Math.max(0, Math.round((values[at] - low) * factor)));
  }
  return { bar: { low, high, middle: isSigned ? 0 : null, stops, unit: told.unit }, entries: missing(told, now) };
}

function named(told, values, index, colours, now) {
  const isTruth = told.kind === "boolean";
  const names = isTruth ? ["no", "yes"] : told.categories;
  const shown = isTruth ? YES_NO[now] : CATEGORIES[now];
  const hasRest = names.length > MOST_CATEGORIES;
  const most = hasRest ? MOST_CATEGORIES - 1 : names.length;
  const counts = new Uint32Array(names.length);
  for (let at = 0; at < values.length; at++) {
    if (Number.isNaN(values[at])) continue;
    index[at] = Math.min(values[at], most);
    counts[values[at]]++;
  }
  const entries = names.slice(0, most).map((name, at) => ({
    name, colour: shown[at], count: counts[at], test: (value) => value === at,
  }));
  if (hasRest) {
    const count = counts.slice(most).reduce((sum, one) => sum + one, 0);
    entries.push({ name: "all others", colour: REST[now], count, test: (value) => value >= most });
  }
  entries.forEach((entry, at) => { colours[at] = rgb(entry.colour); });
  if (isTruth) entries.reverse();
  return { entries: [...entries, ...missing(told, now)] };
}

function missing(told, now) {
  return told.without
    ? [{ name: "not known", colour: MISSING[now], count: told.without, test: (value) => Number.isNaN(value) }] : [];
}
