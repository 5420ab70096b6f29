// The form of a question: what to look for, and how.

import { element, figure } from "./dom.js";
import { showParts } from "./parts.js";
import { isAsked, mostHits } from "./question.js";
import { Sliders } from "./sliders.js";
import { WhereField } from "./where.js";

const METRICS = [
  ["", "auto"],
  ["cosine", "cosine"],
  ["euclidean", "euclidean"],
  ["nao", "nao"],
];
const PRIORS = [
  ["", "auto"],
  ["chi", "chi (Gaussian noise)"],
  ["fitted", "fitted to the norms"],
  ["none", "none"],
];

const ORDERS = [
  ["", "as stored"],
  ["untypical", "least typical first"],
  ["typical", "most typical first"],
];

/** Some `[value, text]` as a choice. */
const options = (pairs) => pairs.map(([value, text]) => element("option", { value }, text));
const field = (text, control) =>
  element("label", { class: "field" }, element("span", {}, text), control);

/**
 * Used as: `form.bar` and `form.options` to be placed, `form.restore(question)` from the address,
 * `form.fail(problem)` for what is wrong with a field (whether it found the field).
 */
export class AskForm {
  /**
   * @param {object} app
   * @param {(question, isResting) => void} onAsk  the question is to be asked
   * @param {(file) => void} onPicture  a picture was chosen
   */
  constructor(app, onAsk, onPicture) {
    this.app = app;
    this.onAsk = onAsk;
    this.base = null; // the question as the address has it
    this.text = element("input", {
      id: "text",
      type: "search",
      maxlength: "2000",
      placeholder: "Describe a picture, or drop one here",
      autocomplete: "off",
      enterkeyhint: "search",
    });
    this.file = element("input", {
      id: "file",
      class: "unseen",
      type: "file",
      accept: "image/*",
      onchange: () => {
        onPicture(this.file.files[0]);
        this.file.value = "";
      },
    });
    this.parts = element("ul", {
      class: "asked",
      "aria-label": "What is asked with",
      hidden: true,
    });
    this.where = new WhereField(app, () => this.ask());
    this.bar = element(
      "form",
      {
        class: "panel ask",
        role: "search",
        autocomplete: "off",
        onsubmit: (event) => {
          event.preventDefault();
          this.ask();
        },
      },
      element(
        "div",
        { class: "bar" },
        element("label", { class: "unseen", for: "text" }, "Describe a picture"),
        this.text,
        this.file,
        element("label", { class: "button", for: "file" }, "Picture…"),
        element("button", { type: "submit", class: "primary" }, "Search"),
      ),
      this.parts,
      this.where.element,
    );
    this.options = this.drawOptions();
  }

  drawOptions() {
    const { spaces } = this.app;
    const names = [["", "auto"], ...spaces.map((one) => [one.name, one.name])];
    const change = () => this.ask();
    this.space = element("select", { onchange: change }, ...options(names));
    this.from = element("select", { onchange: change }, ...options(names));
    this.prior = element("select", { onchange: change }, ...options(PRIORS));
    this.priorField = field("Prior of the norm", this.prior);
    this.order = element("select", { onchange: change }, ...options(ORDERS));
    this.orderField = field("Order of all pictures", this.order);
    this.metrics = METRICS.map(([value]) =>
      element("input", { type: "radio", name: "metric", value, onchange: change }),
    );
    const most = mostHits(this.app);
    this.k = element("input", {
      type: "number",
      min: "1",
      max: most,
      "aria-describedby": "k-wrong",
      onchange: change,
    });
    this.kWrong = element("p", { id: "k-wrong", class: "wrong", role: "alert" });
    this.most = most;
    this.diverse = element("input", {
      type: "range",
      min: "0",
      max: "1",
      step: "0.05",
      onchange: change,
      oninput: () => this.tellDiverse(),
    });
    this.diverseTold = element("output", { class: "number" });
    this.explain = element("input", { type: "checkbox", onchange: change });
    this.sliders = new Sliders((directions, isResting) => this.ask({ directions }, isResting));
    const isWide = matchMedia("(min-width: 1000px)").matches;
    return element(
      "details",
      { class: "panel options", open: isWide },
      element("summary", {}, element("h2", {}, "How to search")),
      element(
        "div",
        { class: "stack" },
        field("Search in", this.space),
        spaces.length > 1 ? field("Asked from", this.from) : null,
        element(
          "fieldset",
          { class: "field" },
          element("legend", {}, "Metric"),
          element(
            "div",
            { class: "switch" },
            ...METRICS.map(([, text], at) =>
              element("label", {}, this.metrics[at], element("span", {}, text)),
            ),
          ),
        ),
        this.priorField,
        element(
          "div",
          { class: "two" },
          element("div", {}, field("Hits", this.k), this.kWrong),
          element("label", { class: "check" }, this.explain, "Explain"),
        ),
        element(
          "label",
          {
            class: "field",
            title: "λ of maximal marginal relevance: 1 is nearness alone, 0 unlike one another",
          },
          element("span", { class: "row spread" }, "Diversity λ", this.diverseTold),
          this.diverse,
        ),
        this.sliders.element,
        this.orderField,
      ),
    );
  }

  tellDiverse() {
    const value = Number(this.diverse.value);
    this.diverseTold.textContent = value === 1 ? "1 · nearest" : figure(value, 2);
  }

  /** The controls, from a question. */
  restore(asked, pictureUrl) {
    this.base = asked;
    if (document.activeElement !== this.text || asked.text) this.text.value = asked.text;
    this.where.space = asked.space;
    this.where.value = asked.where;
    this.space.value = asked.space;
    this.from.value = asked.from;
    this.prior.value = asked.prior;
    this.priorField.hidden = asked.metric !== "nao";
    this.metrics.forEach((one) => {
      one.checked = one.value === asked.metric;
    });
    this.k.value = asked.k;
    this.diverse.value = asked.diverse;
    this.tellDiverse();
    this.explain.checked = asked.explain;
    this.order.value = asked.order;
    this.orderField.hidden = isAsked(asked) || Object.keys(asked.directions).length > 0;
    this.sliders.show(this.app.directions, asked.space, asked.from, asked.directions);
    this.fail(null);
    showParts(this.parts, asked, pictureUrl, (changed) => this.onAsk(changed, true));
  }

  /** The question as the controls have it. */
  read() {
    const metric = this.metrics.find((one) => one.checked)?.value ?? "";
    return {
      ...this.base,
      text: this.text.value,
      where: this.where.value,
      space: this.space.value,
      from: this.from.value,
      metric,
      prior: metric === "nao" ? this.prior.value : "",
      k: Number(this.k.value),
      diverse: Number(this.diverse.value),
      explain: this.explain.checked,
      order: this.order.value,
      directions: this.sliders.values,
    };
  }

  ask(changed = {}, isResting = true) {
    const asked = { ...this.read(), ...changed };
    const isCount = Number.isInteger(asked.k) && asked.k >= 1 && asked.k <= this.most;
    this.kWrong.textContent = isCount ? "" : `A whole number from 1 to ${this.most}`;
    this.k.toggleAttribute("aria-invalid", false);
    if (!isCount) {
      this.k.setAttribute("aria-invalid", "true");
      return;
    }
    this.onAsk(asked, isResting);
  }

  /** Show a problem beside the field it is about; whether there is one. Null clears. */
  fail(problem) {
    this.where.fail(problem?.code === "filter" ? problem.message : "");
    this.kWrong.textContent = "";
    this.k.removeAttribute("aria-invalid");
    return problem?.code === "filter";
  }
}
