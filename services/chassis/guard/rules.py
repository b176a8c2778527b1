"""Rules: terms and what they mean together, matched in one pass over a text, whatever its length.

The lists are TOML files. A table is a kind of risk; `groups` names terms that several kinds use; `except` holds phrases
in which a term means nothing (a water gun). `warns` and `harmful` mark a warning, `unable` ("you cannot") one in an
answer alone, and none counts where something is `hushed` ("do not tell your mom"). `how` marks a request, `worried` a
question about a danger rather than for it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from chassis.guard.hunches import Hunches
from chassis.guard.normal import HAN, forms, squashed, squeezed
from chassis.guard.places import ANYWHERE, Places, are_near, widths
from chassis.guard.sounds import latin_starts, spelt
from chassis.guard.spelling import EnglishSpelling
from chassis.guard.terms import TermFinder, keys_of, terms_of
from chassis.guard.topics import PREFIX, topics_in
from chassis.settings import SettingError

Side: TypeAlias = Literal["asked", "answered"]
"""The side whose words are judged: a child's, or those of an answer that the child would hear."""
_EXCEPT, _WARNS, _UNABLE, HARMFUL, HOW, _WORRIED = "except", "warns", "unable", "harmful", "how", "worried"
_HUSHED = "hushed"
FLAT = (_EXCEPT, _WARNS, _UNABLE, HARMFUL, _HUSHED, HOW, _WORRIED)
"""Tables of a list that belong to no kind of risk."""
_SYLLABLES_BY_SOUND = 4
"""Fewest characters of a term that is found by its sound too; shorter ones sound like too much else."""
_LEAST_PINYIN = 3
"""Fewest syllables of a text that counts as Chinese in Latin letters; all terms are found in it."""
_LEAST_SQUASHED = 8
"""Fewest letters of a term that is found where all blanks are left out."""
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_TONED = re.compile("[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]")
"""Vowels of pinyin that is written with its tones."""
_IS_HAN = re.compile(f"[{HAN}]+")


class KindRules(Struct, forbid_unknown_fields=True):
    """The terms of one kind of risk, as one table of a list holds them."""

    stop: str = ""
    """Terms, each of which alone stops a text."""
    together: list[str] = []
    """Lines such as `@make + @weapon - @toy`: stopped by one of each group, and none behind the minus."""
    asked: list[str] = []
    """Lines as in `together`, for a child's words alone."""
    answered: list[str] = []
    """Lines as in `together`, for an answer's words alone."""
    without: str = ""
    """Terms beside which no line of this kind holds, in whichever list it stands."""
    hint: str = ""
    """Terms that mean nothing alone, but count when a conversation comes back to them."""


class Finding(NamedTuple):
    """The kinds of risk that rules find in a text."""

    stopped: tuple[str, ...]
    """Kinds of risk, in the order of the lists."""
    hinted: frozenset[str]
    """Kinds of risk that the text comes near to."""
    topics: frozenset[str] = frozenset()
    """Topics that the text touches, where a profile is locked to some."""
    hunch: str | None = None
    """Kind of risk that an answer's clause is likely to be, where no rule holds."""


class _Rule(NamedTuple):
    kind: str
    needs: frozenset[str]
    without: frozenset[str]
    sides: frozenset[Side]
    alone: bool
    """One term is enough: a warning does not excuse it."""


class Rules:
    """The lists, ready to match.

    Args:
        folders: Folders of lists; a table that several files have is joined.
        warnable: Kinds that an answer may name in order to warn.
        own: Sentences of ours, in which nothing is looked for.
        topics: Topics that profiles name; one that is in no list is a word. Without any, none is looked for.
        hunches: Decides on an answer's clause where no rule holds.

    Raises:
        SettingError: A list cannot be used.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        warnable: frozenset[str] = frozenset(),
        own: Iterable[str] = (),
        topics: frozenset[str] = frozenset(),
        hunches: Hunches | None = None,
    ) -> None:
        self._hunches = hunches
        self._warnable = warnable
        self._groups: dict[str, list[str]] = {_EXCEPT: list(own)}
        self._topics = topics
        self._rules: list[_Rule] = []
        self._hints: dict[str, set[str]] = {}
        self._without: dict[str, set[str]] = {}
        self._also: list[tuple[str, str]] = []
        """Groups whose terms another one has too."""
        self._by_sound: set[str] = set()
        self._numbers = count()
        self.kinds: set[str] = set()
        for path in (path for folder in folders for path in _lists(folder)):
            self._read(path)
        for topic in topics:
            self._groups.setdefault(PREFIX + topic, [topic])
        self._check()
        self._build()

    def look(self, text: str, side: Side) -> Finding:
        """Return the kinds of risk in a text of a sentence or two."""
        plain, at = self.seen(text)
        held = (rule.kind for rule in self._candidates(at) if self._holds(rule, at, side))
        stopped = tuple(dict.fromkeys(held))
        hunch = self._hunch(plain, at, side) if side == "answered" and not stopped and _EXCEPT not in at else None
        hinted = {kind for kind, groups in self._hints.items() if not groups.isdisjoint(at)}
        return Finding(stopped, frozenset(hinted), topics_in(at), hunch)

    def seen(self, text: str) -> tuple[str, Places]:
        """Return a text as plain words, and where the terms of each group begin in it."""
        at: dict[str, list[int]] = {}
        is_toned = bool(_TONED.search(text))
        ways = forms(text, self._words, self._spelling)
        for form in ways:
            self._match(form, at, is_toned=is_toned)
        if short := squashed(text):
            for group in (group for _, (_, groups) in self._squashed.iter(short) for group in groups):
                at.setdefault(group, [ANYWHERE])
        return ways[0], at

    def hunch(self, text: str) -> str | None:
        """Return the kind of risk that a child's whole message is likely to be; half of one may be anything."""
        return self._hunch(*self.seen(text), "asked")

    def _hunch(self, plain: str, groups: Iterable[str], side: Side) -> str | None:
        return self._hunches.kind_of(plain, groups, side) if self._hunches else None

    def _match(self, form: str, at: dict[str, list[int]], *, is_toned: bool) -> None:
        width = widths(form)
        hits = [(end - length + 1, end, groups) for end, (length, groups) in self._plain.iter(form)]
        spans = [(start, end) for start, end, groups in hits if _EXCEPT in groups]
        for start, end, groups in hits:
            if not any(first <= start and end <= last for first, last in spans) or _EXCEPT in groups:
                for group in groups:
                    at.setdefault(group, []).append(width[start])
        for start, end in spans:
            form = f"{form[:start]} {' ' * (end - start)}{form[end + 1 :]}"
        for group in (group for groups in self._heard(form, is_toned=is_toned) for group in groups):
            at.setdefault(group, [ANYWHERE])

    def _heard(self, form: str, *, is_toned: bool) -> Iterator[frozenset[str]]:
        """Yield the groups whose terms sound as the text does."""
        if not (sound := spelt(form)):
            return
        if (is_latin := form.isascii()) and (is_toned or sound.count("'") > _LEAST_PINYIN):
            yield from (groups for _, (_, groups) in self._pinyin.iter(sound))
            return
        yield from (groups for _, (_, groups) in self._sounds.iter(sound))
        starts = [] if is_latin else latin_starts(form)
        for end, (length, groups) in self._pinyin.iter(sound) if starts else ():
            if bisect_left(starts, end - length + 1) < bisect_left(starts, end):
                yield groups

    def _candidates(self, at: Places) -> Iterator[_Rule]:
        seen = {number for group in at for number in self._of_group.get(group, ())}
        return (self._rules[number] for number in sorted(seen))

    def _holds(self, rule: _Rule, at: Places, side: Side) -> bool:
        if side not in rule.sides or not rule.needs <= at.keys() or not rule.without.isdisjoint(at):
            return False
        if rule.alone:
            return True
        if not self._without[rule.kind].isdisjoint(at):
            return False
        if side == "asked" and not are_near(rule.needs, at):
            return False
        if rule.kind not in self._warnable:
            return True
        warnings = (_WARNS, _UNABLE) if side == "answered" else (_WARNS,)
        last = max(at[need][0] for need in rule.needs)
        is_warning = HARMFUL in at or any(each in at and at[each][0] < last for each in warnings)
        if is_warning and _HUSHED not in at:
            return side == "asked" and HOW in at
        return side == "answered" or _WORRIED not in at or HOW in at

    def _read(self, path: Path) -> None:
        try:
            tables = msgspec.toml.decode(path.read_bytes())
            groups = msgspec.convert(tables.pop("groups", {}), dict[str, str])
            listed = msgspec.convert(tables.pop("topics", {}), dict[str, str])
            topics = listed if self._topics else {}
            flat = {name: msgspec.convert(tables.pop(name, ""), str) for name in (*FLAT, "sounds")}
            kinds = msgspec.convert(tables, dict[str, KindRules])
        except (OSError, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as exc:
            raise SettingError(f"GUARD_LISTS: {path.name}: {exc}.") from exc
        self._by_sound |= set(terms_of(flat.pop("sounds")))
        named = ((PREFIX + name, terms) for name, terms in topics.items())
        for name, terms in (*groups.items(), *flat.items(), *named):
            self._groups.setdefault(name, []).extend(terms_of(terms))
        for kind, rules in kinds.items():
            self._add(kind, rules)

    def _add(self, kind: str, rules: KindRules) -> None:
        self.kinds.add(kind)
        asked: frozenset[Side] = frozenset(("asked",))
        answered: frozenset[Side] = frozenset(("answered",))
        both = asked | answered
        for group in self._operands(rules.stop):
            self._rules.append(_Rule(kind, frozenset([group]), frozenset(), both, alone=True))
        sided = [(both, rules.together), (asked, rules.asked), (answered, rules.answered)]
        for sides, expressions in sided:
            for expression in expressions:
                needs, *without = expression.split(" - ")
                groups = (self._group(each) for each in needs.split(" + "))
                banned = frozenset(map(self._group, without))
                self._rules.append(_Rule(kind, frozenset(groups), banned, sides, alone=False))
        self._hints.setdefault(kind, set()).update(self._operands(rules.hint))
        self._without.setdefault(kind, set()).update(self._operands(rules.without))

    def _operands(self, text: str) -> list[str]:
        """Return the groups of a list of terms; names of groups stand among them with an `@`."""
        parts = terms_of(text)
        named = [each[1:] for each in parts if each.startswith("@")]
        own = [each for each in parts if not each.startswith("@")]
        return named + ([self._own_group(own)] if own else [])

    def _group(self, operand: str) -> str:
        """Return the group of `@make`, of `knife|blade` or of both in one."""
        parts = [part.strip() for part in operand.split("|")]
        if len(parts) == 1 and parts[0].startswith("@"):
            return parts[0][1:]
        name = self._own_group([part for part in parts if not part.startswith("@")])
        for part in parts:
            if part.startswith("@"):
                self._also.append((part[1:], name))
        return name

    def _own_group(self, terms: list[str]) -> str:
        name = f"#{next(self._numbers)}"
        self._groups[name] = terms
        return name

    def _check(self) -> None:
        for rule in self._rules:
            for group in rule.needs | rule.without:
                if group not in self._groups:
                    raise SettingError(f"GUARD_LISTS: [{rule.kind}] names @{group}, and there is no such group.")
        for group, other in self._also:
            self._groups[other] += self._groups.get(group, [])

    def _build(self) -> None:
        of_term: dict[str, set[str]] = {}
        for group, terms in self._groups.items():
            for term in terms:
                of_term.setdefault(term, set()).add(group)
        enough = {need for rule in self._rules if rule.alone for need in rule.needs}
        plain, sounds, pinyin, tight = TermFinder(), TermFinder(), TermFinder(), TermFinder()
        for term, groups in of_term.items():
            for key in keys_of(term):
                plain.add(key, groups)
                letters = key.replace(" ", "")
                if letters.isascii() and len(letters) >= _LEAST_SQUASHED and groups & enough:
                    tight.add(letters, groups & enough)
            if _IS_HAN.fullmatch(term) and _EXCEPT not in groups:
                pinyin.add(sound := spelt(term), groups)
                if len(term) >= _SYLLABLES_BY_SOUND or term in self._by_sound:
                    sounds.add(sound, groups)
        words = {word for key in plain.groups_of for word in key.split() if word.isascii()}
        self._words = {squeezed(word): word for word in words} | {word: word for word in words}
        self._spelling = EnglishSpelling(words, self._hunches.knows if self._hunches else words.__contains__)
        finders = (each.built() for each in (plain, sounds, pinyin, tight))
        self._plain, self._sounds, self._pinyin, self._squashed = finders
        self._groups.clear()  # they are in the finders now
        self._of_group: dict[str, list[int]] = {}
        for number, rule in enumerate(self._rules):
            for need in rule.needs:
                self._of_group.setdefault(need, []).append(number)


def _lists(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.toml"))
    if not found:
        raise SettingError(f"GUARD_LISTS: there is no list (*.toml) in {str(folder)!r}.")
    return found
