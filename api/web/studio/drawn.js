// Pictures that the server made, which come in its answers as PNG in base64.

import { element } from "../js/dom.js";

/** The address of a picture in an answer. */
export const dataOf = (png) => `data:image/png;base64,${png}`;

/**
 * A picture that was made, with what is known of it, to be saved.
 *
 * @param {string} png  base64
 * @param {object} options  `alt`, `caption` (nodes or text), `name` of the file where it may be
 *     saved, `href` it leads to, `marked`
 */
export function madePicture(png, { alt, caption = [], name, href, marked = false }) {
  const image = element("img", { src: dataOf(png), alt, class: "made" });
  return element("figure", { class: marked ? "drawn marked" : "drawn" },
    href ? element("a", { href }, image) : image,
    element("figcaption", {}, element("span", {}, ...[caption].flat()),
      name ? element("a", { class: "save", href: dataOf(png), download: name, "aria-label": `Save ${alt}`, title: "Save" }, "↓") : null));
}

/** How far a norm is from that of white noise; beyond 3 deviations a generator has seen none. */
export function normOf(z) {
  if (z === null || z === undefined) return null;
  const text = `norm\u00a0${z < -0.05 ? "−" : "+"}${Math.abs(z).toFixed(1)}\u00a0σ`;
  const isOff = Math.abs(z) > 3;
  return element("span", { class: isOff ? "norm bad" : "norm faint", title: isOff ? "Noise of this norm is not what the generator was trained on" : "Beside the norm of white noise" }, text);
}
