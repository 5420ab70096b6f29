// Add pictures: drop them, see them, send them, watch them be read into every space.

import { nameOf } from "../js/card.js";
import { Chooser } from "../js/chooser.js";
import { element, empty } from "../js/dom.js";
import { hearOfFiles } from "../js/pictures.js";
import { batchesOf, filesOf, send } from "../js/upload.js";
import { UploadProgress } from "../js/upload_progress.js";

export const title = "Add pictures";

let page = null; // made at the first visit; an upload goes on while another view is shown

export async function show(root, params, app) {
  if (!app.may("write")) {
    const advice = "Log in with one of scope write to add pictures.";
    root.replaceChildren(empty("This key may only read", element("p", {}, advice)));
    return;
  }
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
    this.jobs = new Map(); // by id, as the server last told of them; kept in the address
    this.refused = []; // { name, reason, message } of what was not sent, or failed in a model
    this.state = { isSending: false, sent: 0, total: 0 };
    this.chooser = new Chooser(app, () => this.upload());
    this.progress = new UploadProgress(app);
    root.append(this.chooser.choice, this.chooser.section, this.progress.element);
    // What was sent is safe; what was not would be lost with the page.
    addEventListener("beforeunload", (event) => {
      if (this.state.isSending) event.preventDefault();
    });
  }

  listen() {
    if (this.deaf) return;
    const stop = hearOfFiles("Drop the pictures to add them", async (_files, transfer) =>
      this.chooser.add(await filesOf(transfer)),
    );
    this.deaf = () => {
      stop();
      this.deaf = null;
    };
  }

  async upload() {
    const { labels, someSpaces: spaces, chosen } = this.chooser;
    const { batches, tooLarge } = batchesOf(chosen, this.app.database.limits);
    const message = "larger than the server takes in one request";
    this.refused = tooLarge.map(({ path }) => ({ name: path, reason: "too_large", message }));
    this.jobs = new Map();
    this.state = { isSending: true, sent: 0, total: chosen.length - tooLarge.length };
    this.chooser.drop();
    this.tell();
    const onWait = () => this.app.say("The server is full; waiting to send more");
    let problem = null;
    for (const batch of batches) {
      try {
        const answer = await send(this.app, batch, { labels, spaces, onWait });
        this.know(answer.job); // its arguments say which pictures were quarantined
        this.state.sent += batch.length;
        this.tell();
      } catch (error) {
        problem ??= error;
        const told = { reason: "not sent", message: error.message };
        this.refused.push(...batch.map(({ path }) => ({ name: path, ...told })));
      }
    }
    this.state.isSending = false;
    this.tell();
    if (problem) this.app.say(problem.message, true);
    await this.watch();
  }

  /** A job goes into the address: a reload finds it again. */
  know(job) {
    this.jobs.set(job.id, job);
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
    if (this.isWatching) return; // who watches goes on with these when it is through with those
    this.isWatching = true;
    let watched = null;
    while (watched !== this.jobs) {
      watched = this.jobs;
      for (const id of watched.keys()) await this.watchOne(watched, id);
    }
    this.isWatching = false;
    if (!this.jobs.size) return;
    await Promise.all([this.app.refresh(), this.readQuarantine()]);
    this.tell();
  }

  async watchOne(jobs, id) {
    const note = (job) => {
      jobs.set(id, job);
      this.tell();
    };
    try {
      await this.app.job(id, (_progress, job) => note(job));
    } catch (error) {
      note(error.job ?? { ...jobs.get(id), state: "failed", error: { detail: error.message } });
    }
  }

  /** Pictures that could be decoded, but not be read into a space. */
  async readQuarantine() {
    const failed = [...this.jobs.values()].filter(
      (job) => (job.result?.quarantined ?? 0) > (job.arguments?.quarantined?.length ?? 0),
    );
    if (!failed.length) return;
    const names = new Set(failed.flatMap((job) => job.arguments.items.map((one) => one.file)));
    const rows = await this.app.call("/v1/quarantine");
    const theirs = rows.filter((row) => names.has(nameOf(row.source)));
    this.refused.push(...theirs.map((row) => ({ ...row, name: nameOf(row.source) })));
  }

  tell() {
    this.progress.show(this.state, [...this.jobs.values()], this.refused);
    Object.assign(this.chooser, {
      isSending: this.state.isSending,
      isBusy: !this.progress.element.hidden,
    });
    this.chooser.tell();
  }
}
