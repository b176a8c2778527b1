// One service at a time: say a text, try a voice, hear a recording.

import { choices, known, primary, SIMPLE_VOICES } from "./choices.js";
import { byId, button, copied, fill, make, saving } from "./dom.js";
import { alertOf } from "./log.js";
import { languageName } from "./services.js";
import { stored } from "./stored.js";
import { seconds } from "./waterfall.js";
import { chosenLanguage, say } from "./words.js";

const SOUNDS = ["mp3", "wav", "opus", "aac", "flac", "pcm"];
const ENDINGS = { opus: "ogg" };
const TEXTS = { text: "txt", srt: "srt", vtt: "vtt", verbose_json: "json" };
const MOST_VOICES = 60;
const SAMPLES = {
  zh: "你好，我是小熊，今天想听什么故事？",
  en: "Hello, I am Little Bear. Which story shall I tell you?",
  ja: "こんにちは、くまです。どんなお話がいいですか。",
  ko: "안녕, 나는 곰이야. 어떤 이야기를 들려줄까?",
  de: "Hallo, ich bin der kleine Bär. Welche Geschichte magst du?",
  fr: "Bonjour, je suis le petit ours. Quelle histoire veux-tu ?",
  es: "Hola, soy el osito. ¿Qué cuento quieres oír?",
  it: "Ciao, sono l'orsetto. Quale storia vuoi sentire?",
  pt: "Olá, eu sou o ursinho. Que história queres ouvir?",
  ru: "Привет, я медвежонок. Какую сказку рассказать?",
};

/** What a piece of work gave: who did it, how long it took; or its problem. */
async function shown(result, work) {
  result.replaceChildren(make("p", { classes: "hint", text: say("working") }));
  try {
    result.replaceChildren(...(await work()));
  } catch (exc) {
    if (!exc.kind) throw exc;
    result.replaceChildren(alertOf(exc));
  }
}

function facts(engine, timing, bytes) {
  const size = bytes === undefined ? "" : say("bytes", { n: (bytes / 1000).toFixed(1) });
  return make("p", { classes: "hint facts", text: say("made", { engine, after: seconds(timing.answered - timing.asked) }) + size });
}

// ---- say this text ----

async function sayText(api) {
  const format = byId("say-format").value;
  const input = byId("say-text").value.trim() || SAMPLES[chosenLanguage()];
  const { models, voice, speed } = choices();
  const { engine, sound, timing } = await api.speak({ model: models.tts || "tts-1", voice, speed, input, format });
  const keep = saving("keepAs", say("keepAs", { format }), sound, `talkbox.${ENDINGS[format] ?? format}`);
  return [...(format === "pcm" ? [make("p", { classes: "hint", text: say("rawSound") })] : [player(keep.href, format)]), keep, facts(engine, timing, sound.size)];
}

function player(src, format) {
  const element = make("audio", { controls: "", src, "aria-label": say("sayTitle"), "data-t-label": "sayTitle" });
  element.addEventListener("error", () => element.replaceWith(make("p", { classes: "hint", text: say("unplayableHere", { format }) })), { once: true });
  element.play().catch(() => {}); // the browser wants a press of its own: the controls are there for it
  return element;
}

// ---- voices ----

let heard = null;

/** Play a sentence in that voice; a second press of the same button stops it. */
async function audition(api, voice, pressed) {
  const again = heard?.dataset.voice === voice.id && !heard.paused;
  heard?.pause();
  if (again) return;
  pressed.setAttribute("aria-busy", "true");
  byId("voices-said").replaceChildren(say("working"));
  try {
    const input = SAMPLES[primary(voice.language || chosenLanguage())] ?? SAMPLES.en;
    const { engine, sound } = await api.speak({ model: "tts-1", voice: voice.id, speed: 1, input });
    heard = make("audio", { src: URL.createObjectURL(sound), "data-voice": voice.id });
    heard.addEventListener("pause", ({ target }) => URL.revokeObjectURL(target.src));
    byId("voices-said").replaceChildren(say(engine === voice.engine || !voice.engine ? "spokenBy" : "spokenInstead", { engine, voice: voice.name }));
    await heard.play();
  } catch (exc) {
    if (!exc.kind) throw exc;
    byId("voices-said").replaceChildren(alertOf(exc));
  } finally {
    pressed.removeAttribute("aria-busy");
  }
}

function voiceRow(api, voice, changed) {
  const hear = button("tryVoice", say("tryVoice"), () => audition(api, voice, hear));
  const use = button("useVoice", say("useVoice"), () => {
    stored.write("voice", voice.id);
    changed();
  });
  hear.setAttribute("aria-label", `${say("tryVoice")}: ${voice.name}`);
  use.setAttribute("aria-label", `${say("useVoice")}: ${voice.name}`);
  const about = [voice.gender && say(voice.gender), voice.language && languageName(voice.language), voice.engine].filter(Boolean).join(" · ");
  return make("li", {
    "data-voice": voice.id,
    children: [make("span", { classes: "voice-name", children: [make("span", { text: voice.name }), make("span", { classes: "hint", text: about || say("voicesSimple") })] }), hear, use],
  });
}

function fitting() {
  const language = byId("voice-language").value;
  const words = byId("voice-find").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const simple = SIMPLE_VOICES.map((name) => ({ id: name, name, engine: "", language: "" }));
  return [...simple, ...known.voices].filter((voice) => {
    const text = [voice.name, voice.engine, voice.language, voice.language && languageName(voice.language), voice.gender && say(voice.gender)].join(" ").toLowerCase();
    return (!language || (voice.language ? primary(voice.language) === language : words.length > 0)) && words.every((word) => text.includes(word));
  });
}

/** Draw the voices that fit, and what else depends on the choices. */
export function showWorkshop(api, changed) {
  fill(byId("say-format"), SOUNDS.map((name) => [name, name]), stored.read("say-format") || "mp3");
  fill(byId("hear-format"), Object.keys(TEXTS).map((name) => [name, say(`texts.${name}`)]), stored.read("hear-format") || "text");
  byId("say-text").placeholder = SAMPLES[chosenLanguage()];
  byId("voice-now").textContent = stored.read("voice") || "alloy";
  const languages = [...new Set(known.voices.map((voice) => primary(voice.language)))].filter(Boolean);
  const named = languages.map((code) => [code, languageName(code)]).sort(([, one], [, other]) => one.localeCompare(other));
  const own = languages.includes(chosenLanguage()) ? chosenLanguage() : "";
  fill(byId("voice-language"), [["", say("allLanguages")], ...named], byId("voice-language").dataset.chosen ?? own);
  drawVoices(api, changed);
  for (const use of document.querySelectorAll("#voices [data-t=useVoice]")) {
    use.setAttribute("aria-pressed", String(use.parentElement.dataset.voice === byId("voice-now").textContent));
  }
}

function drawVoices(api, changed) {
  const found = fitting();
  const drawn = JSON.stringify([found, say("tryVoice")]);
  if (byId("voices").dataset.drawn === drawn) return; // who is in the list keeps the place
  byId("voices").dataset.drawn = drawn;
  const more = found.length - MOST_VOICES;
  byId("voices").replaceChildren(
    ...found.slice(0, MOST_VOICES).map((voice) => voiceRow(api, voice, changed)),
    ...(more > 0 ? [make("li", { classes: "hint", text: say("moreVoices", { n: more }) })] : []),
    ...(found.length ? [] : [make("li", { classes: "hint", text: say("noVoices") })]),
  );
}

// ---- hear this file ----

async function hearFile(api) {
  const [sound] = byId("hear-file").files;
  const format = byId("hear-format").value;
  const { models, language } = choices();
  const { text, engine, timing } = await api.transcribe(sound, { model: models.stt || "whisper-1", language, format });
  const shownText = format === "verbose_json" ? JSON.stringify(JSON.parse(text), null, 2) : text.trim();
  const copy = button("copy", say("copy"), async () => (copy.textContent = say((await copied(shownText)) ? "copied" : "notCopied")));
  const keep = saving("keepAs", say("keepAs", { format: TEXTS[format] }), new Blob([shownText], { type: "text/plain" }), `talkbox.${TEXTS[format]}`);
  const words = make("pre", { classes: "heard", tabindex: "0", text: shownText || say("problems.silence") });
  return [words, make("p", { classes: "tools", children: [copy, keep] }), facts(engine, timing)];
}

export function listenToWorkshop(api, changed) {
  byId("say-form").addEventListener("submit", (event) => (event.preventDefault(), shown(byId("say-result"), () => sayText(api))));
  byId("hear-form").addEventListener("submit", (event) => (event.preventDefault(), shown(byId("hear-result"), () => hearFile(api))));
  for (const id of ["say-format", "hear-format"]) byId(id).addEventListener("input", () => stored.write(id, byId(id).value));
  byId("voice-find").addEventListener("input", changed);
  byId("voice-language").addEventListener("input", () => {
    byId("voice-language").dataset.chosen = byId("voice-language").value;
    changed();
  });
}
