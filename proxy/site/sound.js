// Sound in and out: a microphone that is held, and a player that puts pieces one after another.

import { Problem } from "./api.js";

const KINDS_OF_RECORDING = ["audio/webm;codecs=opus", "audio/webm", "audio/mp4", "audio/ogg;codecs=opus"];
const MICROPHONE_RESTS_AFTER_MS = 30_000;
const LEAD_SECONDS = 0.03;

let context = null;

/** Call it in a click or key press: browsers let sound begin only there. Some give none to a page, or not now. */
export function wakeSound() {
  try {
    context ??= new AudioContext();
  } catch {
    return; // words are still answered, and what was spoken can be saved
  }
  if (context.state !== "running") context.resume();
}

export class Microphone {
  #stream = null;
  #recorder = null;
  #recorded = null;
  #chunks = [];
  #rest = 0;
  #meter = null;

  /** The text of words.js that says why this page can have no microphone; null where it can. */
  static obstacle() {
    if (!window.isSecureContext) return "insecureWhy";
    return navigator.mediaDevices?.getUserMedia && window.MediaRecorder ? null : "unableWhy";
  }

  /** Open it, which may ask the person. Whether that was quick enough to be part of one press. */
  async open() {
    clearTimeout(this.#rest);
    if (this.#stream?.active) return true;
    const began = performance.now();
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
      });
    } catch (exc) {
      const refused = exc.name === "NotAllowedError" || exc.name === "SecurityError";
      throw new Problem(refused ? "refusedMicrophone" : "noMicrophone", { message: exc.message });
    }
    this.#meter = context && new Meter(this.#stream);
    return performance.now() - began < 1500;
  }

  begin() {
    this.#chunks = [];
    try {
      const mimeType = KINDS_OF_RECORDING.find((kind) => MediaRecorder.isTypeSupported(kind));
      this.#recorder = new MediaRecorder(this.#stream, mimeType ? { mimeType, audioBitsPerSecond: 32_000 } : {});
      this.#recorder.addEventListener("dataavailable", (event) => this.#chunks.push(event.data));
      this.#recorded = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve, { once: true }));
      this.#recorder.start();
    } catch (exc) {
      this.close();
      throw new Problem("unrecordable", { message: exc.message });
    }
  }

  /** How loud it is now, 0 to 1. */
  level() {
    return this.#meter?.level() ?? 0;
  }

  /** What was recorded. */
  async end() {
    const recorder = this.#recorder;
    this.#recorder = null;
    this.#rest = setTimeout(() => this.close(), MICROPHONE_RESTS_AFTER_MS);
    if (recorder.state !== "inactive") recorder.stop(); // a microphone that was pulled out has ended it already
    await this.#recorded;
    return new Blob(this.#chunks, { type: recorder.mimeType || "audio/webm" });
  }

  /** Let go, so that the browser's sign for a listening page goes out. */
  close() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#meter?.close();
    this.#stream = this.#meter = null;
  }
}

class Meter {
  constructor(stream) {
    this.source = context.createMediaStreamSource(stream);
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.source.connect(this.analyser);
  }

  level() {
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    return Math.min(1, Math.sqrt(power) * 6);
  }

  close() {
    this.source.disconnect();
  }
}

/** Mp3 as sound; null in a browser that has none. */
export async function decode(mp3) {
  if (!context) return null;
  try {
    return await context.decodeAudioData(await mp3.arrayBuffer());
  } catch (exc) {
    throw new Problem("unplayable", { service: "tts", message: exc.message });
  }
}

/** The loudest sample of each stretch of sound, `perSecond` of them. */
export function peaks(buffer, perSecond) {
  const samples = buffer.getChannelData(0);
  const stretch = Math.max(1, Math.floor(buffer.sampleRate / perSecond));
  return Array.from({ length: Math.ceil(samples.length / stretch) }, (_, index) => {
    let loudest = 0;
    for (const sample of samples.subarray(index * stretch, (index + 1) * stretch)) loudest = Math.max(loudest, Math.abs(sample));
    return loudest;
  });
}

/** Plays pieces in the order of their numbers, each where the one before it ends, whenever they come. */
export class Player {
  #waiting = new Map();
  #sources = new Set();
  #next = 0;
  #free = 0;

  /** @param {(number: number, beginsAt: number, seconds: number) => void} played times are performance.now()'s */
  constructor(played) {
    this.played = played;
  }

  put(number, buffer) {
    this.#waiting.set(number, buffer);
    while (this.#waiting.has(this.#next)) {
      this.#play(this.#next, this.#waiting.get(this.#next));
      this.#waiting.delete(this.#next);
      this.#next += 1;
    }
  }

  #play(number, buffer) {
    const when = Math.max(this.#free, context.currentTime + LEAD_SECONDS);
    this.#free = when + buffer.duration;
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.addEventListener("ended", () => this.#sources.delete(source));
    this.#sources.add(source);
    source.start(when);
    this.played(number, performance.now() + (when - context.currentTime) * 1000, buffer.duration);
  }

  /** Until the last sound put in so far has been heard. A browser without a loudspeaker has a clock that stands still. */
  async end(signal) {
    if (!context) throw new Problem("soundless");
    while (this.#sources.size && !signal.aborted) {
      const before = context.currentTime;
      await pause((this.#free - before) * 1000 + 20, signal);
      if (context.currentTime === before && !signal.aborted) throw new Problem("soundless");
    }
  }

  stop() {
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(20, milliseconds));
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
