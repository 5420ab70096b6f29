// Making elements.

/**
 * An element with attributes and children.
 *
 * Functions among the attributes listen (`onclick: …` listens to "click"), `style` is an object
 * (set by script, which the content security policy allows, unlike a style attribute), `dataset`
 * too; true sets an attribute without a value; null, undefined and false leave it out. Children
 * are nodes or text; null, undefined and false among them are left out.
 */
export function element(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function drawn(tag, attributes = {}, ...children) {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function dress(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else if (name === "style")
      for (const [key, one] of Object.entries(value)) made.style.setProperty(key, one);
    else if (name === "dataset") Object.assign(made.dataset, value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(
    ...children.flat().filter((one) => one !== null && one !== undefined && one !== false),
  );
  return made;
}

/** Text for screen readers alone. */
export const unseen = (text) => element("span", { class: "unseen" }, text);

/** `round_face` as people read it. */
export const plain = (name) => name.replaceAll("_", " ");

/** A number of few digits, with a true minus sign. */
export function figure(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5)
      ? value.toExponential(digits - 1)
      : Number(value.toPrecision(digits)).toString();
  return text.replace("-", "−");
}

/** `1 picture`, `2 pictures`. */
export const counted = (count, one, many = `${one}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** A message in a view's place: what is so, and what can be done about it. */
export function empty(title, ...lines) {
  return element(
    "div",
    { class: "empty" },
    element("h2", {}, title),
    ...lines.filter(Boolean).map((line) => (line instanceof Node ? line : element("p", {}, line))),
  );
}
