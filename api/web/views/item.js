// One picture: what is known of it, and what is near it in every space.

import { idOf } from "../js/api.js";
import { card, nameOf, wordsOf } from "../js/card.js";
import { counted, element, empty, figure } from "../js/dom.js";
import { isTyping, moveBetweenCards } from "../js/keys.js";
import { labelForm, labelTable } from "../js/labels.js";

export const title = "Picture";

const NEAR = 12;
let leaving = null; // stops what the view listens to and asks for

export async function show(root, params, app) {
  hide();
  leaving = new AbortController();
  const { signal } = leaving;
  const id = params.get("id") ?? "";
  if (!/^\d{1,19}$/.test(id)) {
    root.replaceChildren(
      empty("No picture is named", element("a", { href: app.link("search") }, "Find one")),
    );
    return;
  }
  let item;
  try {
    item = await app.call(`/v1/items/${id}`, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    root.replaceChildren(
      empty(
        error.status === 404
          ? "This picture is not there (any more)"
          : "The picture cannot be shown",
        error.message,
        element("a", { href: app.link("search") }, "Go to the search"),
      ),
    );
    app.say(error.message, true);
    return;
  }
  document.title = `${nameOf(item.source)} · latentdb`;
  const rows = element("div", { class: "rows" });
  root.replaceChildren(
    element(
      "div",
      { class: "whole" },
      picture(item, id),
      facts(item, id, app),
      labels(item, id, app),
    ),
    element("h2", {}, "What is near it"),
    rows,
  );
  addEventListener("keydown", (event) => onKey(event, id, rows, app), { signal });
  await near(rows, id, app, signal);
}

export function hide() {
  leaving?.abort();
  leaving = null;
}

function onKey(event, id, rows, app) {
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    isTyping() ||
    document.querySelector("dialog[open]")
  )
    return;
  if (event.key === "Escape") history.length > 1 ? history.back() : app.go("search");
  else if (event.key === "l") app.go("search", { like: id });
  else moveBetweenCards(rows, event);
}

function picture(item, id) {
  if (item.width === 0)
    return element(
      "div",
      { class: "large nothing" },
      "It was imported as vectors: there is no picture.",
    );
  return element(
    "a",
    {
      class: "large",
      href: `/v1/items/${id}/image?size=4096`,
      target: "_blank",
      rel: "noopener",
      title: "Open by itself",
    },
    element("img", {
      src: `/v1/items/${id}/image?size=1024`,
      alt: wordsOf(item),
      width: item.width,
      height: item.height,
      class: item.width < 512 ? "small-picture" : "",
    }),
  );
}

function facts(item, id, app) {
  const to = (view, params, text) =>
    element("a", { class: "button", href: app.link(view, params) }, text);
  const mayWrite = app.may("write");
  return element(
    "div",
    { class: "stack" },
    element("h2", { class: "name" }, nameOf(item.source)),
    element(
      "dl",
      { class: "facts" },
      element("dt", {}, "Size"),
      element("dd", {}, item.width ? `${item.width} × ${item.height} pixels` : "none"),
      element("dt", {}, "Added"),
      element("dd", {}, new Date(item.added_at).toLocaleString()),
      element("dt", {}, "Id"),
      element("dd", {}, element("code", {}, id)),
    ),
    element(
      "div",
      { class: "row" },
      to("search", { like: id }, "More like it"),
      to("edit", { id }, "Edit"),
      to("between", { a: id }, "Interpolate"),
      to("map", { id }, "On the map"),
      mayWrite
        ? element(
            "button",
            { type: "button", class: "danger", onclick: () => confirmDelete(item, id, app) },
            "Delete…",
          )
        : null,
    ),
  );
}

function labels(item, id, app) {
  const box = element("div", { class: "stack" }, element("h3", {}, "Labels"));
  const save = async (changed) => {
    try {
      const saved = await app.call(`/v1/items/${id}/labels`, { method: "PUT", json: changed });
      box.replaceWith(labels(saved, id, app));
      app.say("The labels are saved");
    } catch (error) {
      app.say(error.message, true);
      throw error;
    }
  };
  box.append(
    app.may("write") ? labelForm(item.labels, app.database.labels, save) : labelTable(item.labels),
  );
  return box;
}

function confirmDelete(item, id, app) {
  const told = element("p", { class: "bad", role: "alert" });
  const yes = element("button", { type: "submit", class: "danger" }, "Delete it");
  const no = element(
    "button",
    { type: "button", autofocus: true, onclick: () => dialog.close() },
    "Keep it",
  );
  const form = element(
    "form",
    { class: "stack" },
    element("h2", { id: "delete-title" }, "Delete this picture?"),
    element(
      "p",
      {},
      `${nameOf(item.source)} leaves the database with its vectors and labels. A file outside the database stays where it is.`,
    ),
    told,
    element("div", { class: "row" }, yes, no),
  );
  const dialog = element("dialog", { "aria-labelledby": "delete-title" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    yes.disabled = true;
    try {
      await app.call(`/v1/items/${id}`, { method: "DELETE" });
    } catch (error) {
      told.textContent = error.message;
      yes.disabled = false;
      return;
    }
    dialog.close();
    await app.refresh();
    app.go("search");
    app.say(`${nameOf(item.source)} is deleted`);
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** A row of neighbours for every space, side by side; what several spaces agree on is marked. */
async function near(place, id, app, signal) {
  const rows = app.spaces.map((space) => {
    const list = element("ol", {
      class: "cards neighbours",
      "aria-label": `Nearest in ${space.name}`,
    });
    const told = element("p", { class: "note" }, "Searching…");
    place.append(
      element(
        "section",
        { class: "panel stack" },
        element(
          "div",
          { class: "row spread" },
          element("h3", {}, space.name),
          element(
            "a",
            { href: app.link("search", { like: id, space: space.name }) },
            "Search here",
          ),
        ),
        told,
        list,
      ),
    );
    return { space, list, told, hits: [] };
  });
  await Promise.all(rows.map((row) => ask(row, id, app, signal)));
  const found = new Map(); // in how many spaces a picture is near
  rows
    .flatMap((row) => row.hits)
    .forEach((hit) => found.set(idOf(hit.image), (found.get(idOf(hit.image)) ?? 0) + 1));
  for (const { list, hits } of rows) {
    list.replaceChildren(
      ...hits.map((hit, at) => {
        const count = found.get(idOf(hit.image));
        return card(
          { ...hit, labels: hit.labels },
          {
            rank: at + 1,
            marked: count > 1,
            note: count > 1 ? `in ${count} spaces` : "",
            size: 128,
          },
        );
      }),
    );
  }
  const shared = [...found.values()].filter((count) => count > 1).length;
  if (rows.length > 1) app.say(`${counted(shared, "picture")} near it in more than one space`);
  place.addEventListener(
    "pointerover",
    (event) => alike(place, event.target.closest(".card")?.dataset.id),
    { signal },
  );
  place.addEventListener(
    "focusin",
    (event) => alike(place, event.target.closest(".card")?.dataset.id),
    { signal },
  );
}

async function ask(row, id, app, signal) {
  try {
    const answer = await app.call("/v1/search", {
      json: { id, space: row.space.name, k: NEAR },
      signal,
    });
    row.hits = answer.hits;
    row.told.textContent = [
      `by ${answer.metric}`,
      answer.exact ? "exact" : `recall@10 ${figure(answer.recall_at_10)}`,
      answer.hits.length ? "" : "nothing else is in this space",
    ]
      .filter(Boolean)
      .join(" · ");
  } catch (error) {
    if (error.name === "AbortError") throw error;
    row.told.textContent = error.message;
    row.told.classList.add("bad");
  }
}

/** Show where else the picture is that the pointer or the focus is at. */
function alike(place, id) {
  for (const one of place.querySelectorAll(".card"))
    one.classList.toggle("alike", Boolean(id) && one.dataset.id === id);
}
