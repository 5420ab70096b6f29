// Work that the server does beside answering: followed by its events, shown in the header.

import { callAs } from "./session.js";
import { element } from "./dom.js";

const OVER = ["done", "failed", "cancelled"];
const BUSY_MS = 2000;
const IDLE_MS = 20000;
const MOST = 50; // that are listed

export const isOver = (job) => OVER.includes(job.state);

/** What is done of a job, from 0 to 1; null where the server cannot tell. */
export function fraction(progress) {
  return progress?.total ? Math.min(1, progress.done / progress.total) : null;
}

/** How far it is, in words. */
export function told(progress) {
  if (!progress) return "";
  const count = progress.total
    ? `${progress.done} of ${progress.total}`
    : progress.done
      ? `${progress.done}`
      : "";
  return [count, progress.message].filter(Boolean).join(" · ");
}

/**
 * Follow a job to its end.
 *
 * @param {string} id
 * @param {(progress, job) => void} onProgress  hears of progress, with the job as it is then
 * @param {AbortSignal} signal  stops listening; the job goes on
 * @returns {Promise<object>}  the finished job
 * @throws {Error}  it failed or was cancelled, with `job`; or there is none such
 */
export async function follow(id, onProgress = () => {}, signal = undefined) {
  let job = await callAs(`/v1/jobs/${id}`, { signal });
  onProgress(job.progress, job);
  while (!isOver(job)) {
    const before = job;
    await listened(
      id,
      (progress, told) =>
        onProgress(progress, told ?? { ...before, progress, state: stateOf(before, progress) }),
      signal,
    );
    signal?.throwIfAborted();
    job = await callAs(`/v1/jobs/${id}`, { signal });
    onProgress(job.progress, job);
  }
  if (job.state === "done") return job;
  const error = new Error(
    job.state === "cancelled" ? "The job was cancelled" : (job.error?.detail ?? "The job failed"),
  );
  throw Object.assign(error, { job, status: -1 });
}

/** Events tell of progress before they tell of a state: what moves is not waiting any more. */
const stateOf = (job, progress) => (progress.done || progress.message ? "running" : job.state);

/** Resolves when the stream of a job's events says that it is over, or breaks off. */
function listened(id, onProgress, signal) {
  return new Promise((resolve) => {
    const events = new EventSource(`/v1/jobs/${id}/events`);
    const stop = () => {
      events.close();
      resolve();
    };
    events.addEventListener("progress", (event) => onProgress(JSON.parse(event.data), null));
    events.addEventListener("state", (event) => {
      const job = JSON.parse(event.data);
      onProgress(job.progress, job);
      if (isOver(job)) stop();
    });
    // A server that restarts is asked again by `follow`, after a breath.
    events.addEventListener("error", () => {
      events.close();
      setTimeout(resolve, BUSY_MS);
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** The link in the header that says what runs: looked up now and then, oftener while something does. */
export class Indicator {
  constructor(place) {
    this.place = place;
    this.timer = 0;
    this.listeners = new Set();
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.look();
    });
  }

  /** Look now: a job was begun. */
  async look() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    let wait = IDLE_MS;
    try {
      // An upload's job names every picture of it: all jobs are asked for only where they are shown.
      const jobs = await (this.listeners.size ? list() : listOpen());
      const open = jobs.filter((job) => !isOver(job));
      if (open.length) wait = BUSY_MS;
      this.show(open);
      this.listeners.forEach((heard) => heard(jobs));
    } catch {
      this.show([]); // a server without jobs, or none: views that need them say so
    }
    clearTimeout(this.timer); // another look may have begun meanwhile
    this.timer = setTimeout(() => this.look(), wait);
  }

  show(open) {
    this.place.hidden = open.length === 0;
    if (!open.length) return;
    const running = open.find((job) => job.state === "running") ?? open[0];
    const done = fraction(running.progress);
    const meter = element("progress", {
      max: "1",
      value: running.state === "queued" ? 0 : (done ?? false),
      "aria-label": `Progress of the ${running.kind} job`,
    });
    const text = `${running.kind}${running.state === "queued" ? " waiting" : done === null ? "" : ` ${Math.floor(100 * done)} %`}`;
    this.place.replaceChildren(
      meter,
      element("span", {}, text + (open.length > 1 ? ` +${open.length - 1}` : "")),
    );
    this.place.href = `#view=jobs&job=${running.id}`;
  }
}

/** The newest jobs. */
export const list = () => callAs(`/v1/jobs?limit=${MOST}`);

const listOpen = () => callAs(`/v1/jobs?limit=${MOST}&is_over=false`);
