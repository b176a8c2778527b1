"""The guard of a service: which profile a key has, what a verdict says, and the sentence that a child hears instead."""

from collections import Counter as Points
from collections.abc import Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter

from chassis import metrics
from chassis.guard.diary import Diary
from chassis.guard.held import Held, clauses
from chassis.guard.hours import Hours
from chassis.guard.hunches import HUNCH, Hunches
from chassis.guard.minutes import Minutes
from chassis.guard.models import GuardModel
from chassis.guard.notices import Notices
from chassis.guard.options import GuardOptions, LimitsOptions
from chassis.guard.panel import Panel
from chassis.guard.profiles import HERE, OFF_PROFILE, Profile, Risk, Sentences, profile_of, read_file
from chassis.guard.replies import is_unfinished, refers_back, says_yes, together
from chassis.guard.rules import Finding, Rules, Side
from chassis.guard.topics import RECENT, is_locked
from chassis.privacy import Storage, Transfer
from chassis.settings import by_name

RULES = "rules"
UNSEEN = "unseen"
STAND_INS = ("said", "said-in-need")
"""Names of the sentences in `sentences.toml` that are written down in place of a child's stopped words."""
_LONGEST_SAID = 8_000
"""Characters that a child says at a time; more of them are no child's words, and nobody waits for their judgement."""
_DEFAULT_PROFILE = "6-8"
_LONGEST_ASKED_FOR = 300
"""Characters of a child's words that an answer may say yes to."""
_REMEMBERED = 40
"""Messages of a talk that are looked at together."""

judged = Counter("talkbox_guard_total", "Clauses that the guard did not let pass", ["hop", "kind", "action"])


class Verdict(Struct, frozen=True):
    """The reason why a text does not pass."""

    kind: str
    crisis: bool
    finish: Literal["content_filter", "stop"]


TOO_LONG = Verdict("jailbreak", crisis=False, finish="content_filter")
_BEDTIME = Verdict("bedtime", crisis=False, finish="stop")
ENOUGH = Verdict("minutes", crisis=False, finish="stop")
LOCKED = Verdict("topic", crisis=False, finish="stop")
Said: TypeAlias = tuple[Literal["child", "toy"], str]
"""One message of a talk: who said it, and what."""


class Guard:
    """Judges what passes through one service.

    Raises:
        SettingError: A profile or a list cannot be used.
    """

    def __init__(self, options: GuardOptions, limits: LimitsOptions | None = None) -> None:
        self.kinds = dict(read_file(HERE / "kinds.toml", dict[str, Risk]))
        self.sentences = read_file(HERE / "sentences.toml", dict[str, Sentences])
        said = (text for name, each in self.sentences.items() if name not in STAND_INS for text in (each.zh, each.en))
        own = frozenset(clause for text in said for clause in clauses(text))
        self._profiles = {name: profile_of(found[-1]) for name, found in by_name(options.guard_profile).items()}
        topics = frozenset(topic for profile in self._profiles.values() for topic in profile.topics)
        warnable = frozenset(name for name, kind in self.kinds.items() if kind.warnable)
        self.rules = _rules(options.guard_lists, warnable, own, topics)
        for name in self.rules.kinds - self.kinds.keys():
            self.kinds[name] = Risk("the operator's own", "grown-up")
        models = [GuardModel(name) for name in options.guard_engines if name != RULES]
        self.panel = Panel(self.rules, models, options.guard_seconds)
        self._limits = limits = limits or LimitsOptions()
        self.hours = Hours(limits.hours)
        self._diary = Diary(limits.store) if limits.minutes or limits.reminder_minutes else None
        self.minutes = None if self._diary is None else Minutes(limits, self._diary)
        self.notices = Notices(options.guard_webhook_url) if options.guard_webhook_url else None
        self.stops = options.guard == "kids"
        self._options, self._models = options, models

    @property
    def keeps(self) -> tuple[Storage, ...]:
        """Entries for the sheet of what is kept."""
        return () if self._diary is None else (self._diary.keeps,)

    @property
    def sends(self) -> tuple[Transfer, ...]:
        """Entries for the sheet of what leaves a service."""
        asked = (Transfer("words", model.name, "GUARD_ENGINES", model.server) for model in self._models)
        if self.notices is None:
            return tuple(asked)
        return (*asked, Transfer("notices", "webhook", "GUARD_WEBHOOK_URL", self.notices.server))

    def state(self, *, with_keys: bool) -> dict[str, Any]:
        """Return what is on, for which key, and how many clauses of each kind did not pass, in all processes.

        Args:
            with_keys: Name the keys.
        """
        profiles = {name: found[-1] for name, found in by_name(self._options.guard_profile).items()}
        stopped = metrics.read(_counts)
        state: dict[str, Any] = {"mode": self._options.guard, "engines": self._options.guard_engines}
        state |= {"profile": profiles.pop("", _DEFAULT_PROFILE), "stopped": stopped}
        if with_keys:
            state |= {"minutes": self._limits.minutes, "hours": self._limits.hours}
        if with_keys and (self._limits.minutes or self._limits.hours):
            state["clock"] = datetime.now().astimezone().strftime("%H:%M %Z")
        return state | ({"profiles": profiles} if with_keys and profiles else {})

    def watch(self, key: str | None) -> "Watch | None":
        """Return the guard of one request; None where its key has the profile `off`."""
        profile = self._profiles.get(key or "", self._profiles.get(""))
        return Watch(self, profile or Profile(), key) if profile is not OFF_PROFILE else None

    def verdict(self, kind: str) -> Verdict:
        """Return what it means that something of a kind was found."""
        return Verdict(kind, self.kinds[kind].crisis, self.kinds[kind].finish)

    async def aclose(self) -> None:
        """Send the notices that wait, and close all connections."""
        await self.panel.aclose()
        if self.notices is not None:
            await self.notices.aclose()
        if self._diary is not None:
            await self._diary.aclose()


class Watch:
    """Judges one request by the profile of its key."""

    def __init__(self, guard: Guard, profile: Profile, key: str | None) -> None:
        self.guard, self.profile, self.stops = guard, profile, guard.stops
        self._key, self._child = key, ""
        self.counts = True
        """False where nobody hears it yet: nothing is counted, and no notice is sent."""
        self.suspects: frozenset[str] = frozenset()
        """Kinds that the talk has come back to, so that a hint is enough."""
        self.noted: Verdict | None = None
        """The first verdict, be it carried out or not."""
        self.reminder: int | None = None
        """Minutes without a pause, where the answer is to say so."""

    async def asked(self, talk: Sequence[Said]) -> Verdict | None:
        """Judge the last message of a talk, in the light of those before it."""
        points: Points[str] = Points()
        for who, text in talk[-_REMEMBERED:-1]:
            if who == "child":
                found = self.guard.rules.look(text[-_LONGEST_SAID:], "asked")
                points.update(found.hinted)
                points.update(dict.fromkeys(found.stopped, 2))
        self.suspects = frozenset(kind for kind, count in points.items() if count >= self.profile.points)
        self._child = talk[-1][1] if talk else ""
        if len(self._child) > _LONGEST_SAID:
            self.noted = TOO_LONG
            return TOO_LONG if self.stops else None
        verdict = await self.judge(self._child, "asked") if talk else None
        if self.noted is None and (kind := self._follows_up(talk)) is not None:
            return self._found("asked", kind)
        if talk and self.noted is None and self.profile.topics and self._is_locked(talk):
            return self._carried_out("asked", LOCKED)
        is_crisis = self.noted is not None and self.noted.crisis
        if talk and (limit := await self._limit()) is not None and not is_crisis:
            return self._carried_out("asked", limit)
        return verdict

    def unseen(self) -> Verdict | None:
        """Judge a message with a picture, a recording or a file, which nobody here can judge; None: it may pass."""
        return self._carried_out("asked", self.guard.verdict(UNSEEN)) if self.is_stopped(UNSEEN) else None

    def _follows_up(self, talk: Sequence[Said]) -> str | None:
        """Return the risk of the last message with the one before: "Why do bombs go off?" "How do I make one?".

        Of fragments ("how do i", "make a", "bomb") all are looked at. A crisis is told by one message, or by the
        parts of one: "My dog died." and "I want him back." are none.
        """
        said = [text[-_LONGEST_ASKED_FOR:] for who, text in talk[-_REMEMBERED:] if who == "child"]
        if len(said) < 2 or not refers_back(said[-1]):
            return None
        parts = together(said)
        known, found = (self.guard.rules.look(" ".join(each), "asked").stopped for each in (parts[:-1], parts))
        may_be_crisis = all(map(is_unfinished, parts[:-1]))
        new = (kind for kind in found if kind not in known and (may_be_crisis or not self.guard.kinds[kind].crisis))
        return next(filter(self.is_stopped, new), None)

    def _is_locked(self, talk: Sequence[Said]) -> bool:
        """Tell whether the last message of a talk is none of the topics that the toy may talk about."""
        *before, now = [self.guard.rules.look(text[-_LONGEST_SAID:], "asked").topics for _, text in talk[-RECENT - 1 :]]
        return is_locked(self.profile, self._child, now, before)

    def _carried_out(self, side: Side, verdict: Verdict) -> Verdict | None:
        """Note and count a verdict; return it, unless the guard only watches."""
        self.noted = self.noted or verdict
        if self.counts:
            metrics.of(judged, side, verdict.kind, "stopped" if self.stops else "shadow").inc()
        return verdict if self.stops else None

    async def _limit(self) -> Verdict | None:
        """Return why the toy does not talk now; None: it does."""
        if not self.guard.hours.are_open(self._key):
            return _BEDTIME
        if self.guard.minutes is None:
            return None
        talked = await self.guard.minutes.note(self._key)
        self.reminder = talked.reminder if self.stops else None
        return ENOUGH if talked.is_over else None

    def harmless(self, text: str, side: Side = "asked") -> bool:
        """Tell whether what was said before may be repeated, as far as the rules know."""
        if len(text) > _LONGEST_SAID:
            return False
        found = self.guard.rules.look(text, side)
        kinds = (*found.stopped, HUNCH) if found.hunch else found.stopped
        return not any(self.is_stopped(kind) for kind in kinds)

    async def judge(self, text: str, side: Side) -> Verdict | None:
        """Judge a whole text; None: it may pass, or is only to be noted."""
        held = self.held(side)
        await held.add(text, last=True)
        may_guess = side == "asked" and self.noted is None and self.is_stopped(HUNCH)
        if may_guess and (kind := self.guard.rules.hunch(text)):
            return self._found(side, kind)
        return held.verdict

    def held(self, side: Side, before: str = "") -> Held[Verdict]:
        """Return what holds a text back until it is judged; `before` are words that it goes on with."""
        ask = partial(self._ask, side) if self.guard.panel.models else None
        return Held(partial(self._clause, side), ask, before)

    def sentence(self, verdict: Verdict, text: str) -> str:
        """Return what a child hears instead, in the language of `text`."""
        return self.guard.sentences[self.guard.kinds[verdict.kind].sentence].of(text)

    def remind(self, text: str) -> str:
        """Return what an answer ends with where it is time for a rest, in the language of `text`; else nothing."""
        if self.reminder is None:
            return ""
        return self.guard.sentences["reminder"].of(text).format(minutes=self.reminder)

    def stand_in(self, verdict: Verdict, text: str) -> str:
        """Return what a child is written down to have said instead, in the language of `text`."""
        return self.guard.sentences[STAND_INS[verdict.crisis]].of(text)

    async def _ask(self, side: Side, text: str) -> Verdict | None:
        return self._verdict(side, await self.guard.panel.ask(text, side, self._child))

    def _clause(self, side: Side, text: str) -> Verdict | None:
        found = self.guard.panel.look(text, side)
        if side == "answered" and not found.stopped and says_yes(text, self._child):
            asked_for = self.guard.rules.look(f"{self._child[-_LONGEST_ASKED_FOR:]} {text}", side)
            found = found._replace(stopped=asked_for.stopped, hunch=asked_for.hunch or found.hunch)
        return self._verdict(side, found)

    def _verdict(self, side: Side, found: Finding) -> Verdict | None:
        kinds = [kind for kind in found.stopped if self.is_stopped(kind)]
        kinds += [kind for kind in found.hinted if kind in self.suspects or kind in self.profile.strict]
        if found.hunch and not kinds and self.is_stopped(HUNCH):
            kinds = [found.hunch]
        if not kinds:
            is_locked_out = side == "answered" and not found.topics.isdisjoint(self.profile.never)
            return self._carried_out(side, LOCKED) if is_locked_out else None
        kinds.sort(key=lambda kind: not self.guard.kinds[kind].crisis)
        return self._found(side, kinds[0])

    def _found(self, side: Side, kind: str) -> Verdict | None:
        """Carry a verdict out, and tell the owner of a crisis."""
        verdict = self.guard.verdict(kind)
        if verdict.crisis and self.guard.notices is not None and self.noted is None and self.counts:
            self.guard.notices.tell(verdict.kind, side, self._key)
        return self._carried_out(side, verdict)

    def is_stopped(self, kind: str) -> bool:
        """Tell whether what is of this kind does not pass, at the age of the key."""
        return kind in self.profile.strict if self.guard.kinds[kind].optional else kind not in self.profile.allow


def _counts(registry: CollectorRegistry) -> dict[str, int]:
    """Return the clauses that did not pass, by their kind."""
    counts: Points[str] = Points()
    for metric in registry.collect():
        if metric.name == "talkbox_guard":
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    counts[sample.labels["kind"]] += int(sample.value)
    return dict(counts.most_common())


@cache
def _rules(lists: Path | None, warnable: frozenset[str], own: frozenset[str], topics: frozenset[str]) -> Rules:
    """Return the rules of the lists here and of the operator's, read once."""
    folders = [HERE / "lists", *([lists.expanduser()] if lists else [])]
    return Rules(folders, warnable, own, topics, Hunches(HERE / "hunches.tsv"))
