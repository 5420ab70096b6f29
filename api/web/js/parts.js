// What is asked with, as chips: each with its weight, turned round or taken out.

import { imageOf } from "./api.js";
import { element } from "./dom.js";
import { link } from "./router.js";

/** The parts of a question: `{ key, label, picture, weight, with(weight), without() }`. */
function partsOf(asked, pictureUrl) {
  const parts = [];
  if (asked.text.trim()) {
    parts.push({
      key: "text",
      label: `“${asked.text.trim()}”`,
      weight: asked.textWeight,
      with: (weight) => ({ ...asked, textWeight: weight }),
      without: () => ({ ...asked, text: "", textWeight: 1 }),
    });
  }
  if (asked.image) {
    parts.push({
      key: `image ${asked.image}`,
      label: "your picture",
      picture: pictureUrl,
      weight: asked.imageWeight,
      with: (weight) => ({ ...asked, imageWeight: weight }),
      without: () => ({ ...asked, image: "", imageWeight: 1 }),
    });
  }
  for (const item of asked.items) {
    const others = asked.items.filter((one) => one.id !== item.id);
    parts.push({
      key: item.id,
      label: "a picture",
      picture: imageOf(item.id, 64),
      href: link("item", { id: item.id }),
      weight: item.weight,
      with: (weight) => ({
        ...asked,
        items: asked.items.map((one) => (one.id === item.id ? { ...one, weight } : one)),
      }),
      without: () => ({ ...asked, items: others }),
    });
  }
  return parts;
}

/**
 * The chips of a question.
 *
 * @param {HTMLElement} place  is filled; where the same parts are there already, they are kept,
 *     so that a keyboard does not lose its place
 * @param {(asked: object) => void} onChange  is given the changed question
 */
export function showParts(place, asked, pictureUrl, onChange) {
  const parts = partsOf(asked, pictureUrl);
  const focused = place.contains(document.activeElement)
    ? document.activeElement.dataset.focus
    : null;
  // A text alone stands in its field already.
  place.hidden =
    parts.length === 0 || (parts.length === 1 && parts[0].key === "text" && parts[0].weight === 1);
  place.replaceChildren(...parts.map((part) => chip(part, onChange)));
  if (focused)
    (
      place.querySelector(`[data-focus="${CSS.escape(focused)}"]`) ?? place.querySelector("button")
    )?.focus();
}

function chip(part, onChange) {
  const isLike = part.weight > 0;
  const sign = element(
    "button",
    {
      type: "button",
      class: "sign",
      dataset: { focus: `${part.key} sign` },
      "aria-label": `${isLike ? "Like" : "Unlike"} ${part.label}: turn round`,
      title: "Turn round: like or unlike",
      onclick: () => onChange(part.with(-part.weight)),
    },
    isLike ? "like" : "unlike",
  );
  const weight = element("input", {
    type: "number",
    min: "0.1",
    max: "10",
    step: "0.1",
    value: String(Math.abs(part.weight)),
    dataset: { focus: `${part.key} weight` },
    "aria-label": `Weight of ${part.label}`,
    title: "Weight",
    onkeydown: (event) => {
      // not the form's: that would ask with the weight before
      if (event.key === "Enter") {
        event.preventDefault();
        weight.dispatchEvent(new Event("change"));
      }
    },
    onchange: () => {
      const size = Number(weight.value);
      if (size > 0) onChange(part.with(Math.sign(part.weight) * size));
      else weight.value = Math.abs(part.weight);
    },
  });
  const picture = part.picture
    ? element("img", { src: part.picture, alt: part.label, width: "32", height: "32" })
    : null;
  return element(
    "li",
    { class: isLike ? "part" : "part unlike" },
    sign,
    part.href
      ? element("a", { href: part.href, "aria-label": "Open this picture" }, picture)
      : picture,
    part.key === "text" ? element("span", { class: "words" }, part.label) : null,
    weight,
    element(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-label": `Leave out ${part.label}`,
        title: "Leave out",
        dataset: { focus: `${part.key} out` },
        onclick: () => onChange(part.without()),
      },
      "×",
    ),
  );
}
