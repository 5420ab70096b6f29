// Points in a plane, sorted into square cells, so that what is in view, near the pointer or in a
// lasso is found without looking at all of them.

const PER_CELL = 8;

export class Grid {
  /**
   * @param {Float32Array} xy  pairs; they are centred, and scaled by one factor into −1 … 1
   */
  constructor(xy) {
    const n = xy.length / 2;
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = 0; at < n; at++) {
      left = Math.min(left, xy[2 * at]); right = Math.max(right, xy[2 * at]);
      top = Math.min(top, xy[2 * at + 1]); bottom = Math.max(bottom, xy[2 * at + 1]);
    }
    const half = Math.max(right - left, bottom - top) / 2 || 1;
    this.count = n;
    this.side = Math.max(1, Math.floor(Math.sqrt(n / PER_CELL)));
    this.halfWidth = n ? (right - left) / 2 / half : 1;
    this.halfHeight = n ? (bottom - top) / 2 / half : 1;
    this.sort(xy, (left + right) / 2, (top + bottom) / 2, half);
  }

  /** Counting sort: points of a cell lie together, cells of a row one after the other. */
  sort(xy, middleX, middleY, half) {
    const n = this.count;
    const cells = new Uint32Array(n);
    this.starts = new Uint32Array(this.side * this.side + 1);
    for (let at = 0; at < n; at++) {
      const cell = this.row((xy[2 * at + 1] - middleY) / half) * this.side + this.row((xy[2 * at] - middleX) / half);
      cells[at] = cell;
      this.starts[cell + 1]++;
    }
    for (let cell = 0; cell < this.side * this.side; cell++) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    this.x = new Float32Array(n);
    this.y = new Float32Array(n);
    this.order = new Uint32Array(n); // where each was in `xy`
    this.place = new Uint32Array(n); // and the other way round
    for (let at = 0; at < n; at++) {
      const to = next[cells[at]]++;
      this.x[to] = (xy[2 * at] - middleX) / half;
      this.y[to] = (xy[2 * at + 1] - middleY) / half;
      this.order[to] = at;
      this.place[at] = to;
    }
  }

  /** The row, or column, of cells at a coordinate. */
  row(value) {
    return Math.min(this.side - 1, Math.max(0, Math.floor((value + 1) / 2 * this.side)));
  }

  /** Calls `use(from, to)` with ranges of points that lie in or near a rectangle. */
  ranges(left, low, right, high, use) {
    const [first, last] = [this.row(left), this.row(right)];
    for (let row = this.row(low); row <= this.row(high); row++) {
      const from = this.starts[row * this.side + first];
      const to = this.starts[row * this.side + last + 1];
      if (to > from) use(from, to);
    }
  }

  /** Points within a rectangle. */
  inside(left, low, right, high) {
    const found = [];
    this.ranges(left, low, right, high, (from, to) => {
      for (let at = from; at < to; at++) {
        if (this.x[at] >= left && this.x[at] <= right && this.y[at] >= low && this.y[at] <= high) found.push(at);
      }
    });
    return found;
  }

  /** The point nearest to a place, at most `reach` away; −1 where there is none. */
  nearest(x, y, reach) {
    let best = -1;
    let least = reach * reach;
    this.ranges(x - reach, y - reach, x + reach, y + reach, (from, to) => {
      for (let at = from; at < to; at++) {
        const distance = (this.x[at] - x) ** 2 + (this.y[at] - y) ** 2;
        if (distance <= least) [best, least] = [at, distance];
      }
    });
    return best;
  }

  /** Points within a polygon `[[x, y], …]`, by the even-odd rule. */
  within(polygon) {
    const xs = polygon.map(([x]) => x);
    const ys = polygon.map(([, y]) => y);
    return this.inside(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys))
      .filter((at) => isWithin(this.x[at], this.y[at], polygon));
  }
}

function isWithin(x, y, polygon) {
  let isIn = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at++) {
    const [x1, y1] = polygon[at];
    const [x2, y2] = polygon[before];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) isIn = !isIn;
  }
  return isIn;
}
