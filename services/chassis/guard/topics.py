"""Locks on topics: what a toy talks about with one key, and what it never does."""

import re
from collections.abc import Iterable, Sequence

from chassis.guard.normal import HAN
from chassis.guard.profiles import Profile

PREFIX = "topic:"
"""Start of the names of the groups of words that are topics."""
RECENT = 6
"""Messages in which a talk is on a topic that was touched."""
_LONGEST_FOLLOW_UP = 8
"""Words, or two characters of Chinese each, of a message that goes on with a talk without naming its topic."""
_WORD = re.compile(rf"[{HAN}]{{1,2}}|[^\W{HAN}]+")


def topics_in(groups: Iterable[str]) -> frozenset[str]:
    """Return the topics among names of groups."""
    return frozenset(each.removeprefix(PREFIX) for each in groups if each.startswith(PREFIX))


def is_locked(profile: Profile, text: str, touched: frozenset[str], before: Sequence[frozenset[str]]) -> bool:
    """Tell whether a child's message is not to be talked about.

    Args:
        touched: Topics that the message touches.
        before: Topics of the messages before it, in order.
    """
    if not touched.isdisjoint(profile.never):
        return True
    if not profile.only or not touched.isdisjoint(profile.only):
        return False
    is_follow_up = len(_WORD.findall(text)) <= _LONGEST_FOLLOW_UP
    is_on_topic = not before or any(not each.isdisjoint(profile.only) for each in before[-RECENT:])
    return bool(touched) or not (is_follow_up and is_on_topic)
