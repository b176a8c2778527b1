"""Chinese in the characters that are wanted: Whisper writes now 简体, now 繁體, by OpenCC."""

import re
from functools import cache
from typing import Any

from msgspec.structs import replace

from stt.hearing import Heard, Script, Segment, Word

CHINESE = frozenset({"zh", "yue"})
_NAMES = frozenset({"zh", "zho", "chi", "cmn", "yue", "chinese", "cantonese", "mandarin"})
_SUBTAGS: dict[str, Script] = {
    "tw": "s2tw",
    "hk": "s2hk",
    "mo": "s2hk",
    "hant": "s2t",
    "traditional": "s2t",
    "hans": "t2s",
    "simplified": "t2s",
    "cn": "t2s",
    "sg": "t2s",
    "my": "t2s",
}
"""In this order: `zh-Hant-TW` is Taiwan's."""
_OWN: dict[str, Script] = {"简体": "t2s", "简体中文": "t2s", "繁體": "s2t", "繁體中文": "s2t"}


def script_of(name: str) -> Script | None:
    """What `zh-Hans`, `zh-TW` or `Chinese (Traditional)` say of the characters; None: nothing, or no Chinese."""
    tag = name.strip().lower()
    if tag in _OWN:
        return _OWN[tag]
    language, *subtags = re.findall(r"[a-z]+", tag) or [""]
    if language not in _NAMES:
        return None
    if "hans" in subtags:  # whatever the place
        return "t2s"
    return next((script for subtag, script in _SUBTAGS.items() if subtag in subtags), None)


def written(heard: Heard, script: Script | None) -> Heard:
    """What was heard, in these characters if it is Chinese."""
    if script is None or heard.language not in CHINESE or not heard.segments:
        return heard
    return replace(heard, segments=tuple(_segment(segment, script) for segment in heard.segments))


def _segment(segment: Segment, script: Script) -> Segment:
    text = _converter(script).convert(segment.text)
    return replace(segment, text=text, words=tuple(_words(segment, text, script)))


def _words(segment: Segment, text: str, script: Script) -> list[Word]:
    """Each as it stands in the text, since a character's form may depend on its neighbours (头发, 发现)."""
    words = []
    end = 0
    for word in segment.words:
        begin = segment.text.find(word.word, end)
        if begin >= 0 and len(text) == len(segment.text):
            end = begin + len(word.word)
            words.append(replace(word, word=text[begin:end]))
        else:
            words.append(replace(word, word=_converter(script).convert(word.word)))
    return words


@cache
def _converter(script: Script) -> Any:
    from opencc import OpenCC  # 7 MB, and 60 ms for the largest of its dictionaries: only for whom it serves

    return OpenCC(script)


def warm_up(script: Script | None) -> None:
    """Loads the dictionaries, so that nobody waits for them later."""
    if script is not None:
        _converter(script)
