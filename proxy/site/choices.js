// What the person has chosen: voice, language, engines, speed, who the toy is.

import { byId, fill } from "./dom.js";
import { languageName, onlyHeard, SERVICES } from "./services.js";
import { stored } from "./stored.js";
import { chosenLanguage, say } from "./words.js";

const LANGUAGES = ["zh", "en", "ja", "ko", "de", "fr", "es", "it", "pt", "ru"];
export const SIMPLE_VOICES = ["alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse"];

/** What the page knows: states of the services, and voices as `{id, name, engine, language, gender}`. */
export const known = { states: { stt: undefined, llm: undefined, tts: undefined }, voices: [] };

export const primary = (tag) => tag.split("-")[0];

export function showModels() {
  for (const service of SERVICES) {
    const engines = (known.states[service]?.engines ?? []).map((engine) => engine.name);
    fill(byId(`model-${service}`), [["", say("chain", { engines: engines.join(", ") })], ...engines.map((name) => [name, name])], stored.read(`model-${service}`));
  }
}

function showVoices() {
  const language = stored.read("language");
  const own = primary(document.documentElement.lang);
  const rank = ({ language: tag }) => ["zh", "en", own].lastIndexOf(primary(tag)); // the page's language first, then en, zh
  const fitting = known.voices.filter((voice) => !language || primary(voice.language) === language);
  const named = [...fitting].sort((one, other) => rank(other) - rank(one)).map((voice) => [
    voice.id,
    voice.gender ? `${voice.name} · ${say(voice.gender)}` : voice.name,
    say("voicesOf", { engine: voice.engine, language: languageName(voice.language) }),
  ]);
  fill(byId("voice"), [...SIMPLE_VOICES.map((name) => [name, name, say("voicesSimple")]), ...named], stored.read("voice") || "alloy");
}

function showLanguages() {
  const only = onlyHeard(known.states.stt);
  const any = say(only && only !== chosenLanguage() ? "languagePage" : "languageAny", { language: languageName(chosenLanguage()) });
  const options = [["", any], ...LANGUAGES.map((code) => [code, languageName(code)])];
  for (const id of ["language", "hear-language"]) fill(byId(id), options, stored.read("language"));
}

export function showChoices() {
  showLanguages();
  showVoices();
  showModels();
  byId("speed").value = stored.read("speed") || "1";
  byId("speed-shown").textContent = Number(byId("speed").value).toFixed(1);
  byId("role").value = stored.read("role") || say("roleDefault");
}

/** The language to state: the chosen one; the page's, where its words would else be heard as another language's. */
export function spokenLanguage() {
  const only = onlyHeard(known.states.stt);
  return stored.read("language") || (only && only !== chosenLanguage() ? chosenLanguage() : "");
}

export function choices() {
  return {
    language: spokenLanguage(),
    voice: stored.read("voice") || "alloy",
    speed: Number(stored.read("speed") || 1),
    models: Object.fromEntries(SERVICES.map((service) => [service, stored.read(`model-${service}`)])),
  };
}

/** Call `changed` whenever a choice has been made. */
export function listenToChoices(changed) {
  for (const id of ["language", "voice", "model-stt", "model-llm", "model-tts", "speed", "hear-language"]) {
    byId(id).addEventListener("input", () => {
      stored.write(id.replace("hear-", ""), byId(id).value);
      changed();
    });
  }
  byId("role").addEventListener("change", () => {
    const own = byId("role").value.trim();
    stored.write("role", own === say("roleDefault") ? "" : own);
  });
}
