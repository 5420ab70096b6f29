// Add pictures: drop them, see them, send them, watch them be read into every space.

import { idOf } from "../js/api.js";
import { nameOf } from "../js/card.js";
import { readLabels } from "../js/csv.js";
import { counted, element, empty } from "../js/dom.js";
import { fraction, isOver, told } from "../js/jobs.js";
import { hearOfFiles } from "../js/pictures.js";
import { batchesOf, chosenIn, filesOf, send } from "../js/upload.js";

export const title = "Add pictures";

const MOST_SHOWN = 120;
const MOST_NAMED = 150; // ids in a filter
let page = null;

export async function show(root, params, app) {
  page ??= new IngestPage(root, app);
  page.listen();
  await page.follow(params.getAll("job"));
}

export function hide() {
  page?.deaf?.();
}

class IngestPage {
  constructor(root, app) {
    this.app = app;
    this.chosen = []; // { file, path, url }
    this.labels = null;
    this.jobs = new Map(); // by id, as the server last told of them; kept in the address
    this.refused = []; // { name, reason, message } of what was not sent, or failed in a model
    this.state = { isSending: false, sent: 0, total: 0 };
    if (!app.may("write")) {
      root.append(empty("This key may only read", "Log in with one of scope write to add pictures."));
      this.listen = () => {};
      this.follow = async () => {};
      return;
    }
    root.append(this.drawChoice(), this.drawChosen(), this.drawProgress());
    // What was sent is safe; what was not would be lost with the page.
    addEventListener("beforeunload", (event) => { if (this.state.isSending) event.preventDefault(); });
    this.draw();
  }

  drawChoice() {
    const take = (input) => { this.add(chosenIn(input)); input.value = ""; };
    const files = element("input", { id: "files", type: "file", multiple: true, accept: "image/*", class: "unseen", onchange: () => take(files) });
    const folder = element("input", { id: "folder", type: "file", webkitdirectory: true, class: "unseen", onchange: () => take(folder) });
    const csv = element("input", { id: "csv", type: "file", accept: ".csv,.tsv", class: "unseen", onchange: () => { this.readLabels(csv.files[0]); csv.value = ""; } });
    this.labelsTold = element("p", { class: "note", role: "status" });
    const limits = this.app.database.limits ?? {};
    this.choice = element("section", { class: "panel choice", "aria-label": "Choose pictures" },
      element("h2", {}, "Drop pictures or a folder anywhere on this page"),
      element("div", { class: "row" }, files, element("label", { class: "button primary", for: "files" }, "Choose pictures…"),
        folder, element("label", { class: "button", for: "folder" }, "Choose a folder…"),
        csv, element("label", { class: "button", for: "csv", title: "A CSV or TSV file with a column path or file_name" }, "Labels (CSV)…")),
      this.labelsTold,
      element("p", { class: "note" }, [limits.max_megapixels && `Up to ${limits.max_megapixels} megapixels each.`,
        "Any number: they are sent some at a time, and their metadata is taken off."].filter(Boolean).join(" ")));
    return this.choice;
  }

  drawChosen() {
    this.count = element("h2", { id: "chosen-title" });
    this.thumbs = element("ul", { class: "thumbs", "aria-labelledby": "chosen-title" });
    this.send = element("button", { type: "button", class: "primary", onclick: () => this.upload() });
    this.spaces = this.app.spaces.map((one) => element("input", { type: "checkbox", value: one.name, checked: true, onchange: () => this.draw() }));
    this.section = element("section", { class: "panel stack", hidden: true }, element("div", { class: "row spread" }, this.count,
      element("div", { class: "row" }, element("button", { type: "button", class: "quiet", onclick: () => this.drop() }, "Remove all"), this.send)),
    this.spaces.length > 1 ? element("fieldset", { class: "field" }, element("legend", {}, "Into the spaces"), element("div", { class: "row spaces" },
      ...this.spaces.map((one) => element("label", { class: "check" }, one, one.value)))) : null, this.thumbs);
    return this.section;
  }

  drawProgress() {
    this.meter = element("progress", { max: "1", value: "0", "aria-label": "Progress of adding pictures" });
    this.progressTold = element("p", { class: "number" });
    this.progressTitle = element("h2", {});
    this.after = element("div", { class: "row" });
    this.bad = element("div", {});
    this.progress = element("section", { class: "panel stack", hidden: true, "aria-label": "Progress" }, this.progressTitle, this.meter, this.progressTold, this.after, this.bad);
    return this.progress;
  }

  listen() {
    if (this.deaf) return;
    const stop = hearOfFiles("Drop the pictures to add them", async (_files, transfer) => this.add(await filesOf(transfer)));
    this.deaf = () => { stop(); this.deaf = null; };
  }

  /** More files: pictures are kept, a table of labels is read, others are left out and counted. */
  add(files) {
    const table = files.find(({ file }) => /\.(csv|tsv)$/i.test(file.name));
    if (table) this.readLabels(table.file);
    const pictures = files.filter(({ file }) => file.type.startsWith("image/"));
    const known = new Set(this.chosen.map(({ path, file }) => `${path} ${file.size} ${file.lastModified}`));
    const fresh = pictures.filter(({ path, file }) => !known.has(`${path} ${file.size} ${file.lastModified}`));
    this.chosen.push(...fresh.map((one) => ({ ...one, url: URL.createObjectURL(one.file) })));
    const others = files.length - pictures.length - (table ? 1 : 0);
    this.app.say([`${counted(fresh.length, "picture")} chosen`, others ? `${counted(others, "other file")} left out` : ""].filter(Boolean).join(", "), !fresh.length && !table);
    this.draw();
  }

  async readLabels(file) {
    if (!file) return;
    try {
      this.labels = readLabels(await file.text(), file.name);
      this.labelsTold.textContent = `${file.name}: ${counted(this.labels.rows.size, "row")}, labels ${this.labels.columns.join(", ") || "none"}`;
      this.labelsTold.classList.remove("bad");
    } catch (error) {
      this.labels = null;
      this.labelsTold.textContent = error.message;
      this.labelsTold.classList.add("bad");
    }
  }

  drop(one = null) {
    for (const gone of one ? [one] : this.chosen) URL.revokeObjectURL(gone.url);
    this.chosen = one ? this.chosen.filter((other) => other !== one) : [];
    this.draw();
  }

  draw() {
    const bytes = this.chosen.reduce((sum, { file }) => sum + file.size, 0);
    this.section.hidden = this.chosen.length === 0;
    this.choice.classList.toggle("compact", !this.section.hidden || !this.progress.hidden);
    this.count.textContent = `${counted(this.chosen.length, "picture")}, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
    this.send.textContent = `Add ${counted(this.chosen.length, "picture")}`;
    this.send.disabled = this.state.isSending || (this.spaces.length > 0 && !this.spaces.some((one) => one.checked));
    this.thumbs.replaceChildren(...this.chosen.slice(0, MOST_SHOWN).map((one) => element("li", {},
      element("img", { src: one.url, alt: one.path, title: one.path, loading: "lazy", decoding: "async", onerror: (event) => event.target.classList.add("broken") }),
      element("button", { type: "button", "aria-label": `Remove ${one.path}`, title: "Remove", onclick: () => this.drop(one) }, "×"))),
    ...(this.chosen.length > MOST_SHOWN ? [element("li", { class: "rest" }, `and ${this.chosen.length - MOST_SHOWN} more`)] : []));
  }

  async upload() {
    const { batches, tooLarge } = batchesOf(this.chosen, this.app.database.limits);
    const chosen = this.spaces.filter((one) => one.checked).map((one) => one.value);
    const spaces = chosen.length < this.spaces.length ? chosen : null;
    this.refused = tooLarge.map(({ path }) => ({ name: path, reason: "too_large", message: "larger than the server takes in one request" }));
    this.jobs.clear();
    this.state = { isSending: true, sent: 0, total: this.chosen.length - tooLarge.length };
    this.drop();
    this.tell();
    let problem = null;
    for (const batch of batches) {
      try {
        const answer = await send(this.app, batch, { labels: this.labels, spaces, onWait: () => this.app.say("The server is full; waiting to send more") });
        this.know(answer.job); // its arguments say which pictures were quarantined
        this.state.sent += batch.length;
        this.tell();
      } catch (error) {
        problem ??= error;
        this.refused.push(...batch.map(({ path }) => ({ name: path, reason: "not sent", message: error.message })));
      }
    }
    this.state.isSending = false;
    if (problem) this.app.say(problem.message, true);
    this.draw();
    this.tell();
    await this.watch();
  }

  /** A job goes into the address: a reload finds it again. */
  know(job) {
    this.jobs.set(job.id, { ...this.jobs.get(job.id), ...job });
    this.app.rewrite("ingest", { job: [...this.jobs.keys()] });
  }

  /** Take up the jobs of the address, unless they are these already. */
  async follow(ids) {
    if (this.state.isSending || ids.every((id) => this.jobs.has(id))) return;
    this.refused = [];
    this.jobs = new Map(ids.map((id) => [id, { id, state: "queued" }]));
    this.state = { isSending: false, sent: 0, total: 0 };
    this.tell();
    await this.watch();
  }

  /** One stream of events at a time: a browser has few connections to one server. */
  async watch() {
    if (this.isWatching) return;
    this.isWatching = true;
    for (const id of this.jobs.keys()) { // a Map: those that come meanwhile are seen too
      try {
        await this.app.job(id, (_progress, job) => {
          this.jobs.set(id, job);
          this.tell();
        });
      } catch (error) {
        this.jobs.set(id, { ...this.jobs.get(id), ...(error.job ?? { state: "failed", error: { detail: error.message } }) });
      }
      this.tell();
    }
    this.isWatching = false;
    if (!this.jobs.size) return;
    await Promise.all([this.app.refresh(), this.readQuarantine()]);
    this.tell();
  }

  /** Pictures that could be decoded, but not be read into a space. */
  async readQuarantine() {
    const failed = [...this.jobs.values()].filter((job) => (job.result?.quarantined ?? 0) > (job.arguments?.quarantined?.length ?? 0));
    if (!failed.length) return;
    const rows = await this.app.call("/v1/quarantine");
    this.refused.push(...rows.filter((row) => failed.some((job) => row.source.includes(job.id)))
      .map((row) => ({ name: nameOf(row.source), reason: row.reason, message: row.message })));
  }

  tell() {
    const jobs = [...this.jobs.values()];
    this.progress.hidden = !jobs.length && !this.state.isSending && !this.refused.length;
    this.choice.classList.toggle("compact", !this.section.hidden || !this.progress.hidden);
    if (this.progress.hidden) return;
    const over = jobs.filter(isOver).length;
    const now = jobs.find((job) => !isOver(job));
    const share = (over + (now ? fraction(now.progress) ?? 0 : 0)) / Math.max(1, jobs.length);
    const { isSending, sent, total } = this.state;
    this.meter.value = isSending ? 0.5 * (sent / Math.max(1, total)) + 0.5 * share * (sent / Math.max(1, total)) : share;
    this.progressTitle.textContent = isSending ? `Sending: ${sent} of ${total}` : now ? "Reading them into the spaces" : "Done";
    this.progressTold.textContent = now ? [jobs.length > 1 ? `part ${over + 1} of ${jobs.length}` : "", now.state === "queued" ? "waiting for its turn" : told(now.progress)].filter(Boolean).join(" · ") : summary(jobs);
    const isEnd = !isSending && !now;
    this.after.replaceChildren(...(isEnd ? [
      element("a", { class: "button", href: this.app.link("search", { where: condition(jobs) }) }, "See the pictures"),
      element("a", { class: "button", href: this.app.link("jobs") }, "Jobs")] : []));
    if (isEnd) this.app.say(this.progressTold.textContent, jobs.some((job) => job.state !== "done"));
    this.bad.replaceChildren(...this.troubles(jobs));
  }

  troubles(jobs) {
    const all = [...this.refused, ...jobs.flatMap((job) => job.arguments?.quarantined ?? [])];
    const failed = jobs.filter((job) => job.state === "failed" || job.state === "cancelled");
    return [...failed.map((job) => element("p", { class: "warning" }, job.error?.detail ?? `The job was ${job.state}`)),
      all.length ? element("div", { class: "scroll" }, element("table", {}, element("caption", {}, `${counted(all.length, "picture")} not taken`),
        element("thead", {}, element("tr", {}, ...["Name", "Reason", "What was found"].map((one) => element("th", { scope: "col" }, one)))),
        element("tbody", {}, ...all.map((one) => element("tr", {}, element("td", {}, one.name), element("td", {}, String(one.reason).replaceAll("_", " ")), element("td", {}, one.message)))))) : null,
    ].filter(Boolean);
  }
}

/** A filter that shows what was added, where it is few enough to be named. */
function condition(jobs) {
  const ids = jobs.flatMap((job) => job.arguments?.items ?? []).map((one) => idOf(one.image));
  return ids.length && ids.length <= MOST_NAMED ? `id in (${ids.join(", ")})` : "";
}

/** What some finished jobs did, put together. */
function summary(jobs) {
  const total = (name) => jobs.reduce((sum, job) => sum + (Number(job.result?.[name]) || 0), 0);
  const parts = [["added", "added"], ["completed", "completed"], ["known", "known already"], ["duplicates", "seen twice"]]
    .map(([name, text]) => [total(name), text]).filter(([count]) => count).map(([count, text]) => `${count} ${text}`);
  return parts.join(", ") || (jobs.some((job) => job.state === "done") ? "All there already." : "Nothing was added.");
}
