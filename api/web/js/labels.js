// The labels of one picture: read by anyone, changed by who may write.

import { element, figure, plain } from "./dom.js";

const said = (value) =>
  value === null || value === undefined
    ? "–"
    : value === true
      ? "yes"
      : value === false
        ? "no"
        : typeof value === "number"
          ? figure(value, 6)
          : String(value);

/** A table of labels that cannot be changed here. */
export function labelTable(labels) {
  const rows = Object.entries(labels);
  if (!rows.length) return element("p", { class: "faint" }, "No labels.");
  return element(
    "dl",
    { class: "facts" },
    ...rows.flatMap(([name, value]) => [
      element("dt", {}, plain(name)),
      element("dd", {}, said(value)),
    ]),
  );
}

/**
 * A form of labels: those of the database, with their types.
 *
 * @param {object} labels  of the item, by name
 * @param {object} columns  "bool", "int", "float" or "str" by name
 * @param {(changed: object) => Promise<void>} onSave  is given what was changed; null takes out
 */
export function labelForm(labels, columns, onSave) {
  const controls = new Map(
    Object.entries(columns).map(([name, type]) => [
      name,
      control(name, type, labels[name] ?? null),
    ]),
  );
  const save = element(
    "button",
    { type: "submit", class: "primary", disabled: true },
    "Save labels",
  );
  const changed = () =>
    Object.fromEntries(
      [...controls]
        .filter(([, one]) => one.read() !== one.before)
        .map(([name, one]) => [name, one.read()]),
    );
  const form = element(
    "form",
    {
      class: "stack",
      oninput: () => {
        save.disabled = Object.keys(changed()).length === 0;
      },
    },
    element(
      "div",
      { class: "labels" },
      ...[...controls].map(([name, one]) =>
        element(
          "label",
          { class: one.isWide ? "field wide" : "field" },
          element("span", {}, plain(name)),
          one.element,
        ),
      ),
    ),
    controls.size
      ? element("div", {}, save)
      : element(
          "p",
          { class: "faint" },
          "The database has no labels yet: an upload or an ingest brings them, by a CSV file.",
        ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = true;
    await onSave(changed()).catch(() => {
      save.disabled = false;
    }); // who saves says what is wrong
  });
  return form;
}

/** A control for one label: its element, what it was, what it is now. */
function control(name, type, before) {
  if (type === "bool") {
    const one = element(
      "select",
      { name },
      ...[
        ["", "–"],
        ["yes", "yes"],
        ["no", "no"],
      ].map(([value, text]) => element("option", { value }, text)),
    );
    one.value = before === null ? "" : before ? "yes" : "no";
    return { element: one, before, read: () => (one.value === "" ? null : one.value === "yes") };
  }
  const isNumber = type === "int" || type === "float";
  const one = element("input", {
    name,
    type: isNumber ? "number" : "text",
    step: type === "int" ? "1" : "any",
    value: before ?? "",
  });
  return {
    element: one,
    before,
    isWide: !isNumber,
    read: () => (one.value === "" ? null : isNumber ? Number(one.value) : one.value),
  };
}
