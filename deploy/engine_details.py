"""What an engine says of its state, in the reader's language; `proxy/site/details.json` has each kind of sentence."""

from __future__ import annotations

import json
import os
import re

from deploy.installation import ROOT
from deploy.phrases import reads_chinese

_BETWEEN_SENTENCES = re.compile(r"(; |\.(?: (?=[A-Z])|$))")
_CHINESE_MARKS = {"; ": "；", ". ": "。", ".": "。"}


def detail_in_words(detail: str) -> str:
    """Return a detail of `/status` in the language of the locale; a sentence that nobody knows stays as it is."""
    if not reads_chinese(os.environ):
        return detail
    parts = _BETWEEN_SENTENCES.split(detail)
    return "".join(map(_in_chinese, parts[::2], [*parts[1::2], ""]))


def _in_chinese(sentence: str, mark: str) -> str:
    for pattern, chinese in _KINDS:
        if found := pattern.fullmatch(sentence):
            return str(chinese.format(**found.groupdict())) + _CHINESE_MARKS.get(mark, "")
    return sentence + mark


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(sentence)))


_SENTENCES: list[list[str]] = json.loads((ROOT / "proxy" / "site" / "details.json").read_text(encoding="utf-8"))
_KINDS = [(_pattern(english), chinese) for english, chinese in _SENTENCES]
