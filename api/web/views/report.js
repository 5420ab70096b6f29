// The study of all spaces: begun as a job, and read as a page of its own.

import { element, empty, plain } from "../js/dom.js";
import { list } from "../js/jobs.js";

export const title = "Report";

let view = null;

export async function show(root, _params, app) {
  view ??= new ReportView(root, app);
  await view.show();
}

class ReportView {
  constructor(root, app) {
    this.app = app;
    this.quick = element("input", { type: "checkbox", checked: true });
    this.start = element("button", { type: "submit", class: "primary" }, "Begin");
    this.progress = element("div", { class: "stack", hidden: true });
    this.list = element("div", { class: "stack" });
    root.append(
      element("form", { class: "panel stack", onsubmit: (event) => { event.preventDefault(); this.begin(); } },
        element("h2", {}, "A new report"),
        element("p", { class: "note" }, "Whether noise codes are Gaussian, what probes read from each space, how alike neighbourhoods are: every space of this database, with intervals and controls."),
        element("div", { class: "row" }, element("label", { class: "check" }, this.quick, "Quick: smaller samples, a minute rather than ten"), this.start),
        this.progress),
      this.list);
  }

  async show() {
    this.start.disabled = !this.app.may("admin");
    this.start.title = this.start.disabled ? "Your key may not begin reports" : "";
    const reports = await this.app.call("/v1/reports");
    this.list.replaceChildren(reports.length
      ? element("section", { class: "panel stack", "aria-labelledby": "reports-title" }, element("h2", { id: "reports-title" }, "Finished"),
        element("ul", { class: "reports" }, ...reports.map((one) => this.line(one))))
      : empty("There is no report yet", "Begin one: it is kept with the database."));
    if (!this.following) await this.takeUp();
  }

  line(report) {
    const at = report.created_at ? new Date(report.created_at) : null;
    const files = Object.entries(report.files ?? { "report.html": `/v1/reports/${report.id}/report.html` });
    const page = files.find(([name]) => name.endsWith(".html"));
    const others = files.filter((one) => one !== page);
    return element("li", { class: "row" },
      page ? element("a", { href: page[1], target: "_blank", rel: "noopener" }, at ? `Report of ${at.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}` : report.id,
        element("span", { class: "unseen" }, " (opens in a new tab)")) : report.id,
      ...others.map(([name, address]) => element("a", { class: "small faint", href: address, download: `${report.id}-${name}` }, name)));
  }

  /** Go on following a report that was begun before. */
  async takeUp() {
    const running = (await list()).find((job) => job.kind === "report" && ["queued", "running"].includes(job.state));
    if (running) this.follow(running.id);
  }

  async begin() {
    this.start.disabled = true;
    try {
      const job = await this.app.call("/v1/reports", { json: { quick: this.quick.checked } });
      await this.follow(job.id);
    } catch (error) {
      this.app.say(error.message, true);
    } finally {
      this.start.disabled = !this.app.may("admin");
    }
  }

  async follow(id) {
    this.following = id;
    const bar = element("progress", { "aria-label": "Progress of the report" });
    const line = element("p", { class: "note" }, "Waiting for its turn…");
    this.progress.hidden = false;
    this.progress.replaceChildren(bar, line);
    try {
      await this.app.job(id, (progress) => {
        if (progress?.total) { bar.max = progress.total; bar.value = progress.done; }
        if (progress?.message) line.textContent = `${plain(progress.message)}…`;
      });
      this.progress.hidden = true;
      this.app.say("The report is ready");
    } catch (error) {
      this.progress.replaceChildren(element("p", { class: "wrong" }, error.message));
    } finally {
      this.following = null;
    }
    await this.show();
  }
}
