// Views by the address: `#view=search&text=a+hat`. Every link is one that can be sent on.

import { Problem } from "./api.js";

const FIRST = "search";

/** What the address asks for: `{ view, params }`, params a URLSearchParams without the view. */
export function read() {
  const params = new URLSearchParams(location.hash.slice(1));
  const view = params.get("view") || FIRST;
  params.delete("view");
  return { view, params };
}

/**
 * The link to a view. `params` is an object or URLSearchParams; empty values are left out, and an
 * array gives one parameter several times.
 */
export function link(view, params = {}) {
  const parts = new URLSearchParams({ view });
  const pairs = params instanceof URLSearchParams ? [...params] : Object.entries(params);
  for (const [name, value] of pairs) {
    for (const one of [value].flat()) {
      if (one !== "" && one !== null && one !== undefined && one !== false) parts.append(name, one);
    }
  }
  return `#${parts}`;
}

/** Follow a link; where the address is that already, its view is shown again. */
export function go(view, params = {}) {
  const target = link(view, params);
  if (target === location.hash) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = target;
}

/** Change the address without a step in the history, and without showing the view again. */
export function rewrite(view, params = {}) {
  history.replaceState(null, "", link(view, params));
}

/**
 * Shows the view of the address, now and whenever it changes.
 *
 * A view is a module `views/NAME.js` with `title`, `async show(root, params, app)` and, where it
 * needs one, `hide()`. Its root is made once and kept while another view is shown, so that what
 * runs in it (an upload, say) goes on; `show` comes again with every change of its parameters.
 */
export class Router {
  constructor(main, app) {
    this.main = main;
    this.app = app;
    this.shown = null;
    this.roots = new Map();
    this.round = 0;
  }

  start() {
    addEventListener("hashchange", () => this.show());
    return this.show();
  }

  async show() {
    const { view, params } = read();
    if (location.hash === "#main") return; // the skip link
    const mine = ++this.round;
    let module;
    try {
      if (!/^[a-z]+$/.test(view)) throw new TypeError(`no view ${view}`);
      module = await import(`../views/${view}.js`);
    } catch (error) {
      console.warn(error);
      module = MISSING;
    }
    if (mine !== this.round) return;
    const isOther = this.shown?.view !== view;
    if (isOther) this.enter(view, module);
    try {
      await module.show(this.root(view), params, this.app);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.app.say(error.message, true);
      if (!(error instanceof Problem)) throw error; // a fault of the page's own
    }
  }

  root(view) {
    if (!this.roots.has(view)) {
      const made = document.createElement("section");
      made.className = `view ${view}`;
      this.main.append(made);
      this.roots.set(view, made);
    }
    return this.roots.get(view);
  }

  enter(view, module) {
    const isFirst = this.shown === null;
    this.shown?.module.hide?.();
    this.app.say("");
    this.shown = { view, module };
    document.title = `${module.title} · latentdb`;
    document.getElementById("title").textContent = module.title; // views begin at h2
    const root = this.root(view);
    root.setAttribute("aria-label", module.title);
    for (const other of this.roots.values()) other.hidden = other !== root;
    for (const one of document.querySelectorAll("#views a")) {
      const isHere = new URLSearchParams(one.hash.slice(1)).get("view") === view;
      if (isHere) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
      if (isHere) one.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    if (!isFirst) {
      // a screen reader goes on from the new view, the eye from its top
      this.main.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }
}

const MISSING = {
  title: "Not here",
  show(root, _params, app) {
    root.replaceChildren(
      app.element(
        "div",
        { class: "empty" },
        app.element("h2", {}, "There is no such view"),
        app.element("p", {}, app.element("a", { href: link(FIRST) }, "Go to the search")),
      ),
    );
  },
};
