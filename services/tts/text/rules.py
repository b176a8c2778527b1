"""A rule: a pattern to look for, and what to say instead; and tables of rules, applied in order.

A table has some two hundred rules, and most texts have nothing for most of them. What characters a pattern cannot match
without is worked out once; a rule whose characters are missing costs a look at a set instead of a walk over the text.
"""

import re
from collections.abc import Callable, Iterable
from re import _constants as of  # type: ignore[attr-defined]  # the only place that knows what a pattern is made of
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple, TypeAlias

Match: TypeAlias = re.Match[str]
Said: TypeAlias = str | Callable[[Match], str]
Characters: TypeAlias = frozenset[str]

_WIDEST = 200
"""Most characters of a range that is listed one by one."""
_ODD_CASES = "\u0130\u0131\u017f\u212a"
"""Letters that are equal to i, s and k where case is ignored."""
_REPEATED = (of.MAX_REPEAT, of.MIN_REPEAT, of.POSSESSIVE_REPEAT)


class Rule(NamedTuple):
    """A pattern to look for, and what becomes of it."""

    pattern: re.Pattern[str]
    said: Said
    needs: tuple[Characters, ...]
    """Sets of characters; a text that the pattern matches has one of each."""

    def applied(self, text: str) -> str:
        return self.pattern.sub(self.said, text)


def rule(pattern: str, said: Said = "", flags: int = 0) -> Rule:
    """Return a rule; what it finds is left out by default."""
    compiled = re.compile(pattern, flags)
    return Rule(compiled, said, tuple(_needs(_parser.parse(pattern, flags), compiled.flags)))


def apply(rules: Iterable[Rule], text: str) -> str:
    """Return what the rules make of the text, one after the other."""
    seen, characters = text, set(text)
    for each in rules:
        if not any(map(characters.isdisjoint, each.needs)):
            text = each.applied(text)
            if text is not seen:
                seen, characters = text, set(text)
    return text


def _needs(pattern: Any, flags: int) -> list[Characters]:
    """Return sets of characters; of each, a text that a parsed pattern matches has one at least."""
    needs: list[Characters] = []
    for kind, what in pattern:
        if kind is of.LITERAL:
            needs.append(_either_case({chr(what)}, flags))
        elif kind is of.IN:
            needs += _listed(what, flags)
        elif kind is of.BRANCH:
            needs += _any_of([_needs(branch, flags) for branch in what[1]])
        elif kind is of.SUBPATTERN:
            needs += _needs(what[3], (flags | what[1]) & ~what[2])
        elif kind is of.ATOMIC_GROUP:
            needs += _needs(what, flags)
        elif (kind in _REPEATED and what[0]) or kind is of.ASSERT:
            needs += _needs(what[-1], flags)
    return needs


def _listed(members: Any, flags: int) -> list[Characters]:
    """Return the characters of [a-z!]; nothing of [^a] and of classes such as \\w."""
    listed: set[str] = set()
    for kind, what in members:
        if kind is of.LITERAL:
            listed.add(chr(what))
        elif kind is of.RANGE and what[1] - what[0] < _WIDEST:
            listed |= {chr(code) for code in range(what[0], what[1] + 1)}
        else:
            return []
    return [_either_case(listed, flags)]


def _any_of(branches: list[list[Characters]]) -> list[Characters]:
    """Return the characters of which one is needed whichever branch it is: of each, its smallest set."""
    return [frozenset().union(*(min(needs, key=len) for needs in branches))] if all(branches) else []


def _either_case(characters: set[str], flags: int) -> Characters:
    if not flags & re.IGNORECASE:
        return frozenset(characters)
    return frozenset(case for char in characters for case in (char, char.lower(), char.upper())) | set(_ODD_CASES)
