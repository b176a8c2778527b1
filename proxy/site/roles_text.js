// The text of a roles.json: read with the slips that people make, its lines found, written anew.

/** The text was no JSON: the line to look at, and the code of its sentence. */
export class Broken extends Error {
  constructor(line, code, values = {}) {
    super(code);
    Object.assign(this, { line, code, values });
  }
}

/** The text of a file; a byte order mark is none of it. */
export async function textOf(file) {
  const read = new TextDecoder("utf-8").decode(await file.arrayBuffer());
  const other = read.search(/[\uFFFD\0]/); // GBK, or UTF-16 without its mark
  if (other >= 0) throw new Broken(read.slice(0, other).split("\n").length, "not_utf8");
  return read;
}

/** Where the browser says that its patience ended: an offset into the text, or null. */
function offsetOf(message, text) {
  const position = /position (\d+)/.exec(message);
  if (position) return Number(position[1]);
  const place = /line (\d+) column (\d+)/.exec(message);
  if (!place) return /end of|unexpected eof/i.test(message) ? text.length : null;
  return text.split("\n").slice(0, Number(place[1]) - 1).join("\n").length + Number(place[2]) - (place[1] === "1" ? 1 : 0);
}

/** How browsers say it, and the code of its sentence. */
const BY_MESSAGE = [
  [/control character/i, "open_text"],
  [/after JSON/i, "behind_end"],
  [/escape/i, "escape"],
  [/expected ':'/i, "colon_missing"],
];

function explained(text, message, { beginnings, broken }) {
  if (!text.trim()) return new Broken(1, "empty");
  const begin = text.search(/\S/);
  if (!beginnings.includes(text[begin])) return new Broken(text.slice(0, begin).split("\n").length, "other_format");
  const lines = text.split("\n");
  const offset = offsetOf(message, text) ?? 0;
  const number = text.slice(0, offset).split("\n").length;
  const column = offset - text.lastIndexOf("\n", offset - 1);
  for (const [pattern, code] of broken) if (new RegExp(pattern).test(lines[number - 1])) return new Broken(number, code);
  const comma = text[offset] === "," ? offset : text.slice(0, offset).trimEnd().length - 1;
  if (text[comma] === "," && /^\s*[}\]]/.test(text.slice(comma + 1))) return new Broken(text.slice(0, comma).split("\n").length, "comma_too_many");
  if (text[comma] === "," && [",", "{", "["].includes(text.slice(0, comma).trimEnd().at(-1))) return new Broken(text.slice(0, comma).split("\n").length, "comma_too_many");
  const end = text.trimEnd().length;
  if (offset >= end || /^Unterminated string/i.test(message)) return new Broken(text.slice(0, end).split("\n").length, "cut");
  if (/Expected ','|expected ','/.test(message)) {
    const before = lines.slice(0, number - 1).findLastIndex((line) => line.trim());
    return new Broken(lines[number - 1].slice(0, column - 1).trim() || before < 0 ? number : before + 1, "comma_missing");
  }
  const [, code] = BY_MESSAGE.find(([pattern]) => pattern.test(message)) ?? [null, "no_json"];
  return new Broken(number, code, { column });
}

/**
 * What a text holds.
 *
 * @param {{beginnings: string, half_sign: string, broken: [string, string][]}} names signs with which such a file
 *   begins; the escape of half a character; how lines look that JSON refuses, each with the code of its sentence
 */
export function parse(text, names) {
  const plain = text.replace(/^\uFEFF/, "");
  let found;
  try {
    found = JSON.parse(plain);
  } catch (exc) {
    throw explained(plain, exc.message, names);
  }
  const half = plain.search(new RegExp(names.half_sign));
  if (half >= 0) throw new Broken(plain.slice(0, half).split("\n").length, "half_sign");
  return found;
}

const FIRST = "\u0001"; // place in a list, a longer one for each that follows: no key is like it

/** Each key of a JSON text, after the keys and places in lists that lead to it, and its line. */
function* keys(text) {
  const path = [];
  let last = ["", 1];
  let line = 1;
  let counted = 0;
  for (const token of text.matchAll(/"((?:[^"\\]|\\.)*)"|[{}[\],:]/g)) {
    const sign = token[0];
    line += text.slice(counted, token.index).split("\n").length - 1;
    counted = token.index;
    if (sign[0] === '"') last = [JSON.parse(sign), line];
    else if (sign === ":") {
      path[path.length - 1] = last[0];
      yield [[...path], last[1]];
    } else if (sign === "{" || sign === "[") path.push(sign === "[" ? FIRST : "");
    else if (sign !== ",") path.pop();
    else if (path.at(-1).startsWith(FIRST)) path[path.length - 1] += FIRST;
  }
}

/** The line of each key of a JSON text, by the keys that lead to it, joined by a sign that no key has. */
export function linesOf(text) {
  return new Map([...keys(text)].reverse().map(([path, line]) => [path.join("\0"), line]));
}

/** Every key that an object of a JSON text has more than once. */
export function twice(text) {
  const seen = new Set();
  const doubled = new Set();
  const found = [];
  for (const [path, line] of keys(text)) {
    const name = path.join("\0");
    if (seen.has(name)) doubled.add(name);
    if (seen.has(name) && !doubled.has(path.slice(0, -1).join("\0"))) found.push({ path, line, level: "error", code: "twice", values: { name: path.at(-1) }, mend: null });
    seen.add(name);
  }
  return found;
}

/** The line of a mistake: its key's, or that of the nearest key above it. */
export function lineOf(path, lines) {
  for (let end = path.length; end > 0; end -= 1) {
    const line = lines.get(path.slice(0, end).join("\0"));
    if (line) return line;
  }
  return 1;
}

export const written = (file) => `${JSON.stringify(file, null, 2)}\n`;
