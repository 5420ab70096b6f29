// The map of a space: every picture a point, coloured by what is known of it.

import { Problem } from "../js/api.js";
import { element, empty, figure, plain } from "../js/dom.js";
import { fromParams, isAsked, requestOf, toParams } from "../js/question.js";
import { keptPicture } from "../js/pictures.js";
import { arrayOf } from "../studio/arrays.js";
import { join } from "../studio/gestures.js";
import { legendOf } from "../studio/legend.js";
import { coloured, plainly } from "../studio/palette.js";
import { Plane } from "../studio/plane.js";
import { Selection, conditionOf } from "../studio/selection.js";

export const title = "Map";

const MOST_POINTS = 100000;
const HELP = "Arrow keys move the map, plus and minus zoom, 0 shows everything. B begins a box: arrow keys "
  + "move it, Shift and arrow keys resize it, Enter selects what is in it.";
let view = null;

export async function show(root, params, app) {
  view ??= new MapView(root, app);
  await view.show(params);
}

export function hide() {
  view?.hover(-1);
}

class MapView {
  constructor(root, app) {
    this.app = app;
    this.state = {};
    this.points = null; // the projection as the server told of it, with `ids`
    this.values = null; // what it is coloured by, with `numbers`
    this.build(root);
    this.plane = new Plane(this.canvas);
    this.plane.onMove = () => this.remember();
    this.plane.onTheme = () => this.colour();
    this.canvas.plane = this.plane; // for who looks at it from outside: tests, and what measures
    join(this.plane, {
      isLasso: () => this.lasso.checked,
      lassoed: (polygon, isMore) => this.selectPlaces(this.plane.grid.within(polygon), isMore),
      clicked: (place) => this.selectPlaces(place < 0 ? [] : [place], false),
      hovered: (...where) => this.hover(...where),
      told: (text) => { this.told.textContent = text; },
    });
  }

  // Its parts

  build(root) {
    const changed = () => this.follow({ at: "" });
    this.space = element("select", { onchange: changed });
    this.pca = element("input", { type: "radio", name: "map-method", value: "pca", onchange: changed });
    this.umap = element("input", { type: "radio", name: "map-method", value: "umap", onchange: changed });
    this.by = element("select", { onchange: () => this.follow({}) });
    this.where = element("input", { type: "text", maxlength: "4000", spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-describedby": "map-wrong", onchange: changed });
    this.wrong = element("p", { class: "wrong", id: "map-wrong", role: "alert" });
    this.canvas = element("canvas", { tabindex: "0", role: "application", "aria-roledescription": "map", "aria-describedby": "map-help" });
    this.lasso = element("input", { type: "radio", name: "map-tool", value: "lasso" });
    this.told = element("p", { class: "unseen", role: "status", "aria-live": "polite" });
    this.tip = element("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.veil = element("div", { class: "veil", hidden: true });
    this.legend = element("section", { class: "panel stack legend", "aria-label": "Legend" });
    this.facts = element("p", { class: "note" });
    this.selection = new Selection(this.app, () => this.selectPlaces([], false));
    const option = (input, text) => element("label", {}, input, element("span", {}, text));
    const button = (sign, name, act) => element("button", { type: "button", "aria-label": name, title: name, onclick: act }, sign);
    root.append(
      element("form", { class: "panel controls", onsubmit: (event) => { event.preventDefault(); changed(); } },
        element("label", { class: "field" }, element("span", {}, "Space"), this.space),
        element("fieldset", { class: "field" }, element("legend", {}, "Placed by"),
          element("div", { class: "switch" }, option(this.pca, "PCA"), option(this.umap, "UMAP"))),
        element("label", { class: "field" }, element("span", {}, "Colour by"), this.by),
        element("div", { class: "field wide" }, element("label", {}, element("span", { class: "faint small" }, "Only where"), this.where), this.wrong)),
      element("div", { class: "atlas" },
        element("div", { class: "sheet" }, this.canvas, this.tip, this.veil,
          element("fieldset", { class: "tool switch" }, element("legend", { class: "unseen" }, "Dragging"),
            option(element("input", { type: "radio", name: "map-tool", value: "move", checked: true }), "Move"),
            option(this.lasso, "Lasso")),
          element("div", { class: "zoom" },
            button("+", "Zoom in", () => this.plane.zoomBy(1.6)),
            button("−", "Zoom out", () => this.plane.zoomBy(1 / 1.6)),
            button("⤢", "Show everything", () => this.plane.fit()))),
        element("div", { class: "stack aside" }, this.legend, this.facts)),
      element("p", { class: "note", id: "map-help" }, HELP), this.told, this.selection.element);
  }

  fill() {
    const { app } = this;
    const option = (value, text) => element("option", { value }, text);
    const group = (label, options) => (options.length ? element("optgroup", { label }, ...options) : null);
    this.space.replaceChildren(...app.spaces.map((one) => option(one.name, one.name)));
    this.space.value = this.state.space;
    const space = app.spaces.find((one) => one.name === this.state.space);
    const own = app.directions.filter((one) => one.space.name === this.state.space).map((one) => one.name);
    this.by.replaceChildren(...[
      group("Label", Object.keys(app.database.labels ?? {}).map((name) => option(`label:${name}`, plain(name)))),
      group("Probe score", own.map((name) => option(`direction:${name}`, plain(name)))),
      group("Vector", [option("energy", "energy: how untypical"), option("norm", "norm"),
        ...(space?.quality ?? []).map((name) => option(`quality:${name}`, plain(name)))]),
      group("Nothing", [option("none", "one colour")]),
    ].filter(Boolean));
    this.by.value = this.state.by;
    this[this.state.method].checked = true;
    if (document.activeElement !== this.where) this.where.value = this.state.where;
    this.canvas.setAttribute("aria-label", `Map of ${this.state.space} by ${this.state.method.toUpperCase()}`);
  }

  // The address

  read(params) {
    const { app } = this;
    const labels = app.database.labels ?? {};
    const truth = Object.keys(labels).find((name) => labels[name] === "bool") ?? Object.keys(labels)[0];
    return {
      space: params.get("space") || app.spaces[0]?.name || "",
      method: params.get("method") === "umap" ? "umap" : "pca",
      by: params.get("by") || (truth ? `label:${truth}` : "norm"),
      where: params.get("where") ?? "",
      at: params.get("at") ?? "",
      question: fromParams(new URLSearchParams([...params].filter(([name]) => !["space", "where"].includes(name)))),
    };
  }

  /** The address of a state. */
  paramsOf({ question, ...own }) {
    const asked = Object.fromEntries(Object.entries(toParams(question)).filter(([name]) => !(name in own)));
    return { ...asked, ...own, method: own.method === "pca" ? "" : own.method };
  }

  /** What the controls say, as the next address. */
  follow(change) {
    const method = this.umap.checked ? "umap" : "pca";
    const said = { space: this.space.value, by: this.by.value, where: this.where.value.trim(), method };
    this.app.go("map", this.paramsOf({ ...this.state, ...said, ...change }));
  }

  /** Keep what is in view in the address, once it rests. */
  remember() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      if (this.canvas.closest("[hidden]")) return;
      const { x, y } = this.plane.view;
      this.state.at = this.plane.zoom < 1.01 ? "" : [x, y, this.plane.zoom].map((one) => Number(one.toPrecision(4))).join(",");
      this.app.rewrite("map", this.paramsOf(this.state));
    }, 400);
  }

  // Loading

  async show(params) {
    const before = this.state;
    this.state = this.read(params);
    if (!this.state.space) {
      this.lift(empty("There is no space yet", "Add one with: latentdb init DB --space …, and pictures."));
      return;
    }
    this.fill();
    this.loading?.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    const isOther = ["space", "method", "where"].some((name) => before[name] !== this.state[name]) || !this.points;
    this.wrong.textContent = "";
    const slow = setTimeout(() => this.lift(element("p", {}, "Placing the pictures…")), 250);
    try {
      if (isOther) await this.load(signal);
      if (isOther || before.by !== this.state.by || !this.values) await this.loadValues(signal);
      clearTimeout(slow);
      this.lift(null);
      if (isOther) this.place();
      await this.mark(signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.fail(error);
    } finally {
      clearTimeout(slow);
    }
  }

  ask(what, more, signal) {
    const { space, method, where } = this.state;
    const params = new URLSearchParams({ method, limit: MOST_POINTS, ...(where ? { where } : {}), ...more });
    return this.app.call(`/v1/spaces/${encodeURIComponent(space)}/${what}?${params}`, { signal });
  }

  async load(signal) {
    this.points = null;
    const told = await this.ask("projection", {}, signal);
    this.points = { ...told, ids: arrayOf(told.ids), xy: arrayOf(told.xy) };
    this.plane.setPoints(this.points.ids, this.points.xy);
    this.values = null;
    this.selection.hide();
  }

  async loadValues(signal) {
    this.values = this.trouble = null;
    if (this.state.by !== "none") {
      let told;
      try {
        told = await this.ask("values", { by: this.state.by }, signal);
      } catch (error) {
        if (!(error instanceof Problem) || error.status >= 500) throw error;
        this.trouble = error; // the points are there all the same
        this.colour();
        return;
      }
      if (told.ids_hash !== this.points.ids_hash) { // pictures came in between
        await this.load(signal);
        await this.loadValues(signal);
        return;
      }
      this.values = { ...told, numbers: arrayOf(told.values) };
    }
    this.colour();
  }

  colour() {
    if (!this.points) return;
    const { values } = this;
    const made = values ? coloured(values, values.numbers) : plainly(this.points.points);
    this.plane.setColours(made);
    const heading = values ? plain(values.by.replace(/^\w+:/, "")) : "Pictures";
    this.legend.replaceChildren(...legendOf(made.legend, heading, (test, entry) => this.selectByValue(test, entry)));
    if (this.trouble) this.legend.append(...this.excuse());
    this.facts.replaceChildren(...this.describe());
  }

  /** Why the points have no colours, and what can be done. */
  excuse() {
    const wrong = element("p", { class: "wrong" }, this.trouble.message);
    if (this.trouble.code !== "not-enough-data" || this.state.by !== "energy") return [wrong];
    return [wrong, this.jobButton("Measure them", "/v1/energy", { space: this.state.space })];
  }

  describe() {
    const { app, points } = this;
    const parts = [app.counted(points.points, "picture") + (points.count > points.points ? ` of ${points.count.toLocaleString("en")}, drawn at random.` : ".")];
    if (points.explained) {
      const [across, up] = points.explained.map((one) => `${figure(100 * one)} %`);
      parts.push(`The axes hold ${across} and ${up} of the variance.`);
    } else {
      parts.push(`UMAP by ${points.params.n_neighbors} neighbours: near points are alike, distances between groups say little.`);
    }
    const lines = parts.map((one) => element("span", {}, `${one} `));
    if (points.missing) {
      lines.push(element("span", {}, `${app.counted(points.missing, "picture")} came since it was made. `), this.button("Make it anew"));
    }
    return lines;
  }

  place() {
    const [x, y, zoom] = this.state.at.split(",").map(Number);
    this.plane.resize();
    if (this.state.at && [x, y, zoom].every(Number.isFinite)) this.plane.lookAt(x, y, zoom);
    else this.plane.fit();
  }

  /** Ring what the address asks for: the hits of its question. */
  async mark(signal) {
    this.plane.marked = [];
    const { question } = this.state;
    const own = question.image ? keptPicture(question.image) : null; // null where it was of another visit
    if (isAsked(question) && (own || !question.image)) {
      const request = requestOf({ ...question, space: this.state.space, where: this.state.where }, own?.file);
      const answer = await this.app.call("/v1/search", { ...request, signal });
      const wanted = new Set([...answer.hits.map((hit) => this.app.idOf(hit.image)), ...question.items.map((one) => one.id)].map(BigInt));
      this.plane.marked = this.placesOf((id) => wanted.has(id));
      this.app.say(`${this.app.counted(this.plane.marked.length, "picture")} of the question ringed`);
    }
    this.plane.redraw();
  }

  placesOf(test) {
    const { ids } = this.points;
    const found = [];
    for (let at = 0; at < ids.length; at++) if (test(ids[at])) found.push(this.plane.grid.place[at]);
    return found;
  }

  fail(error) {
    if (error instanceof Problem && error.code === "unknown-projection") {
      this.legend.replaceChildren();
      this.facts.replaceChildren();
      this.lift(empty("There is no UMAP of this space yet", "It lays out near pictures near each other, which takes a minute or more.", this.button("Make it")));
    } else if (error instanceof Problem && error.code === "filter") {
      this.lift(element("p", {}, "No points: the condition cannot be used."));
      this.wrong.textContent = error.message;
    } else {
      this.lift(empty("The map cannot be drawn", error.message));
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Something in place of the map; null for the map. */
  lift(content) {
    this.veil.hidden = content === null;
    this.veil.replaceChildren(...(content === null ? [] : [content]));
  }

  button(text) {
    return this.jobButton(text, "/v1/projections", { space: this.state.space, method: "umap" });
  }

  jobButton(text, path, work) {
    const made = element("button", { type: "button", class: "primary", onclick: () => this.run(text, path, work) }, text);
    made.disabled = !this.app.may("write");
    if (made.disabled) made.title = "Your key may only read";
    return made;
  }

  /** Have a job done that the map waits for, and show it then. */
  async run(text, path, work) {
    const bar = element("progress", { "aria-label": "Progress of the job" });
    const line = element("p", {}, "Waiting for its turn…");
    this.lift(element("div", { class: "empty" }, element("h2", {}, path.endsWith("energy") ? "Measuring the energies" : "Making the UMAP"), bar, line));
    try {
      const begun = await this.app.call(path, { json: work });
      await this.app.job(begun.id, (progress) => {
        if (progress?.total) { bar.max = progress.total; bar.value = progress.done; } else bar.removeAttribute("value");
        if (progress?.message) line.textContent = `${plain(progress.message)}…`;
      });
      this.points = null;
      this.app.go("map", this.paramsOf(this.state));
    } catch (error) {
      this.lift(empty("It was not made", error.message, this.jobButton(text, path, work)));
    }
  }

  // Selecting

  selectByValue(test, entry) {
    const { numbers, by, kind } = this.values;
    const chosen = new Uint8Array(numbers.length);
    for (let at = 0; at < numbers.length; at++) chosen[at] = test(numbers[at]) ? 1 : 0;
    const own = conditionOf(by, entry, kind);
    const where = own && this.state.where ? `(${this.state.where}) and ${own}` : own;
    this.select(chosen, { name: `${plain(by.replace(/^\w+:/, ""))}, ${entry.name}`, where });
  }

  selectPlaces(places, isMore) {
    const chosen = isMore && this.plane.selected ? this.plane.selected.slice() : new Uint8Array(this.plane.grid.count);
    for (const place of places) chosen[this.plane.grid.order[place]] = 1;
    this.select(chosen, {});
  }

  async select(chosen, how) {
    if (!this.points || !this.plane.coloured) return;
    const ids = [];
    for (let at = 0; at < chosen.length; at++) if (chosen[at]) ids.push(this.points.ids[at].toString());
    this.plane.select(ids.length ? chosen : null);
    if (!ids.length) {
      this.selection.hide();
      this.app.say("Nothing is selected");
      return;
    }
    this.app.say(`${this.app.counted(ids.length, "picture")} selected`);
    try {
      await this.selection.show(ids, { space: this.state.space, ...how });
    } catch (error) {
      this.app.say(error.message, true);
    }
  }

  hover(place, x = 0, y = 0) {
    this.canvas.classList.toggle("pointing", place >= 0);
    this.tip.hidden = place < 0;
    if (place < 0) return;
    const id = this.plane.idAt(place);
    if (this.tip.dataset.id !== id) {
      this.tip.dataset.id = id;
      const value = this.values?.numbers[this.plane.grid.order[place]];
      const text = value === undefined ? "" : this.values.kind === "category" ? this.values.categories[value] ?? "not known"
        : this.values.kind === "boolean" ? { 0: "no", 1: "yes" }[value] ?? "not known" : figure(Number.isNaN(value) ? null : value);
      this.tip.replaceChildren(element("img", { src: this.app.imageOf(id, 128), alt: "" }),
        element("span", {}, this.values ? `${plain(this.values.by.replace(/^\w+:/, ""))}: ${text}` : ""));
    }
    const { clientWidth, clientHeight } = this.canvas;
    this.tip.style.setProperty("left", `${Math.min(x + 16, clientWidth - 148)}px`);
    this.tip.style.setProperty("top", `${Math.min(y + 16, clientHeight - 172)}px`);
  }
}
