// The field of a filter: columns are offered as one types, and what is wrong is said beside it.

import { element } from "./dom.js";

const WORDS = ["and", "or", "not", "in", "like", "between", "is null", "is not null"];
const ALWAYS = { id: "int", source: "str", width: "int", height: "int", added_at: "str" };
const OF_SPACE = { norm: "float", energy: "float", energy_z: "float" };
const MOST = 8;
const PAUSE_MS = 350;

/** Columns that a filter can name: labels first, then what is known of every item. */
export function columnsOf(app, spaceName) {
  const space = app.spaces.find((one) => one.name === spaceName);
  const quality = Object.fromEntries((space?.quality ?? []).map((name) => [name, "float"]));
  return { ...app.database.labels, ...ALWAYS, ...(space ? { ...quality, ...OF_SPACE } : {}) };
}

/**
 * A text field with a list of completions: arrows choose, Enter or Tab take, Escape closes.
 *
 * Used as: `field.element` to be placed, `field.value`, `field.fail(text)` to say what is wrong,
 * `field.space` for whose columns are offered, `onChange` when the condition is to be used.
 */
export class WhereField {
  constructor(app, onChange) {
    this.app = app;
    this.onChange = onChange;
    this.space = "";
    this.at = -1;
    this.used = "";
    this.input = element("input", {
      id: "where",
      type: "text",
      maxlength: "4000",
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      role: "combobox",
      "aria-expanded": "false",
      "aria-autocomplete": "list",
      "aria-controls": "where-list",
      "aria-describedby": "where-told where-wrong",
      placeholder: example(app.database.labels),
    });
    this.list = element("ul", {
      id: "where-list",
      role: "listbox",
      "aria-label": "Columns",
      hidden: true,
    });
    this.told = element("p", { id: "where-told", class: "note" });
    this.wrong = element("p", { id: "where-wrong", class: "wrong", role: "alert" });
    this.element = element(
      "div",
      { class: "where" },
      element("label", { for: "where" }, "Only where"),
      element("div", { class: "completed" }, this.input, this.list),
      this.told,
      this.wrong,
    );
    this.input.addEventListener("input", () => {
      this.offer();
      this.check();
    });
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("blur", () => {
      this.close();
      this.use();
    });
    this.list.addEventListener("pointerdown", (event) => {
      // before the field loses its focus
      event.preventDefault();
      const chosen = event.target.closest("[role=option]");
      if (chosen) this.take(chosen.dataset.word);
    });
  }

  get value() {
    return this.input.value.trim();
  }

  set value(text) {
    if (document.activeElement !== this.input || this.value !== text) this.input.value = text;
    this.used = text;
    if (!text) this.told.textContent = "";
  }

  /** Say what is wrong with it; nothing is, where the text is empty. */
  fail(text) {
    this.wrong.textContent = text;
    if (text) {
      this.input.setAttribute("aria-invalid", "true");
      this.told.textContent = "";
    } else this.input.removeAttribute("aria-invalid");
  }

  use() {
    if (this.value === this.used) return;
    this.used = this.value;
    this.onChange();
  }

  /** How many items would pass, while it is being typed; mistakes are told when it is used. */
  check() {
    clearTimeout(this.timer);
    this.fail("");
    if (!this.value) {
      this.told.textContent = "";
      return;
    }
    this.timer = setTimeout(async () => {
      const asked = this.value;
      try {
        const found = await this.app.call(
          `/v1/items?${new URLSearchParams({ where: asked, limit: 1 })}`,
        );
        if (asked === this.value)
          this.told.textContent = `${found.count} of ${this.app.counted(this.app.database.items, "picture")}`;
      } catch {
        if (asked === this.value) this.told.textContent = "";
      }
    }, PAUSE_MS);
  }

  word() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    if ((before.match(/'/g) ?? []).length % 2) return null; // within a text
    return before.match(/[A-Za-z_][\w]*$/)?.[0] ?? "";
  }

  offer() {
    const word = this.word();
    if (!word) {
      this.close();
      return;
    }
    const fits = (name) => name.toLowerCase().startsWith(word.toLowerCase()) && name !== word;
    const columns = columnsOf(this.app, this.space);
    const found = [...Object.keys(columns).filter(fits), ...WORDS.filter(fits)].slice(0, MOST);
    this.list.replaceChildren(
      ...found.map((name, at) =>
        element(
          "li",
          { role: "option", id: `where-${at}`, "aria-selected": "false", dataset: { word: name } },
          element("span", {}, name),
          element("span", { class: "faint" }, columns[name] ?? ""),
        ),
      ),
    );
    this.list.hidden = found.length === 0;
    this.input.setAttribute("aria-expanded", String(found.length > 0));
    this.mark(-1);
  }

  mark(at) {
    this.at = at;
    [...this.list.children].forEach((one, index) =>
      one.setAttribute("aria-selected", String(index === at)),
    );
    if (at >= 0) this.input.setAttribute("aria-activedescendant", `where-${at}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.mark(-1);
  }

  take(name) {
    const end = this.input.selectionStart;
    const start = end - this.word().length;
    this.input.setRangeText(`${name} `, start, end, "end");
    this.close();
    this.check();
  }

  onKey(event) {
    const options = this.list.children.length;
    const isOpen = !this.list.hidden;
    if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      this.mark(
        (this.at +
          (event.key === "ArrowDown" ? 1 : -1) +
          options +
          (this.at < 0 && event.key === "ArrowUp" ? 1 : 0)) %
          options,
      );
    } else if (isOpen && this.at >= 0 && (event.key === "Tab" || event.key === "Enter")) {
      this.take(this.list.children[Math.max(this.at, 0)].dataset.word);
    } else if (isOpen && event.key === "Escape") {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter") {
      this.close();
      this.use();
    } else return;
    event.preventDefault();
  }
}

function example(labels) {
  const truths = Object.keys(labels).filter((name) => labels[name] === "bool");
  return truths.length > 1
    ? `${truths[0]} and not ${truths[1]}`
    : (Object.keys(labels)[0] ?? "width >= 64");
}
