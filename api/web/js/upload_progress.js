// How far an upload is, and what became of it.

import { idOf } from "./api.js";
import { counted, element } from "./dom.js";
import { fraction, isOver, told } from "./jobs.js";

const MOST_NAMED = 150; // ids in a filter

export class UploadProgress {
  constructor(app) {
    this.app = app;
    this.meter = element("progress", {
      max: "1",
      value: "0",
      "aria-label": "Progress of adding pictures",
    });
    this.text = element("p", { class: "number" });
    this.title = element("h2", {});
    this.after = element("div", { class: "row" });
    this.bad = element("div", {});
    this.element = element(
      "section",
      { class: "panel stack", hidden: true, "aria-label": "Progress" },
      this.title,
      this.meter,
      this.text,
      this.after,
      this.bad,
    );
  }

  /**
   * @param {object} state  `isSending`, and of how many pictures how many were `sent`, of `total`
   * @param {object[]} jobs  that read them, as the server last told of them
   * @param {object[]} refused  pictures that were not taken: `{ name, reason, message }`
   */
  show({ isSending, sent, total }, jobs, refused) {
    this.element.hidden = !jobs.length && !isSending && !refused.length;
    if (this.element.hidden) return;
    const now = jobs.find((job) => !isOver(job));
    const share = done(jobs);
    // Sending is half of it, as long as it goes on.
    this.meter.value = isSending ? ((1 + share) / 2) * (sent / Math.max(1, total)) : share;
    this.title.textContent = now ? "Reading them into the spaces" : "Done";
    if (isSending) this.title.textContent = `Sending: ${sent} of ${total}`;
    this.text.textContent = now ? wordsOf(now, jobs) : summary(jobs);
    const isEnd = !isSending && !now;
    this.after.replaceChildren(...(isEnd ? this.links(jobs) : []));
    if (isEnd) {
      const isBad = jobs.some((job) => job.state !== "done");
      this.app.say(this.text.textContent, isBad);
    }
    this.bad.replaceChildren(...troubles(jobs, refused));
  }

  links(jobs) {
    const to = (view, params, text) =>
      element("a", { class: "button", href: this.app.link(view, params) }, text);
    return [to("search", { where: condition(jobs) }, "See the pictures"), to("jobs", {}, "Jobs")];
  }
}

/** What is done of some jobs, from 0 to 1. */
function done(jobs) {
  const shares = jobs.map((job) => (isOver(job) ? 1 : (fraction(job.progress) ?? 0)));
  return shares.reduce((sum, one) => sum + one, 0) / Math.max(1, jobs.length);
}

function wordsOf(now, jobs) {
  const part = jobs.length > 1 ? `part ${jobs.indexOf(now) + 1} of ${jobs.length}` : "";
  const how = now.state === "queued" ? "waiting for its turn" : told(now.progress);
  return [part, how].filter(Boolean).join(" · ");
}

/** What was not taken, as a table, and jobs that failed. */
function troubles(jobs, refused) {
  const all = [...refused, ...jobs.flatMap((job) => job.arguments?.quarantined ?? [])];
  const failed = jobs.filter((job) => job.state === "failed" || job.state === "cancelled");
  const found = failed.map((job) =>
    element("p", { class: "warning" }, job.error?.detail ?? `The job was ${job.state}`),
  );
  if (all.length) found.push(element("div", { class: "scroll" }, tableOf(all)));
  return found;
}

function tableOf(refused) {
  const heads = ["Name", "Reason", "What was found"].map((one) =>
    element("th", { scope: "col" }, one),
  );
  const rows = refused.map(({ name, reason, message }) =>
    element(
      "tr",
      {},
      ...[name, reason.replaceAll("_", " "), message].map((one) => element("td", {}, one)),
    ),
  );
  return element(
    "table",
    {},
    element("caption", {}, `${counted(refused.length, "picture")} not taken`),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows),
  );
}

/** A filter that shows what was added, where it is few enough to be named. */
function condition(jobs) {
  const ids = jobs.flatMap((job) => job.arguments?.items ?? []).map((one) => idOf(one.image));
  return ids.length && ids.length <= MOST_NAMED ? `id in (${ids.join(", ")})` : "";
}

/** What some finished jobs did, put together. */
function summary(jobs) {
  const total = (name) => jobs.reduce((sum, job) => sum + (Number(job.result?.[name]) || 0), 0);
  const parts = [
    ["added", "added"],
    ["completed", "completed"],
    ["known", "known already"],
    ["duplicates", "seen twice"],
  ]
    .map(([name, text]) => [total(name), text])
    .filter(([count]) => count)
    .map(([count, text]) => `${count} ${text}`);
  return (
    parts.join(", ") ||
    (jobs.some((job) => job.state === "done") ? "All there already." : "Nothing was added.")
  );
}
