// The key that the services ask for: typed, or handed over in the address; it stays in this browser.

import { byId } from "./dom.js";
import { stored } from "./stored.js";
import { say } from "./words.js";

export function showKey(shown = byId("key").type === "text") {
  byId("key").type = shown ? "text" : "password";
  byId("key-show").textContent = say(shown ? "hide" : "show");
  byId("key-show").setAttribute("aria-pressed", String(shown));
}

export function openKey(open, message = "") {
  byId("key-card").hidden = !open;
  byId("key-open").setAttribute("aria-expanded", String(open));
  byId("key-said").textContent = message;
  byId("key").setAttribute("aria-invalid", String(message !== ""));
}

/** A key handed over in the address, as in `/#key=…`, is kept and taken out of the address bar. */
export function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return;
  stored.write("key", key);
  window.history.replaceState(null, "", location.pathname + location.search);
}

async function save(api, changed) {
  stored.write("key", byId("key").value.trim());
  changed();
  byId("key-said").textContent = say("keySaved");
  const good = await api.keyIsGood();
  if (good) {
    byId("key-said").textContent = say("keyWorks");
    setTimeout(() => openKey(false), 1500);
  } else if (good === false) openKey(true, say("keyWrong"));
}

/** Show the card where it is needed, and listen; `changed` is called when there is another key. */
export function listenToKey(api, changed) {
  byId("key").value = stored.read("key");
  openKey(!stored.read("key"));
  byId("key-form").addEventListener("submit", (event) => (event.preventDefault(), save(api, changed)));
  byId("key-show").addEventListener("click", () => showKey(byId("key").type === "password"));
  byId("key-open").addEventListener("click", () => {
    openKey(byId("key-card").hidden);
    if (!byId("key-card").hidden) byId("key").focus();
  });
  if (stored.read("key")) api.keyIsGood().then((good) => good === false && openKey(true, say("keyWrong")));
}
