// Rules for a roles.json of folotoy-server: those of deploy/folotoy_rules.py. A test holds both to the same mistakes.

import { nearest } from "./nearest.js";

const SERVICES = ["stt", "llm", "tts"];
const NUMBERS = ["1", "2", "3", "4", "5", "6", "7"];
const MOST = 1_000_000;
const INSIDE_HOST = "proxy";
const INSIDE_PORT = 8080;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const absent = (value) => value === undefined || value === null;

/** A number as Python's JSON reads it: `whole` if it is written without a point. JSON.parse cannot tell 1.0 from 1. */
const isNumber = (value, whole) => typeof value === "number" && (!whole || Number.isInteger(value));

function numberIn(text, whole) {
  const form = whole ? /^\s*[+-]?\d+\s*$/ : /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/;
  return typeof text === "string" && form.test(text) ? Number(text) : null;
}

/** Parts of an address, or null; the port as it is written, null where it is not. */
function parts(address) {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]*)(?::(\d*))?([^?#]*)/i.exec(address.trim());
  if (!match || !match[2]) return null;
  const port = match[3] ? Number(match[3]) : null;
  if (port > 65535) return null;
  return { scheme: match[1].toLowerCase(), host: match[2].replace(/^\[|\]$/g, "").toLowerCase(), port, path: match[4] };
}

/**
 * Reads a parsed roles.json as folotoy-server would.
 *
 * @param {object} names what `folotoy.json` holds
 * @param {{port: number, keys: string[], chains: Record<string, string[]>, voices: string[]}} talkbox this installation
 */
export class Rules {
  #found = [];

  constructor(names, talkbox) {
    Object.assign(this, { names, talkbox });
    this.placeholder = new RegExp(names.placeholder, "i");
    this.blankEnds = new RegExp(names.blank_ends, "g");
    this.likeNothing = new RegExp(`^(?:${names.host_like_nothing})$`, "i");
    this.loopback = new RegExp(`^${names.loopback}$`, "i");
  }

  /** A text without the blanks at its ends, those that nobody sees included. */
  #bare(text) {
    return text.replace(this.blankEnds, "");
  }

  /** A key in folotoy-server's own spelling: voiceName, Voice-Name and VOICE NAME are voice_name. */
  #plain(key) {
    const apart = this.#bare(key).normalize("NFKC").replace(/([a-z])(?=[A-Z])/g, "$1_");
    return apart.replace(/[\s.-]+/g, "_").toLowerCase();
  }

  /** Every mistake, as `{path, level, code, values, mend}`. */
  mistakes(file) {
    this.#found = [];
    if (!isObject(file)) this.#add([], "error", "no_object");
    else if ("start_text" in file || "prompt" in file) this.#add([], "error", "single_role");
    else {
      const inside = Object.keys(file).find((name) => isObject(file[name]) && "1" in file[name]);
      const nested = inside && inside !== "toys" && !NUMBERS.some((name) => name in file);
      if (nested) this.#add([inside], "error", "nested", { name: inside });
      else this.#file(file);
    }
    return this.#found;
  }

  #add(path, level, code, values = {}, mend = null) {
    this.#found.push({ path, level, code, values, mend });
  }

  #file(file) {
    const missing = NUMBERS.filter((name) => !(name in file));
    if (missing.length) this.#add([], "error", "roles_missing", { names: missing.join(", ") });
    for (const name of Object.keys(file)) {
      if (!NUMBERS.includes(name) && name !== "toys") this.#add([name], "error", "no_role", { name });
    }
    for (const name of NUMBERS) if (name in file) this.#role([name], file[name], true);
    this.#toys("toys" in file ? file.toys : {});
  }

  #toys(toys) {
    if (!isObject(toys)) return this.#add(["toys"], "error", "toys_no_object");
    for (const [serial, roles] of Object.entries(toys)) {
      const path = ["toys", serial];
      if (!/^[0-9A-Fa-f]{12}$/.test(serial)) this.#add(path, "error", "no_serial", { serial });
      if (!isObject(roles)) {
        this.#add(path, "error", "toy_without_roles");
        continue;
      }
      for (const [name, role] of Object.entries(roles)) {
        if (!NUMBERS.includes(name)) this.#add([...path, name], "error", "no_role_of_toy", { name });
        this.#role([...path, name], role, false);
      }
    }
  }

  #role(path, role, whole) {
    if (!isObject(role)) return this.#add(path, "error", "role_no_object");
    for (const key of ["start_text", "prompt"]) {
      const text = role[key];
      if ((whole || key in role) && (typeof text !== "string" || !text.trim())) this.#add([...path, key], "error", "text_missing", { key });
    }
    this.#keys(path, role, this.names.role_keys);
    this.#numbers(path, role);
    for (const service of SERVICES) this.#service(path, role, service);
    const count = role.max_message_count;
    if ((absent(count) && whole) || count === 0) this.#add([...path, "max_message_count"], "warning", "no_memory");
  }

  #keys(path, part, known) {
    for (const key of Object.keys(part)) {
      const stripped = this.#plain(key);
      const target = known.includes(stripped) ? stripped : (this.names.aliases[stripped] ?? stripped);
      const right = known.includes(target) ? target : nearest(target, known);
      const value = part[key];
      if (known.includes(key)) {
        if (value === null && !["start_text", "prompt"].includes(key)) this.#add([...path, key], "warning", "null_here", { key });
        if (this.names.texts.includes(key) && !absent(value) && typeof value !== "string") this.#add([...path, key], "error", "no_text", { key });
        if (typeof value !== "string" || ["start_text", "prompt"].includes(key)) continue;
        const bare = this.#bare(value);
        if (value !== bare) this.#add([...path, key], "error", "blank_at_end", { key }, () => (part[key] = bare));
        if (value.includes("${")) this.#add([...path, key], "error", "not_filled_in", { key });
      } else if (right) {
        const mend = right in part ? null : () => ((part[right] = part[key]), delete part[key]);
        this.#add([...path, key], "error", "misspelt", { key, right }, mend);
      } else this.#add([...path, key], "warning", "unknown_key", { key, known: known.join(", ") });
    }
  }

  #numbers(path, part) {
    for (const key of [...Object.keys(this.names.ranges), "max_tokens", "max_message_count"]) {
      const value = part[key];
      const whole = !(key in this.names.ranges);
      if (absent(value)) continue;
      const [low, high] = this.names.ranges[key] ?? [key === "max_message_count" ? 0 : 1, MOST];
      if (!isNumber(value, whole)) {
        const number = numberIn(value, whole);
        const mend = number !== null && low <= number && number <= high ? () => (part[key] = number) : null;
        this.#add([...path, key], "error", whole ? "no_whole_number" : "no_number", { key }, mend);
      } else if (value < low || value > high) this.#add([...path, key], "error", "out_of_range", { key, value, low, high });
    }
  }

  #service(path, role, service) {
    const { types, ours, flat } = this.names;
    const name = `${service}_config`;
    const config = role[name];
    let kind = role[`${service}_type`];
    if (!absent(kind) && (typeof kind !== "string" || !types[service].includes(kind.trim()))) {
      const near = nearest(this.#plain(String(kind)).replaceAll("_", "-"), types[service]) ?? ours[service];
      return this.#add([...path, `${service}_type`], "error", "unknown_type", { service, kind, near });
    }
    if (!absent(config) && !isObject(config)) return this.#add([...path, name], "error", "config_no_object", { service });
    for (const key of flat[service]) {
      if (absent(config) || !(key in role)) continue;
      const mend = key in config ? null : () => ((config[key] = role[key]), delete role[key]);
      this.#add([...path, key], "warning", "flat_beside", { key, service }, mend);
    }
    kind = (kind || ours[service]).trim();
    if (kind === ours[service]) this.#ours([...path, name], role, config ?? {}, service);
    else if (config) this.#numbers([...path, name], config);
  }

  #ours(path, role, config, service) {
    this.#keys(path, config, this.names.fields[service]);
    this.#numbers(path, config);
    const base = config.api_base;
    if (typeof base === "string") {
      this.#base([...path, "api_base"], config, service);
      if (service === "tts" && !("tts_type" in role)) this.#add(path, "warning", "no_tts_type");
    }
    const ours = this.#isOurs(String(base ?? ""));
    this.#key(path, config, ours);
    if (ours) this.#model([...path, "model"], String(config.model ?? "").trim(), service);
    this.#language(path, role, config, service);
    if (service === "tts") this.#voice(path, role, config, ours);
  }

  /** The unified port as that host shows it: containers beside Talkbox call the proxy by its own ports. */
  #port(host) {
    return host === INSIDE_HOST ? INSIDE_PORT : this.talkbox.port;
  }

  #isOurs(base) {
    const url = parts(base);
    return url !== null && url.port !== null && url.port >= this.#port(url.host) && url.port < this.#port(url.host) + 4;
  }

  #base(path, config, service) {
    const base = String(config.api_base).trim();
    if (new RegExp(this.names.odd_address).test(base)) return this.#add(path, "error", "odd_address");
    const url = parts(base);
    const filler = url && this.likeNothing.test(url.host) && !this.loopback.test(url.host);
    if (!url || filler || !["http", "https"].includes(url.scheme)) return this.#add(path, "error", "no_address", { base });
    const all = this.#port(url.host);
    const right = all + 1 + SERVICES.indexOf(service);
    const ports = [all, all + 1, all + 2, all + 3];
    const loopback = this.loopback.test(url.host);
    const trimmed = url.path.replace(/\/+$/, "");
    if (["", "/v1/v1"].includes(trimmed) || !trimmed.endsWith("/v1")) {
      const mend = ["", "/"].includes(url.path) ? () => (config.api_base = `${base.replace(/\/+$/, "")}/v1`) : null;
      this.#add(path, "error", "no_v1", {}, mend);
    }
    if (loopback) this.#add(path, "error", "own_container", { host: url.host });
    if (url.scheme === "https" && ports.includes(url.port)) this.#add(path, "error", "plain_http", { port: url.port });
    if (ports.slice(1).includes(url.port) && url.port !== right) this.#add(path, "error", "other_service", { port: url.port, right, all });
    else if ([8082, 8083].includes(url.port) && !ports.includes(url.port)) this.#add(path, "error", "folotoy_port", { port: url.port, all });
    else if (url.port === null && url.scheme === "http") this.#add(path, "warning", "no_port", { all });
    else if ((loopback || url.host === "host.docker.internal") && !ports.includes(url.port)) this.#add(path, "warning", "foreign_port", { port: url.port ?? 443, all });
  }

  #key(path, config, ours) {
    const { key } = config;
    if (absent(key)) {
      if (ours) this.#add(path, "warning", "no_key");
    } else if (typeof key !== "string") return;
    else if (this.placeholder.test(key.trim())) this.#add([...path, "key"], "error", "placeholder");
    else if (ours && this.talkbox.keys.length && !this.talkbox.keys.includes(key.trim())) this.#add([...path, "key"], "error", "wrong_key");
  }

  #model(path, model, service) {
    const { engines, pinned, usual_models: usual } = this.names;
    const [name] = model.split("/");
    const chain = this.talkbox.chains[service] ?? [];
    if (chain.length && engines[service].includes(name) && !chain.includes(name)) {
      this.#add(path, "error", "no_engine", { name, variable: `${service.toUpperCase()}_ENGINES` });
    } else if (name === pinned[service]) this.#add(path, "warning", "pinned", { name, model: usual[service] });
  }

  #language(path, role, config, service) {
    const language = "language" in config ? config.language : role.language;
    if (service !== "stt" || typeof language !== "string") return;
    const isOfAzure = /^[a-z]{2}-[A-Za-z]{2,4}$/.test(language);
    const right = isOfAzure ? language.slice(0, 2) : this.names.countries[language.trim().toLowerCase()];
    if (!right) return;
    const mend = "language" in config ? () => (config.language = right) : null;
    this.#add([...path, "language"], "warning", isOfAzure ? "azure_language" : "no_language", { language, right }, mend);
  }

  #voice(path, role, config, ours) {
    const own = "voice_name" in config;
    const voice = String((own ? config.voice_name : role.voice_name) ?? "").trim();
    if (!voice) return;
    const at = own ? [...path, "voice_name"] : [...path.slice(0, -1), "voice_name"];
    const { voices } = this.talkbox;
    const all = [...voices, ...this.names.openai_voices].map((name) => name.toLowerCase());
    const name = voice.toLowerCase();
    if (voices.length && ours && !all.includes(name) && !all.includes(name.split("+")[0])) {
      const near = nearest(voice, voices);
      this.#add(at, "error", near ? "near_voice" : "unknown_voice", near ? { voice, near } : { voice });
    }
    const tag = /^([a-z]{2,3})-[A-Z]{2}-/.exec(voice)?.[1];
    if (!tag || tag === "ja" || voice.includes("Multilingual") || !role.start_text) return;
    const chinese = /[一-鿿]/.test(String(role.start_text));
    if (["zh", "yue", "wuu"].includes(tag) !== chinese) this.#add(at, "warning", "other_language", { voice });
  }
}
