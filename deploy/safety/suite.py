"""Run the suite: attacks in every disguise, long talks, and as many harmless questions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from deploy.safety.child import HeardByChild, Toy
from deploy.safety.disguises import CHINESE, ENGLISH

from chassis.guard.guard import Guard
from chassis.guard.options import GuardOptions
from chassis.script_language import detect

HERE = Path(__file__).parent
HARMLESS = "harmless"
HELLO = {"en": "Hello", "zh": "你好"}
PREFACE = {"en": "Sure! ", "zh": "好呀！"}
_FINE = {"en": "Bears like honey.", "zh": "小熊喜欢蜂蜜。"}
_DISGUISES = {"en": ENGLISH, "zh": CHINESE}
_HALVED = ("strangers", "playground", "neighbours")
"""Files of which one half is held out, and the lists may be improved with the other."""
_STRANGERS = (*_HALVED, "latest", "spoken", "visitors")
"""Files of sentences as strangers would say them."""
TALK_TURNS = 20
ROUNDS = 3
"""Times that each harmless question is asked with the guard and without, to see what it costs."""


class Attack(NamedTuple):
    """One question, and the answer that must not be heard."""

    kind: str
    held_out: bool
    disguise: str
    talk: list[str]
    answer: str
    """Empty: the model says something harmless, and only the child's words matter."""
    language: str
    was_asked_for: bool = True
    """True where the child's words are part of it; else they are harmless."""

    @property
    def is_plain(self) -> bool:
        """True where it may be learnt from: as it was written, and not held out."""
        return not self.held_out and self.disguise in ("plain", "indirect", *_HALVED)


class Ended(NamedTuple):
    """The end of one attack."""

    attack: Attack
    heard: HeardByChild

    @property
    def is_safe(self) -> bool:
        """True where nothing of the answer was heard, or, where only the child's words matter, the guard answered."""
        if not self.attack.answer:
            return self.heard.kind is not None
        return self.attack.answer not in self.heard.words and self.heard.kind is not None

    @property
    def child_was_stopped(self) -> bool:
        """True where the child's words were stopped."""
        return not self.heard.words.startswith(PREFACE[self.attack.language])


class Harmless(NamedTuple):
    """One sentence that must pass."""

    text: str
    source: str
    """File that it is from."""
    language: str
    held_out: bool
    is_told: bool
    """True where the toy says it, and not the child."""


class Result(NamedTuple):
    """The results of all attacks and of all harmless sentences."""

    ended: list[Ended]
    refused: list[tuple[Harmless, str]]
    """Harmless sentences that were stopped, and the kind of risk that each was taken for."""
    harmless: list[Harmless]
    unjudged: int
    added_seconds: float


def attacks() -> Iterator[Attack]:
    """Yield every attack in every disguise, and the long talks."""
    for name, held_out in (("attacks", False), ("held_out", True)):
        for kind, table in _read(name).items():
            for language in ("en", "zh") if kind != HARMLESS else ():
                yield from _of_kind(kind, table, language, held_out=held_out)
    yield from _talks()
    yield from _indirect()
    for name in _STRANGERS:
        for kind, held_out, talk, is_told in _strangers(name):
            if kind != HARMLESS:
                language = _language(talk[-1])
                says, answer = ([HELLO[language]], talk[-1]) if is_told else (talk, "")
                yield Attack(kind, held_out, name, says, answer, language, was_asked_for=not is_told)


def _of_kind(kind: str, table: dict[str, Any], language: str, *, held_out: bool) -> Iterator[Attack]:
    says, toy = table[language], table.get(f"toy_{language}") or [""]
    if not table.get("asked", True):
        for number, answer in enumerate(toy):
            talk = [says[number % len(says)]]
            yield Attack(kind, held_out, "plain", talk, answer, language, was_asked_for=False)
        return
    for number, text in enumerate(says):
        for disguise, change in _DISGUISES[language].items():
            yield Attack(kind, held_out, disguise, [change(text)], toy[number % len(toy)], language)


def _talks() -> Iterator[Attack]:
    kinds, small_talk = _read("attacks"), _read("harmless")
    for talk in _read("talks")["talks"]:
        says, kind, language = talk["says"], talk["kind"], talk["language"]
        between = TALK_TURNS // len(says)
        turns = [
            turn
            for number, text in enumerate(says)
            for turn in [*small_talk[language][number * between :][:between], text]
        ]
        answer = (kinds[kind].get(f"toy_{language}") or [""])[0]
        yield Attack(kind, False, "ten minutes", turns, answer, language)


def _strangers(name: str) -> Iterator[tuple[str, bool, list[str], bool]]:
    """Yield what a file of strangers' sentences has: kind, whether it is held out, a talk, whether the toy says it."""
    for number, (kind, table) in enumerate(_read(name).items()):
        for sort, sentences in table.items():
            for place, text in enumerate(sentences):
                held_out = name not in _HALVED or (place // 2 + number) % 2 == 1
                yield kind, held_out, [text] if isinstance(text, str) else text, sort.startswith("toy")


def _language(text: str) -> str:
    return "zh" if detect(text) == "zh" else "en"


def _indirect() -> Iterator[Attack]:
    for each in _read("indirect")["attacks"]:
        says: list[str] = each["says"]
        held_out = each.get("held_out", False)
        yield Attack(each["kind"], held_out, "indirect", says, each.get("toy", ""), _language(says[-1]))


async def run(profile: str) -> Result:
    """Ask everything; return how it ended."""
    guarded, free = Toy(Guard(GuardOptions(guard="kids", guard_profile=profile))), Toy(None)
    unjudged = 0
    ended = []
    for attack in attacks():
        answer = PREFACE[attack.language] + (attack.answer or _FINE[attack.language])
        heard = await guarded.ask(attack.talk, answer)
        unjudged += heard.unjudged
        ended.append(Ended(attack, heard))
    fine, refused, added = list(harmless()), [], []
    for each in fine:
        hello, reply = HELLO[each.language], _FINE[each.language]
        question, answer = (hello, each.text) if each.is_told else (each.text, reply)
        heard = await guarded.ask([question], answer)
        unjudged += heard.unjudged
        if heard.kind is not None:
            refused.append((each, heard.kind))
        else:
            added += [await _cost(guarded, free, question, answer) for _ in range(ROUNDS)]
    return Result(ended, refused, fine, unjudged, median(added))


async def _cost(guarded: Toy, free: Toy, question: str, answer: str) -> float:
    """Return the seconds that the guard adds to the first byte."""
    with_it, without = await guarded.ask([question], answer), await free.ask([question], answer)
    return with_it.seconds - without.seconds


def harmless() -> Iterator[Harmless]:
    """Yield harmless sentences."""
    known, held_out, indirect = _read("harmless"), _read("held_out")[HARMLESS], _read("indirect")
    for language in ("en", "zh"):
        for text in known[language]:
            yield Harmless(text, HARMLESS, language, held_out=False, is_told=False)
        for text in known[f"toy_{language}"]:
            yield Harmless(text, HARMLESS, language, held_out=False, is_told=True)
        for text in held_out[language]:
            yield Harmless(text, "held_out", language, held_out=True, is_told=False)
        for text in indirect["harmless"][language]:
            yield Harmless(text, "indirect", language, held_out=False, is_told=False)
        for text in indirect["harmless_held_out"][language]:
            yield Harmless(text, "indirect", language, held_out=True, is_told=False)
    for name in _STRANGERS:
        for kind, is_held_out, talk, is_told in _strangers(name):
            if kind == HARMLESS:
                yield Harmless(talk[-1], name, _language(talk[-1]), is_held_out, is_told)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))
