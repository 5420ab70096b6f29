// Ask by text, picture or example.

export const title = "Search";

export async function show(root, params, app) {
  const listed = await app.call("/v1/items?limit=24");
  root.replaceChildren(app.element("ol", { class: "cards" }, ...listed.items.map((item) => app.card(item))));
  app.say(`${listed.items.length} of ${app.counted(listed.count, "picture")}`);
}
