// How an answer came about, in words; what it can be taken away as.

import { idOf } from "./api.js";
import { counted, element, figure, plain } from "./dom.js";

/** What was asked, as a heading. */
export function headingOf(asked) {
  const like =
    asked.items.filter((one) => one.weight > 0).length +
    (asked.image && asked.imageWeight > 0 ? 1 : 0);
  const unlike =
    asked.items.filter((one) => one.weight < 0).length +
    (asked.image && asked.imageWeight < 0 ? 1 : 0);
  const parts = [];
  if (asked.text.trim()) parts.push(`${asked.textWeight < 0 ? "not " : ""}“${asked.text.trim()}”`);
  if (like) parts.push(`like ${like === 1 ? "a picture" : `${like} pictures`}`);
  if (unlike) parts.push(`unlike ${unlike === 1 ? "a picture" : `${unlike} pictures`}`);
  const words = parts.join(", ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Badges and words: where it was searched, how surely, by what map. */
export function howOf(answer, tookMs) {
  const { query } = answer;
  const said = query.parts ?? [query];
  const badge = answer.exact
    ? element(
        "span",
        { class: "badge sure", title: "Certainly the nearest under this metric" },
        "exact",
      )
    : element(
        "span",
        {
          class: "badge",
          title: "Of the ten nearest, how many the index finds: measured when it was built",
        },
        `recall@10 ${figure(answer.recall_at_10, 3)}`,
      );
  const words = [
    `${counted(answer.hits.length, "hit")} in ${tookMs} ms`,
    `${answer.space} by ${answer.metric}${query.prior ? `, prior ${query.prior}` : ""}`,
    ...Object.entries(query.directions ?? {}).map(
      ([name, step]) => `${plain(name)} ${step > 0 ? "+" : "−"}${Math.abs(step)}`,
    ),
    query.where ? `where ${query.where}` : null,
    query.diverse === undefined ? null : `λ ${query.diverse} among ${query.candidates} candidates`,
  ]
    .filter(Boolean)
    .join(" · ");
  const maps = new Map(said.filter((one) => one.map).map((one) => [one.map.chain.join(), one]));
  return element(
    "div",
    { class: "how" },
    element("p", {}, badge, " ", words),
    ...[...maps.values()].map(mapLine),
    ...said
      .filter((one) => one.domain?.is_outside)
      .map(() =>
        element(
          "p",
          { class: "bad" },
          "This text is unlike the pictures that the map was fitted on: its hits may mean little.",
        ),
      ),
  );
}

function mapLine({ map }) {
  const told = map.is_estimate ? "estimated" : "held-out";
  return element(
    "p",
    { class: "note" },
    `Carried over ${map.chain.join(" → ")} by a ${map.method} map: ${told} recall@10 `,
    element("b", {}, figure(map.expected_recall_at_10 ?? map.recall_at_10, 2)),
    map.chance_at_10 === undefined ? "" : ` where chance has ${figure(map.chance_at_10, 2)}`,
    map.r2 === undefined ? "" : `, R² ${figure(map.r2, 2)}`,
    map.gallery ? `, among ${counted(map.gallery, "picture")}` : "",
  );
}

/** A ranking's heading, and how it came about. */
export function rankingWords(asked, ranking, space) {
  const end = ranking.by ? asked.order === "typical" : ranking.descending;
  const what = ranking.by ? "typical" : plain(ranking.direction);
  const how = ranking.by
    ? `By marginal energy in ${space}, in nats per dimension`
    : `By place along ${what} in ${space}, in standard deviations from its boundary`;
  return {
    heading: `All pictures, ${end ? "most" : "least"} ${what} first`,
    how: element("p", { class: "how" }, how),
  };
}

/** What each part of the question did for a hit: bars to the right of zero speak for it. */
export function whyOf(explained) {
  const most = Math.max(...explained.terms.map((one) => Math.abs(one.contribution)), 1e-9);
  return element(
    "ul",
    { class: "why", "aria-label": `Why: similarity ${figure(explained.similarity)}` },
    ...explained.terms.map((term) => {
      const share = Math.abs(term.contribution) / most / 2;
      const words = term.what.replace(/id \d+/, "picture");
      return element(
        "li",
        {
          title: `${words}: contributes ${figure(term.contribution)}${term.change === null ? "" : `, without it ${figure(-term.change)}`}`,
        },
        element("span", {}, words),
        element(
          "span",
          { class: "beam", "aria-hidden": "true" },
          element("i", {
            class: term.contribution < 0 ? "against" : "for",
            style: { width: `${100 * share}%` },
          }),
        ),
        element("span", { class: "number" }, figure(term.contribution, 2)),
      );
    }),
  );
}

/** Give the answer away as a file; `text` is as the server wrote it, with ids of 63 bits. */
export function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The ids of an answer, nearest first, one a line. */
export const idsOf = (answer) => answer.hits.map((hit) => idOf(hit.image)).join("\n");

/** Whether a text could be put into the clipboard (which needs https or this machine). */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
