// The console page: puts its cards together, and keeps them true while services and choices change.

import { Api } from "./api.js";
import { known, listenToChoices, showChoices, showModels } from "./choices.js";
import { listenToConnect, showConnect } from "./connect.js";
import { readDetails } from "./details.js";
import { byId, make } from "./dom.js";
import { HoldButton } from "./hold.js";
import { listenToKey, openKey, showKey, takeKeyFromAddress } from "./key.js";
import { listenToProviders, showProviders, showUsage } from "./providers.js";
import { listenToRoles, showRoles } from "./roles.js";
import { learnPrivacy, showGuard, showPrivacy } from "./safety.js";
import { SERVICES, showServices } from "./services.js";
import { stored } from "./stored.js";
import { Conversation } from "./talk.js";
import { chooseLanguage, chosenLanguage, say } from "./words.js";
import { listenToWorkshop, showWorkshop } from "./workshop.js";

const POLL_MS = 10_000;
const POLL_WHILE_CHANGING_MS = 1500;

const api = new Api(() => stored.read("key"));
const conversation = new Conversation(api, (turn) => {
  if (turn.problem?.kind === "key") openKey(true, say(stored.read("key") ? "keyWrong" : "keyMissing"));
  else showUsage(api);
});

function translate() {
  document.documentElement.lang = chosenLanguage() === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = say(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", say(element.dataset.tLabel));
  for (const element of document.querySelectorAll("[data-t-title]")) element.title = say(element.dataset.tTitle);
  for (const element of document.querySelectorAll("[data-t-placeholder]")) element.placeholder = say(element.dataset.tPlaceholder);
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", String(button.dataset.lang === chosenLanguage()));
  byId("insecure-local").textContent = say("insecureLocal", { url: `http://localhost${location.port && `:${location.port}`}` });
  byId("tries").replaceChildren(...say("tries").map((text) => {
    const button = make("button", { classes: "try", type: "button", text });
    button.addEventListener("click", () => conversation.talk({ text }));
    return button;
  }));
  showKey();
  showServices(known.states);
  showGuard(known.states);
  showPrivacy();
  showConnect();
  conversation.redraw();
  chosen();
}

function chosen() {
  showChoices();
  showWorkshop(api, chosen);
  showProviders();
  showRoles();
}

async function poll() {
  if (!document.hidden) {
    await Promise.all(SERVICES.map(async (service) => (known.states[service] = await api.status(service))));
    showServices(known.states);
    showGuard(known.states);
    showModels();
    showProviders();
    if (!known.voices.length && known.states.tts?.ready) await learnVoices();
  }
  const settled = SERVICES.every((service) => known.states[service]?.engines.every((engine) => engine.state !== "loading"));
  setTimeout(poll, settled ? POLL_MS : POLL_WHILE_CHANGING_MS);
}

async function learnVoices() {
  known.voices = await api.voices();
  chosen();
}

function listen() {
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => {
      stored.write("page-language", button.dataset.lang);
      chooseLanguage(button.dataset.lang);
      translate();
    });
  }
  byId("type-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("words").value.trim();
    byId("words").value = "";
    if (text) conversation.talk({ text });
  });
  byId("file").addEventListener("change", () => {
    const [sound] = byId("file").files;
    byId("file").value = "";
    if (sound) conversation.talk({ sound });
  });
  byId("stop").addEventListener("click", () => conversation.stop());
  byId("forget").addEventListener("click", () => conversation.forget());
  listenToChoices(chosen);
  listenToWorkshop(api, chosen);
  listenToConnect();
  listenToProviders();
  listenToRoles();
  listenToKey(api, () => (showConnect(), showRoles(), learnPrivacy(api), stored.read("key") && showUsage(api)));
  new HoldButton(conversation).listen();
}

takeKeyFromAddress();
chooseLanguage(stored.read("page-language") || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));
translate();
listen();
readDetails().finally(poll);
learnPrivacy(api);
if (stored.read("key")) showUsage(api);
