// Choosing what a view works on: items of the database, or a picture of one's own.

import { imageOf } from "../js/api.js";
import { element } from "../js/dom.js";
import { firstPicture, hearOfFiles, keep, keptPicture } from "../js/pictures.js";

const OFFERED = 24;

/** A picture by its id, or by the name under which this page keeps it; null of none. */
export function addressOf({ id, image }, size = 256) {
  return id ? imageOf(id, size) : keptPicture(image)?.url ?? null;
}

/** Rows of stored pictures to choose from, with a condition and a step to the next ones. */
export class Offer {
  /** @param {(id: string) => void} onChoose */
  constructor(app, { onChoose, label }) {
    this.app = app;
    this.onChoose = onChoose;
    this.cursor = null;
    this.where = element("input", { type: "text", maxlength: "4000", spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
    this.list = element("ul", { class: "offer", "aria-label": label });
    this.more = element("button", { type: "button", onclick: () => this.load(this.cursor) }, "More");
    this.wrong = element("p", { class: "wrong", role: "alert" });
    this.element = element("details", { class: "panel", ontoggle: () => { if (this.element.open && !this.list.childElementCount) this.load(null); } },
      element("summary", {}, label),
      element("form", { class: "row", onsubmit: (event) => { event.preventDefault(); this.load(null); } },
        element("label", { class: "field grow" }, element("span", {}, "Only where"), this.where),
        element("button", { type: "submit", class: "low" }, "Show")),
      this.wrong, this.list, this.more);
  }

  async load(cursor) {
    const where = this.where.value.trim();
    const query = new URLSearchParams({ limit: OFFERED, ...(where ? { where } : {}), ...(cursor ? { cursor } : {}) });
    this.wrong.textContent = "";
    try {
      const listed = await this.app.call(`/v1/items?${query}`);
      if (!cursor) this.list.replaceChildren();
      this.list.append(...listed.items.map((item) => this.button(item)));
      this.cursor = listed.next ?? null;
      this.more.hidden = this.cursor === null;
    } catch (error) {
      this.wrong.textContent = error.message;
    }
  }

  button(item) {
    const id = this.app.idOf(item.image);
    const name = item.source.split(/[/!\\]/).pop();
    return element("li", {}, element("button", { type: "button", title: name, "aria-label": `Choose ${name}`, onclick: () => this.onChoose(id) },
      element("img", { src: imageOf(id, 128), alt: "", loading: "lazy", decoding: "async" })));
  }
}

/**
 * The one picture of a view: chosen from the database, from a file, dropped or pasted.
 */
export class Subject {
  /** @param {(subject: { id?: string, image?: string }) => void} onChange */
  constructor(app, { onChange, label }) {
    this.onChange = onChange;
    this.picture = element("img", { alt: "", hidden: true });
    this.told = element("p", { class: "note" });
    this.file = element("input", { type: "file", accept: "image/*", class: "unseen", onchange: () => this.take([...this.file.files]) });
    this.offer = new Offer(app, { label: "Choose one from the database", onChoose: (id) => { this.offer.element.open = false; onChange({ id }); } });
    this.element = element("div", { class: "panel stack subject" },
      element("h2", {}, label), this.picture, this.told,
      element("label", { class: "button" }, this.file, "Choose a file…"));
    this.app = app;
  }

  /** Take pictures that are dropped or pasted, while the view is shown. */
  listen() {
    this.stop?.();
    this.stop = hearOfFiles("Drop the picture here", (files) => this.take(files));
  }

  leave() { this.stop?.(); this.stop = null; }

  take(files) {
    const picture = firstPicture(files);
    this.file.value = "";
    if (picture) this.onChange({ image: keep(picture) });
    else if (files.length) this.app.say(`${files[0].name} is not a picture`, true);
  }

  /** Show what was chosen; whether there is something. */
  show(subject) {
    const address = addressOf(subject, 512);
    this.picture.hidden = address === null;
    if (address) this.picture.src = address;
    this.picture.alt = subject.id ? `Item ${subject.id}` : "Your picture";
    this.told.textContent = address ? "" : subject.image
      ? "That picture was of an earlier visit: drop it again." : "Drop or paste a picture, choose a file, or one from the database.";
    return address !== null;
  }
}

/** Options of a request that carries a question, and the picture where it is one of ours. */
export function requestWith(body, subject, signal) {
  if (!subject.image) return { json: body, signal };
  const form = new FormData();
  form.append("query", JSON.stringify(body));
  form.append("image", keptPicture(subject.image).file, "query");
  return { method: "POST", body: form, signal };
}
