"""Parts that the rules of `speakable` are made of.

`PAUSE` and `STOP` stand for a breath until the end, when each becomes the comma or full stop of its script, or nothing
beside other punctuation.
"""

import re

from tts.text.rules import Match

PAUSE, STOP = "\x1f", "\x1e"
CJK = "\u2e80-\u2fff\u3000-\u303f\u3040-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60"
SPACED, MARKS = r"[^\S\n]", ",，.。;；:：、!！?？…"
WORD = re.compile(r"[^\W_]")


def beside_cjk(m: Match) -> bool:
    """Return whether the character before the match, or else the one after it, is Chinese, Japanese or Korean."""
    return bool(re.match(f"[{CJK}]", m.string[max(0, m.start() - 1) : m.start()] or m.string[m.end() : m.end() + 1]))
