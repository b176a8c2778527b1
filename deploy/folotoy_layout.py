"""Rules for the lines of a compose file's `environment:`, be they YAML or not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from deploy.folotoy_facts import Mistake, mistake

KNOWN = frozenset(
    f"OPENAI_{service}_{what}"
    for service in ("WHISPER", "OPENAI", "TTS")
    for what in ("API_BASE", "KEY", "MODEL", "VOICE_NAME")
) | {"STT_TYPE", "LLM_TYPE", "TTS_TYPE", "ROLES_FILE_PATH", "AUDIO_DOWNLOAD_URL", "SPEECH_UDP_SERVER_HOST"}
"""Settings of folotoy-server that the rules judge."""
ENVIRONMENT = re.compile(r"\s*environment:\s*(?:&\w+\s*)?(?:#.*)?$")
_ENTRY = re.compile(r"^(\s*)(-\s+)?[\"']?([A-Z][A-Z0-9_]*)[\"']?\s*(:(?:\s|$)|=)")
_WIDE = re.compile(r"^\s*-?\s*[A-Za-z][A-Za-z0-9_]*\s*[：＝]")
_QUOTED = re.compile(r"^\s*-\s+[A-Z][A-Z0-9_]*=[\"']")
_GLUED = re.compile(r"^\s*[A-Z][A-Z0-9_]*:[^\s/]")
_SMALL = re.compile(r"^\s*(?:-\s+)?([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\s*[:=]")


class _Entry(NamedTuple):
    line: int
    depth: int
    form: str
    name: str


def layout_mistakes(lines: list[str]) -> Iterator[Mistake]:
    """Give what is wrong with the lines as such: tabs, signs, indentation, forms that are mixed."""
    indent, block = -1, list[_Entry]()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        if "\t" in line[:depth]:
            yield mistake((), "error", "tab", line=number)
            continue
        if ENVIRONMENT.match(line):
            yield from _of_block(block, indent)
            indent, block = depth, []
            continue
        if _WIDE.match(line):
            yield mistake((), "error", "wide_colon", line=number)
        if indent >= 0 and depth > indent:
            yield from _unread(line, number)
        entry = _ENTRY.match(line)
        if indent >= 0 and entry:
            form = ("- " if entry[2] else "") + ("=" if entry[4] == "=" else ":")
            block.append(_Entry(number, depth, form, entry[3]))
        elif depth <= indent:
            yield from _of_block(block, indent)
            indent, block = -1, []
    yield from _of_block(block, indent)


def _of_block(block: list[_Entry], indent: int) -> Iterator[Mistake]:
    """Give the entries that are written otherwise than most below the same `environment:`."""
    fitting = [each for each in block if each.form in ("- =", ":") and (each.depth > indent or each.form == "- =")]
    [(depth, _)] = Counter(each.depth for each in fitting).most_common(1) or [(0, 0)]
    [(form, _)] = Counter(each.form for each in fitting).most_common(1) or [("", 0)]
    for each in block:
        if each.depth < indent or (each.depth == indent and each.form[0] != "-") or each.depth != (depth or each.depth):
            yield mistake((), "error", "indented_otherwise", line=each.line, name=each.name)
        elif each.form != form:
            yield mistake((), "error", "mixed_forms", line=each.line)


def _unread(line: str, number: int) -> Iterator[Mistake]:
    """Give what makes an entry below `environment:` none that folotoy-server reads."""
    if _GLUED.match(line):
        yield mistake((), "error", "glued", line=number)
    elif _QUOTED.match(line):
        yield mistake((), "error", "quotes_inside", line=number)
    elif (small := _SMALL.match(line)) and small[1].upper() in KNOWN:
        yield mistake((), "error", "not_read", line=number, name=small[1], right=small[1].upper())
