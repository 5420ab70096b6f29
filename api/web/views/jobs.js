// What the server works on, and what became of it.

import { idOf } from "../js/api.js";
import { counted, element, empty } from "../js/dom.js";
import { fraction, isOver, list as listJobs, told } from "../js/jobs.js";

export const title = "Jobs";

let stop = null;

export async function show(root, params, app) {
  hide();
  const chosen = params.get("job");
  const list = element("ol", { class: "joblist", "aria-label": "Jobs, newest first" });
  const rows = new Map(); // by id: kept, so that a keyboard stays where it is while a job goes on
  root.replaceChildren(element("h2", {}, "Jobs"), list);
  const draw = (jobs) => {
    if (!jobs.length) {
      root.replaceChildren(nothing(app));
      return;
    }
    for (const job of jobs) {
      if (!rows.has(job.id)) rows.set(job.id, new Row(job, app, job.id === chosen));
      rows.get(job.id).update(job);
    }
    const wanted = jobs.map((job) => rows.get(job.id).element);
    if (
      wanted.some((one, at) => list.children[at] !== one) ||
      list.children.length !== wanted.length
    )
      list.replaceChildren(...wanted);
    const open = jobs.filter((job) => !isOver(job)).length;
    app.say(
      open
        ? `${counted(open, "job")} waiting or running`
        : `${counted(jobs.length, "job")}, none running`,
    );
  };
  app.jobs.listeners.add(draw);
  const following = new AbortController();
  stop = () => {
    app.jobs.listeners.delete(draw);
    following.abort();
  };
  try {
    const jobs = await listJobs();
    draw(jobs);
    const watched = jobs.find(
      (job) => (chosen ? job.id === chosen : job.state === "running") && !isOver(job),
    );
    app.jobs.look();
    // The listed jobs are looked at every other second; the one that matters tells by itself.
    if (watched)
      await app
        .job(watched.id, (_progress, job) => rows.get(watched.id)?.update(job), following.signal)
        .catch(() => {});
  } catch (error) {
    root.replaceChildren(
      empty(
        "Jobs cannot be listed",
        error.message,
        element("button", { type: "button", onclick: () => show(root, params, app) }, "Try again"),
      ),
    );
    app.say(error.message, true);
  }
}

export function hide() {
  stop?.();
  stop = null;
}

const nothing = (app) =>
  empty(
    "No jobs yet",
    "Adding pictures, fitting maps and directions, and building indexes are jobs: they go on when this page is closed, and when the server starts anew.",
    app.may("write")
      ? element("a", { class: "button primary", href: app.link("ingest") }, "Add pictures")
      : "",
  );

class Row {
  constructor(job, app, isOpen) {
    this.app = app;
    this.drawn = "";
    this.state = element("span", { class: "state" });
    this.text = element("span", { class: "faint small number" });
    this.meter = element("progress", { max: "1", "aria-label": `Progress of the ${job.kind} job` });
    this.cancel = element(
      "button",
      { type: "button", class: "danger", onclick: () => this.askToCancel(job.id) },
      "Cancel",
    );
    this.wrong = element("p", { class: "warning" });
    this.more = element("pre", {
      tabindex: "0",
      role: "region",
      "aria-label": `Details of the ${job.kind} job`,
    });
    this.element = element(
      "li",
      { class: "panel stack", id: `job-${job.id}` },
      element(
        "div",
        { class: "row spread" },
        element("div", { class: "row" }, element("h3", {}, job.kind), this.state, this.text),
        app.may("write") ? this.cancel : null,
      ),
      this.meter,
      this.wrong,
      element("details", { open: isOpen }, element("summary", {}, "Details"), this.more),
    );
  }

  update(job) {
    const drawn = JSON.stringify(job);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const over = isOver(job);
    this.state.textContent = job.state;
    this.state.className = `state ${job.state}`;
    this.text.textContent = [over ? "" : told(job.progress), times(job)]
      .filter(Boolean)
      .join(" · ");
    this.meter.hidden = over || job.state === "queued";
    const done = fraction(job.progress);
    if (done === null) this.meter.removeAttribute("value");
    else this.meter.value = done;
    this.cancel.hidden = over;
    this.wrong.hidden = !job.error;
    this.wrong.textContent = job.error?.detail ?? "";
    this.more.textContent = JSON.stringify(
      { result: job.result, arguments: job.arguments, id: job.id },
      withWholeIds,
      2,
    );
  }

  async askToCancel(id) {
    this.cancel.disabled = true;
    try {
      await this.app.call(`/v1/jobs/${id}`, { method: "DELETE" });
      this.app.say("The job will stop between two of its steps");
      this.app.jobs.look();
    } catch (error) {
      this.cancel.disabled = false;
      this.app.say(error.message, true);
    }
  }
}

/** Ids have more digits than numbers hold here: those of pictures are read from their addresses. */
const withWholeIds = (_name, value) => (value?.image ? { ...value, id: idOf(value.image) } : value);

function times(job) {
  const at = (text) => new Date(text).toLocaleTimeString();
  if (!job.started_at) return job.created_at ? `asked for at ${at(job.created_at)}` : "";
  if (!job.finished_at) return `since ${at(job.started_at)}`;
  const seconds = (new Date(job.finished_at) - new Date(job.started_at)) / 1000;
  return `${new Date(job.finished_at).toLocaleString()}, took ${seconds < 90 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`}`;
}
