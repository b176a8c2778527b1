// folotoy-server's roles.json: brought in, checked line by line, mended, made anew, saved. It is never kept in the browser.

import { known } from "./choices.js";
import { byId, copied, make } from "./dom.js";
import { Rules } from "./roles_rules.js";
import { Broken, lineOf, linesOf, parse, textOf, twice, written } from "./roles_text.js";
import { SERVICES } from "./services.js";
import { baseForContainers, bases } from "./snippets.js";
import { stored } from "./stored.js";
import { chosenLanguage, say } from "./words.js";

const CHECK_AFTER_MS = 300;
const MENDS_IN_A_ROW = 4; // a mended key may show a mistake in its value

let names = null;
let checking = 0;

/** This installation, as far as the page can tell. */
function talkbox() {
  const key = stored.read("key");
  return {
    port: Number(location.port) || (location.protocol === "https:" ? 443 : 80),
    keys: key ? [key] : [],
    chains: Object.fromEntries(SERVICES.map((service) => [service, (known.states[service]?.engines ?? []).map((engine) => engine.name)])),
    voices: known.voices.map((voice) => voice.id),
  };
}

const LONGEST = 80;
const LISTS = ["known", "names"];

/** A value as it is fit for a line: a long one is cut. */
const shown = (name, value) => (LISTS.includes(name) || String(value).length <= LONGEST ? value : `${String(value).slice(0, LONGEST)}…`);
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => shown(name, values[name] ?? whole));

/** Each mistake in a text as `{line, level, cause, cure, mend}`, by line; none of an empty text. */
export function mistakesIn(text) {
  const sentence = ({ code, values = {} }) => {
    const [cause, cure] = names.sentences[chosenLanguage()][code].map((words) => filled(words, values));
    return { cause, cure };
  };
  try {
    const file = parse(text, names);
    const found = [...twice(text), ...new Rules(names, talkbox()).mistakes(file)];
    const lines = linesOf(text);
    return found.map((one) => ({ ...one, ...sentence(one), line: one.line ?? lineOf(one.path, lines) })).sort((one, other) => one.line - other.line);
  } catch (exc) {
    if (!(exc instanceof Broken)) throw exc;
    return [{ line: exc.line, level: "error", mend: null, ...sentence(exc) }];
  }
}

function check() {
  const text = byId("roles-text").value;
  const found = text.trim() ? mistakesIn(text) : [];
  const errors = found.filter((one) => one.level === "error").length;
  byId("roles-found").replaceChildren(...found.map(row));
  byId("roles-mend").hidden = !found.some((one) => one.mend);
  byId("roles-save").disabled = byId("roles-copy").disabled = !text.trim();
  byId("roles-said").textContent = text.trim() ? say(errors ? "rolesErrors" : found.length ? "rolesWarnings" : "rolesGood", { errors, warnings: found.length - errors }) : "";
}

function row({ line, level, cause, cure }) {
  const go = make("button", { type: "button", classes: "quiet", text: say("line", { n: line }) });
  go.addEventListener("click", () => toLine(line));
  return make("li", { classes: level, children: [go, make("span", { children: [make("strong", { text: `${say(level)}: ` }), `${cause}${chosenLanguage() === "zh" ? "。" : ". "}${cure[0].toUpperCase()}${cure.slice(1)}`] })] });
}

/** Put the cursor on a line of the text. */
function toLine(number) {
  const area = byId("roles-text");
  const lines = area.value.split("\n");
  const from = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(from, from + (lines[number - 1] ?? "").length);
  area.scrollTop = Math.max(0, ((number - 4) / lines.length) * area.scrollHeight);
}

function put(text) {
  byId("roles-text").value = text;
  check();
}

function mend() {
  const file = parse(byId("roles-text").value, names);
  for (let round = 0; round < MENDS_IN_A_ROW; round += 1) {
    for (const mistake of new Rules(names, talkbox()).mistakes(file)) mistake.mend?.();
  }
  put(written(file));
}

/** Seven roles for this installation: Chinese and English in turn, the last three at individual services. */
export function newRoles() {
  const voices = (language) => talkbox().voices.filter((voice) => voice.startsWith(`${language}-`));
  const key = stored.read("key") || "none";
  const at = (service, index) => ({ api_base: baseForContainers(index < 4 || !bases().length ? 0 : 1 + SERVICES.indexOf(service)), key });
  return Object.fromEntries(["1", "2", "3", "4", "5", "6", "7"].map((name, index) => {
    const language = index % 2 ? "en" : "zh";
    const [start_text, prompt] = names.new[language];
    const fitting = voices(language);
    const { stt, llm, tts } = names.usual_models;
    return [name, {
      start_text,
      prompt,
      max_message_count: 10,
      stt_type: names.ours.stt,
      stt_config: { ...at("stt", index), model: stt, language, prompt: "" },
      llm_type: names.ours.llm,
      llm_config: { ...at("llm", index), model: llm, max_tokens: 200 },
      tts_type: names.ours.tts,
      tts_config: { ...at("tts", index), model: tts, voice_name: fitting[Math.floor((index + 1) / 2) % fitting.length] ?? "alloy" },
    }];
  }));
}

function save() {
  const link = make("a", { href: URL.createObjectURL(new Blob([byId("roles-text").value], { type: "application/json" })), download: "roles.json" });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function bringIn() {
  const [file] = byId("roles-file").files;
  byId("roles-file").value = "";
  if (!file) return;
  try {
    put(await textOf(file));
  } catch (exc) {
    if (!(exc instanceof Broken)) throw exc;
    const [cause, cure] = names.sentences[chosenLanguage()][exc.code];
    byId("roles-found").replaceChildren(row({ line: exc.line, level: "error", cause, cure }));
  }
}

/** Check again, in the page's language; nothing before the rules are there. */
export function showRoles() {
  if (names) check();
}

export async function listenToRoles() {
  names = await (await fetch(new URL("./folotoy.json", document.baseURI))).json();
  byId("roles-text").addEventListener("input", () => {
    clearTimeout(checking);
    checking = setTimeout(check, CHECK_AFTER_MS);
  });
  byId("roles-file").addEventListener("change", bringIn);
  byId("roles-mend").addEventListener("click", mend);
  byId("roles-new").addEventListener("click", () => put(written(newRoles())));
  byId("roles-save").addEventListener("click", save);
  byId("roles-copy").addEventListener("click", async () => (byId("roles-said").textContent = say((await copied(byId("roles-text").value)) ? "copied" : "notCopied")));
  check();
}
