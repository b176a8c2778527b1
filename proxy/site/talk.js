// A conversation: each turn is taken, drawn while it goes on, and can be heard again.

import { choices } from "./choices.js";
import { Problem } from "./api.js";
import { byId, make, saving } from "./dom.js";
import { alertOf, bubble, emptyWave, toTheEnd, wave } from "./log.js";
import { wakeSound } from "./sound.js";
import { Turn } from "./turn.js";
import { showTurn } from "./waterfall.js";
import { say } from "./words.js";

const REMEMBERED_MESSAGES = 12;

export class Conversation {
  #history = [];
  #turn = null;
  #drawn = null;

  /** @param {(turn: Turn) => void} ended called after each turn */
  constructor(api, ended) {
    Object.assign(this, { api, ended });
  }

  async talk({ sound, text }) {
    wakeSound();
    this.stop();
    const said = bubble("you", say("you"));
    const answered = { ...bubble("toy", say("toy")), wave: emptyWave() };
    said.text.textContent = text ?? "…";
    answered.text.textContent = "…";
    answered.element.setAttribute("aria-busy", "true"); // to be read aloud as a whole
    const mine = new Turn(this.api, choices(), (changed) => this.#redraw(changed, said, answered));
    mine.spokenTo = Boolean(sound);
    this.#turn = this.#drawn = mine;
    byId("stop").hidden = false;
    byId("forget").hidden = false;
    const system = { role: "system", content: byId("role").value.trim() || say("roleDefault") };
    const running = setInterval(() => this.#redraw(mine, said, answered), 200);
    await mine.take({ sound, text, history: [system, ...this.#history] });
    clearInterval(running);
    this.#redraw(mine, said, answered);
    answered.element.removeAttribute("aria-busy");
    this.#finish(mine, answered, () => this.talk({ sound, text }));
  }

  stop() {
    for (const sound of document.querySelectorAll("audio")) sound.pause();
    this.#turn?.stop();
  }

  forget() {
    this.stop();
    this.#history = [];
    for (const element of document.querySelectorAll("#log .bubble")) element.remove();
    byId("empty").hidden = false;
    byId("forget").hidden = true;
  }

  /** Draw the last turn again, in the page's language. */
  redraw() {
    if (this.#drawn) showTurn(this.#drawn);
  }

  fail(exc) {
    const problem = exc instanceof Problem ? exc : new Problem("page", { message: String(exc) });
    bubble("toy", say("toy")).text.replaceWith(alertOf(problem));
    byId("talk-said").textContent = "";
  }

  #redraw(changed, said, answered) {
    if (changed.heard) said.text.textContent = changed.heard;
    if (changed.reply) answered.text.textContent = changed.reply;
    const loudness = changed.pieces.flatMap((piece) => piece.peaks);
    if (loudness.length) {
      if (!answered.wave.isConnected) answered.below.prepend(answered.wave);
      wave(answered.wave, loudness, playedSeconds(changed));
    }
    if (changed === this.#drawn) showTurn(changed);
    if (changed === this.#turn && !changed.over) byId("talk-said").textContent = say(doing(changed));
    if (!changed.over) toTheEnd();
  }

  #finish(done, { element, text, below }, again) {
    if (done.problem) {
      if (!done.reply) text.remove();
      below.append(alertOf(done.problem, done.problem.kind === "silence" ? null : again));
    } else if (!done.reply && !done.pieces.length) {
      element.remove();
    }
    if (done.reply) {
      const messages = [{ role: "user", content: done.heard }, { role: "assistant", content: done.reply }];
      this.#history = [...this.#history, ...messages].slice(-REMEMBERED_MESSAGES);
    }
    if (done.pieces.some((piece) => piece.mp3)) below.append(tools(done));
    if (done === this.#turn) {
      this.#turn = null;
      byId("stop").hidden = true;
      byId("talk-said").textContent = done.stopped ? say("stopped") : "";
    }
    toTheEnd();
    this.ended(done);
  }
}

function doing(turn) {
  if (turn.times.sound !== undefined) return "speaking";
  return turn.spokenTo && !turn.heard ? "hearing" : "thinking";
}

function playedSeconds({ began, pieces }) {
  const now = performance.now() - began;
  return pieces.reduce((sum, piece) => sum + (piece.begins === null ? 0 : Math.min(piece.seconds, Math.max(0, (now - piece.begins) / 1000))), 0);
}

/** Hear it again from anywhere, keep it. */
function tools(done) {
  const keep = saving("keep", say("keep"), done.mp3, "talkbox.mp3");
  const again = make("audio", { controls: "", preload: "metadata", src: keep.href, "aria-label": say("again"), "data-t-label": "again" });
  return make("div", { classes: "tools", children: [again, keep] });
}
