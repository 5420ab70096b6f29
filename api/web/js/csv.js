// Labels from a CSV file, read as `latentdb ingest --labels` reads one.

const PATHS = ["path", "file_name"];

/** Rows of fields; commas (or tabs), quotes doubled within quotes, any line ends. */
export function readRows(text, delimiter = ",") {
  const rows = [];
  let row = [];
  let field = "";
  let isQuoted = false;
  const endField = () => {
    row.push(field);
    field = "";
  };
  const endRow = () => {
    endField();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length; at += 1) {
    const char = text[at];
    if (isQuoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else isQuoted = false;
    } else if (char === '"' && field === "") isQuoted = true;
    else if (char === delimiter) endField();
    else if (char === "\n") endRow();
    else if (char !== "\r") field += char;
  }
  endRow();
  return rows;
}

/**
 * A column's values with their type: bool where every value is true or false, else numbers, else
 * text; an empty field is no value.
 */
function typed(values) {
  const given = values.filter((one) => one !== "");
  const all = (test) => given.length > 0 && given.every(test);
  let read = (one) => one;
  if (all((one) => /^(true|false)$/i.test(one))) read = (one) => one.toLowerCase() === "true";
  else if (all((one) => /^[+-]?\d+$/.test(one) && Number.isSafeInteger(Number(one)))) read = Number;
  else if (all((one) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(one))) read = Number;
  return values.map((one) => (one === "" ? null : read(one)));
}

/**
 * Labels by file, from the text of a CSV or TSV file.
 *
 * @returns {{ columns: string[], rows: Map<string, object> }}
 * @throws {Error}  it has no column of paths, or a line of another length
 */
export function readLabels(text, name = "labels.csv") {
  const rows = readRows(text, /\.tsv$/i.test(name) ? "\t" : ",");
  const header = (rows.shift() ?? []).map((one) => one.trim());
  const at = header.findIndex((one) => PATHS.includes(one));
  if (at < 0)
    throw new Error(
      `${name} needs a column path (or file_name); its first line has: ${header.join(", ") || "nothing"}`,
    );
  const wrong = rows.findIndex((one) => one.length !== header.length);
  if (wrong >= 0)
    throw new Error(
      `${name}, row ${wrong + 2}: ${rows[wrong].length} fields, the header has ${header.length}`,
    );
  const columns = header
    .map((column, place) => [column, place])
    .filter(([, place]) => place !== at);
  const values = new Map(
    columns.map(([column, place]) => [column, typed(rows.map((row) => row[place].trim()))]),
  );
  const labels = (index) =>
    Object.fromEntries(
      [...values]
        .map(([column, all]) => [column, all[index]])
        .filter(([, value]) => value !== null),
    );
  return {
    columns: columns.map(([column]) => column),
    rows: new Map(
      rows.map((row, index) => [
        row[at].trim().replaceAll("\\", "/").replace(/^\.\//, ""),
        labels(index),
      ]),
    ),
  };
}

/** The labels of a file: by its path, else by its name where only one row has that. */
export function labelsOf(table, path) {
  if (!table) return null;
  if (table.rows.has(path)) return table.rows.get(path);
  const last = (one) => one.split("/").pop();
  const found = [...table.rows.keys()].filter((one) => last(one) === last(path));
  return found.length === 1 ? table.rows.get(found[0]) : null;
}
