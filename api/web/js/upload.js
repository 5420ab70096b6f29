// Many pictures to the server, some at a time, no more than it takes.

import { labelsOf } from "./csv.js";

const MIB = 2 ** 20;
const ROOM = 0.9; // of a body; the form around the pictures needs some too
const PATIENCE = 120; // tries while the server is full

/** The files of a drop, those in folders too, each `{ file, path }`. */
export async function filesOf(transfer) {
  const entries = [...(transfer.items ?? [])]
    .map((one) => one.webkitGetAsEntry?.())
    .filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => {
      entry.file(resolve, reject);
    });
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    // a reader gives a hundred at a time
    const some = await new Promise((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map(walk))).flat();
}

/** The files of a field, which may have chosen a folder. */
export const chosenIn = (input) =>
  [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

/** Pictures in batches of so many files and bytes; those that are too large by themselves apart. */
export function batchesOf(pictures, limits = {}) {
  const mostBytes = (limits.max_body_mib ?? 32) * MIB * ROOM;
  const mostFiles = limits.max_uploads ?? 64;
  const batches = [];
  const tooLarge = [];
  let bytes = Infinity;
  for (const one of pictures) {
    if (one.file.size > mostBytes) {
      tooLarge.push(one);
      continue;
    }
    if (bytes + one.file.size > mostBytes || batches.at(-1).length >= mostFiles) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1).push(one);
    bytes += one.file.size;
  }
  return { batches, tooLarge };
}

/**
 * Send one batch; waits and tries again while the server is full.
 *
 * @returns {Promise<{ job, items, quarantined }>}  as the server tells of it
 */
export async function send(app, batch, { labels, spaces, signal, onWait = () => {} }) {
  // The key makes a batch that is sent twice (an answer was lost) one job.
  const key = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const names = namesOf(batch);
  for (let tries = 1; ; tries += 1) {
    const form = new FormData();
    batch.forEach(({ file }, at) => form.append("files", file, names[at]));
    const given = batch
      .map(({ path }, at) => [names[at], labelsOf(labels, path)])
      .filter(([, found]) => found);
    if (given.length) form.append("labels", JSON.stringify(Object.fromEntries(given)));
    if (spaces) form.append("spaces", JSON.stringify(spaces));
    try {
      return await app.call("/v1/items", {
        body: form,
        headers: { "idempotency-key": key },
        signal,
      });
    } catch (error) {
      if (![429, 503].includes(error.status) || tries >= PATIENCE) throw error;
      onWait(error);
      await new Promise((resolve) => {
        setTimeout(resolve, 1000 * (error.retryAfter ?? 2));
      });
      signal?.throwIfAborted();
    }
  }
}

/** Names for a batch, none twice: folders may hold the same name. */
function namesOf(batch) {
  const seen = new Map();
  return batch.map(({ file }) => {
    const count = (seen.get(file.name) ?? 0) + 1;
    seen.set(file.name, count);
    return count === 1 ? file.name : file.name.replace(/(\.[^.]*)?$/, ` (${count})$1`);
  });
}
