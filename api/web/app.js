"use strict";

// The question lives in the URL's hash, so that every answer but a dropped picture's has a link.
// Ids have 63 bits, more than a JavaScript number holds: they stay strings, read from the
// address of the picture.

const byId = (id) => document.getElementById(id);
const page = Object.fromEntries(
  ["text", "file", "space", "from", "from-field", "k", "where", "directions", "sliders", "asked",
   "asked-picture", "asked-title", "asked-how", "status", "results", "summary", "ask", "clear",
   "home"].map((id) => [id, byId(id)]),
);
const DEFAULT_K = "24";
let spaces = [];
let directions = [];
let dropped = null; // a picture that was dropped or chosen
let round = 0; // answers of earlier questions that come late are left out

async function call(path, options) {
  const response = await fetch(path, options);
  const body = await response.json();
  if (!response.ok) throw new Error(body.detail || response.statusText);
  return body;
}

const idOf = (image) => image.split("/")[3];
const readHash = () => new URLSearchParams(location.hash.slice(1));
const metric = () => document.querySelector("input[name=metric]:checked").value;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
}

function settings() {
  const steps = [...page.sliders.querySelectorAll("input")]
    .filter((slider) => Number(slider.value) !== 0)
    .map((slider) => `${slider.name}=${slider.value}`);
  return {
    space: page.space.value,
    from: page.from.value,
    metric: metric(),
    k: page.k.value === DEFAULT_K ? "" : page.k.value,
    where: page.where.value.trim(),
    directions: steps.join(","),
  };
}

function linkTo(subject) {
  const parts = new URLSearchParams(
    Object.entries({ ...subject, ...settings() }).filter(([, value]) => value),
  );
  return `#${parts}`;
}

function go(subject) {
  const link = linkTo(subject);
  if (link === (location.hash || "#")) show();
  else location.hash = link;
}

/* The page's controls, from the question. */
function restore(asked) {
  page.text.value = asked.get("text") || "";
  page.space.value = asked.get("space") || "";
  page.from.value = asked.get("from") || "";
  page.k.value = asked.get("k") || DEFAULT_K;
  page.where.value = asked.get("where") || "";
  const wanted = asked.get("metric") || "";
  document.querySelectorAll("input[name=metric]").forEach((radio) => {
    radio.checked = radio.value === wanted;
  });
  drawSliders(asked.get("directions") || "");
}

function drawSliders(given) {
  const steps = new Map(given.split(",").filter(Boolean).map((one) => one.split("=")));
  const home = page.space.value || page.from.value;
  const names = [...new Set(
    directions.filter((one) => !home || [page.space.value, page.from.value].includes(one.space.name))
      .map((one) => one.name),
  )].sort();
  page.directions.hidden = names.length === 0;
  if (steps.size) page.directions.open = true;
  page.sliders.replaceChildren(...names.map((name) => {
    const start = steps.get(name) || "0";
    const output = element("output", {}, start);
    const slider = element("input", { type: "range", min: "-4", max: "4", step: "0.5", value: start, name });
    slider.addEventListener("input", () => { output.textContent = slider.value; });
    slider.addEventListener("change", again);
    return element("label", {}, name.replaceAll("_", " "), slider, output);
  }));
}

function request(asked) {
  const body = { k: Number(asked.get("k") || DEFAULT_K) };
  ["text", "id", "space", "from", "metric", "where"].forEach((name) => {
    if (asked.get(name)) body[name] = asked.get(name);
  });
  const steps = (asked.get("directions") || "").split(",").filter(Boolean);
  if (steps.length) {
    body.directions = Object.fromEntries(steps.map((one) => {
      const [name, value] = one.split("=");
      return [name, Number(value)];
    }));
  }
  if (asked.get("image")) {
    const form = new FormData();
    form.append("query", JSON.stringify(body));
    form.append("image", dropped, "query");
    return { method: "POST", body: form };
  }
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

function words(labels) {
  const yes = Object.keys(labels).filter((name) => labels[name] === true);
  const others = Object.entries(labels)
    .filter(([, value]) => value !== null && typeof value !== "boolean" && String(value).length <= 24)
    .map(([name, value]) => `${name} ${value}`);
  return [...yes, ...others].map((one) => one.replaceAll("_", "\u00a0")).join("\u00a0· ");
}

function card(item, rank) {
  const labels = words(item.labels);
  const distance = item.distance === undefined ? "" : item.distance.toPrecision(4);
  const told = rank ? `Hit ${rank}, distance ${distance}` : "Item";
  const picture = element("img", {
    src: `${item.image}?size=256`, loading: "lazy", alt: labels || item.source,
  });
  const link = element("a", {
    href: linkTo({ id: idOf(item.image) }), title: `${item.source}\nMore like this`,
    "aria-label": `${told}: ${labels || item.source}. Find more like this.`,
  }, picture);
  if (rank) {
    const line = element("div", { class: "line" }, element("b", {}, String(rank)), element("span", {}, distance));
    if (item.angular !== null) line.title = `angular ${item.angular}, radial ${item.radial}`;
    link.append(line);
  }
  link.append(element("p", { class: "labels" }, labels));
  return element("li", {}, link);
}

function say(text, bad = false) {
  page.status.textContent = text;
  page.status.classList.toggle("bad", bad);
}

function describe(asked, answer) {
  const map = answer.query.map;
  const how = [
    `searched in ${answer.space} by ${answer.metric}`,
    answer.exact ? "exact" : "approximate",
  ];
  if (map) {
    how.push(`carried over from ${answer.query.from} by a ${map.method} map (held-out R² ` +
      `${map.r2.toFixed(2)}, recall@10 ${map.recall_at_10.toFixed(2)}, chance ${map.chance_at_10.toFixed(2)})`);
  }
  Object.entries(answer.query.directions || {}).forEach(([name, step]) => {
    how.push(`${name.replaceAll("_", " ")} ${step > 0 ? "+" : ""}${step}`);
  });
  if (answer.query.where) how.push(`where ${answer.query.where}`);
  page["asked-how"].textContent = how.join(" · ");
}

function heading(asked) {
  const picture = page["asked-picture"];
  const id = asked.get("id");
  picture.hidden = !(id || asked.get("image"));
  if (id) picture.src = `/v1/items/${id}/image?size=256`;
  else if (asked.get("image")) picture.src = URL.createObjectURL(dropped);
  picture.alt = id ? "The picture that was asked with" : "The picture that was dropped";
  page["asked-title"].textContent = asked.get("text")
    ? `“${asked.get("text")}”` : id ? "More like this" : "Like the dropped picture";
  page["asked-how"].textContent = "";
}

async function show() {
  const asked = readHash();
  const mine = ++round;
  restore(asked);
  if (asked.get("image") && !dropped) asked.delete("image"); // a link cannot carry a picture
  const has = ["text", "id", "image"].some((name) => asked.get(name));
  page.asked.hidden = !has;
  if (has) heading(asked);
  page.results.classList.add("busy");
  const fromCards = page.results.contains(document.activeElement);
  const slow = setTimeout(() => say("Searching… the first question to a space loads its model."), 700);
  const started = performance.now();
  try {
    if (has) {
      const answer = await call("/v1/search", request(asked));
      if (mine !== round) return;
      describe(asked, answer);
      page.results.replaceChildren(...answer.hits.map((hit, at) => card(hit, at + 1)));
      const took = Math.round(performance.now() - started);
      say(answer.hits.length ? `${answer.hits.length} hits in ${took} ms, nearest first`
        : "No item qualifies.");
    } else {
      await browse(asked.get("where"), mine);
    }
  } catch (error) {
    if (mine !== round) return;
    page.results.replaceChildren();
    say(error.message, true);
  } finally {
    clearTimeout(slow);
    if (mine === round) page.results.classList.remove("busy");
    // The card that had the focus is gone; a keyboard goes on from the first new one.
    if (mine === round && fromCards) page.results.querySelector("a")?.focus();
  }
}

function hintLabels(labels) {
  const columns = Object.keys(labels);
  const truths = columns.filter((name) => labels[name] === "bool");
  page.where.placeholder = truths.length > 1 ? `${truths[0]} and not ${truths[1]}` : columns[0] || "";
  page.where.title = columns.length ? `Labels: ${columns.join(", ")}` : "";
}

async function browse(where, mine) {
  const query = new URLSearchParams({ limit: page.k.value || DEFAULT_K, ...(where ? { where } : {}) });
  const listed = await call(`/v1/items?${query}`);
  if (mine !== round) return;
  page.results.replaceChildren(...listed.items.map((item) => card(item, 0)));
  say(listed.count ? `${listed.items.length} of ${listed.count} pictures; choose one to find more like it`
    : where ? "No item qualifies." : "The database is empty: latentdb ingest DB SOURCE");
}

/* Ask the same again with changed settings. */
function again() {
  const asked = readHash();
  const subject = ["text", "id", "image"].find((name) => asked.get(name));
  go(subject ? { [subject]: asked.get(subject) } : {});
}

function ask(event) {
  event.preventDefault();
  const text = page.text.value.trim();
  if (text) go({ text });
  else again();
}

function take(file) {
  if (!file) return;
  if (!file.type.startsWith("image/")) { say(`${file.name} is not a picture`, true); return; }
  dropped = file;
  page.text.value = "";
  go({ image: String(Date.now()) });
}

function startOver() {
  dropped = null;
  page.file.value = "";
  if (location.hash) location.hash = "";
  else show();
}

function moveBetweenCards(event) {
  const links = [...page.results.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (at < 0) return;
  const columns = getComputedStyle(page.results).gridTemplateColumns.split(" ").length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  if (step === undefined || !links[at + step]) return;
  event.preventDefault();
  links[at + step].focus();
}

function onKey(event) {
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName);
  if (event.key === "/" && !typing) { event.preventDefault(); page.text.focus(); page.text.select(); }
  else if (event.key === "Escape") startOver();
  else moveBetweenCards(event);
}

function listen() {
  page.ask.addEventListener("submit", ask);
  ["space", "from", "k", "where"].forEach((id) => page[id].addEventListener("change", again));
  document.querySelectorAll("input[name=metric]").forEach((one) => one.addEventListener("change", again));
  page.file.addEventListener("change", () => take(page.file.files[0]));
  page.clear.addEventListener("click", startOver);
  page.home.addEventListener("click", (event) => { event.preventDefault(); startOver(); });
  addEventListener("hashchange", show);
  addEventListener("keydown", onKey);
  addEventListener("paste", (event) => take([...event.clipboardData.files][0]));
  addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    take(event.dataTransfer.files[0]);
  });
}

async function start() {
  listen();
  try {
    const listings = ["/v1/spaces", "/v1/directions", "/v1/items?limit=1"];
    let first;
    [spaces, directions, first] = await Promise.all(listings.map((path) => call(path)));
    hintLabels(first.labels);
  } catch (error) {
    say(error.message, true);
    return;
  }
  const option = (value, text) => element("option", { value }, text);
  page.space.replaceChildren(option("", "auto"), ...spaces.map((one) => option(one.name, one.name)));
  page.from.replaceChildren(option("", "auto"), ...spaces.map((one) => option(one.name, one.name)));
  page["from-field"].hidden = spaces.length < 2;
  page.summary.textContent = spaces.map((one) => `${one.name} ${one.vectors}`).join(" · ");
  await show();
}

start();
