// Choosing pictures to add: from files, folders, drops; with labels; into which spaces.

import { readLabels } from "./csv.js";
import { counted, element } from "./dom.js";
import { chosenIn } from "./upload.js";

const MOST_SHOWN = 120;

/** Used as: `chooser.choice` and `chooser.section` to be placed; `onSend` when all is chosen. */
export class Chooser {
  constructor(app, onSend) {
    this.app = app;
    this.onSend = onSend;
    this.chosen = []; // { file, path, url }
    this.labels = null; // as csv.js reads them
    this.isSending = false; // nothing more can be sent just now
    this.isBusy = false; // something else is shown below
    this.drawChoice();
    this.drawChosen();
    this.draw();
  }

  /** Names of the spaces that are ticked. */
  get chosenSpaces() {
    return this.spaces.filter((one) => one.checked).map((one) => one.value);
  }

  /** Those spaces, or null where all are. */
  get someSpaces() {
    const { chosenSpaces } = this;
    return chosenSpaces.length < this.spaces.length ? chosenSpaces : null;
  }

  drawChoice() {
    const take = (input) => {
      this.add(chosenIn(input));
      input.value = "";
    };
    const files = element("input", {
      id: "files",
      type: "file",
      multiple: true,
      accept: "image/*",
      class: "unseen",
      onchange: () => take(files),
    });
    const folder = element("input", {
      id: "folder",
      type: "file",
      webkitdirectory: true,
      class: "unseen",
      onchange: () => take(folder),
    });
    const csv = element("input", {
      id: "csv",
      type: "file",
      accept: ".csv,.tsv",
      class: "unseen",
      onchange: () => {
        this.readLabels(csv.files[0]);
        csv.value = "";
      },
    });
    this.labelsTold = element("p", { class: "note", role: "status" });
    const limits = this.app.database.limits ?? {};
    this.choice = element(
      "section",
      { class: "panel choice", "aria-label": "Choose pictures" },
      element("h2", {}, "Drop pictures or a folder anywhere on this page"),
      element(
        "div",
        { class: "row" },
        files,
        element("label", { class: "button primary", for: "files" }, "Choose pictures…"),
        folder,
        element("label", { class: "button", for: "folder" }, "Choose a folder…"),
        csv,
        element(
          "label",
          {
            class: "button",
            for: "csv",
            title: "A CSV or TSV file with a column path or file_name",
          },
          "Labels (CSV)…",
        ),
      ),
      this.labelsTold,
      element(
        "p",
        { class: "note" },
        [
          limits.max_megapixels && `Up to ${limits.max_megapixels} megapixels each.`,
          "Any number: they are sent some at a time, and their metadata is taken off.",
        ]
          .filter(Boolean)
          .join(" "),
      ),
    );
    return this.choice;
  }

  drawChosen() {
    this.count = element("h2", { id: "chosen-title" });
    this.thumbs = element("ul", { class: "thumbs", "aria-labelledby": "chosen-title" });
    this.send = element("button", {
      type: "button",
      class: "primary",
      onclick: () => this.onSend(),
    });
    this.spaces = this.app.spaces.map((one) =>
      element("input", {
        type: "checkbox",
        value: one.name,
        checked: true,
        onchange: () => this.tell(),
      }),
    );
    this.section = element(
      "section",
      { class: "panel stack", hidden: true },
      element(
        "div",
        { class: "row spread" },
        this.count,
        element(
          "div",
          { class: "row" },
          element(
            "button",
            { type: "button", class: "quiet", onclick: () => this.drop() },
            "Remove all",
          ),
          this.send,
        ),
      ),
      this.spaces.length > 1
        ? element(
            "fieldset",
            { class: "field" },
            element("legend", {}, "Into the spaces"),
            element(
              "div",
              { class: "row spaces" },
              ...this.spaces.map((one) => element("label", { class: "check" }, one, one.value)),
            ),
          )
        : null,
      this.thumbs,
    );
    return this.section;
  }

  /** More files: pictures are kept, a table of labels is read, others are left out and counted. */
  add(files) {
    const table = files.find(({ file }) => /\.(csv|tsv)$/i.test(file.name));
    if (table) this.readLabels(table.file);
    const pictures = files.filter(({ file }) => file.type.startsWith("image/"));
    const known = new Set(
      this.chosen.map(({ path, file }) => `${path} ${file.size} ${file.lastModified}`),
    );
    const fresh = pictures.filter(
      ({ path, file }) => !known.has(`${path} ${file.size} ${file.lastModified}`),
    );
    this.chosen.push(...fresh.map((one) => ({ ...one, url: URL.createObjectURL(one.file) })));
    const others = files.length - pictures.length - (table ? 1 : 0);
    this.app.say(
      [
        `${counted(fresh.length, "picture")} chosen`,
        others ? `${counted(others, "other file")} left out` : "",
      ]
        .filter(Boolean)
        .join(", "),
      !fresh.length && !table,
    );
    this.draw();
  }

  async readLabels(file) {
    if (!file) return;
    try {
      this.labels = readLabels(await file.text(), file.name);
      this.labelsTold.textContent = `${file.name}: ${counted(this.labels.rows.size, "row")}, labels ${this.labels.columns.join(", ") || "none"}`;
      this.labelsTold.classList.remove("bad");
    } catch (error) {
      this.labels = null;
      this.labelsTold.textContent = error.message;
      this.labelsTold.classList.add("bad");
    }
  }

  drop(one = null) {
    for (const gone of one ? [one] : this.chosen) URL.revokeObjectURL(gone.url);
    this.chosen = one ? this.chosen.filter((other) => other !== one) : [];
    this.draw();
  }

  /** What can be done with what is chosen; pictures themselves are drawn by `draw`. */
  tell() {
    const bytes = this.chosen.reduce((sum, { file }) => sum + file.size, 0);
    const count = counted(this.chosen.length, "picture");
    this.section.hidden = this.chosen.length === 0;
    this.choice.classList.toggle("compact", !this.section.hidden || this.isBusy);
    this.count.textContent = `${count}, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
    this.send.textContent = `Add ${count}`;
    this.send.disabled = this.isSending || (this.spaces.length > 0 && !this.chosenSpaces.length);
  }

  draw() {
    this.tell();
    this.thumbs.replaceChildren(
      ...this.chosen.slice(0, MOST_SHOWN).map((one) =>
        element(
          "li",
          {},
          element("img", {
            src: one.url,
            alt: one.path,
            title: one.path,
            loading: "lazy",
            decoding: "async",
            onerror: (event) => event.target.classList.add("broken"),
          }),
          element(
            "button",
            {
              type: "button",
              "aria-label": `Remove ${one.path}`,
              title: "Remove",
              onclick: () => this.drop(one),
            },
            "×",
          ),
        ),
      ),
      ...(this.chosen.length > MOST_SHOWN
        ? [element("li", { class: "rest" }, `and ${this.chosen.length - MOST_SHOWN} more`)]
        : []),
    );
  }
}
