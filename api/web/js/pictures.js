// Pictures that come by dropping, pasting or choosing. They stay in this page: a link names one
// by a number that means nothing elsewhere.

import { element } from "./dom.js";

const kept = new Map(); // number -> { file, url }
let next = 1;

/** Keep a picture; the name under which it is found again. */
export function keep(file) {
  const name = String(next++);
  kept.set(name, { file, url: URL.createObjectURL(file) });
  return name;
}

/** A kept picture, `{ file, url }`, or null: the link came from another page, or an earlier one. */
export const keptPicture = (name) => kept.get(name) ?? null;

const isPicture = (file) => file.type.startsWith("image/");

/**
 * Hear of pictures that are dropped on the page or pasted into it, until `stop` is called.
 *
 * @param {string} text  what a drop does, shown while something hangs over the page
 * @param {(files: File[], transfer: DataTransfer) => void} onFiles  of any type: who takes them
 *     says what is no picture
 * @returns {() => void}  stop
 */
export function hearOfFiles(text, onFiles) {
  const veil = element("div", { class: "drop", "aria-hidden": "true" }, text);
  const over = new AbortController();
  const hear = (name, heard) => addEventListener(name, heard, { signal: over.signal });
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  hear("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (!veil.isConnected) document.body.append(veil);
  });
  hear("dragleave", (event) => {
    if (!event.relatedTarget) veil.remove();
  });
  hear("drop", (event) => {
    veil.remove();
    if (!carriesFiles(event)) return;
    event.preventDefault();
    onFiles([...event.dataTransfer.files], event.dataTransfer);
  });
  hear("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) {
      event.preventDefault();
      onFiles(files, event.clipboardData);
    }
  });
  return () => {
    over.abort();
    veil.remove();
  };
}

/** The first of some files that is a picture; null where there is none. */
export const firstPicture = (files) => files.find(isPicture) ?? null;
