// Asking the server.

/** What the server refused, with its reason: `message` is the problem's detail. */
export class Problem extends Error {
  constructor(status, code, detail, retryAfter = null) {
    super(detail);
    this.name = "Problem";
    this.status = status; // 0 where the server was not reached
    this.code = code; // the end of its urn: "filter", "unknown-item", …
    this.retryAfter = retryAfter; // seconds, where the server says
  }
}

/**
 * Ids have 63 bits, more than a JavaScript number holds: they are strings here, read from the
 * address of the picture.
 */
export const idOf = (image) => image.split("/")[3];

/** The address of an item's picture, its longer side at most `size` pixels. */
export const imageOf = (id, size = 256) => `/v1/items/${id}/image?size=${size}`;

/**
 * The JSON of an answer, or its text where `text` is true; null where it has no body.
 *
 * @param {string} path  of this server, such as "/v1/items?limit=2"
 * @param {object} options  `json`: a body to be sent as JSON; `method`, `body`, `headers`,
 *     `signal` as fetch has them. POST where there is a body and no method is named.
 * @throws {Problem}  the server refused, or was not reached. An aborted request throws AbortError.
 */
export async function call(path, { json, text = false, ...options } = {}) {
  const headers = new Headers(options.headers);
  let body = options.body;
  if (json !== undefined) {
    headers.set("content-type", "application/json");
    body = JSON.stringify(json);
  }
  const method = options.method ?? (body === undefined ? "GET" : "POST");
  let response;
  try {
    response = await fetch(path, { ...options, method, headers, body });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "unreachable", "The server cannot be reached. Is it still running?");
  }
  if (response.status === 204) return null;
  if (response.ok && text) return response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const told = isJson ? await response.json() : null;
  if (response.ok) return told;
  const code = told?.type?.split(":").pop() ?? "unknown";
  throw new Problem(
    response.status,
    code,
    told?.detail ?? `${response.status} ${response.statusText}`,
    Number(response.headers.get("retry-after")) || null,
  );
}
