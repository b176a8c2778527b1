// What is on of the guard, what it stopped, and what is kept of those who talk: all of it as the services say it.

import { byId, make } from "./dom.js";
import { SERVICES } from "./services.js";
import { say } from "./words.js";

let sheet = null; // of /status/privacy; null: nobody has said it yet

/** A text of words.js, or, where there is none, the service's own word. */
function wordFor(group, name) {
  const text = say(`${group}.${name}`);
  return text === `${group}.${name}` ? name.replaceAll("-", " ") : text;
}

/** Of services that have answered: those that the guard watches, and those that it does not. */
function watched(states) {
  const answered = SERVICES.filter((service) => states[service]);
  return { on: answered.filter((service) => states[service].guard), off: answered.filter((service) => !states[service].guard) };
}

function guardLines(states) {
  const { on, off } = watched(states);
  if (!on.length) return { state: off.length ? "off" : "asking", lines: [say(off.length ? "guardOff" : "asking")] };
  const guard = states[on[0]].guard;
  const keys = Object.entries(guard.profiles ?? {}).map(([key, profile]) => `${key}: ${profile}`);
  const lines = [
    say(`guardModes.${guard.mode}`),
    say("guardProfile", { profile: guard.profile }) + (keys.length ? say("guardKeys", { keys: keys.join(", ") }) : ""),
    say("guardJudges", { judges: guard.engines.map((name) => wordFor("judges", name)).join(", ") }),
  ];
  if (guard.minutes) lines.push(say("guardMinutes", { minutes: guard.minutes }));
  if (guard.hours) lines.push(say("guardHours", { hours: guard.hours }));
  if (off.length) lines.push(say("guardMissing", { services: off.map((service) => say(service)).join(", ") }));
  return { state: off.length || guard.mode !== "kids" ? "weak" : "ready", lines };
}

/** Clauses that did not pass, of all services, as `[kind, number]`; the most first. */
export function stopped(states) {
  const sum = new Map();
  for (const service of SERVICES) {
    for (const [kind, number] of Object.entries(states[service]?.guard?.stopped ?? {})) sum.set(kind, (sum.get(kind) ?? 0) + number);
  }
  return [...sum].sort(([, a], [, b]) => b - a);
}

function row(kind, number) {
  return make("tr", { "data-kind": kind, children: [make("th", { scope: "row", text: wordFor("kinds", kind) }), make("td", { text: String(number) })] });
}

export function showGuard(states) {
  const { state, lines } = guardLines(states);
  const counts = stopped(states);
  const drawn = JSON.stringify([lines, counts]);
  if (byId("guard").dataset.drawn === drawn) return;
  byId("guard").dataset.drawn = drawn;
  byId("guard").dataset.state = state;
  byId("guard").replaceChildren(...lines.map((text) => make("li", { text })));
  byId("guard-none").hidden = state === "off" || state === "asking" || counts.length > 0;
  byId("guard-stopped").hidden = !counts.length;
  byId("guard-rows").replaceChildren(...counts.map(([kind, number]) => row(kind, number)));
}

function keptLine(service, { what, where, words, days, megabytes, address }) {
  const how = [megabytes && `${megabytes} MB`, days && say("days", { n: days }), address].filter(Boolean).join(", ");
  const text = say("keptLine", { service: say(service), what: wordFor("kept", what), where: say(`places.${where}`) }) + (how ? say("inBrackets", { how }) : "");
  return make("li", { classes: words && where === "disk" ? "bad" : words ? "words" : "", text });
}

function sentLine(service, { what, to, address }) {
  return make("li", { classes: what === "notices" ? "" : "words", text: say("sentLine", { service: say(service), what: say(`sent.${what}`), to: address ? `${to} (${address})` : to }) });
}

export function showPrivacy() {
  const heard = SERVICES.filter((service) => sheet?.[service]?.kept);
  byId("privacy").hidden = !heard.length;
  if (!heard.length) return;
  const is = (name) => heard.some((service) => sheet[service][name]);
  byId("privacy-disk").textContent = say(is("words_on_disk") ? "diskYes" : "diskNo");
  byId("privacy-disk").className = is("words_on_disk") ? "bad" : "good";
  byId("privacy-leave").textContent = say(is("words_leave") ? "leaveYes" : "leaveNo");
  byId("privacy-leave").className = is("words_leave") ? "words" : "good";
  const all = (name, line) => heard.flatMap((service) => sheet[service][name].map((each) => line(service, each)));
  byId("privacy-kept").replaceChildren(...all("kept", keptLine));
  byId("privacy-sent").replaceChildren(...all("sent", sentLine));
}

/** Ask for the sheet, and draw it. */
export async function learnPrivacy(api) {
  sheet = (await api.privacy()) ?? sheet;
  showPrivacy();
}
