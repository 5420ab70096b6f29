// Ask by text, picture or examples; see what is near, and why.

import { idOf } from "../js/api.js";
import { headingOf, howOf, rankingWords, whyOf } from "../js/answer.js";
import { AnswerPane, keyHints } from "../js/answer_pane.js";
import { AskForm } from "../js/ask.js";
import { card } from "../js/card.js";
import { counted, element, empty } from "../js/dom.js";
import { cardInFocus, isTyping, moveBetweenCards } from "../js/keys.js";
import { firstPicture, hearOfFiles, keep, keptPicture } from "../js/pictures.js";
import {
  fromParams,
  isAsked,
  mostHits,
  nothing,
  rankingOf,
  requestOf,
  toParams,
  toggled,
} from "../js/question.js";

export const title = "Search";

const PAGE = 24;
const SLOW_MS = 700;
const LOST = "A link cannot carry the picture that was asked with. Drop it here again.";
const CROSSING =
  "A question crosses from one space into another by a fitted map. Ask in its own space, or fit one.";
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
    this.cursor = null; // of the next page, where nothing is asked
    this.form = new AskForm(
      app,
      (asked, isResting) => this.ask(asked, isResting),
      (file) => this.take([file]),
    );
    this.pane = new AnswerPane(app, {
      onMore: () => this.loadMore(),
      onClear: () => this.startOver(),
    });
    root.append(
      this.form.bar,
      element("div", { class: "columns" }, this.form.options, this.pane.element),
      keyHints(),
    );
  }

  listen() {
    if (this.deaf) return;
    const over = new AbortController();
    addEventListener("keydown", (event) => this.onKey(event), { signal: over.signal });
    const stop = hearOfFiles("Drop the picture to search with it", (files) => this.take(files));
    this.deaf = () => {
      over.abort();
      stop();
      this.deaf = null;
    };
  }

  leave() {
    this.deaf?.();
    this.running?.abort();
  }

  /** A new question: into the address, from where it is shown. While a slider moves, no history. */
  ask(asked, isResting = true) {
    if (this.root.hidden) return; // a field that loses its focus because another view is shown
    const params = toParams(asked);
    if (isResting) {
      this.app.go("search", params);
      return;
    }
    this.app.rewrite("search", params);
    this.show(asked).catch((error) => {
      if (error.name !== "AbortError") throw error;
    });
  }

  async show(asked) {
    this.asked = asked;
    const picture = asked.image ? keptPicture(asked.image) : null;
    const isLost = asked.image && !picture;
    if (isLost) asked = { ...asked, image: "", imageWeight: 1 };
    this.form.restore(asked, picture?.url);
    this.running?.abort();
    const mine = (this.running = new AbortController());
    this.pane.list.classList.add("busy");
    const slow = setTimeout(
      () => this.app.say("Searching… the first question to a space loads its model."),
      SLOW_MS,
    );
    try {
      if (isAsked(asked)) await this.search(asked, picture, mine.signal);
      else {
        const ranking = rankingOf(asked, this.app.directions, this.app.spaces);
        if (ranking) await this.rank(asked, ranking, mine.signal);
        else await this.browse(asked, mine.signal);
        if (isLost) this.pane.how.prepend(element("p", { class: "warning" }, LOST));
      }
    } catch (error) {
      if (mine !== this.running || error.name === "AbortError") return;
      this.fail(error);
    } finally {
      clearTimeout(slow);
      if (mine === this.running) this.pane.list.classList.remove("busy");
    }
  }

  async search(asked, picture, signal) {
    const took = await this.read("/v1/search", { ...requestOf(asked, picture?.file), signal });
    const { answer } = this.pane;
    this.pane.show(asked, {
      heading: headingOf(asked),
      how: howOf(answer, took),
      cards: answer.hits.map((hit, at) => this.card(hit, at + 1)),
    });
    this.app.say(`${counted(answer.hits.length, "hit")} in ${took} ms, nearest first`);
  }

  /** With sliders alone, or an order: all pictures by how far they lie that way. */
  async rank(asked, ranking, signal) {
    const took = await this.read("/v1/rank", { json: ranking, signal });
    const { answer } = this.pane;
    const sign = ranking.descending ? -1 : 1; // a distance is lower where the place is earlier
    const place = ({ distance }) => (sign * distance).toFixed(2).replace("-", "−");
    this.pane.show(asked, {
      ...rankingWords(asked, ranking, answer.space),
      cards: answer.hits.map((hit, at) =>
        this.card(hit, at + 1, `${place(hit)} ${ranking.by ? "nats" : "sd"}`),
      ),
    });
    this.app.say(`${counted(answer.hits.length, "picture")} in ${took} ms`);
  }

  /** An answer with hits, kept as it came for saving; the milliseconds that it took. */
  async read(path, options) {
    const started = performance.now();
    const text = await this.app.call(path, { ...options, text: true });
    const took = Math.round(performance.now() - started);
    this.pane.keep(text);
    return took;
  }

  /** With nothing asked: the pictures themselves, page by page. */
  async browse(asked, signal) {
    const listed = await this.app.call(`/v1/items?${this.listing(asked)}`, { signal });
    this.cursor = listed.next ?? null;
    this.pane.showPictures({
      heading: asked.where ? "Pictures that pass" : "All pictures",
      cards: listed.items.map((item) => this.card(item)),
      state: listed.count ? null : this.nothingThere(asked),
      hasMore: this.cursor !== null,
    });
    const told = `${listed.items.length} of ${counted(listed.count, "picture")}.`;
    this.app.say(listed.count ? `${told} Choose one to find more like it.` : "");
  }

  listing(asked) {
    return new URLSearchParams({ limit: PAGE, ...(asked.where ? { where: asked.where } : {}) });
  }

  async loadMore() {
    const { list, answer } = this.pane;
    const at = list.children.length;
    if (answer) {
      const asked = { ...this.asked, k: Math.min(mostHits(this.app), this.asked.k + PAGE) };
      this.app.rewrite("search", toParams(asked));
      await this.show(asked);
    } else {
      const query = this.listing(this.asked);
      query.set("cursor", this.cursor);
      const listed = await this.app.call(`/v1/items?${query}`);
      this.cursor = listed.next ?? null;
      list.append(...listed.items.map((item) => this.card(item)));
      this.pane.more.hidden = this.cursor === null;
      this.app.say(`${list.children.length} of ${counted(listed.count, "picture")}`);
    }
    list.children[at]?.querySelector("a").focus({ preventScroll: true });
  }

  card(item, rank, value) {
    const id = idOf(item.image);
    const said = this.asked.items.find((one) => one.id === id);
    const act = (name, text, what, weight) =>
      element(
        "button",
        {
          type: "button",
          dataset: { act: name },
          title: `${what} (${name[0]})`,
          "aria-label": what,
          "aria-pressed": String(Boolean(said) && Math.sign(said.weight) === weight),
          onclick: () => this.weigh(id, weight),
        },
        text,
      );
    return card(item, {
      rank,
      value,
      href: this.linkTo({ ...nothing(), ...this.settings(), items: [{ id, weight: 1 }] }),
      title: "More like this",
      actions: [
        act("like", "+", "Like this one", 1),
        act("unlike", "−", "Unlike this one", -1),
        element(
          "a",
          {
            class: "button",
            href: this.app.link("item", { id }),
            "aria-label": "Open this picture",
            title: "Open (o)",
            dataset: { act: "open" },
          },
          "Open",
        ),
      ],
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
    if (!picture) {
      if (files.length) this.app.say(`${files[0].name} is not a picture`, true);
      return;
    }
    this.ask({ ...this.asked, ...this.form.read(), image: keep(picture), imageWeight: 1 });
  }

  fail(problem) {
    const isShown = this.form.fail(problem);
    const button = (text, onclick) => element("button", { type: "button", onclick }, text);
    this.pane.showPictures({
      heading: isAsked(this.asked) ? headingOf(this.asked) : "All pictures",
      cards: [],
      hasMore: false,
      state: empty(
        isShown ? "The filter cannot be used" : "No answer",
        isShown ? "What is wrong stands beside the field." : problem.message,
        problem.code === "unknown-map" && CROSSING,
        [0, 503].includes(problem.status) && button("Try again", () => this.show(this.asked)),
        button("Start over", () => this.startOver()),
      ),
    });
    this.app.say(isShown ? "The filter cannot be used" : problem.message, true);
  }

  nothingThere(asked) {
    if (asked.where)
      return empty("Nothing qualifies", "No picture passes the filter. Loosen it, or take it out.");
    return empty(
      "There are no pictures yet",
      this.app.may("write")
        ? element("a", { class: "button primary", href: this.app.link("ingest") }, "Add pictures")
        : "Whoever may write adds some under Add pictures.",
    );
  }

  startOver() {
    this.form.text.value = "";
    this.app.go("search");
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]"))
      return;
    const here = cardInFocus(this.pane.list);
    if (isTyping() && document.activeElement !== this.form.text) {
      if (event.key === "Escape") document.activeElement.blur();
    } else if (event.key === "Escape") this.startOver();
    else if (isTyping()) return;
    else if (event.key === "/") {
      event.preventDefault();
      this.form.text.focus();
      this.form.text.select();
    } else if (here && event.key === "l") this.weigh(here.dataset.id, 1);
    else if (here && event.key === "u") this.weigh(here.dataset.id, -1);
    else if (here && event.key === "o") this.app.go("item", { id: here.dataset.id });
    else if (!here && event.key === "ArrowDown" && document.activeElement === document.body)
      this.pane.list.querySelector("a")?.focus();
    else moveBetweenCards(this.pane.list, event);
  }
}
