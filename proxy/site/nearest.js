// The word that a misspelt one was meant to be, as Python's difflib finds it.

const CUTOFF = 0.75;

/** Letters that two words have in common, in order: the longest common stretch, and so on at both sides of it. */
function common(one, other) {
  let best = { long: 0, at: 0, there: 0 };
  for (let at = 0; at < one.length; at += 1) {
    for (let there = 0; there < other.length; there += 1) {
      let long = 0;
      while (at + long < one.length && there + long < other.length && one[at + long] === other[there + long]) long += 1;
      if (long > best.long) best = { long, at, there };
    }
  }
  const { long, at, there } = best;
  if (!long) return 0;
  return long + common(one.slice(0, at), other.slice(0, there)) + common(one.slice(at + long), other.slice(there + long));
}

/** The most similar of `words`; undefined where none is similar enough. */
export function nearest(word, words) {
  let found;
  let best = 0;
  for (const other of words) {
    const total = word.length + other.length;
    const ratio = total ? (2 * common(other, word)) / total : 1;
    if (ratio >= CUTOFF && (ratio > best || (ratio === best && other > found))) [found, best] = [other, ratio];
  }
  return found;
}
