// Draws points into pixels. A canvas asked for 100,000 discs takes a tenth of a second; writing
// their pixels takes some milliseconds.

const FADED = 0.22; // share of a colour that is left of points outside the selection

/** Colours as the 32-bit values that an ImageData holds: all as they are, then all faded. */
export function table(colours, ground) {
  const made = new Uint32Array(512);
  colours.forEach((one, at) => {
    made[at] = packed(one);
    made[256 + at] = packed(one.map((value, channel) => Math.round(ground[channel] + (value - ground[channel]) * FADED)));
  });
  return made;
}

export const packed = ([red, green, blue]) => (255 << 24 | blue << 16 | green << 8 | red) >>> 0;

/** Offsets and coverages (of 256) of the pixels of a disc, by antialiasing its edge. */
function disc(radius) {
  const reach = Math.ceil(radius);
  const pixels = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (cover > 0.05) pixels.push([dx, dy, Math.round(256 * cover)]);
    }
  }
  return {
    reach,
    dx: Int32Array.from(pixels, (one) => one[0]),
    dy: Int32Array.from(pixels, (one) => one[1]),
    cover: Int32Array.from(pixels, (one) => one[2]),
  };
}

export class Painter {
  constructor() {
    this.image = null;
    this.radius = 0;
  }

  /**
   * Paint points of a grid.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {object} what  `grid`: a Grid; `looks`: of each of its points, the place in `colours`;
   *     `colours`: of `table`; `view`: `{ x, y, scale }`, what is in the middle and device pixels
   *     per unit; `radius` of a point, in device pixels; `ground`: packed; `hasFaded`: whether
   *     some looks are
   * @returns {number}  how many points are in view
   */
  paint(context, { grid, looks, colours, view, radius, ground, hasFaded }) {
    const { width, height } = context.canvas;
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.image = context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    if (this.radius !== radius) [this.radius, this.disc] = [radius, disc(radius)];
    this.pixels.fill(ground);
    let shown = 0;
    const [halfX, halfY] = [width / 2 / view.scale, height / 2 / view.scale];
    // Faded points first: what is selected lies on top of them.
    for (const faded of hasFaded ? [true, false] : [false]) {
      grid.ranges(view.x - halfX, view.y - halfY, view.x + halfX, view.y + halfY, (from, to) => {
        shown += this.stamp(grid, looks, colours, view, from, to, faded);
      });
    }
    context.putImageData(this.image, 0, 0);
    return shown;
  }

  stamp(grid, looks, colours, view, from, to, faded) {
    const { width, height } = this.image;
    const { dx, dy, cover, reach } = this.disc;
    const { pixels } = this;
    const { x, y } = grid;
    const { scale } = view;
    const left = width / 2 - view.x * scale;
    const top = height / 2 + view.y * scale;
    const size = dx.length;
    let shown = 0;
    for (let at = from; at < to; at++) {
      const look = looks[at];
      if (look >= 256 !== faded) continue;
      const column = (x[at] * scale + left) | 0;
      const row = (top - y[at] * scale) | 0;
      if (column < reach || row < reach || column >= width - reach || row >= height - reach) continue;
      shown++;
      const colour = colours[look];
      const red = colour & 255;
      const green = colour >> 8 & 255;
      const blue = colour >> 16 & 255;
      const base = row * width + column;
      for (let part = 0; part < size; part++) {
        const share = cover[part];
        const pixel = base + dy[part] * width + dx[part];
        if (share === 256) { pixels[pixel] = colour; continue; }
        const below = pixels[pixel];
        const rest = 256 - share;
        pixels[pixel] = (255 << 24
          | (((below >> 16 & 255) * rest + blue * share) >> 8) << 16
          | (((below >> 8 & 255) * rest + green * share) >> 8) << 8
          | ((below & 255) * rest + red * share) >> 8) >>> 0;
      }
    }
    return shown;
  }
}
