"""Chinese in the characters that are wanted, by OpenCC: Whisper writes now 简体, now 繁體."""

import re
from functools import cache
from typing import Any

from msgspec.structs import replace

from stt.hearing import Heard, Hints, Script, Segment, Word

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
"""Characters by subtag, in this order: `zh-Hant-TW` is Taiwan's."""
_OWN: dict[str, Script] = {
    **dict.fromkeys(("台湾", "台灣", "臺灣"), "s2tw"),
    **dict.fromkeys(("香港", "澳门", "澳門"), "s2hk"),
    **dict.fromkeys(("繁体", "繁體", "正體"), "s2t"),
    **dict.fromkeys(("简体", "簡體", "普通话", "普通話", "大陆"), "t2s"),
}
"""Parts of names that callers write in Chinese; the first that is found counts."""
_DEFAULT: Script = "t2s"
"""Characters for Mandarin where neither the caller nor the operator says any."""


def script_of(name: str) -> Script | None:
    """Read the characters from `zh-Hans`, `zh-TW`, `Chinese (Traditional)` or `繁體中文`; None where it names none."""
    tag = name.strip().lower()
    if own := next((script for part, script in _OWN.items() if part in tag), None):
        return own
    language, *subtags = re.findall(r"[a-z]+", tag) or [""]
    if language not in _NAMES:
        return None
    if "hans" in subtags:  # whatever the place
        return "t2s"
    return next((script for subtag, script in _SUBTAGS.items() if subtag in subtags), None)


def written(heard: Heard, hints: Hints) -> Heard:
    """Write what was heard in the characters of the hints, if it is Chinese.

    Where they name none, Mandarin comes in simplified characters, and Cantonese as the engine writes it.
    """
    script = hints.script
    if script is None and heard.language == "zh" and hints.language != "yue":
        script = _DEFAULT
    if script is None or heard.language not in CHINESE or not heard.segments:
        return heard
    return replace(heard, segments=tuple(_segment(segment, script) for segment in heard.segments))


def _segment(segment: Segment, script: Script) -> Segment:
    text = _converter(script).convert(segment.text)
    return replace(segment, text=text, words=tuple(_words(segment, text, script)))


def _words(segment: Segment, text: str, script: Script) -> list[Word]:
    """Return each word as it stands in the text, since a form may depend on its neighbours (头发, 发现)."""
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
    from opencc import OpenCC  # 7 MB, and 60 ms for the largest of its dictionaries

    return OpenCC(script)


def warm_up(script: Script | None) -> None:
    """Load the dictionaries, so that no caller waits for them later."""
    _converter(script or _DEFAULT)
