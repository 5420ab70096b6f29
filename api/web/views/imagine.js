// New pictures of what a text says, or of what a picture shows in another space.

import { imageOf } from "../js/api.js";
import { element, empty, figure } from "../js/dom.js";
import { madePicture, normOf } from "../studio/drawn.js";
import { Subject, requestWith } from "../studio/subject.js";

export const title = "Imagine";

let view = null;

export async function show(root, params, app) {
  view ??= new ImagineView(root, app);
  await view.show(params);
}

export function hide() {
  view?.asking?.abort();
  view?.subject.leave();
}

class ImagineView {
  constructor(root, app) {
    this.app = app;
    this.subject = new Subject(app, { label: "Or of a picture", onChange: (subject) => this.follow({ text: "", id: "", image: "", ...subject }) });
    this.text = element("input", { type: "search", maxlength: "2000", placeholder: "a smiling face with a hat" });
    this.count = element("input", { type: "number", min: "1", max: "32", value: "8" });
    this.heat = element("input", { type: "range", min: "0", max: "1.5", step: "0.1", oninput: () => this.said() });
    this.heatTold = element("output", { class: "number" });
    this.seed = element("input", { type: "number", min: "0", max: "2147483647", step: "1" });
    this.space = element("select", {});
    this.from = element("select", {});
    this.result = element("div", { class: "stack", "aria-live": "polite" });
    const field = (name, ...parts) => element("label", { class: "field" }, element("span", {}, name), ...parts);
    const form = element("form", { class: "panel stack", onsubmit: (event) => { event.preventDefault(); this.ask(); } },
      element("label", { class: "field" }, element("span", {}, "Of a text"), this.text),
      element("div", { class: "pair" }, field("Pictures", this.count), field("Seed", this.seed)),
      element("label", { class: "field" }, element("span", {}, "Temperature ", this.heatTold), this.heat),
      element("p", { class: "note" }, "0 draws what the question alone decides; 1 adds all that it leaves open."),
      element("div", { class: "pair" }, field("Drawn in", this.space), field("Asked from", this.from)),
      element("div", { class: "row" }, element("button", { class: "primary", type: "submit" }, "Imagine"),
        element("button", { type: "button", onclick: () => this.again() }, "Other draws")));
    root.append(element("div", { class: "bench" }, element("div", { class: "stack" }, form, this.subject.element, this.subject.offer.element), this.result));
  }

  said() {
    this.heatTold.textContent = figure(Number(this.heat.value));
  }

  get settings() {
    return { n: this.count.value, seed: this.seed.value, temperature: this.heat.value, space: this.space.value, from: this.from.value };
  }

  follow(change) {
    this.app.go("imagine", { ...this.params, ...this.settings, ...change });
  }

  ask() {
    const text = this.text.value.trim();
    this.follow(text ? { text, id: "", image: "" } : { text: "" });
  }

  again() {
    this.seed.value = String(Number(this.seed.value) + 1);
    this.ask();
  }

  async show(params) {
    const { app } = this;
    this.subject.listen();
    this.params = Object.fromEntries(["text", "id", "image"].map((name) => [name, params.get(name) ?? ""]));
    const option = (value, text) => element("option", { value }, text);
    const noise = app.spaces.filter((one) => one.kind === "noise" && one.has_model !== false);
    this.space.replaceChildren(...noise.map((one) => option(one.name, one.name)));
    this.space.value = params.get("space") || noise[0]?.name || "";
    this.from.replaceChildren(option("", "auto"), ...app.spaces.filter((one) => one.kind !== "noise").map((one) => option(one.name, one.name)));
    this.from.value = params.get("from") ?? "";
    if (document.activeElement !== this.text) this.text.value = this.params.text;
    this.count.value = params.get("n") || "8";
    this.seed.value = params.get("seed") || "0";
    this.heat.value = params.get("temperature") || "1";
    this.said();
    const hasPicture = this.subject.show(this.params);
    this.asking?.abort();
    if (!noise.length) this.result.replaceChildren(empty("Nothing here can draw", "It needs a noise space, such as faces-noise."));
    else if (!this.params.text && !hasPicture) this.result.replaceChildren(empty("Describe a picture, or choose one", "New ones are drawn of what it says, by a map into the noise space."));
    else await this.draw();
  }

  async draw() {
    this.asking = new AbortController();
    const { signal } = this.asking;
    const { text, id } = this.params;
    const from = this.from.value ? { from: this.from.value } : {};
    const body = {
      ...(text ? { text } : id ? { id } : {}), ...from, space: this.space.value, n: Number(this.count.value),
      seed: Number(this.seed.value), temperature: Number(this.heat.value),
    };
    this.result.classList.add("busy");
    this.app.say("Drawing… the first one loads the models.");
    const started = performance.now();
    try {
      const answer = await this.app.call("/v1/imagine", requestWith(body, text ? {} : this.params, signal));
      this.app.say(`${this.app.counted(answer.pictures.length, "picture")} in ${Math.round(performance.now() - started)} ms`);
      this.present(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.app.say("");
      this.result.replaceChildren(empty("This cannot be imagined", error.message));
    } finally {
      if (!signal.aborted) this.result.classList.remove("busy");
    }
  }

  present(answer) {
    const { map } = answer;
    const asked = this.params.text ? `“${this.params.text}”` : "the picture";
    const outside = answer.query.domain?.is_outside;
    this.result.replaceChildren(element("section", { class: "panel stack", "aria-labelledby": "imagined-title" },
      element("h2", { id: "imagined-title" }, `Of ${asked}`),
      outside ? element("p", { class: "warning" }, "This is unlike what the map was fitted on: the pictures say little about it.") : null,
      element("div", { class: "gallery" }, ...answer.pictures.map((one, at) => {
        const nearest = this.app.idOf(one.nearest.image);
        return element("div", { class: "imagined" },
          madePicture(one.png, { alt: `Imagined picture ${at + 1}`, name: `imagined-${answer.seed}-${at + 1}.png`, caption: [normOf(one.norm_z)] }),
          element("a", { class: "near", href: this.app.link("item", { id: nearest }), "aria-label": `Nearest stored picture to ${at + 1}, distance ${figure(one.nearest.distance)}` },
            element("img", { src: imageOf(nearest, 64), alt: "" }), element("span", {}, `nearest, at ${figure(one.nearest.distance)}`)));
      })),
      element("p", { class: "note" }, `The question decides ${figure(100 * answer.mean_share)} % of what is drawn; chance the rest.`,
        map ? ` Carried from ${answer.query.from} to ${answer.space} by a ${map.method} map${map.recall_at_10 === undefined ? "" : `, held-out recall@10 ${figure(map.recall_at_10)} of ${figure(map.chance_at_10)} by chance`}.` : "")));
  }
}
