// Addresses of this installation, and examples to paste.

import { byId, copied, make } from "./dom.js";
import { base, bases, isLocal, snippets } from "./snippets.js";
import { stored } from "./stored.js";
import { say } from "./words.js";

let tab = "folotoy";

const named = (prefix, name) => say(prefix + name[0].toUpperCase() + name.slice(1));

export function showConnect() {
  const key = stored.read("key") || "YOUR-KEY";
  const shown = [[say("baseAll"), base()], ...bases().map(([service, url]) => [say("baseOne", { service: say(service) }), url])];
  byId("bases").replaceChildren(...shown.map(([name, url]) => make("div", { children: [make("dt", { text: name }), make("dd", { children: [make("code", { text: url })] })] })));
  byId("local-note").hidden = !isLocal();
  byId("local-note").textContent = say("localNote", { host: location.hostname });
  byId("tabs").replaceChildren(...Object.keys(snippets).map((name) => {
    const chosen = name === tab;
    const button = make("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(chosen), "aria-controls": "sheet", tabindex: chosen ? "0" : "-1", text: named("tab", name) });
    button.addEventListener("click", () => chooseTab(name));
    return button;
  }));
  byId("sheet").setAttribute("aria-labelledby", `tab-${tab}`);
  byId("sheet-hint").textContent = named("hint", tab);
  byId("sheet-code").textContent = snippets[tab](key.length > 10 ? `${key.slice(0, 4)}…${key.slice(-2)}` : key);
  byId("copy-said").textContent = "";
}

function chooseTab(name) {
  tab = name;
  showConnect();
  byId(`tab-${name}`).focus();
}

function tabKeys(event) {
  const names = Object.keys(snippets);
  const at = names.indexOf(tab);
  const to = { ArrowRight: (at + 1) % names.length, ArrowLeft: (at - 1 + names.length) % names.length, Home: 0, End: names.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  chooseTab(names[to]);
}

async function copy() {
  const text = snippets[tab](stored.read("key") || "YOUR-KEY");
  byId("copy-said").textContent = say((await copied(text)) ? "copied" : "notCopied");
}

export function listenToConnect() {
  byId("tabs").addEventListener("keydown", tabKeys);
  byId("copy").addEventListener("click", copy);
}
