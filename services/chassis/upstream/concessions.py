"""The parts that a question gives up, so that a server that has refused it may answer."""

import re
from collections.abc import Iterator

from chassis.upstream.question import Question
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.refusals.kinds import Kind

_MOST_FIELDS = 8
"""How many times one question may lose something, each for one more request."""
_ELSEWHERE = frozenset({403, 500, 501})
"""Statuses with which some refuse a field, though they mean something else."""
_DEMAND = re.compile(r"\b(?:must|should|expected)\b", re.IGNORECASE)
_ONE_OF_THEM = re.compile("both|exclusive|either|together|same time|同时", re.IGNORECASE)
"""Words for fields that are refused beside one another."""

_OF_CONTENT = re.compile(r"image|vision|picture|audio|modal|tool|function|图|视觉|音频|模态|工具|函数", re.IGNORECASE)
"""Words for what a question is about, which no field less would change."""


class Concessions:
    """One question, with what it has lost so far."""

    def __init__(self, question: Question, without: frozenset[str]) -> None:
        self.question, self.without = question, without
        self.learnt = without
        """Fields that are worth being remembered: a value beyond its range says nothing of the next caller's."""
        self._lost = 0
        self._shortened = False

    def can_do_with_less(self, status: int, complaint: Complaint) -> bool:
        """Give up what the refusal is about; return whether there was something to give up."""
        match complaint.kind:
            case Kind.TOO_LONG:
                return self._shorten() or self._leave_out(complaint)
            case None if status in (400, 422):
                return self._leave_out(complaint)
            case None if status in _ELSEWHERE:
                explains = complaint.unknown or _DEMAND.search(complaint.message) is not None
                return explains and any(self._named(complaint)) and self._leave_out(complaint)
            case Kind.UNKNOWN_MODEL if status in (400, 404, 422):  # or a field that this model does not have
                return any(self._named(complaint)) and self._leave_out(complaint)
            case None if status == 413:
                return self._shorten()
            case _:
                return False

    def heed(self, complaint: Complaint) -> bool:
        """Give up the fields that an error inside an answer names as unknown, for questions to come."""
        return complaint.unknown and any(map(complaint.names, self._at_fault(complaint))) and self._leave_out(complaint)

    def _leave_out(self, complaint: Complaint) -> bool:
        fields = frozenset(self._at_fault(complaint)) or self._unnamed(complaint)
        if self._lost == _MOST_FIELDS or not self._changes(*fields):
            return False
        self._lost += 1
        if self._lost == _MOST_FIELDS:  # whoever refuses so much gets no more than it needs
            fields |= frozenset().union(*self.question.dispensable[:1])
        self.without |= fields
        if complaint.unknown or not complaint.of_range:
            self.learnt |= fields
        return True

    def _at_fault(self, complaint: Complaint) -> list[str]:
        """Return the field to give up, or all those that are listed as unknown."""
        found = [field for field in self._named(complaint) if self._changes(field)]
        named = [field for field in found if complaint.names(field)]
        listed = complaint.unknown and not _ONE_OF_THEM.search(complaint.message)
        if listed and named[:1] == found[:1] and self._changes(*named):
            return named
        return self._called_together(found, complaint) if found[:1] != named[:1] else found[:1]

    def _called_together(self, found: list[str], complaint: Complaint) -> list[str]:
        """Return the first of `found`, and all wishes that the refusal means by the same words: those of sampling."""
        wishes = frozenset().union(*self.question.dispensable[:1])
        meant = {field: self._words_for(field, complaint) for field in found}
        return [field for field in found if field == found[0] or (field in wishes and meant[field] == meant[found[0]])]

    def _words_for(self, field: str, complaint: Complaint) -> tuple[int, int] | None:
        """Return where the refusal describes `field`, without its name."""
        pattern = self.question.spare[field]
        words = pattern.search(complaint.told) if pattern else None
        return words and words.span()

    def _unnamed(self, complaint: Complaint) -> frozenset[str]:
        """Return what to give up where a refusal names nothing: step by step down to the barest question."""
        if _OF_CONTENT.search(complaint.message):
            return frozenset()
        named = set(filter(complaint.names, self.question.callers))
        if named - {"messages"}:
            return frozenset()
        steps = [self.question.reforms]
        if not named:
            wishes = self.question.dispensable
            steps = [self.question.extras, *wishes[:1], *steps, *wishes[1:]]
        fields = next((fields for fields in steps if self._changes(*fields)), frozenset())
        return frozenset(filter(self._changes, fields)) or fields

    def _changes(self, *fields: str) -> bool:
        """Return whether the question is another one without `fields`."""
        return self.question.body(self.without) != self.question.body(self.without | frozenset(fields))

    def _shorten(self) -> bool:
        shorter = None if self._shortened else self.question.shorter()
        self._shortened = True
        self.question = shorter or self.question
        return shorter is not None

    def _named(self, complaint: Complaint) -> Iterator[str]:
        """Yield the fields that the refusal names and that can go, those first that are missed least."""
        for field, pattern in self.question.spare.items():
            if field in self.without or (field in self.question.costly and not complaint.unknown):
                continue
            if complaint.names(field) or (pattern is not None and pattern.search(complaint.told)):
                yield field
