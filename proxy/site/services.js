// The three services in a reader's words: who works now, what is missing, and what to do about it.

import { detailInWords } from "./details.js";
import { byId, drawing, make } from "./dom.js";
import { chosenLanguage, say } from "./words.js";

export const SERVICES = ["stt", "llm", "tts"];
const LAST_RESORTS = new Set(["sphinx", "companion", "flite", "espeak"]);
const ENGLISH_MOUTHS = new Set(["hibari", "flite"]);
const MARKS = {
  stt: "M7 9a5 5 0 0 1 10 0c0 3-2.5 4-3.2 6-.6 1.8-1.3 3.5-3.3 3.5A2.9 2.9 0 0 1 7.600 16M10 9.500a2 2 0 0 1 4 0",
  llm: "M9.500 19h5M10 21.500h4M8.500 15.500C7 14.300 6 12.500 6 10.500a6 6 0 1 1 12 0c0 2-1 3.800-2.500 5v.500h-7Z",
  tts: "M4 10v4h3l4 3.500v-11L7 10H4ZM15 9.500a3.500 3.500 0 0 1 0 5M17.500 7a7 7 0 0 1 0 10",
};
const STATES = { ready: "stateReady", loading: "stateLoading", resting: "stateResting", unavailable: "stateUnavailable" };

const percent = (engine) => (engine.progress === undefined ? "" : ` (${Math.round(engine.progress * 100)} %)`);

export function languageName(code) {
  try {
    return new Intl.DisplayNames([document.documentElement.lang], { type: "language" }).of(code);
  } catch {
    return code; // an engine's own word for a language, which is no code
  }
}

/** The only language that is heard now, where it is one. */
export function onlyHeard(status) {
  const ready = (status?.engines ?? []).filter((engine) => engine.state === "ready");
  const languages = new Set(ready.map((engine) => engine.only));
  return ready.length && languages.size === 1 ? ready[0].only : undefined;
}

/** The first ready engine that does its work in the page's language. */
function worker(service, ready) {
  if (service === "tts" && chosenLanguage() !== "en") return ready.find((engine) => !ENGLISH_MOUTHS.has(engine.name)) ?? ready[0];
  return ready[0];
}

/** What is to be seen of a service: `state` (asking, ready, weak, loading, gone), a sentence, and what to do. */
export function judged(service, status) {
  if (status === undefined) return { state: "asking", text: say("asking") };
  if (status === null) return { state: "gone", text: say("gone"), remedy: say("goneRemedy") };
  const ready = status.engines.filter((engine) => engine.state === "ready");
  const loading = status.engines.find((engine) => engine.state === "loading");
  if (!ready.length && loading) return { state: "loading", text: say("loads", { engine: loading.name + percent(loading) }) };
  if (!ready.length) return { state: "gone", text: say("noEngine"), remedy: say(`remedies.${service}`) };
  const first = worker(service, ready);
  const remedy = loading ? say("untilLoaded", { engine: loading.name + percent(loading) }) : say(`remedies.${service}`);
  const only = service === "stt" ? onlyHeard(status) : undefined;
  if (only && only !== chosenLanguage()) return { state: "weak", text: say("hearsOnly", { engine: first.name, language: languageName(only) }), remedy };
  if (LAST_RESORTS.has(first.name)) return { state: "weak", text: say(`lastResorts.${first.name}`), remedy };
  const then = ready.filter((engine) => engine !== first).map((engine) => engine.name);
  const text = say(`works.${service}`, { engine: first.name }) + (then.length ? say("reserve", { then: then.join(", ") }) : "");
  return { state: "ready", text };
}

function engineLine(engine) {
  const line = make("li", { classes: `engine ${engine.state}` });
  line.append(make("span", { classes: "engine-name", text: engine.name }), make("span", { classes: "engine-state", text: say(STATES[engine.state]) }));
  const left = Math.round(engine.seconds ?? 0);
  if (engine.state === "loading" && engine.progress !== undefined) {
    const value = Math.round(engine.progress * 100);
    line.append(make("progress", { max: "100", value: String(value), "aria-label": `${engine.name} ${value} %` }), make("span", { classes: "percent", text: `${value} %` }));
  }
  const detail = detailInWords(engine.detail ?? "");
  const told =
    engine.state === "resting" ? say("restingFor", { seconds: left, detail })
    : engine.state === "unavailable" && left ? say("nextTry", { seconds: left, detail })
    : detail;
  if (told) line.append(make("span", { classes: "detail", text: told }));
  return line;
}

function details(service, engines, open) {
  const list = make("ul", { classes: "engines", children: engines.map(engineLine) });
  const element = make("details", { children: [make("summary", { text: say("engines"), "aria-label": `${say(service)}: ${say("engines")}` }), list] });
  element.open = open;
  return element;
}

function row(service, status, open) {
  const { state, text, remedy } = judged(service, status);
  const engines = status?.engines ?? [];
  return make("li", {
    classes: `service ${service} ${state}`,
    "data-service": service,
    "data-state": state,
    children: [
      make("span", { classes: "mark", children: [drawing("", "0 0 24 24", [["", MARKS[service]]])] }),
      make("span", { classes: "service-name", text: say(service) }),
      make("span", { classes: "service-state", children: [make("span", { classes: "dot", role: "img", "aria-label": say(`dots.${state}`) }), make("span", { text })] }),
      ...(remedy ? [make("p", { classes: "remedy", text: remedy })] : []),
      ...(engines.length ? [details(service, engines, open)] : []),
    ],
  });
}

/** @param {Record<string, object|null|undefined>} states readyz of each service; null: gone; undefined: not asked yet */
export function showServices(states) {
  const drawn = JSON.stringify([states, say("services")], (name, value) => (name === "seconds" ? undefined : value));
  const list = byId("services");
  if (list.dataset.drawn === drawn) return; // who is reading it keeps the place
  list.dataset.drawn = drawn;
  const open = new Set([...list.querySelectorAll("details[open]")].map((element) => element.parentElement.dataset.service));
  const focused = document.activeElement.closest("#services .service")?.dataset.service;
  list.replaceChildren(...SERVICES.map((service) => row(service, states[service], open.has(service))));
  if (focused) list.querySelector(`[data-service="${focused}"] summary`)?.focus({ preventScroll: true });
}
