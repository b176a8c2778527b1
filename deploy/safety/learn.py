"""Learn the weights of hunches from the sentences that the lists may be improved with: `python -m deploy.safety.learn`.

Logistic regression, both classes of equal weight; the bias is such that of harmless sentences that it had not seen no
more than `REFUSED` are a hunch.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import exp, sqrt
from random import Random

from deploy.safety.suite import attacks, harmless

from chassis.guard.guard import Guard
from chassis.guard.hunches import BIAS, signs
from chassis.guard.normal import forms
from chassis.guard.options import GuardOptions
from chassis.guard.profiles import HERE

REFUSED = 0.01
"""Share of unseen harmless sentences that are a hunch."""
KEPT = 9000
"""Signs that are kept: those of the greatest weight."""
LEAST_SEEN = 2
"""Sentences in which a sign is found, at least."""
ALLOWED = frozenset({"horror"})
"""Kinds that a profile whose hunches count allows: nothing is learnt of them."""
FOLDS, ROUNDS, RATE, DECAY = 5, 30, 0.8, 2e-5

Example = tuple[list[str], bool]


def main() -> None:
    """Write `hunches.tsv`."""
    examples = _examples()
    Random(1).shuffle(examples)
    unseen = [
        (_score(weights, found), is_bad)
        for fold in range(FOLDS)
        for weights in [learnt([each for at, each in enumerate(examples) if at % FOLDS != fold])]
        for found, is_bad in examples[fold::FOLDS]
    ]
    fine = sorted(score for score, is_bad in unseen if not is_bad)
    limit = fine[-1 - int(REFUSED * len(fine))]
    bad = [score for score, is_bad in unseen if is_bad]
    weights = learnt(examples)
    kept = sorted(weights, key=lambda sign: -abs(weights[sign]))[:KEPT]
    lines = [f"{sign}\t{round(weights[sign] * 1000)}" for sign in sorted(kept)]
    (HERE / "hunches.tsv").write_text("\n".join([f"{BIAS}\t{round(-limit * 1000)}", *lines]) + "\n", "utf-8")
    found = sum(score > limit for score in bad) / len(bad)
    sys.stdout.write(f"{len(kept)} signs; of what was not learnt from, {found:.1%} of the attacks are found\n")


def _examples() -> list[Example]:
    guard = Guard(GuardOptions(guard="kids"))
    plain = [each for each in attacks() if each.is_plain and each.kind not in ALLOWED]
    said = {(each.talk[-1], True) for each in plain if each.was_asked_for}
    said |= {(each.answer, True) for each in plain if each.answer}
    fine = {(text, False) for text, _, held_out, _ in harmless() if not held_out}
    own = {(text, False) for each in guard.sentences.values() for text in (each.zh, each.en)}
    texts = sorted(said | fine | own)
    counts: dict[str, int] = {}
    examples = [(sorted(signs(forms(text, {})[0])), is_bad) for text, is_bad in texts]
    for found, _ in examples:
        for sign in found:
            counts[sign] = counts.get(sign, 0) + 1
    return [([sign for sign in found if counts[sign] >= LEAST_SEEN], is_bad) for found, is_bad in examples]


def learnt(examples: Sequence[Example]) -> dict[str, float]:
    """Return the weight of each sign."""
    weights: dict[str, float] = {}
    bias, chance = 0.0, Random(2)
    bad = sum(is_bad for _, is_bad in examples)
    share = {True: len(examples) / (2 * bad), False: len(examples) / (2 * (len(examples) - bad))}
    order = list(examples)
    for turn in range(ROUNDS):
        chance.shuffle(order)
        rate = RATE / (1 + turn / 4)
        for found, is_bad in order:
            if not found:
                continue
            step = share[is_bad] * (is_bad - 1 / (1 + exp(-_score(weights, found) - bias))) * rate
            bias += step * 0.1
            for sign in found:
                weights[sign] = weights.get(sign, 0.0) * (1 - rate * DECAY * len(order) / 100) + step / sqrt(len(found))
    return weights


def _score(weights: dict[str, float], found: list[str]) -> float:
    return sum(weights.get(sign, 0.0) for sign in found) / sqrt(len(found)) if found else 0.0


if __name__ == "__main__":
    main()
