// Draws what there is to see: services, the conversation, the timed turn. Knows nothing of requests.

import { PEAKS_PER_SECOND } from "./turn.js";
import { say } from "./words.js";

const TOY_WAITS_MS = 5000;

export const byId = (id) => document.getElementById(id);

/** An element with classes, text or children, and attributes. */
export function make(tag, { classes = "", text = null, children = [], ...attributes } = {}) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text !== null) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const seconds = (milliseconds) => say("seconds", { n: (milliseconds / 1000).toFixed(milliseconds < 9950 ? 2 : 1) });

// ---- services ----

const MARKS = {
  stt: "M7 9a5 5 0 0 1 10 0c0 3-2.5 4-3.2 6-.6 1.8-1.3 3.5-3.3 3.5A2.9 2.9 0 0 1 7.600 16M10 9.500a2 2 0 0 1 4 0",
  llm: "M9.500 19h5M10 21.500h4M8.500 15.500C7 14.300 6 12.500 6 10.500a6 6 0 1 1 12 0c0 2-1 3.800-2.500 5v.500h-7Z",
  tts: "M4 10v4h3l4 3.500v-11L7 10H4ZM15 9.500a3.500 3.500 0 0 1 0 5M17.500 7a7 7 0 0 1 0 10",
};

function mark(service) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", MARKS[service]);
  svg.append(path);
  return svg;
}

function overall(status) {
  if (status === undefined) return ["asking", say("asking")];
  if (status === null) return ["gone", say("gone")];
  const [first, ...then] = status.engines.filter((engine) => engine.state === "ready").map((engine) => engine.name);
  if (then.length) return ["ready", say("answersThen", { engine: first, then: then.join(", ") })];
  if (first) return ["ready", say("answers", { engine: first })];
  if (status.engines.some((engine) => engine.state === "loading")) return ["loading", say("soon")];
  return ["gone", say("noEngine")];
}

function engineLine(engine) {
  const state = { ready: "stateReady", loading: "stateLoading", resting: "stateResting", unavailable: "stateUnavailable" }[engine.state];
  const line = make("li", { classes: `engine ${engine.state}` });
  line.append(make("span", { classes: "engine-name", text: engine.name }), make("span", { classes: "engine-state", text: say(state) }));
  const left = Math.round(engine.seconds ?? 0);
  if (engine.state === "loading" && engine.progress !== undefined) {
    const percent = Math.round(engine.progress * 100);
    line.append(make("progress", { max: "100", value: String(percent), "aria-label": `${engine.name} ${percent} %` }), make("span", { classes: "percent", text: `${percent} %` }));
  }
  const detail = engine.detail ?? "";
  const told =
    engine.state === "resting" ? say("restingFor", { seconds: left, detail })
    : engine.state === "unavailable" && left ? say("nextTry", { seconds: left, detail })
    : detail;
  if (told) line.append(make("span", { classes: "detail", text: told }));
  return line;
}

/** @param {Record<string, object|null|undefined>} states readyz of each service; null: gone; undefined: not asked yet */
export function showServices(states) {
  const drawn = JSON.stringify([states, say("services")]);
  const list = byId("services");
  if (list.dataset.drawn === drawn) return; // who is reading it keeps the place
  list.dataset.drawn = drawn;
  list.replaceChildren(
    ...["stt", "llm", "tts"].map((service) => {
      const [state, text] = overall(states[service]);
      const engines = states[service]?.engines ?? [];
      const plain = engines.every((engine) => engine.state === "ready");
      return make("li", {
        classes: `service ${service} ${state}`,
        "data-service": service,
        "data-state": state,
        children: [
          make("span", { classes: "mark", children: [mark(service)] }),
          make("span", { classes: "service-name", text: say(service) }),
          make("span", { classes: "service-state", children: [make("span", { classes: "dot" }), make("span", { text })] }),
          ...(plain ? [] : [make("ul", { classes: "engines", children: engines.map(engineLine) })]),
        ],
      });
    }),
  );
}

// ---- conversation ----

/** A bubble to be filled: `text`, and `below` for what belongs to it. */
export function bubble(who, name) {
  const text = make("p", { classes: "text" });
  const below = make("div", { classes: "below" });
  const element = make("article", { classes: `bubble ${who}`, children: [make("h3", { classes: "who", text: name }), text, below] });
  byId("empty").hidden = true;
  byId("log").append(element);
  toTheEnd();
  return { element, text, below };
}

export function toTheEnd() {
  const log = byId("log");
  log.scrollTop = log.scrollHeight;
}

/** A problem as words that say what to do; with a button to try again, if `again` is given. */
export function alertOf(problem, again = null) {
  const values = { service: problem.service ? say(problem.service) : "Talkbox", seconds: problem.retryAfter ?? 5 };
  const children = [make("p", { text: say(`problems.${problem.kind}`, values) })];
  if (problem.detail) children.push(make("p", { classes: "detail", text: say("says", { detail: problem.detail }) }));
  if (problem.requestId) children.push(make("p", { classes: "detail", text: say("requestId", { id: problem.requestId }) }));
  if (again) {
    const button = make("button", { classes: "quiet small", type: "button", "data-t": "retry", text: say("retry") });
    button.addEventListener("click", again);
    children.push(button);
  }
  return make("div", { classes: "alert", role: "alert", "data-kind": problem.kind, "data-service": problem.service ?? "", children });
}

/** The sound of an answer as bars; those before `playedSeconds` are lit. */
export function wave(svg, loudness, playedSeconds) {
  const step = 4;
  const width = Math.max(loudness.length * step, 40);
  svg.setAttribute("viewBox", `0 0 ${width} 24`);
  svg.setAttribute("data-loudest", String(Math.max(0, ...loudness)));
  svg.style.setProperty("--bars", String(Math.max(loudness.length, 10)));
  const path = (from, to) =>
    loudness.slice(from, to).map((peak, index) => {
      const half = Math.max(1, Math.min(1, peak * 1.3) * 11);
      return `M${(from + index) * step + 2} ${(12 - half).toFixed(1)}v${(2 * half).toFixed(1)}`;
    }).join("");
  const lit = Math.min(loudness.length, Math.round(playedSeconds * PEAKS_PER_SECOND));
  svg.querySelector(".lit").setAttribute("d", path(0, lit));
  svg.querySelector(".unlit").setAttribute("d", path(lit, loudness.length));
}

export function emptyWave() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "wave");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("preserveAspectRatio", "none");
  for (const name of ["lit", "unlit"]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", name);
    svg.append(path);
  }
  return svg;
}

// ---- the timed turn ----

function figure(name, label, value, engine) {
  return make("div", {
    classes: `figure ${name}`,
    "data-figure": name,
    children: [
      make("dt", { text: label }),
      make("dd", { children: [make("span", { classes: "value", text: value === undefined ? "–" : seconds(value) }), make("span", { classes: "engine-tag", text: engine ?? "" })] }),
    ],
  });
}

function bar(classes, from, to, scale) {
  const element = make("span", { classes: `bar ${classes}` });
  element.style.setProperty("--from", `${(from / scale) * 100}%`);
  element.style.setProperty("--long", `${Math.max(0, ((to - from) / scale) * 100)}%`);
  return element;
}

function row(name, label, bars) {
  return make("div", { classes: `row ${name}`, children: [make("span", { classes: "label", text: label }), make("span", { classes: "track", children: bars })] });
}

function axis(scale) {
  const tick = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60].find((step) => scale / (step * 1000) <= 6) ?? 60;
  const ticks = [];
  for (let at = 0; at * 1000 <= scale * 0.97; at += tick) {
    const element = make("span", { classes: "tick", text: String(Number(at.toFixed(1))) });
    element.style.setProperty("--from", `${((at * 1000) / scale) * 100}%`);
    ticks.push(element);
  }
  return make("div", { classes: "row axis", children: [make("span", { classes: "label", text: say("seconds", { n: "" }).trim() }), make("span", { classes: "track", children: ticks })] });
}

function chart(turn, now) {
  const { times, pieces } = turn;
  const last = Math.max(0, ...pieces.map((piece) => (piece.begins ?? 0) + piece.seconds * 1000));
  const scale = Math.max(1000, last, times.done ?? 0, turn.over ? 0 : now) * 1.02;
  const rows = [axis(scale)];
  if (turn.spokenTo) rows.push(row("stt", say("stt"), [bar("work", 0, times.heard ?? now, scale)]));
  const thought = [];
  if (times.asked !== undefined) {
    const end = times.thought ?? (turn.over ? times.token ?? times.asked : now);
    thought.push(bar("wait", times.asked, times.token ?? end, scale));
    if (times.token !== undefined) thought.push(bar("work", times.token, end, scale));
  }
  rows.push(row("llm", say("llm"), thought));
  const lanes = [0, 0]; // two are made at a time: each in its own half of the row
  const made = pieces.filter((piece) => piece.asked !== null).flatMap((piece) => {
    const end = piece.there ?? (turn.over ? piece.asked : now);
    const lane = lanes[0] <= piece.asked ? 0 : 1;
    lanes[lane] = end;
    return [
      bar(`wait lane-${lane}`, piece.asked, piece.first ?? end, scale),
      ...(piece.first === null ? [] : [bar(`work lane-${lane}`, piece.first, end, scale)]),
    ];
  });
  rows.push(row("tts", say("tts"), made));
  const heard = pieces.filter((piece) => piece.begins !== null).map((piece) => bar("work", piece.begins, piece.begins + piece.seconds * 1000, scale));
  rows.push(row("play", say("rowPlay"), heard));
  return rows;
}

function verdict(turn) {
  const { times, pieces } = turn;
  const slow = [];
  if (turn.spokenTo && times.heard > TOY_WAITS_MS) slow.push(say("stepHear", { n: (times.heard / 1000).toFixed(1) }));
  if (times.token - times.asked > TOY_WAITS_MS) slow.push(say("stepThink", { n: ((times.token - times.asked) / 1000).toFixed(1) }));
  const waited = Math.max(0, ...pieces.filter((piece) => piece.first !== null).map((piece) => piece.first - piece.asked));
  if (waited > TOY_WAITS_MS) slow.push(say("stepSpeak", { n: (waited / 1000).toFixed(1) }));
  return slow.length ? say("verdictSlow", { steps: slow.join(", ") }) : say("verdictGood");
}

export function showTurn(turn) {
  const { times, engines, pieces } = turn;
  const now = performance.now() - turn.began;
  const nothing = turn.over && times.heard === undefined && times.token === undefined;
  byId("turn-none").hidden = !nothing;
  byId("turn-shown").hidden = nothing;
  byId("figures").replaceChildren(
    ...(turn.spokenTo ? [figure("heard", say("figHeard"), times.heard, engines.stt)] : []),
    figure("token", say("figToken"), times.token, engines.llm),
    figure("sound", say("figSound"), times.sound, engines.tts),
    figure("done", say("figDone"), times.done),
  );
  byId("chart").replaceChildren(...chart(turn, now));
  byId("verdict").textContent = turn.over && !turn.problem && !turn.stopped ? verdict(turn) : "";
  byId("pieces").replaceChildren(
    ...pieces.map((piece) =>
      make("tr", {
        children: [
          make("td", { text: piece.text }),
          make("td", { text: piece.engine }),
          make("td", { classes: "number", text: piece.first === null ? "" : seconds(piece.first - piece.asked) }),
          make("td", { classes: "number", text: piece.seconds ? seconds(piece.seconds * 1000) : "" }),
        ],
      }),
    ),
  );
}
