// What an engine says of its state, in the reader's language; `details.json` has each kind of sentence in both.

import { chosenLanguage } from "./words.js";

const BETWEEN_SENTENCES = /(; |\.(?: (?=[A-Z])|$))/;
const CHINESE_MARKS = { "; ": "；", ". ": "。", ".": "。" };
let kinds = [];

/** Fetch the sentences; until they are there, and for whatever is none of them, the engine's own words are shown. */
export async function readDetails() {
  const pairs = await (await fetch(new URL("./details.json", document.baseURI))).json();
  kinds = pairs.map(([english, chinese]) => ({ pattern: patternOf(english), chinese }));
}

function patternOf(sentence) {
  const literal = sentence.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, "(?<$1>.+?)")}$`);
}

export function detailInWords(detail) {
  if (chosenLanguage() !== "zh") return detail;
  const parts = detail.split(BETWEEN_SENTENCES);
  let told = "";
  for (let at = 0; at < parts.length; at += 2) {
    const chinese = sentenceInChinese(parts[at]);
    const mark = parts[at + 1] ?? "";
    told += chinese === undefined ? parts[at] + mark : chinese + (CHINESE_MARKS[mark] ?? "");
  }
  return told;
}

function sentenceInChinese(sentence) {
  for (const { pattern, chinese } of kinds) {
    const found = pattern.exec(sentence);
    if (found) return chinese.replace(/\{(\w+)\}/g, (whole, name) => found.groups[name]);
  }
}
