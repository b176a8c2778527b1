// Everything the page says, in both languages.

import { en } from "./words_en.js";
import { zh } from "./words_zh.js";

export const languages = { en, zh };
let language = "en";

export function chooseLanguage(name) {
  language = name in languages ? name : "en";
  return language;
}

export const chosenLanguage = () => language;

/** The text called `name` (`problems.key` looks inside), with its `{…}` filled in. */
export function say(name, values = {}) {
  const text = name.split(".").reduce((place, step) => place?.[step], languages[language]) ?? name;
  return Array.isArray(text) ? text : text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}
