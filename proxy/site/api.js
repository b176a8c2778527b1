// The three services, as a browser calls them: same origin, one key.

/** What went wrong, in terms of what a person can do about it: `kind` is a key of `problems` in words.js. */
export class Problem extends Error {
  constructor(kind, { service = null, message = "", status = 0, retryAfter = null, requestId = null } = {}) {
    super(message || kind);
    Object.assign(this, { kind, service, detail: message, status, retryAfter, requestId });
  }
}

const KINDS = { 401: "key", 403: "forbidden", 413: "large", 429: "busy", 502: "upstream", 503: "down", 504: "upstream" };

async function problemOf(response, service) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch (exc) {
    if (exc.name === "AbortError") throw exc; // anything else: no JSON, so there is no more to say than the status
  }
  const kind = error.code === "insufficient_quota" ? "spent" : KINDS[response.status] ?? (response.status >= 500 ? "upstream" : "refused");
  return new Problem(kind, {
    service,
    status: response.status,
    message: error.message ?? "",
    retryAfter: Number(response.headers.get("retry-after")) || null,
    requestId: response.headers.get("x-request-id"),
  });
}

/** An address beside the page, wherever a proxy in front has put it. */
const here = (path) => new URL(`.${path}`, document.baseURI);

function translated(exc, service, kind) {
  return exc instanceof Problem || exc.name === "AbortError" ? exc : new Problem(kind, { service, message: exc.message });
}

export class Api {
  /** @param {() => string} key what the person typed; empty where the services ask for none */
  constructor(key) {
    this.key = key;
  }

  async ask(service, path, options = {}) {
    return (await this.timed(service, path, options)).response;
  }

  /** The response, and where the time until its headers went. */
  async timed(service, path, options = {}) {
    const key = this.key();
    const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
    const asked = performance.now();
    let response;
    try {
      response = await fetch(here(path), { cache: "no-store", ...options, headers });
    } catch (exc) {
      throw translated(exc, service, "offline");
    }
    const answered = performance.now();
    if (!response.ok) throw await problemOf(response, service);
    return { response, timing: { asked, answered, stages: stagesOf(response) } };
  }

  /** `{ready, engines: [{name, state, detail, progress, seconds}]}`, or null while the service does not answer. */
  async status(service) {
    try {
      const key = this.key(); // with one, the services say more
      const headers = key ? { Authorization: `Bearer ${key}` } : {};
      const response = await fetch(here(`/status/${service}`), { cache: "no-store", headers });
      const body = await response.json();
      return Array.isArray(body.engines) ? body : null;
    } catch {
      return null; // not there, or not JSON: either way there is no state to show
    }
  }

  /** Voices as `{id, name, engine, language, gender}`; none where tts cannot say. */
  async voices() {
    try {
      const { voices = [] } = await (await this.ask("tts", "/v1/audio/voices")).json();
      return voices.map((voice) => ({ language: "", engine: "", name: voice.id, ...voice }));
    } catch {
      return []; // asked again with the next look at the services
    }
  }

  /** What a service counted of this key, as `{key, counts: [{name, value, …}]}`; null where it does not say. */
  async usage(service) {
    try {
      return await (await this.ask(service, `/usage/${service}`)).json();
    } catch {
      return null; // no key, a wrong one, or nobody there: the services' own card tells which
    }
  }

  /** What each service keeps and sends, by its name, as /status/privacy says it; null where nobody answers. */
  async privacy() {
    try {
      const key = this.key(); // with one, addresses are named
      const response = await fetch(here("/status/privacy"), { cache: "no-store", headers: key ? { Authorization: `Bearer ${key}` } : {} });
      return await response.json();
    } catch {
      return null;
    }
  }

  /** Whether the services take the key; null: none of them could say. */
  async keyIsGood() {
    try {
      await this.ask("llm", "/v1/models");
      return true;
    } catch (exc) {
      return exc.kind === "key" ? false : null;
    }
  }

  /** A recording as text, in one of the formats: `{text, engine, timing}`. */
  async transcribe(sound, { model, language, format = "json" }, signal) {
    const form = new FormData();
    form.append("model", model);
    form.append("response_format", format);
    if (language) form.append("language", language);
    form.append("file", sound, sound.name || nameFor(sound.type));
    const { response, timing } = await this.timed("stt", "/v1/audio/transcriptions", { method: "POST", body: form, signal });
    const text = format === "json" ? ((await response.json()).text ?? "").trim() : await response.text();
    return { text, engine: engineOf(response), timing };
  }

  /** The answer's engine, and its words as they come. */
  async chat({ model, messages }, signal) {
    const { response, timing } = await this.timed("llm", "/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ model, messages, stream: true, max_tokens: 200, temperature: 0.7 }),
      signal,
    });
    return { engine: () => engineOf(response), words: words(response), timing };
  }

  /** One piece of speech as `{sound, engine, timing}`: `first` is called when its first byte is there. */
  async speak({ model, voice, speed, input, format = "mp3" }, signal, first = () => {}) {
    const { response, timing } = await this.timed("tts", "/v1/audio/speech", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ model, voice, speed, input, response_format: format }),
      signal,
    });
    const chunks = [];
    try {
      for await (const chunk of chunksOf(response)) {
        if (!chunks.length) first();
        chunks.push(chunk);
      }
    } catch (exc) {
      throw translated(exc, "tts", "broken");
    }
    const type = response.headers.get("content-type") ?? "audio/mpeg";
    return { engine: engineOf(response), sound: new Blob(chunks, { type }), timing };
  }
}

/** Milliseconds by stage, from `Server-Timing`, and what of it was Talkbox itself. */
function stagesOf(response) {
  const stages = {};
  for (const [, name, milliseconds] of (response.headers.get("server-timing") ?? "").matchAll(/(\w+);dur=([\d.]+)/g)) {
    stages[name] = Number(milliseconds);
  }
  const own = Number(response.headers.get("x-talkbox-overhead-ms"));
  return own ? { ...stages, own } : stages;
}

const engineOf = (response) => response.headers.get("x-talkbox-engine") ?? "";

function nameFor(type) {
  const ending = { "audio/webm": "webm", "audio/mp4": "m4a", "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/wav": "wav" };
  return `speech.${ending[type.split(";")[0]] ?? "webm"}`;
}

async function* chunksOf(response) {
  const reader = response.body.getReader();
  const letGo = () => reader.cancel().catch(() => {}); // already closed or broken: nothing is left to cancel
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (value.length) yield value;
    }
  } finally {
    setTimeout(letGo, 1000); // a body that is about to end by itself may do so: cut off, it would look like a failure
  }
}

/** The text of a chat's server-sent events. A stream that ends with neither `[DONE]` nor a reason was cut off. */
async function* words(response) {
  const decoder = new TextDecoder();
  let held = "";
  let finished = false;
  try {
    for await (const chunk of chunksOf(response)) {
      held += decoder.decode(chunk, { stream: true });
      const lines = held.split(/\r?\n/);
      held = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data === "[DONE]") return;
        const event = JSON.parse(data);
        if (event.error) throw new Problem("broken", { service: "llm", message: event.error.message });
        finished ||= Boolean(event.choices?.[0]?.finish_reason);
        const said = event.choices?.[0]?.delta?.content;
        if (said) yield said;
      }
    }
  } catch (exc) {
    throw translated(exc, "llm", "broken");
  }
  if (!finished) throw new Problem("broken", { service: "llm" });
}
