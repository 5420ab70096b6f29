// A picture among others: what it is, how near, and what can be done with it.

import { idOf } from "./api.js";
import { element, figure, plain, unseen } from "./dom.js";
import { link } from "./router.js";

const MOST_CHIPS = 6;
const LONGEST = 24;

/** The last part of where a picture came from. */
export const nameOf = (source) => source.split(/[/!\\]/).pop();

/** Labels worth a chip: those that are true, and short values by name. */
export function chipsOf(labels) {
  const yes = Object.keys(labels)
    .filter((name) => labels[name] === true)
    .map(plain);
  const others = Object.entries(labels)
    .filter(
      ([, value]) =>
        value !== null && typeof value !== "boolean" && String(value).length <= LONGEST,
    )
    .map(
      ([name, value]) => `${plain(name)} ${typeof value === "number" ? figure(value, 4) : value}`,
    );
  return [...yes, ...others];
}

/** What a picture is called where it cannot be seen. */
export const wordsOf = (item) =>
  chipsOf(item.labels ?? {}).join(", ") || nameOf(item.source ?? "picture");

/**
 * A list item that shows one picture.
 *
 * @param {object} item  an item or hit as the server tells of it
 * @param {object} options  `href` (where the picture leads; the item's own page where not given),
 *     `title` (what following it does), `rank`, `value` (told instead of the distance), `note` (a
 *     line of text), `actions` (elements below the picture), `below` (elements at the end), `size`
 *     (pixels asked for), `marked` (whether it stands out)
 */
export function card(
  item,
  {
    href,
    title = "Open",
    rank,
    value,
    note,
    actions = [],
    below = [],
    size = 256,
    marked = false,
  } = {},
) {
  const id = idOf(item.image);
  const name = wordsOf(item);
  const chips = chipsOf(item.labels ?? {});
  const distance = value ?? distanceOf(item);
  const told = [rank ? `Hit ${rank}` : null, distance && (value ?? `distance ${distance}`), name]
    .filter(Boolean)
    .join(", ");
  const none = () => element("span", { class: "nothing" }, "no picture"); // imported as vectors
  const picture =
    item.width === 0
      ? none()
      : element("img", {
          src: `${item.image}?size=${size}`,
          alt: "",
          loading: "lazy",
          decoding: "async",
          onerror: () => picture.replaceWith(none()),
        });
  return element(
    "li",
    { class: marked ? "card marked" : "card", dataset: { id } },
    element(
      "a",
      {
        class: "picture",
        href: href ?? link("item", { id }),
        "aria-label": `${told}. ${title}.`,
        title: `${nameOf(item.source ?? "")}\n${title}`,
      },
      picture,
      rank ? element("b", { class: "rank", "aria-hidden": "true" }, String(rank)) : null,
    ),
    actions.length ? element("div", { class: "actions" }, ...actions) : null,
    distance === null
      ? null
      : nearness(item, distance, value === undefined ? "Distance: lower is nearer" : ""),
    note ? element("p", { class: "note" }, note) : null,
    chips.length
      ? element(
          "p",
          { class: "chips", "aria-hidden": "true" },
          ...chips.slice(0, MOST_CHIPS).map((one) => element("span", {}, one)),
          chips.length > MOST_CHIPS
            ? element("span", { title: chips.join(", ") }, `+${chips.length - MOST_CHIPS}`)
            : null,
        )
      : null,
    ...below,
  );
}

const distanceOf = ({ distance }) =>
  distance === undefined ? null : distance >= 1e-3 ? distance.toPrecision(4) : figure(distance, 2);

/** The distance, and for NAO its two parts, which add up to it, as a bar. */
function nearness(item, distance, title) {
  const parts =
    item.angular === null || item.angular === undefined ? null : bar(item.angular, item.radial);
  return element("p", { class: "nearness" }, element("span", { title }, distance), parts);
}

function bar(angular, radial) {
  const share = angular + radial > 0 ? angular / (angular + radial) : 1;
  const text = `angular ${figure(angular)}, radial ${figure(radial)}`;
  return element(
    "span",
    { class: "parts", title: text },
    element("i", { class: "angular", style: { "flex-grow": share } }),
    element("i", { class: "radial", style: { "flex-grow": 1 - share } }),
    unseen(text),
  );
}
