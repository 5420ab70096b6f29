// Starts the page: reads what the database is, joins the header to it, shows the address's view.

import { Problem, idOf, imageOf } from "./api.js";
import { card } from "./card.js";
import { counted, element, empty, figure, plain } from "./dom.js";
import { Indicator, follow } from "./jobs.js";
import { Router, go, link, rewrite } from "./router.js";
import { callAs, isLoggedIn, logOut } from "./session.js";

const byId = (id) => document.getElementById(id);
const SCOPES = ["read", "write", "admin"];
const indicator = new Indicator(byId("running"));

/** What views work with. */
const app = {
  call: callAs, // call(path, { json | body, method, headers, signal }) -> JSON, or throws a Problem
  link, // link(view, params) -> address
  go, // go(view, params): follow that link
  rewrite, // rewrite(view, params): change the address, show nothing anew
  element,
  empty,
  plain,
  figure,
  counted, // see dom.js
  card, // card(item, options) -> <li>
  idOf, // idOf(item.image) -> the item's id as a string
  imageOf, // imageOf(id, size) -> address of its picture
  jobs: indicator, // jobs.look(): a job was begun; jobs.listeners: a Set told of the list
  database: null, // GET /v1/database: name, items, labels, spaces, scope, limits
  spaces: [],
  directions: [],
  maps: [],

  /** A line of what happened, read out by screen readers; `bad` for what went wrong. */
  say(text, bad = false) {
    byId("status").textContent = text;
    byId("status").classList.toggle("bad", bad);
  },

  /** Follow a job: onProgress(progress, job); resolves with it, throws where it failed. */
  job(id, onProgress, signal) {
    indicator.look();
    return follow(id, onProgress, signal).finally(() => indicator.look());
  },

  /** Whether the one who looks may do what needs "read", "write" or "admin". */
  may: (scope) => SCOPES.indexOf(app.database?.scope ?? "admin") >= SCOPES.indexOf(scope),

  /** Read anew what the database has, after something was added or fitted. */
  async refresh() {
    const [database, spaces, directions, maps] = await Promise.all([
      facts(),
      ...["/v1/spaces", "/v1/directions", "/v1/maps"].map((path) => callAs(path)),
    ]);
    Object.assign(app, { database, spaces, directions, maps });
    byId("facts").textContent = [
      database.name,
      counted(database.items, "picture"),
      counted(spaces.length, "space"),
    ]
      .filter(Boolean)
      .join(" · ");
    byId("facts").title = spaces
      .map((one) => `${one.name}: ${counted(one.vectors, "vector")}`)
      .join("\n");
  },
};

async function facts() {
  try {
    return await callAs("/v1/database");
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    const listed = await callAs("/v1/items?limit=1");
    return {
      name: "",
      items: listed.count,
      labels: listed.labels,
      scope: "admin",
      limits: { max_k: 500 },
    };
  }
}

function joinTheme() {
  const button = byId("theme");
  const signs = { system: "◐", light: "☀", dark: "☾" };
  const show = () => {
    const now = latentdbTheme.stored();
    button.textContent = signs[now];
    button.title = `Colours: ${now}`;
    button.setAttribute("aria-label", `Colours: ${now}. Change to ${latentdbTheme.next(now)}.`);
  };
  button.addEventListener("click", () => {
    latentdbTheme.choose(latentdbTheme.next(latentdbTheme.stored()));
    show();
  });
  show();
}

async function start() {
  joinTheme();
  byId("leave").addEventListener("click", () =>
    logOut().catch((error) => app.say(error.message, true)),
  );
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address holds the view
    byId("main").focus();
  });
  try {
    await app.refresh();
  } catch (error) {
    app.say(error.message, true);
    byId("main").replaceChildren(
      empty(
        "The database does not answer",
        error.message,
        element("button", { type: "button", onclick: () => location.reload() }, "Try again"),
      ),
    );
    return;
  }
  byId("leave").hidden = !isLoggedIn();
  indicator.look();
  await new Router(byId("main"), app).start();
}

start();
