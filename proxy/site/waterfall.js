// The timed turn: a request a row, its stages as the service tells them, and the time between as the browser saw it.

import { byId, make } from "./dom.js";
import { say } from "./words.js";

const TOY_WAITS_MS = 5000;
const STAGES = ["network", "queue", "own", "engine", "stream"];

export const seconds = (milliseconds) => say("seconds", { n: (milliseconds / 1000).toFixed(milliseconds < 9950 ? 2 : 1) });

/** Of one request, the milliseconds of each stage until its headers. */
export function stagesOf({ asked, answered, stages }) {
  const total = Math.min(stages.total ?? 0, answered - asked);
  const { queue = 0, engine = 0 } = stages;
  const own = stages.own ?? Math.max(0, total - queue - engine - (stages.upload ?? 0));
  return { network: answered - asked - total + (stages.upload ?? 0), queue, own, engine };
}

function bar(classes, from, to, scale) {
  const element = make("span", { classes: `bar ${classes}` });
  element.style.setProperty("--from", `${(from / scale) * 100}%`);
  element.style.setProperty("--long", `${Math.max(0, ((to - from) / scale) * 100)}%`);
  return element;
}

/** The bars of a request, one stage after the other; the network's share is half before and half after. */
function bars(request, now, over, scale) {
  const { asked, timing, done } = request;
  if (asked === null || asked === undefined) return [];
  if (!timing) return over ? [] : [bar("waiting", asked, now, scale)];
  const { network, queue, own, engine } = stagesOf(timing);
  let at = timing.asked;
  const drawn = [["network", network / 2], ["queue", queue], ["own", own], ["engine", engine], ["network", network / 2]].flatMap(([name, long]) => {
    const from = at;
    at += long;
    return long > 0.5 ? [bar(name, from, at, scale)] : [];
  });
  const end = done ?? (over ? timing.answered : now);
  return end - timing.answered > 0.5 ? [...drawn, bar("stream", timing.answered, end, scale)] : drawn;
}

/** Every request of the turn: `{service, label, text, engine, asked, timing, first, done, lasts}`. */
function requests({ times, timings, engines, pieces, spokenTo }) {
  const heard = { service: "stt", text: say("stt"), engine: engines.stt, asked: 0, timing: timings.stt, first: timings.stt?.answered, done: times.heard };
  const thought = { service: "llm", text: say("llm"), engine: engines.llm, asked: times.asked, timing: timings.llm, first: times.token, done: times.thought };
  const spoken = pieces.map((piece, number) => ({
    service: "tts",
    label: number ? String(number + 1) : "",
    text: piece.text,
    engine: piece.engine,
    asked: piece.asked,
    timing: piece.timing,
    first: piece.first,
    done: piece.there,
    lasts: piece.seconds,
  }));
  return [...(spokenTo ? [heard] : []), thought, ...spoken];
}

function row(name, label, children) {
  return make("div", { classes: `row ${name}`, children: [make("span", { classes: "label", text: label }), make("span", { classes: "track", children })] });
}

function axis(scale) {
  const tick = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60].find((step) => scale / (step * 1000) <= 6) ?? 60;
  const ticks = [];
  for (let at = 0; at * 1000 <= scale * 0.97; at += tick) {
    const element = make("span", { classes: "tick", text: String(Number(at.toFixed(1))) });
    element.style.setProperty("--from", `${((at * 1000) / scale) * 100}%`);
    ticks.push(element);
  }
  return row("axis", say("seconds", { n: "" }).trim(), ticks);
}

function chart(turn, now) {
  const { times, pieces, over } = turn;
  const last = Math.max(0, ...pieces.map((piece) => (piece.begins ?? 0) + piece.seconds * 1000));
  const scale = Math.max(1000, last, times.done ?? 0, over ? 0 : now) * 1.02;
  const asked = requests(turn).map((request) => row(request.service, request.label ?? say(request.service), bars(request, now, over, scale)));
  asked.find((element) => element.classList.contains("tts"))?.firstChild.replaceChildren(say("tts"));
  const heard = pieces.filter((piece) => piece.begins !== null).map((piece) => bar("engine", piece.begins, piece.begins + piece.seconds * 1000, scale));
  return [axis(scale), ...asked, row("play", say("rowPlay"), heard)];
}

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

function tableRow({ text, engine, asked, timing, first, lasts }) {
  const stages = timing ? stagesOf(timing) : {};
  const number = (milliseconds) => make("td", { classes: "number", text: Number.isFinite(milliseconds) ? seconds(milliseconds) : "" });
  return make("tr", {
    children: [
      make("td", { text }),
      make("td", { text: engine ?? "" }),
      number(typeof first === "number" ? first - asked : undefined),
      number(stages.engine),
      number(stages.queue),
      number(stages.own),
      number(stages.network),
      number(lasts ? lasts * 1000 : undefined),
    ],
  });
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
  const { times, engines } = turn;
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
  byId("legend").replaceChildren(...STAGES.map((name) => make("span", { classes: "key-of", children: [make("span", { classes: `bar ${name}` }), say(`legend.${name}`)] })));
  byId("verdict").textContent = turn.over && !turn.problem && !turn.stopped ? verdict(turn) : "";
  byId("pieces").replaceChildren(...requests(turn).map(tableRow));
}
