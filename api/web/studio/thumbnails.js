// Small pictures over the points, once so few are in view that there is room for them.

import { imageOf } from "../js/api.js";

const MOST_KEPT = 600;
export const MOST_POINTS = 500; // in view, for thumbnails to appear

export class Thumbnails {
  /** @param {() => void} onLoad  a picture came: draw again */
  constructor(onLoad) {
    this.onLoad = onLoad;
    this.kept = new Map(); // by id, the least lately used first
  }

  /** The picture of an id, once it is there. */
  picture(id) {
    let image = this.kept.get(id);
    if (image) this.kept.delete(id);
    else {
      image = new Image();
      image.onload = () => this.onLoad();
      image.src = imageOf(id, 128);
    }
    this.kept.set(id, image);
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
    return image.complete && image.naturalWidth ? image : null;
  }

  /**
   * Draw pictures at points, one in every square of the plane that is as large as a picture, so
   * that they do not cover each other, and stay where they are while the map is moved.
   *
   * @param {object} what  `points`: places in the grid, the most important first; `grid`; `view`;
   *     `size` in device pixels; `idOf(place)`; `frame(place)`: the colour around it
   */
  draw(context, { points, grid, view, size, idOf, frame }) {
    const taken = new Set();
    const { width, height } = context.canvas;
    const step = size * 1.15 / view.scale;
    for (const at of points) {
      const [column, row] = [Math.floor(grid.x[at] / step), Math.floor(grid.y[at] / step)];
      const key = `${column},${row}`;
      if (taken.has(key)) continue;
      taken.add(key);
      const image = this.picture(idOf(at));
      if (!image) continue;
      const factor = size / Math.max(image.naturalWidth, image.naturalHeight);
      const [wide, high] = [image.naturalWidth * factor, image.naturalHeight * factor];
      const x = (grid.x[at] - view.x) * view.scale + width / 2 - wide / 2;
      const y = height / 2 - (grid.y[at] - view.y) * view.scale - high / 2;
      context.fillStyle = frame(at);
      context.fillRect(x - 3, y - 3, wide + 6, high + 6);
      context.drawImage(image, x, y, wide, high);
    }
  }
}
