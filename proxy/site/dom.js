// The small things that every card of the page is made with.

export const byId = (id) => document.getElementById(id);

/** An element with classes, text or children, and attributes. */
export function make(tag, { classes = "", text = null, children = [], ...attributes } = {}) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text !== null) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button; `name` is a text of words.js, which follows the page's language. */
export function button(name, text, pressed, classes = "quiet") {
  const element = make("button", { classes, type: "button", "data-t": name, text });
  element.addEventListener("click", pressed);
  return element;
}

/** A drawing of paths, each `[class, path]`. */
export function drawing(classes, viewBox, paths) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  if (classes) svg.setAttribute("class", classes);
  svg.setAttribute("viewBox", viewBox);
  svg.setAttribute("aria-hidden", "true");
  for (const [name, line] of paths) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    if (name) path.setAttribute("class", name);
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** Options as `[value, text, group]`; left alone while they are the same, so that an open list stays open. */
export function fill(select, options, chosen) {
  const wanted = JSON.stringify(options);
  if (select.dataset.filled !== wanted) {
    select.dataset.filled = wanted;
    const groups = new Map();
    for (const [value, text, group = ""] of options) {
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(make("option", { value, text }));
    }
    select.replaceChildren(...[...groups].flatMap(([label, children]) => (label ? [make("optgroup", { label, children })] : children)));
  }
  select.value = options.some(([value]) => value === chosen) ? chosen : (options[0]?.[0] ?? "");
}

/** A link that saves something as a file. */
export function saving(name, text, content, file) {
  return make("a", { classes: "quiet", href: URL.createObjectURL(content), download: file, "data-t": name, text });
}

/** Put a text into the clipboard; whether that was allowed. */
export async function copied(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // not allowed: the old way below may be
    }
  }
  const area = make("textarea", { classes: "unseen", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy"); // all there is on plain http
  area.remove();
  return done;
}
