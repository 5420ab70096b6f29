// Ask by text, picture or examples; see what is near, and why.

import { idOf } from "../js/api.js";
import { copy, headingOf, howOf, idsOf, save, whyOf } from "../js/answer.js";
import { AskForm } from "../js/ask.js";
import { card } from "../js/card.js";
import { counted, element, empty, plain } from "../js/dom.js";
import { cardInFocus, isTyping, moveBetweenCards, replaceCards } from "../js/keys.js";
import { firstPicture, hearOfFiles, keep, keptPicture } from "../js/pictures.js";
import { fromParams, isAsked, nothing, rankingOf, requestOf, toParams, toggled } from "../js/question.js";

export const title = "Search";

const PAGE = 24;
const SLOW_MS = 700;
const LOST = "A link cannot carry the picture that was asked with. Drop it here again.";
let page = null; // made at the first visit

export async function show(root, params, app) {
  page ??= new SearchPage(root, app);
  page.listen();
  await page.show(fromParams(params));
}

export function hide() {
  page?.leave();
}

class SearchPage {
  constructor(root, app) {
    this.app = app;
    this.root = root;
    this.running = null; // AbortController of the question on its way
    this.asked = nothing();
    this.text = ""; // the answer as the server wrote it
    this.answer = null;
    this.form = new AskForm(app, (asked, isResting) => this.ask(asked, isResting), (file) => this.take([file]));
    this.heading = element("h2", { id: "answer-title" });
    this.tools = element("div", { class: "row tools-of-answer", hidden: true },
      this.onMap = element("a", { class: "button quiet" }, "On the map"),
      element("button", { type: "button", class: "quiet", onclick: () => this.share(location.href, "The link") }, "Copy link"),
      element("button", { type: "button", class: "quiet", onclick: () => this.share(idsOf(this.answer), "The ids") }, "Copy ids"),
      element("button", { type: "button", class: "quiet", onclick: () => save(this.text, "answer.json") }, "Save JSON"),
      element("button", { type: "button", class: "quiet", onclick: () => this.startOver() }, "Clear"));
    this.how = element("div", {});
    this.list = element("ol", { class: "cards", "aria-labelledby": "answer-title" });
    this.state = element("div", {});
    this.more = element("button", { type: "button", class: "more", hidden: true, onclick: () => this.loadMore() }, "Show more");
    root.append(this.form.bar, element("div", { class: "columns" }, this.form.options,
      element("section", { class: "answer stack", "aria-labelledby": "answer-title" },
        element("div", { class: "row spread" }, this.heading, this.tools), this.how, this.list, this.state, this.more)),
    element("p", { class: "note hints" }, element("kbd", {}, "/"), " to type · ", element("kbd", {}, "←↑→↓"), " between pictures · ",
      element("kbd", {}, "Enter"), " more like it · ", element("kbd", {}, "l"), " like · ", element("kbd", {}, "u"), " unlike · ",
      element("kbd", {}, "o"), " open · ", element("kbd", {}, "Esc"), " start over"));
  }

  listen() {
    if (this.deaf) return;
    const over = new AbortController();
    addEventListener("keydown", (event) => this.onKey(event), { signal: over.signal });
    const stop = hearOfFiles("Drop the picture to search with it", (files) => this.take(files));
    this.deaf = () => { over.abort(); stop(); this.deaf = null; };
  }

  leave() {
    this.deaf?.();
    this.running?.abort();
  }

  /** A new question: into the address, from where it is shown. While a slider moves, no history. */
  ask(asked, isResting = true) {
    if (this.root.hidden) return; // a field that loses its focus because another view is shown
    const params = toParams(asked);
    if (isResting) { this.app.go("search", params); return; }
    this.app.rewrite("search", params);
    this.show(asked).catch((error) => { if (error.name !== "AbortError") throw error; });
  }

  async show(asked) {
    this.asked = asked;
    const picture = asked.image ? keptPicture(asked.image) : null;
    const isLost = asked.image && !picture;
    if (isLost) asked = { ...asked, image: "", imageWeight: 1 };
    this.form.restore(asked, picture?.url);
    this.running?.abort();
    const mine = this.running = new AbortController();
    this.list.classList.add("busy");
    const slow = setTimeout(() => this.app.say("Searching… the first question to a space loads its model."), SLOW_MS);
    try {
      if (isAsked(asked)) await this.search(asked, picture, mine.signal);
      else {
        const ranking = rankingOf(asked, this.app.directions, this.app.spaces);
        if (ranking) await this.rank(asked, ranking, mine.signal);
        else await this.browse(asked, mine.signal);
        if (isLost) this.how.prepend(element("p", { class: "warning" }, LOST));
      }
    } catch (error) {
      if (mine !== this.running || error.name === "AbortError") return;
      this.fail(error);
    } finally {
      clearTimeout(slow);
      if (mine === this.running) this.list.classList.remove("busy");
    }
  }

  async search(asked, picture, signal) {
    const took = await this.read("/v1/search", { ...requestOf(asked, picture?.file), signal });
    this.heading.textContent = headingOf(asked);
    this.how.replaceChildren(howOf(this.answer, took));
    this.place(asked, this.answer.hits.map((hit, at) => this.card(hit, at + 1)));
    this.app.say(`${counted(this.answer.hits.length, "hit")} in ${took} ms, nearest first`);
  }

  /** With sliders alone, or an order: all pictures by how far they lie that way. */
  async rank(asked, ranking, signal) {
    const took = await this.read("/v1/rank", { json: ranking, signal });
    const { answer } = this;
    const sign = ranking.descending ? -1 : 1; // a distance is lower where the place is earlier
    const unit = ranking.by ? "nats" : "sd";
    this.heading.textContent = ranking.by ? `All pictures, ${asked.order === "typical" ? "most" : "least"} typical first`
      : `All pictures, ${ranking.descending ? "most" : "least"} ${plain(ranking.direction)} first`;
    this.how.replaceChildren(element("p", { class: "how" }, ranking.by
      ? `By marginal energy in ${answer.space}, in nats per dimension`
      : `By place along ${plain(ranking.direction)} in ${answer.space}, in standard deviations from its boundary`));
    this.place(asked, answer.hits.map((hit, at) => this.card(hit, at + 1, `${(sign * hit.distance).toFixed(2).replace("-", "−")} ${unit}`)));
    this.app.say(`${counted(answer.hits.length, "picture")} in ${took} ms`);
  }

  /** An answer with hits, kept as it came for saving; the milliseconds that it took. */
  async read(path, options) {
    const started = performance.now();
    const text = await this.app.call(path, { ...options, text: true });
    const took = Math.round(performance.now() - started);
    Object.assign(this, { text, answer: JSON.parse(text), cursor: null });
    return took;
  }

  place(asked, cards) {
    const { answer } = this;
    this.tools.hidden = false;
    this.onMap.href = this.app.link("map", { ...toParams(asked), space: answer.space }); // its hits are ringed there
    replaceCards(this.list, cards);
    this.state.replaceChildren(...(answer.hits.length ? [] : [empty("Nothing qualifies", asked.where
      ? "No picture passes the filter. Loosen it, or take it out." : "The space that was searched has no other pictures.")]));
    const most = this.app.database.limits?.max_k ?? 500;
    this.more.hidden = answer.hits.length < asked.k || asked.k >= most;
  }

  /** With nothing asked: the pictures themselves, page by page. */
  async browse(asked, signal) {
    const listed = await this.app.call(`/v1/items?${this.listing(asked)}`, { signal });
    Object.assign(this, { text: "", answer: null, cursor: listed.next ?? null });
    this.heading.textContent = asked.where ? "Pictures that pass" : "All pictures";
    this.tools.hidden = true;
    this.how.replaceChildren();
    replaceCards(this.list, listed.items.map((item) => this.card(item)));
    this.state.replaceChildren(...(listed.count ? [] : [this.nothingThere(asked)]));
    this.more.hidden = this.cursor === null;
    this.app.say(listed.count ? `${listed.items.length} of ${counted(listed.count, "picture")}. Choose one to find more like it.` : "");
  }

  listing(asked) {
    return new URLSearchParams({ limit: PAGE, ...(asked.where ? { where: asked.where } : {}) });
  }

  async loadMore() {
    const at = this.list.children.length;
    if (this.answer) {
      const most = this.app.database.limits?.max_k ?? 500;
      const asked = { ...this.asked, k: Math.min(most, this.asked.k + PAGE) };
      this.app.rewrite("search", toParams(asked));
      await this.show(asked);
    } else {
      const query = this.listing(this.asked);
      query.set("cursor", this.cursor);
      const listed = await this.app.call(`/v1/items?${query}`);
      this.cursor = listed.next ?? null;
      this.list.append(...listed.items.map((item) => this.card(item)));
      this.more.hidden = this.cursor === null;
      this.app.say(`${this.list.children.length} of ${counted(listed.count, "picture")}`);
    }
    this.list.children[at]?.querySelector("a").focus({ preventScroll: true });
  }

  card(item, rank, value) {
    const id = idOf(item.image);
    const said = this.asked.items.find((one) => one.id === id);
    const act = (name, text, what, weight) => element("button", {
      type: "button", dataset: { act: name }, title: `${what} (${name[0]})`, "aria-label": what,
      "aria-pressed": String(Boolean(said) && Math.sign(said.weight) === weight), onclick: () => this.weigh(id, weight),
    }, text);
    return card(item, {
      rank, value, href: this.linkTo({ ...nothing(), ...this.settings(), items: [{ id, weight: 1 }] }), title: "More like this",
      actions: [act("like", "+", "Like this one", 1), act("unlike", "−", "Unlike this one", -1),
        element("a", { class: "button", href: this.app.link("item", { id }), "aria-label": "Open this picture", title: "Open (o)", dataset: { act: "open" } }, "Open")],
      below: item.explain ? [whyOf(item.explain)] : [],
    });
  }

  /** What a question keeps when its subject changes. */
  settings() {
    const { text: _text, image: _image, items: _items, order: _order, ...kept } = this.asked;
    return kept;
  }

  linkTo(asked) {
    return this.app.link("search", toParams(asked));
  }

  weigh(id, weight) {
    this.ask({ ...this.asked, items: toggled(this.asked.items, id, weight) });
  }

  take(files) {
    const picture = firstPicture(files.filter(Boolean));
    if (!picture) { if (files.length) this.app.say(`${files[0].name} is not a picture`, true); return; }
    this.ask({ ...this.asked, ...this.form.read(), image: keep(picture), imageWeight: 1 });
  }

  fail(problem) {
    const isShown = this.form.fail(problem);
    this.list.replaceChildren();
    this.how.replaceChildren();
    this.tools.hidden = this.more.hidden = true;
    this.heading.textContent = isAsked(this.asked) ? headingOf(this.asked) : "All pictures";
    this.state.replaceChildren(empty(isShown ? "The filter cannot be used" : "No answer", isShown ? "What is wrong stands beside the field." : problem.message,
      problem.code === "unknown-map" ? element("p", {}, "A question crosses from one space into another by a fitted map. Ask in its own space, or fit one.") : null,
      problem.status === 0 || problem.status === 503 ? element("button", { type: "button", onclick: () => this.show(this.asked) }, "Try again") : null,
      element("button", { type: "button", onclick: () => this.startOver() }, "Start over")));
    this.app.say(isShown ? "The filter cannot be used" : problem.message, true);
  }

  nothingThere(asked) {
    if (asked.where) return empty("Nothing qualifies", "No picture passes the filter. Loosen it, or take it out.");
    return empty("There are no pictures yet", this.app.may("write")
      ? element("a", { class: "button primary", href: this.app.link("ingest") }, "Add pictures")
      : "Whoever may write adds some under Add pictures.");
  }

  async share(text, what) {
    const isDone = await copy(text);
    this.app.say(isDone ? `${what} can be pasted now` : `${what} could not be copied: the browser refuses`, !isDone);
  }

  startOver() {
    this.form.text.value = "";
    this.app.go("search");
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const here = cardInFocus(this.list);
    if (isTyping() && document.activeElement !== this.form.text) { if (event.key === "Escape") document.activeElement.blur(); }
    else if (event.key === "Escape") this.startOver();
    else if (isTyping()) return;
    else if (event.key === "/") { event.preventDefault(); this.form.text.focus(); this.form.text.select(); }
    else if (here && event.key === "l") this.weigh(here.dataset.id, 1);
    else if (here && event.key === "u") this.weigh(here.dataset.id, -1);
    else if (here && event.key === "o") this.app.go("item", { id: here.dataset.id });
    else if (!here && event.key === "ArrowDown" && document.activeElement === document.body) this.list.querySelector("a")?.focus();
    else moveBetweenCards(this.list, event);
  }
}
