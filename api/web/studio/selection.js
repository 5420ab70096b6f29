// What was selected on the map: as pictures, and as something to go on with.

import { element } from "../js/dom.js";

const SHOWN = 24;
const LIKE = 12; // a question of more parts takes long to read
const CENTROID = 48;
const CONDITION = 190; // ids that a condition has room for

export class Selection {
  constructor(app, onClear) {
    this.app = app;
    this.round = 0;
    this.title = element("h2", { id: "selected-title" });
    this.uses = element("div", { class: "row" });
    this.strip = element("ol", { class: "strip", "aria-label": "Selected pictures", tabindex: "0" });
    this.clear = element("button", { type: "button", class: "quiet", onclick: onClear }, "Clear");
    this.element = element("section", { class: "panel stack selection", "aria-labelledby": "selected-title", hidden: true },
      element("div", { class: "row spread" }, this.title, this.clear), this.uses, this.strip);
  }

  hide() { this.element.hidden = true; this.round++; }

  /**
   * @param {string[]} ids  all that are selected; in no order, so that the first are a fair draw
   * @param {object} how  `space`, `name` of what was selected, `where` that says the same
   */
  async show(ids, { space, name, where }) {
    const mine = ++this.round;
    const { app } = this;
    const condition = where ?? (ids.length <= CONDITION ? `id in (${ids.join(", ")})` : null);
    this.element.hidden = false;
    this.title.textContent = `${app.counted(ids.length, "picture")} selected${name ? `: ${name}` : ""}`;
    const some = (most) => (ids.length > most ? ` (${most} of them)` : "");
    const link = (text, view, params) => element("a", { class: "button", href: app.link(view, params) }, text);
    this.uses.replaceChildren(...[
      link(`Search like these${some(LIKE)}`, "search", { like: ids.slice(0, LIKE), space }),
      ids.length > 1 ? link(`Centroid of these${some(CENTROID)}`, "between", { ids: ids.slice(0, CENTROID).join(","), space }) : null,
      ids.length === 2 ? link("Interpolate", "between", { ids: ids.join(","), space, show: "walk" }) : null,
      ids.length === 1 ? link("Edit", "edit", { id: ids[0] }) : null,
      condition ? link("Only these on the map", "map", { space, where: condition }) : null,
      condition ? this.conditionOf(condition) : null,
    ].filter(Boolean));
    this.strip.replaceChildren();
    const shown = ids.slice(0, SHOWN);
    const listed = await app.call(`/v1/items?${new URLSearchParams({ where: `id in (${shown.join(", ")})`, limit: SHOWN })}`);
    if (mine !== this.round) return;
    this.strip.replaceChildren(...listed.items.map((item) => app.card(item, { size: 128 })));
  }

  conditionOf(condition) {
    const text = element("textarea", { readonly: true, rows: "3", "aria-label": "Condition" }, condition);
    const copy = element("button", {
      type: "button",
      onclick: async () => {
        text.select();
        try {
          await navigator.clipboard.writeText(condition);
          this.app.say("Copied");
        } catch {
          this.app.say("Press Ctrl+C to copy"); // pages without TLS have no clipboard
        }
      },
    }, "Copy");
    return element("details", { class: "condition" }, element("summary", { class: "button" }, "As a condition"), text, copy);
  }
}

/** The condition that says what an entry of a legend does; null where none can. */
export function conditionOf(by, entry, kind) {
  const [what, name] = by.split(/:(.*)/s);
  if (what !== "label" || !/^[A-Za-z_]\w*$/.test(name)) return null;
  if (entry.name === "not known") return `${name} is null`;
  if (kind === "boolean") return entry.name === "yes" ? name : `not ${name}`;
  if (kind !== "category" || entry.name === "all others") return null;
  return `cast(${name} as varchar) = '${entry.name.replaceAll("'", "''")}'`;
}
