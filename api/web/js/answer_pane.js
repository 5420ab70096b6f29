// The right side of the search: what was found, how it came about, what to take away of it.

import { copy, idsOf, save } from "./answer.js";
import { element, empty } from "./dom.js";
import { replaceCards } from "./keys.js";
import { mostHits, toParams } from "./question.js";

/**
 * Used as: `pane.keep(text)` with an answer as the server wrote it, then `pane.show(asked, …)`;
 * or `pane.showPictures(…)` where nothing was asked, or nothing could be answered.
 */
export class AnswerPane {
  constructor(app, { onMore, onClear }) {
    this.app = app;
    this.text = ""; // the answer as the server wrote it: its ids have more digits than numbers here
    this.answer = null;
    this.heading = element("h2", { id: "answer-title" });
    this.tools = this.drawTools(onClear);
    this.how = element("div", {});
    this.list = element("ol", { class: "cards", "aria-labelledby": "answer-title" });
    this.state = element("div", {});
    this.more = element("button", { type: "button", class: "more", hidden: true, onclick: onMore });
    this.more.textContent = "Show more";
    this.element = element(
      "section",
      { class: "answer stack", "aria-labelledby": "answer-title" },
      element("div", { class: "row spread" }, this.heading, this.tools),
      this.how,
      this.list,
      this.state,
      this.more,
    );
  }

  drawTools(onClear) {
    const button = (text, onclick) =>
      element("button", { type: "button", class: "quiet", onclick }, text);
    this.onMap = element("a", { class: "button quiet" }, "On the map");
    return element(
      "div",
      { class: "row tools-of-answer", hidden: true },
      this.onMap,
      button("Copy link", () => this.share(location.href, "The link")),
      button("Copy ids", () => this.share(idsOf(this.answer), "The ids")),
      button("Save JSON", () => save(this.text, "answer.json")),
      button("Clear", onClear),
    );
  }

  /** Take an answer; it is shown by `show`. */
  keep(text) {
    this.text = text;
    this.answer = JSON.parse(text);
  }

  /** The answer that was kept, as cards below a heading. */
  show(asked, { heading, how, cards }) {
    const { hits, space } = this.answer;
    this.fill(heading, how, cards);
    this.tools.hidden = false;
    // Its hits are ringed there.
    this.onMap.href = this.app.link("map", { ...toParams(asked), space });
    this.more.hidden = hits.length < asked.k || asked.k >= mostHits(this.app);
    if (hits.length) return;
    const advice = asked.where
      ? "No picture passes the filter. Loosen it, or take it out."
      : "The space that was searched has no other pictures.";
    this.state.append(empty("Nothing qualifies", advice));
  }

  /** Pictures that are no answer, or what stands in their place. */
  showPictures({ heading, cards, state = null, hasMore }) {
    this.text = "";
    this.answer = null;
    this.fill(heading, null, cards);
    this.tools.hidden = true;
    this.more.hidden = !hasMore;
    if (state) this.state.append(state);
  }

  fill(heading, how, cards) {
    this.heading.textContent = heading;
    this.how.replaceChildren(...(how ? [how] : []));
    this.state.replaceChildren();
    replaceCards(this.list, cards);
  }

  async share(text, what) {
    const isDone = await copy(text);
    const told = isDone ? "can be pasted now" : "could not be copied: the browser refuses";
    this.app.say(`${what} ${told}`, !isDone);
  }
}

const KEYS = [
  ["/", "to type"],
  ["←↑→↓", "between pictures"],
  ["Enter", "more like it"],
  ["l", "like"],
  ["u", "unlike"],
  ["o", "open"],
  ["Esc", "start over"],
];

/** What keys do, in a line. */
export const keyHints = () =>
  element(
    "p",
    { class: "note hints" },
    ...KEYS.map(([key, does]) => element("span", {}, element("kbd", {}, key), ` ${does}`)),
  );
