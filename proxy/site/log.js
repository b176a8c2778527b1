// The conversation as it is drawn: bubbles, the sound of an answer as bars, problems with their remedy.

import { detailInWords } from "./details.js";
import { byId, button, drawing, make } from "./dom.js";
import { PEAKS_PER_SECOND } from "./turn.js";
import { say, span } from "./words.js";

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
  const values = { service: problem.service ? say(problem.service) : "Talkbox", wait: span(problem.retryAfter ?? 5) };
  const children = [make("p", { text: say(`problems.${problem.kind}`, values) })];
  if (problem.detail) children.push(make("p", { classes: "detail", text: say("says", { detail: detailInWords(problem.detail) }) }));
  if (problem.requestId) children.push(make("p", { classes: "detail", text: say("requestId", { id: problem.requestId }) }));
  if (again) children.push(button("retry", say("retry"), again));
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
  const svg = drawing("wave", "0 0 40 24", [["lit", ""], ["unlit", ""]]);
  svg.setAttribute("preserveAspectRatio", "none");
  return svg;
}
