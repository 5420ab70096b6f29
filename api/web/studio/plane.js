// The map's canvas: what is in view, and what is drawn there.

import { Grid } from "./grid.js";
import { Painter, packed, table } from "./painter.js";
import { MOST_POINTS, Thumbnails } from "./thumbnails.js";

const FADED = 256; // added to the look of a point
const MARGIN = 1.08;
const MOST_ZOOM = 4000; // times what shows everything
const THUMBNAIL = 56; // CSS pixels

export class Plane {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.painter = new Painter();
    this.thumbnails = new Thumbnails(() => this.redraw());
    this.view = { x: 0, y: 0, scale: 1 };
    this.grid = new Grid(new Float32Array(0));
    this.ids = new BigInt64Array(0);
    this.coloured = null;
    this.selected = null; // Uint8Array by original order, or null where all are alike
    this.marked = []; // places that are ringed: hits, or the item of a link
    this.outline = null; // what a lasso has so far, in units of the plane
    this.onMove = () => {};
    this.frames = []; // milliseconds that the last drawings took
    new ResizeObserver(() => this.resize()).observe(canvas);
    addEventListener("themechange", () => requestAnimationFrame(() => this.onTheme?.()));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.onTheme?.());
  }

  /** Take other points: ids (n) and their places (n pairs). */
  setPoints(ids, xy) {
    this.ids = ids;
    this.grid = new Grid(xy);
    this.selected = null;
    this.marked = [];
    this.looks = new Uint16Array(this.grid.count);
  }

  setColours(made) {
    this.coloured = made;
    const style = getComputedStyle(this.canvas);
    // A canvas cannot be told "light-dark()": it is asked what that came to.
    this.ground = style.backgroundColor.match(/\d+/g).slice(0, 3).map(Number);
    this.ink = style.color;
    this.colours = table(made.colours, this.ground);
    this.setLooks();
  }

  /** @param {Uint8Array|null} selected  by original order */
  select(selected) {
    this.selected = selected;
    this.setLooks();
  }

  setLooks() {
    const { order, count } = this.grid;
    const { index } = this.coloured;
    for (let at = 0; at < count; at++) {
      const from = order[at];
      this.looks[at] = index[from] + (this.selected && !this.selected[from] ? FADED : 0);
    }
    this.redraw();
  }

  idAt(place) { return this.ids[this.grid.order[place]].toString(); }

  // What is in view

  get ratio() { return Math.min(2, devicePixelRatio || 1); }

  get fitting() {
    const { width, height } = this.canvas;
    return Math.min(width / 2 / this.grid.halfWidth, height / 2 / this.grid.halfHeight) / MARGIN;
  }

  get zoom() { return this.view.scale / this.fitting; }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth) return; // another view is shown
    const zoom = this.canvas.width ? this.zoom : 1;
    this.canvas.width = Math.round(clientWidth * this.ratio);
    this.canvas.height = Math.round(clientHeight * this.ratio);
    this.view.scale = this.fitting * (Number.isFinite(zoom) && this.isPlaced ? zoom : 1);
    this.redraw();
  }

  /** Show everything. */
  fit() {
    this.isPlaced = true;
    this.view = { x: 0, y: 0, scale: this.fitting };
    this.moved();
  }

  /** Put a place of the plane in the middle, so many times larger than where all is shown. */
  lookAt(x, y, zoom) {
    this.isPlaced = true;
    this.view = { x, y, scale: this.fitting * Math.min(MOST_ZOOM, Math.max(0.5, zoom)) };
    this.moved();
  }

  /** Move by CSS pixels. */
  pan(dx, dy) {
    this.view.x -= dx * this.ratio / this.view.scale;
    this.view.y += dy * this.ratio / this.view.scale;
    this.moved();
  }

  /** Zoom by a factor, what is at (x, y) CSS pixels of the canvas staying there. */
  zoomBy(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const [before, least] = [this.toPlane(x, y), this.fitting];
    this.view.scale = Math.min(MOST_ZOOM * least, Math.max(0.5 * least, this.view.scale * factor));
    const after = this.toPlane(x, y);
    this.view.x += before[0] - after[0];
    this.view.y += before[1] - after[1];
    this.moved();
  }

  moved() {
    // The middle of the view stays on the map.
    const { halfWidth, halfHeight } = this.grid;
    this.view.x = Math.min(halfWidth, Math.max(-halfWidth, this.view.x));
    this.view.y = Math.min(halfHeight, Math.max(-halfHeight, this.view.y));
    this.redraw();
    this.onMove();
  }

  /** Plane coordinates of CSS pixels of the canvas, and back. */
  toPlane(x, y) {
    const { width, height } = this.canvas;
    return [
      (x * this.ratio - width / 2) / this.view.scale + this.view.x,
      (height / 2 - y * this.ratio) / this.view.scale + this.view.y,
    ];
  }

  toPixels(x, y) {
    const { width, height } = this.canvas;
    return [
      ((x - this.view.x) * this.view.scale + width / 2) / this.ratio,
      (height / 2 - (y - this.view.y) * this.view.scale) / this.ratio,
    ];
  }

  /** The point at CSS pixels of the canvas, −1 where there is none near. */
  at(x, y, reach = 12) {
    return this.grid.nearest(...this.toPlane(x, y), reach * this.ratio / this.view.scale);
  }

  // Drawing

  redraw() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.draw(); });
  }

  /** Radius of a point in CSS pixels: small among many, larger when looked at closely. */
  get radius() {
    const { clientWidth, clientHeight } = this.canvas;
    const room = Math.sqrt(clientWidth * clientHeight / Math.max(1, this.grid.count)) * 0.22;
    return Math.min(6, Math.max(1, room) * Math.max(1, this.zoom) ** 0.35);
  }

  draw() {
    const { context, grid, view, ratio } = this;
    if (!this.canvas.width || !this.colours) return;
    const start = performance.now();
    const shown = this.painter.paint(context, {
      grid, view, looks: this.looks, colours: this.colours, hasFaded: this.selected !== null,
      radius: Math.round(this.radius * ratio * 2) / 2, ground: packed(this.ground),
    });
    if (shown <= MOST_POINTS && this.radius > 2) this.drawThumbnails();
    this.drawMarks();
    this.drawOutline();
    this.frames.push(performance.now() - start);
    if (this.frames.length > 240) this.frames.shift();
  }

  drawThumbnails() {
    const [left, top] = this.toPlane(0, 0);
    const [right, low] = this.toPlane(this.canvas.clientWidth, this.canvas.clientHeight);
    const wanted = this.grid.inside(left, low, right, top);
    const size = THUMBNAIL * this.ratio;
    // Where pictures would hide their neighbours at once, points say more.
    if (wanted.length * size * size > 6 * this.canvas.width * this.canvas.height) return;
    const isOut = (at) => this.looks[at] >= FADED;
    wanted.sort((one, other) => isOut(one) - isOut(other) || this.grid.order[one] - this.grid.order[other]);
    this.thumbnails.draw(this.context, {
      points: wanted.filter((at) => !isOut(at)), grid: this.grid, view: this.view, size,
      idOf: (at) => this.idAt(at),
      frame: (at) => `rgb(${this.coloured.colours[this.looks[at] % FADED].join(" ")})`,
    });
  }

  drawMarks() {
    const { context, ratio } = this;
    const reach = (this.radius + 4) * ratio;
    for (const place of this.marked) {
      const [x, y] = this.toPixels(this.grid.x[place], this.grid.y[place]).map((one) => one * ratio);
      context.beginPath();
      context.arc(x, y, reach, 0, 2 * Math.PI);
      context.lineWidth = 4 * ratio;
      context.strokeStyle = `rgb(${this.ground.join(" ")})`;
      context.stroke();
      context.lineWidth = 2 * ratio;
      context.strokeStyle = this.ink;
      context.stroke();
    }
  }

  drawOutline() {
    if (!this.outline?.length) return;
    const { context, ratio } = this;
    context.beginPath();
    for (const [x, y] of this.outline) context.lineTo(...this.toPixels(x, y).map((one) => one * ratio));
    context.closePath();
    context.fillStyle = `color-mix(in srgb, ${this.ink} 10%, transparent)`;
    context.fill();
    context.setLineDash([6 * ratio, 4 * ratio]);
    context.lineWidth = 1.5 * ratio;
    context.strokeStyle = this.ink;
    context.stroke();
    context.setLineDash([]);
  }
}

