"""Learn the weights of hunches from the suite's own sentences and the corpus: `python -m deploy.safety.learn`.

It is a logistic regression, both classes of equal weight, for a risk of any kind and again for each kind of crisis.
The limits let no more than a given share of unseen sentences be taken for what they are not.
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from deploy.safety.suite import HARMLESS, PREFACE, attacks, harmless
from numpy.typing import NDArray

from chassis.guard.guard import Guard
from chassis.guard.held import LEAST_SENTENCE, SENTENCE_END, clause_ends
from chassis.guard.hunches import BIAS, HUNCH, signs
from chassis.guard.options import GuardOptions
from chassis.guard.profiles import HERE
from chassis.guard.rules import Rules
from chassis.script_language import detect

_CORPUS = Path(__file__).parent / "corpus"
REFUSED, _MISTAKEN = (0.015, 0.015), (0.01, 0.01)
"""Shares of what a child says, and of what it hears: harmless sentences that are a hunch, other risks that are taken
for one kind of crisis. Most of what a child hears is harmless, and comes in more pieces."""
KEPT = 24_000
"""Signs that are kept: those of the greatest weight."""
_LEAST_SEEN = 2
"""Sentences in which a sign is found, at least."""
_ALLOWED = frozenset({"horror"})
"""Kinds that a profile whose hunches count allows: nothing is learnt of them."""
_FOLDS, ROUNDS, RATE, _PENALTY = 5, 200, 0.3, 5e-6

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Shares: TypeAlias = tuple[float, float]


class Example(NamedTuple):
    """One sentence, or the beginning of one that a child hears before the rest."""

    kind: str
    text: str
    is_told: bool
    whole: str
    """The sentence that it is the beginning of, or begins otherwise."""


class Matrix:
    """The signs of many texts, each of the same weight in its text."""

    def __init__(self, texts: Sequence[set[str]], names: dict[str, int]) -> None:
        found = [[names[sign] for sign in sorted(text) if sign in names] for text in texts]
        self.columns = np.array([column for row in found for column in row], dtype=np.int64)
        self.rows = np.repeat(np.arange(len(found)), [len(row) for row in found])
        self._values = np.repeat([1 / max(1, len(text)) ** 0.5 for text in texts], [len(row) for row in found])
        self._shape = (len(found), len(names))

    def times(self, weights: Floats) -> Floats:
        """Return the sum of each text's weights."""
        return np.bincount(self.rows, weights[self.columns] * self._values, self._shape[0]).astype(np.float64)

    def back(self, errors: Floats) -> Floats:
        """Return the sum of each sign's errors."""
        return np.bincount(self.columns, errors[self.rows] * self._values, self._shape[1]).astype(np.float64)


def main() -> None:
    """Write `hunches.tsv`."""
    guard = Guard(GuardOptions(guard="kids"))
    examples = sorted(set(_examples(guard)))
    found = [_signs(guard.rules, each.text) for each in examples]
    counts = Counter(sign for text in found for sign in text)
    names = {sign: number for number, sign in enumerate(sorted(s for s, n in counts.items() if n >= _LEAST_SEEN))}
    matrix = Matrix(found, names)
    kinds = np.array([each.kind for each in examples])
    is_bad = kinds != HARMLESS
    crises = [name for name, kind in guard.kinds.items() if kind.crisis]
    is_told = np.array([each.is_told for each in examples])
    _, wholes = np.unique([each.whole for each in examples], return_inverse=True)
    everything = np.ones(len(examples), bool)
    columns = [learnt(matrix, is_bad, everything, is_told, wholes, REFUSED, HUNCH)]
    columns += [learnt(matrix, kinds == kind, is_bad, is_told, wholes, _MISTAKEN, kind) for kind in crises]
    _write([HUNCH, *crises], list(names), columns)


def learnt(
    matrix: Matrix, is_it: Flags, counts: Flags, is_told: Flags, wholes: NDArray[np.intp], wrong: Shares, name: str
) -> Floats:
    """Return the weight of each sign, and last the limits for a child's words and for an answer's.

    Of unseen sentences of a side that are not it, a share of `wrong` has a beginning above its limit.
    """
    fold = np.random.default_rng(1).integers(0, _FOLDS, wholes.max() + 1)[wholes]
    unseen = np.zeros(len(is_it))
    for number in range(_FOLDS):
        weights = _fitted(matrix, is_it, counts & (fold != number))
        unseen[fold == number] = matrix.times(weights)[fold == number]
    limits = []
    for side, share in zip((~is_told, is_told), wrong, strict=True):
        others = counts & ~is_it & side
        limits.append(_limit(_most(unseen[others], wholes[others]), share))
    found = np.mean((unseen > np.where(is_told, limits[1], limits[0]))[counts & is_it])
    sys.stdout.write(f"{name}: {found:.1%} of {np.sum(counts & is_it)} unseen sentences are found\n")
    return np.append(_fitted(matrix, is_it, counts), limits)


def _most(sums: Floats, wholes: NDArray[np.intp]) -> Floats:
    """Return the greatest sum of each sentence's beginnings."""
    most = np.full(wholes.max() + 1, -np.inf)
    np.maximum.at(most, wholes, sums)
    return most[np.unique(wholes)]


def _limit(others: Floats, wrong: float) -> float:
    return float(np.sort(others)[-1 - int(wrong * len(others))])


def _fitted(matrix: Matrix, is_it: Flags, counts: Flags) -> Floats:
    """Return the weights of a logistic regression, by Adam over all texts at a time."""
    share = np.where(is_it, 0.5 / np.sum(counts & is_it), 0.5 / np.sum(counts & ~is_it)) * counts
    size = int(matrix.columns.max()) + 1
    weights, mean, square, bias = np.zeros(size), np.zeros(size), np.zeros(size), 0.0
    for turn in range(1, ROUNDS + 1):
        errors = share * (1 / (1 + np.exp(-matrix.times(weights) - bias)) - is_it)
        slope = matrix.back(errors) + _PENALTY * weights
        bias -= 5 * RATE * errors.sum()
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        weights = weights - RATE * (mean / (1 - 0.9**turn)) / (np.sqrt(square / (1 - 0.999**turn)) + 1e-8)
    return weights


def _signs(rules: Rules, text: str) -> set[str]:
    return signs(*rules.seen(text))


def _examples(guard: Guard) -> Iterator[Example]:
    for attack in attacks():
        if attack.is_plain and attack.kind not in _ALLOWED:
            if attack.was_asked_for:
                yield from heard(attack.kind, attack.talk[-1], is_told=False)
            if attack.answer:
                yield from heard(attack.kind, attack.answer, is_told=True)
    for each in harmless():
        if not each.held_out:
            yield from heard(HARMLESS, each.text, is_told=each.is_told)
    for own in guard.sentences.values():
        yield from (example for text in (own.zh, own.en) for example in heard(HARMLESS, text, is_told=True))
    yield from of_corpus()


def of_corpus() -> Iterator[Example]:
    """Yield the sentences that were written to be learnt from alone."""
    for path in sorted(_CORPUS.glob("*.toml")):
        for table, sides in tomllib.loads(path.read_text("utf-8")).items():
            kind = HARMLESS if path.stem.startswith(HARMLESS) else table
            for side, lines in sides.items() if kind not in _ALLOWED else ():
                for text in filter(None, lines.splitlines()):
                    yield from heard(kind, text, is_told=side == "told")


def heard(kind: str, text: str, *, is_told: bool) -> Iterator[Example]:
    """Yield a text and, where a child would hear it, what is judged of it with a preface and without."""
    yield Example(kind, text, is_told, text)
    preface = PREFACE["zh" if detect(text) == "zh" else "en"]
    for said in (text, preface + text) if is_told else ():
        pieces = _pieces(said) if kind == HARMLESS else [said]
        yield from (Example(kind, piece, is_told, text) for piece in pieces)


def _pieces(text: str) -> Iterator[str]:
    """Yield each beginning of a sentence that is judged before the rest of it is there, and the whole text."""
    begun = 0
    start = 0
    for end in clause_ends(text):
        yield (piece := text[begun:end].strip())
        if SENTENCE_END.search(text[start:end]) and len(piece) >= LEAST_SENTENCE:
            begun = end
        start = end
    yield text


def _write(kinds: list[str], names: list[str], columns: list[Floats]) -> None:
    table = np.rint(np.stack(columns, axis=1) * 1000).astype(int)
    heaviest = np.sort(np.argsort(-np.abs(table[:-2, 0]))[:KEPT])
    lines = ["\t".join(("", *kinds))]
    lines += ["\t".join((BIAS + side, *map(str, table[row]))) for side, row in (("asked", -2), ("answered", -1))]
    lines += ["\t".join((names[row], *map(str, table[row]))) for row in heaviest]
    (HERE / "hunches.tsv").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
