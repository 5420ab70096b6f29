// Changing a picture along directions: what comes of it, as the sliders rest.

import { Problem } from "../js/api.js";
import { element, empty, figure, plain } from "../js/dom.js";
import { madePicture, normOf } from "../studio/drawn.js";
import { Subject, requestWith } from "../studio/subject.js";

export const title = "Edit";

const PAUSE_MS = 250;
const MOST = 4;
// The strip: how many times all of the change is added.
const TIMES = [-1, -0.5, 0.5, 1, 1.5];
const AT = TIMES.indexOf(1);
const NORMS = { own: "its own", chi: "of white noise", fitted: "of stored noise", none: "not restored" };
let view = null;

export async function show(root, params, app) {
  view ??= new EditView(root, app);
  await view.show(params);
}

export function hide() {
  view?.leave();
}

class EditView {
  constructor(root, app) {
    this.app = app;
    this.subject = new Subject(app, { label: "Picture", onChange: (subject) => this.follow({ id: "", image: "", ...subject }) });
    this.space = element("select", { onchange: () => this.follow({ space: this.space.value, directions: "", keep: "" }) });
    this.norm = element("select", { onchange: () => this.follow({ norm: this.norm.value }) },
      ...Object.entries(NORMS).map(([value, text]) => element("option", { value }, text)));
    this.rows = element("div", { class: "stack" });
    this.reset = element("button", { type: "button", class: "quiet", onclick: () => this.follow({ directions: "", keep: "" }) }, "Reset");
    this.keepOthers = element("button", { type: "button", onclick: () => this.keepAll() }, "Keep all others");
    this.result = element("div", { class: "stack", "aria-live": "polite" });
    root.append(element("div", { class: "bench" },
      element("div", { class: "stack" }, this.subject.element, this.subject.offer.element,
        element("div", { class: "panel stack" },
          element("div", { class: "row spread" }, element("h2", {}, "Directions"), this.reset),
          element("p", { class: "note" }, "In standard deviations. A kept one stays as it is, whatever moves."),
          this.rows, this.keepOthers,
          element("label", { class: "field" }, element("span", {}, "Space"), this.space),
          element("label", { class: "field" }, element("span", {}, "Norm of the noise"), this.norm))),
      this.result));
  }

  leave() {
    this.asking?.abort();
    this.subject.leave();
  }

  follow(change) {
    this.app.go("edit", { ...this.params, ...change });
  }

  async show(params) {
    const { app } = this;
    this.subject.listen();
    const spaces = app.spaces.filter((one) => one.kind === "noise" && one.has_model !== false);
    this.params = Object.fromEntries(["id", "image", "space", "norm", "directions", "keep"].map((name) => [name, params.get(name) ?? ""]));
    this.space.replaceChildren(...spaces.map((one) => element("option", { value: one.name }, one.name)));
    this.space.value = this.params.space || spaces[0]?.name || "";
    this.norm.value = this.params.norm || "own";
    const hasPicture = this.subject.show(this.params);
    this.directions = app.directions.filter((one) => one.space.name === this.space.value);
    this.draw();
    if (!spaces.length) {
      this.tell("Nothing here can draw", "Editing needs a noise space, such as faces-noise: latentdb ingest DB SOURCE --space faces-noise");
    } else if (!this.directions.length) {
      this.tell("There is no direction yet", `Fit one in ${this.space.value}: latentdb direction DB NAME --space ${this.space.value} --label COLUMN`);
    } else if (!hasPicture) {
      this.tell("Choose a picture", "Drop one here, choose a file, or take one of the database.");
    } else if (!Object.keys(this.strengths).length) {
      this.tell("Move a slider", "The picture is changed when it rests.");
    } else await this.edit();
  }

  tell(...lines) {
    this.asking?.abort();
    this.result.replaceChildren(empty(...lines));
  }

  // Sliders

  draw() {
    const strengths = Object.fromEntries(this.params.directions.split(",").filter(Boolean).map((one) => one.split("=")));
    const kept = new Set(this.params.keep.split(",").filter(Boolean));
    const drawn = this.directions.map((one) => one.name).join();
    if (this.drawn !== drawn) this.rows.replaceChildren(...this.directions.map((one) => this.row(one)));
    this.drawn = drawn;
    for (const row of this.rows.children) {
      const [slider, keep] = partsOf(row);
      if (document.activeElement !== slider) slider.value = strengths[slider.name] ?? 0;
      keep.checked = kept.has(slider.name);
      this.said(row);
    }
    this.keepOthers.hidden = this.directions.length < 2;
    this.reset.disabled = !Object.keys(this.strengths).length && !kept.size;
  }

  row(direction) {
    const { auc } = direction.scores ?? {};
    const name = plain(direction.name);
    const change = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.moved(), PAUSE_MS);
    };
    const slider = element("input", {
      type: "range", name: direction.name, min: -MOST, max: MOST, step: "0.5", value: "0", "aria-label": name,
      oninput: () => { this.said(row); change(); },
    });
    const keep = element("input", { type: "checkbox", "aria-label": `Keep ${name}`, onchange: () => { this.said(row); change(); } });
    const row = element("div", { class: "dial" },
      element("span", {}, name, " ", element("span", { class: "faint small", title: "Held-out AUC of the direction" }, auc ? `AUC ${figure(auc.value)}` : "")),
      element("label", { class: "check small" }, keep, "keep"), slider, element("output", { class: "number" }, "0"));
    return row;
  }

  said(row) {
    const [slider, keep] = partsOf(row);
    const value = Number(slider.value);
    const text = `${value > 0 ? "+" : ""}${figure(value)}`;
    row.querySelector("output").textContent = text;
    slider.disabled = keep.checked;
    slider.setAttribute("aria-valuetext", `${text} standard deviations`);
  }

  /** Hold every direction that is not moved. */
  keepAll() {
    for (const [slider, keep] of [...this.rows.children].map(partsOf)) keep.checked = Number(slider.value) === 0;
    this.moved();
  }

  get strengths() {
    const moved = [...this.rows.querySelectorAll("input[type=range]")].filter((one) => Number(one.value) && !one.disabled);
    return Object.fromEntries(moved.map((one) => [one.name, Number(one.value)]));
  }

  get kept() {
    return [...this.rows.children].map(partsOf).filter(([, keep]) => keep.checked).map(([slider]) => slider.name);
  }

  /** The sliders rest: their place goes into the address, which shows the edit. */
  moved() {
    const directions = Object.entries(this.strengths).map(([name, value]) => `${name}=${value}`).join(",");
    this.app.rewrite("edit", { ...this.params, directions, keep: this.kept.join(",") });
    this.show(new URLSearchParams(location.hash.slice(1))).catch((error) => this.app.say(error.message, true));
  }

  // The edit

  async edit() {
    this.asking?.abort(); // what the sliders said before is not waited for
    this.asking = new AbortController();
    const { signal } = this.asking;
    const body = {
      ...(this.params.id ? { id: this.params.id } : {}), space: this.space.value, directions: this.strengths,
      keep: this.kept, strengths: TIMES, norm: this.norm.value,
    };
    this.result.classList.add("busy");
    this.app.say("Drawing…");
    const started = performance.now();
    try {
      const answer = await this.app.call("/v1/edit", requestWith(body, this.params, signal));
      this.app.say(`${TIMES.length} pictures in ${Math.round(performance.now() - started)} ms`);
      this.present(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) throw error;
      this.app.say("");
      this.result.replaceChildren(empty("This cannot be drawn", error.message));
    } finally {
      if (!signal.aborted) this.result.classList.remove("busy");
    }
  }

  present(answer) {
    const [before, made] = [answer.projections, answer.pictures];
    const step = Object.entries(answer.edit.directions).map(([name, value]) => `${plain(name)} ${value > 0 ? "+" : ""}${figure(value)}`).join(", ");
    const name = `edited-${Object.entries(answer.edit.directions).map(([one, value]) => `${one}${value}`).join("-")}.png`;
    this.result.replaceChildren(
      element("div", { class: "panel trio" },
        madePicture(answer.original.png, { alt: "Original", caption: [element("b", {}, "Original"), element("span", { class: "faint" }, " as the model sees it")] }),
        madePicture(answer.round_trip.png, { alt: "Round trip", caption: [element("b", {}, "Round trip"), " ",
          element("span", { class: "faint", title: "What its noise gives back unchanged: this difference is the inversion's, not the edit's" }, `${figure(answer.round_trip_psnr)} dB`), " ", normOf(answer.norm_z)] }),
        madePicture(made[AT].png, { alt: `Edited: ${step}`, name, marked: true, caption: [element("b", {}, "Edited"), " ", element("span", { class: "faint" }, step), " ", normOf(made[AT].norm_z)] })),
      element("section", { class: "panel stack", "aria-labelledby": "strip-title" },
        element("h2", { id: "strip-title" }, "Less and more of it"),
        element("div", { class: "walk" }, ...made.map((one, at) => madePicture(one.png, {
          alt: `${figure(one.times)} times`, name: name.replace(".png", `-times${one.times}.png`), marked: at === AT, caption: [`× ${figure(one.times)}`, " ", normOf(one.norm_z)],
        })))),
      element("section", { class: "panel stack", "aria-labelledby": "bars-title" },
        element("h2", { id: "bars-title" }, "Along every direction"),
        answer.edit.keep.length ? element("p", { class: "note" }, `Keeping ${answer.edit.keep.map(plain).join(", ")} left ${figure(100 * answer.edit.remaining)} % of the step's length.`) : null,
        element("table", {}, element("thead", {}, element("tr", {}, ...["Direction", "Before and after, in standard deviations", "Change"].map((one) => element("th", { scope: "col" }, one)))),
          element("tbody", {}, ...Object.keys(before).map((one) => change(one, before[one], made[AT].projections[one]))))));
  }
}

const signed = (value) => value.toFixed(2).replace("-", "−");

const partsOf = (row) => [row.querySelector("[type=range]"), row.querySelector("[type=checkbox]")];

/** A row of the table: where it was and where it is, on one scale about 0. */
function change(name, before, after) {
  const reach = 5;
  const at = (value) => `${50 + 50 * Math.max(-1, Math.min(1, value / reach))}%`;
  const [low, high] = [Math.min(before, after), Math.max(before, after)];
  return element("tr", {}, element("th", { scope: "row" }, plain(name)),
    element("td", {}, element("div", { class: "scale", title: `${figure(before)} → ${figure(after)}` },
      element("i", { class: "zero" }),
      element("i", { class: "way", style: { left: at(low), right: `calc(100% - ${at(high)})` } }),
      element("i", { class: "from", style: { left: at(before) } }), element("i", { class: "to", style: { left: at(after) } }))),
    element("td", { class: "number nowrap" }, `${signed(before)} → ${signed(after)}`));
}
