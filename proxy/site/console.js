// The console page: a key, three services, a conversation.

import { Api, Problem } from "./api.js";
import { bases, base, isLocal, snippets } from "./snippets.js";
import { Microphone, Player, wakeSound } from "./sound.js";
import { Turn } from "./turn.js";
import { alertOf, bubble, byId, emptyWave, make, showServices, showTurn, toTheEnd, wave } from "./view.js";
import { chooseLanguage, chosenLanguage, say } from "./words.js";

const SERVICES = ["stt", "llm", "tts"];
const VOICES = ["alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse"];
const LANGUAGES = ["zh", "en", "ja", "ko", "de", "fr", "es", "it", "pt", "ru"];
const POLL_MS = 10_000;
const POLL_WHILE_CHANGING_MS = 1500;
const TAP_MS = 350;
const LONGEST_RECORDING_MS = 60_000;
const REMEMBERED_MESSAGES = 12;

/** What stays in this browser; only until the page is left, where the browser keeps nothing. */
const stored = {
  kept: new Map(),
  read(name) {
    try {
      return localStorage.getItem(`talkbox.${name}`) ?? "";
    } catch {
      return this.kept.get(name) ?? "";
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(`talkbox.${name}`, value);
    } catch {
      this.kept.set(name, value);
    }
  },
};

const api = new Api(() => stored.read("key"));
const states = { stt: undefined, llm: undefined, tts: undefined };
let voices = [];
let history = [];
let turn = null;
let drawn = null;
let tab = "folotoy";

// ---- language ----

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
    button.addEventListener("click", () => talk({ text }));
    return button;
  }));
  keyShown(byId("key").type === "text");
  showServices(states);
  showChoices();
  showConnect();
  if (drawn) showTurn(drawn);
}

function speakLanguage(name) {
  chooseLanguage(name);
  translate();
}

// ---- key ----

function keyShown(shown) {
  byId("key").type = shown ? "text" : "password";
  byId("key-show").textContent = say(shown ? "hide" : "show");
  byId("key-show").setAttribute("aria-pressed", String(shown));
}

function openKey(open, message = "") {
  byId("key-card").hidden = !open;
  byId("key-open").setAttribute("aria-expanded", String(open));
  byId("key-said").textContent = message;
  byId("key").setAttribute("aria-invalid", String(message !== ""));
}

async function saveKey() {
  stored.write("key", byId("key").value.trim());
  showConnect();
  byId("key-said").textContent = say("keySaved");
  const known = await learnVoices();
  if (known) {
    byId("key-said").textContent = say("keyWorks");
    setTimeout(() => openKey(false), 1500);
  } else if (known === false) openKey(true, say("keyWrong"));
}

/** A key handed over in the address, as in `/#key=…`, is kept and taken out of the address bar. */
function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return;
  stored.write("key", key);
  window.history.replaceState(null, "", location.pathname + location.search);
}

// ---- services ----

async function poll() {
  if (!document.hidden) {
    await Promise.all(SERVICES.map(async (service) => (states[service] = await api.status(service))));
    showServices(states);
    showModels();
  }
  const settled = SERVICES.every((service) => states[service]?.engines.every((engine) => engine.state !== "loading"));
  setTimeout(poll, settled ? POLL_MS : POLL_WHILE_CHANGING_MS);
}

// ---- choices ----

/** Options as `[value, text, group]`; left alone while they are the same, so that an open list stays open. */
function fill(select, options, chosen) {
  const wanted = JSON.stringify(options);
  if (select.dataset.filled !== wanted) {
    select.dataset.filled = wanted;
    const groups = new Map();
    for (const [value, text, group = ""] of options) {
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(make("option", { value, text }));
    }
    select.replaceChildren(...[...groups].flatMap(([label, children]) => (label ? [make("optgroup", { label, children })] : children)));
  }
  select.value = options.some(([value]) => value === chosen) ? chosen : options[0][0];
}

function languageName(code) {
  try {
    return new Intl.DisplayNames([document.documentElement.lang], { type: "language" }).of(code);
  } catch {
    return code; // an engine's own word for a language, which is no code
  }
}

function showModels() {
  for (const service of SERVICES) {
    const engines = (states[service]?.engines ?? []).map((engine) => engine.name);
    fill(byId(`model-${service}`), [["", say("chain", { engines: engines.join(", ") })], ...engines.map((name) => [name, name])], stored.read(`model-${service}`));
  }
}

function showVoices() {
  const language = stored.read("language");
  const own = document.documentElement.lang.split("-")[0];
  const rank = ({ language: tag }) => ["zh", "en", own].lastIndexOf(tag.split("-")[0]); // the page's language first, then en, zh
  const fitting = voices.filter((voice) => !language || voice.language.split("-")[0] === language);
  const named = [...fitting].sort((one, other) => rank(other) - rank(one)).map((voice) => [
    voice.id,
    voice.gender ? `${voice.name} · ${say(voice.gender)}` : voice.name,
    say("voicesOf", { engine: voice.engine, language: languageName(voice.language) }),
  ]);
  fill(byId("voice"), [...VOICES.map((name) => [name, name, say("voicesSimple")]), ...named], stored.read("voice") || "alloy");
}

function showChoices() {
  fill(byId("language"), [["", say("languageAny")], ...LANGUAGES.map((code) => [code, languageName(code)])], stored.read("language"));
  showVoices();
  showModels();
  byId("speed").value = stored.read("speed") || "1";
  byId("speed-shown").textContent = Number(byId("speed").value).toFixed(1);
  byId("role").value = stored.read("role") || say("roleDefault");
}

/** Ask which voices there are. Whether the key was good; null: the service could not say. */
async function learnVoices() {
  try {
    const answer = await api.voices();
    voices = (answer.voices ?? answer.data ?? []).map((voice) => ({ language: "", engine: "", name: voice.id, ...voice }));
    showVoices();
    return true;
  } catch (exc) {
    if (exc.kind === "key") return false;
    return null;
  }
}

function choices() {
  return {
    language: byId("language").value,
    voice: byId("voice").value || "alloy",
    speed: Number(byId("speed").value),
    models: Object.fromEntries(SERVICES.map((service) => [service, byId(`model-${service}`).value])),
  };
}

// ---- a turn ----

function busy(text) {
  byId("talk-said").textContent = text;
}

async function talk({ sound, text }) {
  wakeSound();
  turn?.stop();
  const said = bubble("you", say("you"));
  const answered = { ...bubble("toy", say("toy")), wave: emptyWave() };
  said.text.textContent = text ?? "…";
  answered.text.textContent = "…";
  answered.element.setAttribute("aria-busy", "true"); // to be read aloud as a whole
  const mine = new Turn(api, choices(), (changed) => redraw(changed, said, answered));
  mine.spokenTo = Boolean(sound);
  turn = drawn = mine;
  byId("stop").hidden = false;
  byId("forget").hidden = false;
  const system = { role: "system", content: byId("role").value.trim() || say("roleDefault") };
  const running = setInterval(() => redraw(mine, said, answered), 200);
  await mine.take({ sound, text, history: [system, ...history] });
  clearInterval(running);
  redraw(mine, said, answered);
  answered.element.removeAttribute("aria-busy");
  finish(mine, answered, () => talk({ sound, text }));
}

function redraw(changed, said, answered) {
  if (changed.heard) said.text.textContent = changed.heard;
  if (changed.reply) answered.text.textContent = changed.reply;
  const loudness = changed.pieces.flatMap((piece) => piece.peaks);
  if (loudness.length) {
    if (!answered.wave.isConnected) answered.below.prepend(answered.wave);
    wave(answered.wave, loudness, playedSeconds(changed));
  }
  if (changed === drawn) showTurn(changed);
  if (changed === turn && !changed.over) busy(say(changed.times.sound !== undefined ? "speaking" : changed.spokenTo && !changed.heard ? "hearing" : "thinking"));
  if (!changed.over) toTheEnd();
}

function playedSeconds({ began, pieces }) {
  const now = performance.now() - began;
  return pieces.reduce((sum, piece) => sum + (piece.begins === null ? 0 : Math.min(piece.seconds, Math.max(0, (now - piece.begins) / 1000))), 0);
}

function finish(done, { element, text, below, wave: bars }, again) {
  if (done.problem) {
    if (!done.reply) text.remove();
    below.append(alertOf(done.problem, done.problem.kind === "silence" ? null : again));
    if (done.problem.kind === "key") openKey(true, say("keyWrong"));
  } else if (!done.reply && !done.pieces.length) {
    element.remove();
  }
  if (done.reply) {
    history = [...history, { role: "user", content: done.heard }, { role: "assistant", content: done.reply }].slice(-REMEMBERED_MESSAGES);
  }
  if (done.pieces.some((piece) => piece.buffer)) below.append(tools(done, bars));
  if (!voices.length && done.engines.tts) learnVoices();
  if (done === turn) {
    turn = null;
    byId("stop").hidden = true;
    busy(done.stopped ? say("stopped") : "");
  }
  toTheEnd();
}

/** Hear it again, keep it. */
function tools(done, bars) {
  const again = make("button", { classes: "quiet small", type: "button", "data-t": "again", text: say("again") });
  const keep = make("a", { classes: "quiet small", href: URL.createObjectURL(done.mp3), download: "talkbox.mp3", "data-t": "keep", text: say("keep") });
  again.addEventListener("click", () => replay(done, bars));
  return make("p", { classes: "tools", children: [again, keep] });
}

async function replay(done, bars) {
  wakeSound();
  turn?.stop();
  const shown = done.pieces.filter((piece) => piece.buffer).map((piece) => ({ ...piece, begins: null }));
  const copy = { began: performance.now(), pieces: shown };
  const player = new Player((number, beginsAt) => (shown[number].begins = beginsAt - copy.began));
  const control = new AbortController();
  turn = { stop: () => (control.abort(), player.stop()) };
  const mine = turn;
  byId("stop").hidden = false;
  shown.forEach((piece, number) => player.put(number, piece.buffer));
  const running = setInterval(() => wave(bars, shown.flatMap((piece) => piece.peaks), playedSeconds(copy)), 80);
  await player.end(control.signal);
  clearInterval(running);
  if (turn === mine) {
    turn = null;
    byId("stop").hidden = true;
  }
}

// ---- microphone: hold, or tap and tap again ----

const microphone = new Microphone();
let pressed = 0;
let recording = null;
let releasedEarly = false;

function holdWord(name) {
  byId("hold-word").textContent = say(name);
  byId("hold-word").dataset.t = name;
}

async function press() {
  if (recording === "on") return void send();
  if (recording) return;
  wakeSound();
  turn?.stop();
  recording = "opening";
  releasedEarly = false;
  pressed = performance.now();
  holdWord("opening");
  try {
    const quick = await microphone.open();
    if (releasedEarly && !quick) {
      settleMicrophone();
      return busy(say("opened"));
    }
  } catch (exc) {
    settleMicrophone();
    return fail(exc);
  }
  microphone.begin();
  recording = "on";
  byId("hold").classList.add("on");
  byId("hold").setAttribute("aria-pressed", "true");
  holdWord(releasedEarly ? "tapped" : "holding");
  busy("");
  watchLevel(performance.now());
}

function release() {
  if (recording === "opening") releasedEarly = true;
  else if (recording === "on" && performance.now() - pressed > TAP_MS && !releasedEarly) send();
  else untilNextTap();
}

function untilNextTap() {
  if (recording !== "on") return;
  releasedEarly = true;
  holdWord("tapped");
}

async function send() {
  recording = "ending";
  const sound = await microphone.end();
  settleMicrophone();
  await talk({ sound });
}

async function throwAway() {
  if (recording !== "on") return;
  recording = "ending";
  await microphone.end();
  settleMicrophone();
  busy(say("thrown"));
}

function settleMicrophone() {
  recording = null;
  byId("hold").classList.remove("on");
  byId("hold").removeAttribute("aria-pressed");
  holdWord("hold");
}

function watchLevel(since) {
  if (recording !== "on") return;
  byId("hold").style.setProperty("--level", microphone.level().toFixed(2));
  if (performance.now() - since > LONGEST_RECORDING_MS) return void send();
  requestAnimationFrame(() => watchLevel(since));
}

function fail(exc) {
  const problem = exc instanceof Problem ? exc : new Problem("page", { message: String(exc) });
  bubble("toy", say("toy")).text.replaceWith(alertOf(problem));
  busy("");
}

function listenToTheButton() {
  const hold = byId("hold");
  hold.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    hold.setPointerCapture(event.pointerId);
    press();
  });
  hold.addEventListener("pointerup", release);
  hold.addEventListener("pointercancel", release);
  hold.addEventListener("contextmenu", (event) => event.preventDefault());
  hold.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) press();
  });
  hold.addEventListener("keyup", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    release();
  });
  hold.addEventListener("click", (event) => {
    if (event.detail === 0) press().then(untilNextTap); // a screen reader's or a switch's click: it cannot hold
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") throwAway();
  });
}

// ---- connect ----

function showConnect() {
  const key = stored.read("key") || "YOUR-KEY";
  const shown = [[say("baseAll"), base()], ...bases().map(([service, url]) => [say("baseOne", { service: say(service) }), url])];
  byId("bases").replaceChildren(...shown.map(([name, url]) => make("div", { children: [make("dt", { text: name }), make("dd", { children: [make("code", { text: url })] })] })));
  byId("local-note").hidden = !isLocal();
  byId("local-note").textContent = say("localNote", { host: location.hostname });
  byId("tabs").replaceChildren(...Object.keys(snippets).map((name) => {
    const chosen = name === tab;
    const button = make("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(chosen), "aria-controls": "sheet", tabindex: chosen ? "0" : "-1", text: say(`tab${name[0].toUpperCase()}${name.slice(1)}`) });
    button.addEventListener("click", () => chooseTab(name));
    return button;
  }));
  byId("sheet").setAttribute("aria-labelledby", `tab-${tab}`);
  byId("sheet-hint").textContent = say(`hint${tab[0].toUpperCase()}${tab.slice(1)}`);
  byId("sheet-code").textContent = snippets[tab](key.length > 10 ? `${key.slice(0, 4)}…${key.slice(-2)}` : key);
  byId("copy-said").textContent = "";
}

function chooseTab(name, focus = false) {
  tab = name;
  showConnect();
  if (focus) byId(`tab-${name}`).focus();
}

function tabKeys(event) {
  const names = Object.keys(snippets);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) chooseTab(names[(names.indexOf(tab) + step + names.length) % names.length], true);
}

async function copy() {
  const text = snippets[tab](stored.read("key") || "YOUR-KEY");
  byId("copy-said").textContent = say((await copied(text)) ? "copied" : "notCopied");
}

async function copied(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // not allowed: the old way below may be
    }
  }
  const area = make("textarea", { classes: "unseen", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy"); // all there is on plain http
  area.remove();
  return done;
}

// ---- begin ----

function listen() {
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => {
      stored.write("page-language", button.dataset.lang);
      speakLanguage(button.dataset.lang);
    });
  }
  byId("key-form").addEventListener("submit", (event) => (event.preventDefault(), saveKey()));
  byId("key-show").addEventListener("click", () => keyShown(byId("key").type === "password"));
  byId("key-open").addEventListener("click", () => {
    openKey(byId("key-card").hidden);
    if (!byId("key-card").hidden) byId("key").focus();
  });
  byId("type-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("words").value.trim();
    byId("words").value = "";
    if (text) talk({ text });
  });
  byId("file").addEventListener("change", () => {
    const [sound] = byId("file").files;
    byId("file").value = "";
    if (sound) talk({ sound });
  });
  byId("stop").addEventListener("click", () => turn?.stop());
  byId("forget").addEventListener("click", forget);
  byId("tabs").addEventListener("keydown", tabKeys);
  byId("copy").addEventListener("click", copy);
  for (const id of ["language", "voice", "model-stt", "model-llm", "model-tts", "speed"]) {
    byId(id).addEventListener("input", () => {
      stored.write(id, byId(id).value);
      showChoices();
    });
  }
  byId("role").addEventListener("change", () => {
    const own = byId("role").value.trim();
    stored.write("role", own === say("roleDefault") ? "" : own);
  });
}

function forget() {
  turn?.stop();
  history = [];
  for (const element of document.querySelectorAll("#log .bubble")) element.remove();
  byId("empty").hidden = false;
  byId("forget").hidden = true;
}

takeKeyFromAddress();
chooseLanguage(stored.read("page-language") || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));
byId("key").value = stored.read("key");
openKey(!stored.read("key"));
translate();
listen();
if (Microphone.allowed()) listenToTheButton();
else {
  byId("hold").disabled = true;
  byId("insecure").hidden = false;
  byId("hold-hint").hidden = true;
}
if (stored.read("key")) learnVoices().then((known) => known === false && openKey(true, say("keyWrong")));
poll();
