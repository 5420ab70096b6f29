// What is asked: between the address (every answer has a link), the form, and the server.

const DEFAULT_K = 24;
const ORDERS = ["typical", "untypical"];

/** A question that asks nothing yet. Weights below 0 are of what hits are to be unlike. */
export const nothing = () => ({
  text: "",
  textWeight: 1,
  image: "",
  imageWeight: 1, // the name under which this page keeps a dropped picture
  items: [], // { id, weight }
  space: "",
  from: "",
  metric: "",
  prior: "",
  k: DEFAULT_K,
  where: "",
  directions: {}, // strength by name, in standard deviations
  diverse: 1,
  explain: false,
  order: "", // of all pictures, with nothing asked: "typical" or "untypical" first
});

const number = (text, otherwise) =>
  text !== null && text !== "" && Number.isFinite(Number(text)) ? Number(text) : otherwise;

/** `ID` or `ID:WEIGHT`, several with commas or as several parameters. */
function weighted(params, name, sign) {
  return params
    .getAll(name)
    .flatMap((one) => one.split(","))
    .map((one) => one.split(":"))
    .filter(([id]) => /^\d{1,19}$/.test(id))
    .map(([id, weight]) => ({ id, weight: sign * Math.abs(number(weight ?? "", 1)) || sign }));
}

/** The question of an address; what it does not understand of it is left out. */
export function fromParams(params) {
  const asked = nothing();
  for (const name of ["text", "image", "space", "from", "metric", "prior", "where"])
    asked[name] = params.get(name) ?? "";
  asked.textWeight = number(params.get("textweight"), 1);
  asked.imageWeight = number(params.get("imageweight"), 1);
  const items = [
    ...weighted(params, "id", 1),
    ...weighted(params, "like", 1),
    ...weighted(params, "unlike", -1),
  ];
  asked.items = [...new Map(items.map((one) => [one.id, one])).values()];
  asked.k = Math.max(1, Math.round(number(params.get("k"), DEFAULT_K)));
  asked.diverse = Math.min(1, Math.max(0, number(params.get("diverse"), 1)));
  asked.explain = params.get("explain") === "1";
  asked.order = ORDERS.includes(params.get("order")) ? params.get("order") : "";
  for (const one of params.getAll("directions").flatMap((all) => all.split(","))) {
    const [name, strength] = one.split("=");
    if (number(strength, 0)) asked.directions[name] = Number(strength);
  }
  if (asked.metric !== "nao") asked.prior = "";
  return asked;
}

/** The parameters of a question's address. */
export function toParams(asked) {
  const told = ({ id, weight }) => (Math.abs(weight) === 1 ? id : `${id}:${Math.abs(weight)}`);
  return {
    text: asked.text.trim(),
    textweight: asked.text && asked.textWeight !== 1 ? asked.textWeight : "",
    image: asked.image,
    imageweight: asked.image && asked.imageWeight !== 1 ? asked.imageWeight : "",
    like: asked.items.filter((one) => one.weight > 0).map(told),
    unlike: asked.items.filter((one) => one.weight < 0).map(told),
    space: asked.space,
    from: asked.from,
    metric: asked.metric,
    prior: asked.metric === "nao" ? asked.prior : "",
    k: asked.k === DEFAULT_K ? "" : asked.k,
    where: asked.where.trim(),
    directions: Object.entries(asked.directions)
      .map(([name, strength]) => `${name}=${strength}`)
      .join(","),
    diverse: asked.diverse === 1 ? "" : asked.diverse,
    explain: asked.explain ? 1 : "",
    order: asked.order,
  };
}

/** The most hits that the server gives. */
export const mostHits = (app) => app.database.limits?.max_k ?? 500;

/** Whether there is something to search with. */
export const isAsked = (asked) => Boolean(asked.text.trim() || asked.image || asked.items.length);

/**
 * With nothing asked: what `POST /v1/rank` is sent, or null where pictures come as they are stored.
 *
 * Sliders order all pictures along the direction that is set farthest, a choice of order by energy.
 */
export function rankingOf(asked, directions, spaces) {
  const common = { k: asked.k, ...(asked.where ? { where: asked.where } : {}) };
  const [farthest] = Object.entries(asked.directions).sort(
    (a, b) => Math.abs(b[1]) - Math.abs(a[1]),
  );
  if (farthest) {
    const [direction, strength] = farthest;
    const homes = directions.filter((one) => one.name === direction).map((one) => one.space.name);
    const space = homes.find((name) => name === asked.space) ?? homes[0];
    return { direction, ...(space ? { space } : {}), descending: strength > 0, ...common };
  }
  if (!asked.order || !spaces.length) return null;
  return {
    by: "energy",
    space: asked.space || spaces[0].name,
    descending: asked.order === "untypical",
    ...common,
  };
}

/** `items` with one more, or turned round, or (where it says so already) without it. */
export function toggled(items, id, weight) {
  const before = items.find((one) => one.id === id);
  const others = items.filter((one) => one.id !== id);
  return before && Math.sign(before.weight) === Math.sign(weight)
    ? others
    : [...others, { id, weight }];
}

/** What `POST /v1/search` is sent; with a picture it is a form. */
export function requestOf(asked, picture) {
  const body = { k: asked.k };
  const weights = {};
  if (asked.text.trim()) {
    body.text = asked.text.trim();
    if (asked.textWeight !== 1) weights.text = asked.textWeight;
  }
  if (picture && asked.imageWeight !== 1) weights.image = asked.imageWeight;
  if (Object.keys(weights).length) body.weights = weights;
  for (const [name, sign] of [
    ["like", 1],
    ["unlike", -1],
  ]) {
    const some = asked.items.filter((one) => Math.sign(one.weight) === sign);
    if (some.length)
      body[name] = Object.fromEntries(some.map((one) => [one.id, Math.abs(one.weight)]));
  }
  for (const name of ["space", "from", "metric", "prior", "where"])
    if (asked[name]) body[name] = asked[name];
  if (Object.keys(asked.directions).length) body.directions = asked.directions;
  if (asked.diverse !== 1) body.diverse = asked.diverse;
  if (asked.explain) body.explain = true;
  if (!picture) return { json: body };
  const form = new FormData();
  form.append("query", JSON.stringify(body));
  form.append("image", picture, "query");
  return { method: "POST", body: form };
}
