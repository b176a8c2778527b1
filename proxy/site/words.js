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

/** Seconds as a person says them, in the unit that fits: `7 seconds`, `12 hours`. */
export function span(seconds) {
  const [unit, long] = [["hour", 3600], ["minute", 60]].find(([, least]) => seconds >= 2 * least) ?? ["second", 1];
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" }).format(Math.ceil(seconds / long));
}
