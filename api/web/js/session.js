// Logging in with a key. The server keeps it in a cookie that scripts cannot read.

import { Problem, call } from "./api.js";
import { element } from "./dom.js";

const KEY = "latentdb.session"; // whether there is something to log out of
let asking = null; // the form that is open, for all calls that wait for it

/** As `call`, but where the server wants a key, it is asked for, and the call made again. */
export async function callAs(path, options) {
  try {
    return await call(path, options);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    await logIn();
    return callAs(path, options);
  }
}

/** Whether a key was given on this machine. */
export const isLoggedIn = () => localStorage.getItem(KEY) === "yes";

/** Forget the key, and start anew. */
export async function logOut() {
  await call("/v1/session", { method: "DELETE" });
  localStorage.removeItem(KEY);
  location.reload();
}

function logIn() {
  asking ??= new Promise((resolve) => {
    openForm(resolve);
  }).finally(() => {
    asking = null;
  });
  return asking;
}

function openForm(resolve) {
  const told = element("p", { class: "bad", role: "alert" });
  const key = element("input", {
    id: "key",
    type: "password",
    autocomplete: "current-password",
    required: true,
    spellcheck: "false",
  });
  const button = element("button", { class: "primary", type: "submit" }, "Log in");
  const form = element(
    "form",
    { class: "stack" },
    element("h2", { id: "key-title" }, "This database asks for a key"),
    element(
      "p",
      { class: "faint" },
      "Whoever runs the server makes one with ",
      element("code", {}, "latentdb keys add"),
      ".",
    ),
    element("label", { for: "key" }, "Key"),
    key,
    told,
    button,
  );
  const dialog = element("dialog", { "aria-labelledby": "key-title", class: "login" }, form);
  dialog.addEventListener("cancel", (event) => event.preventDefault()); // nothing to see without
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.textContent = "";
    try {
      await call("/v1/session", { json: { key: key.value.trim() } });
      localStorage.setItem(KEY, "yes");
      dialog.close();
      dialog.remove();
      resolve();
    } catch (error) {
      told.textContent = error.message;
      key.select();
    } finally {
      button.disabled = false;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}
