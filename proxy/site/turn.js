// One whole turn, taken as folotoy-server takes it: hear, stream the answer, cut it into pieces, speak each.

import { Problem } from "./api.js";
import { decode, peaks, Player } from "./sound.js";

const SEPARATORS = /[，！。？,!.?]/;
const PIECES_AT_A_TIME = 2;
export const PEAKS_PER_SECOND = 12;

/** Cuts a stream of text after each separator; a piece without a letter or digit is not worth a request. */
export class Cutter {
  #held = "";

  push(text) {
    this.#held += text;
    const pieces = [];
    for (let at; (at = this.#held.search(SEPARATORS)) >= 0; this.#held = this.#held.slice(at + 1)) {
      pieces.push(this.#held.slice(0, at + 1));
    }
    return pieces.map((piece) => piece.trim()).filter(speakable);
  }

  end() {
    return [this.#held.trim()].filter(speakable);
  }
}

const speakable = (piece) => /[\p{L}\p{N}]/u.test(piece);

/** At most `places` at a time, in the order they came. */
class Lanes {
  #queue = [];

  constructor(places) {
    this.free = places;
  }

  async run(work) {
    if (this.free > 0) this.free -= 1;
    else await new Promise((resolve) => this.#queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

/**
 * A turn on its way: `times` are milliseconds from the moment the person had finished; `timings` (and `timing` of a
 * piece) tell of a request when it was asked and answered, and how long the service says that its stages took.
 * `changed(turn)` is called whenever there is more to show.
 */
export class Turn {
  began = performance.now();
  heard = "";
  reply = "";
  engines = {};
  times = {};
  timings = {};
  pieces = [];
  problem = null;
  over = false;
  #control = new AbortController();
  #lanes = new Lanes(PIECES_AT_A_TIME);

  constructor(api, choices, changed) {
    Object.assign(this, { api, choices, changed });
    this.player = new Player((number, beginsAt, seconds) => this.#played(number, beginsAt, seconds));
  }

  /** Take it to its end. Never raises: `problem` says what went wrong. */
  async take({ sound, text, history }) {
    try {
      this.heard = sound ? await this.#hear(sound) : text;
      if (!this.heard) throw new Problem("silence", { service: "stt" });
      await this.#answer(history);
      await this.player.end(this.#control.signal);
      this.#mark("done");
    } catch (exc) {
      this.#fail(exc);
    }
    this.over = true;
    this.changed(this);
  }

  stop() {
    this.#control.abort();
    this.player.stop();
  }

  get stopped() {
    return this.#control.signal.aborted && !this.problem;
  }

  get mp3() {
    return new Blob(this.pieces.map((piece) => piece.mp3).filter(Boolean), { type: "audio/mpeg" });
  }

  #since({ asked, answered, stages }) {
    return { asked: asked - this.began, answered: answered - this.began, stages };
  }

  #mark(name) {
    this.times[name] = performance.now() - this.began;
    this.changed(this);
  }

  #fail(exc) {
    const meant = exc instanceof Problem || exc.name === "AbortError";
    if (!meant) console.error(exc);
    if (this.#control.signal.aborted) return; // the person stopped it, or this follows from what failed first
    this.problem = exc instanceof Problem ? exc : new Problem("page", { message: String(exc) });
    this.#control.abort();
    this.changed(this);
  }

  async #hear(sound) {
    this.changed(this);
    const { text, engine, timing } = await this.api.transcribe(
      sound,
      { model: this.choices.models.stt || "whisper-1", language: this.choices.language },
      this.#control.signal,
    );
    this.engines.stt = engine;
    this.timings.stt = this.#since(timing);
    this.#mark("heard");
    return text;
  }

  async #answer(history) {
    this.times.asked = performance.now() - this.began;
    const messages = [...history, { role: "user", content: this.heard }];
    const model = this.choices.models.llm || "gpt-4o-mini";
    const { engine, words, timing } = await this.api.chat({ model, messages }, this.#control.signal);
    this.timings.llm = this.#since(timing);
    const cutter = new Cutter();
    const spoken = [];
    for await (const word of words) {
      this.engines.llm = engine();
      this.reply += word;
      if (this.times.token === undefined) this.#mark("token");
      spoken.push(...cutter.push(word).map((piece) => this.#speak(piece)));
      this.changed(this);
    }
    this.#mark("thought");
    spoken.push(...cutter.end().map((piece) => this.#speak(piece)));
    await Promise.all(spoken);
    if (!this.reply.trim()) throw new Problem("speechless", { service: "llm" });
  }

  /** Never raises, since nobody may be waiting for it yet: a failure ends the turn by itself. */
  async #speak(text) {
    const piece = { text, engine: "", asked: null, first: null, there: null, timing: null, begins: null, seconds: 0, peaks: [], mp3: null, buffer: null };
    const number = this.pieces.push(piece) - 1;
    try {
      await this.#lanes.run(() => this.#fetch(piece, number));
    } catch (exc) {
      this.#fail(exc);
    }
  }

  async #fetch(piece, number) {
    const { signal } = this.#control;
    signal.throwIfAborted?.();
    const since = () => performance.now() - this.began;
    piece.asked = since();
    const wanted = { model: this.choices.models.tts || "tts-1", voice: this.choices.voice, speed: this.choices.speed };
    const { engine, sound: mp3, timing } = await this.api.speak({ ...wanted, input: piece.text }, signal, () => (piece.first = since()));
    Object.assign(piece, { engine, mp3, there: since(), timing: this.#since(timing) });
    this.engines.tts ??= engine;
    piece.buffer = await decode(mp3);
    if (!piece.buffer) return;
    piece.peaks = peaks(piece.buffer, PEAKS_PER_SECOND);
    if (!signal.aborted) this.player.put(number, piece.buffer);
  }

  #played(number, beginsAt, seconds) {
    Object.assign(this.pieces[number], { begins: beginsAt - this.began, seconds });
    if (number === 0) this.times.sound = beginsAt - this.began;
    this.changed(this);
  }
}
