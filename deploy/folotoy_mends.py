"""Mends of a JSON text that leave every other byte as it is. Plain Python of any version from 3.9 on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Path = tuple[str, ...]
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Member(NamedTuple):
    """One name and its value in a text, by their offsets."""

    path: Path
    name: int
    name_end: int
    value: int
    end: int


def renamed(text: str, path: Path, name: str) -> str:
    """Return `text` with another name for the member at `path`."""
    member = _member(text, path)
    return text[: member.name] + json.dumps(name) + text[member.name_end :]


def set_to(text: str, path: Path, value: Any) -> str:
    """Return `text` with another value of the member at `path`."""
    member = _member(text, path)
    return text[: member.value] + json.dumps(value, ensure_ascii=False) + text[member.end :]


def moved(text: str, path: Path, into: Path) -> str:
    """Return `text` with the member at `path` as the last one of the object at `into`."""
    member = _member(text, path)
    text, words = _without(text, member), text[member.name : member.end]
    target = _member(text, into)
    inside = [each for each in members(text) if each.path[:-1] == into]
    if not inside:
        return text[: target.value] + "{" + words + "}" + text[target.end :]
    last = inside[-1]
    before = text[max(text.rfind(sign, 0, last.name) for sign in "{,") + 1 : last.name]
    return text[: last.end] + "," + before + words + text[last.end :]


def members(text: str) -> Iterator[Member]:
    """Yield each name and value of a JSON text's objects; those in lists are passed over."""
    yield from _inside(text, _blank(text, 0), ())


def _inside(text: str, at: int, path: Path) -> Iterator[Member]:
    """Yield the members of the value that begins at `at`."""
    if text[at] != "{":
        return
    at = _blank(text, at + 1)
    while text[at] == '"':
        name, name_end = _DECODER.raw_decode(text, at)
        value = _blank(text, _blank(text, name_end) + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield Member((*path, name), at, name_end, value, end)
        yield from _inside(text, value, (*path, name))
        at = _blank(text, end)
        at = _blank(text, at + 1) if text[at] == "," else at


def _blank(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _member(text: str, path: Path) -> Member:
    """Return the member at `path`; of several the last, which is the one that counts."""
    return [each for each in members(text) if each.path == path][-1]


def _without(text: str, member: Member) -> str:
    """Return `text` without a member, its comma and its line."""
    after = _blank(text, member.end)
    if text[after] == ",":
        return text[: member.name] + text[_blank(text, after + 1) :]
    before = text[: member.name].rstrip()
    return before.removesuffix(",") + text[member.end :]
