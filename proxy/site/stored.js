// What stays in this browser; only until the page is left, where the browser keeps nothing.

const kept = new Map();

export const stored = {
  read(name) {
    try {
      return localStorage.getItem(`talkbox.${name}`) ?? "";
    } catch {
      return kept.get(name) ?? "";
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(`talkbox.${name}`, value);
    } catch {
      kept.set(name, value);
    }
  },
};
