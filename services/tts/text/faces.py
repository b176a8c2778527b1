"""Rules that leave out faces made of signs: `(^_^)`, `:-)`. A listener should not hear them spelt."""

import re

from tts.text.rules import Match, rule
from tts.text.tidy_rules import PAUSE, WORD


def _face(m: Match) -> str:
    """Leave out a face in brackets: it has no word in it, and a sign that no sentence has."""
    inside = m[1] or ""
    if _A_WORD.search(inside.replace("益", "").replace("皿", "")):
        return m[0]
    return PAUSE if _ODD.search(inside) or not WORD.search(inside) else m[0]


_ODD = re.compile(r"[^\w\s,.;:?!+*/=、，。；：？！'\"“”‘’&%$€£¥@#＜＞≤≥≠×÷±√−²³∂∇∈∉∪∩⊂⊆⊃⊇≅∼∠∆∥⊥∞∑∏∫-]|_")
_ARMS = r"\\/＼／ヽノﾉ╰╯╭╮っつづლᕙᕗ٩۶୧୨وงฅΣ"
"""Arms of a face. One left over would be a letter, and may change the language of all that is said."""
_A_WORD = re.compile(r"[^\W_]{2,}|[0-9\u4e00-\u9fff]")
_A_WORD_IN_A_FACE = re.compile(r"[A-Za-z]{3,}|[\u4e00-\u9fff]{2,}|[\u3041-\u3096]{2,}|[0-9]{2,}")
_FACE_SIGNS = re.compile(r"[≧≦▽∀ωдДﾟ◕‿｡•ᴗ╥﹏￣︶ಠ益皿ಥಡ´`^＾；▔ε◡◠☆★♪°□⊙_]")
_OPTION = re.compile(r"(?:answer|option|choice|question|选项?|选择|答案|题)\s?\Z", re.IGNORECASE)


def _wide_face(m: Match) -> str:
    """Leave out a face with digits or kana in it: (づ￣3￣)づ."""
    return PAUSE if len(_FACE_SIGNS.findall(m[1])) > 1 and not _A_WORD_IN_A_FACE.search(m[1]) else m[0]


def _smiley(m: Match) -> str:
    """Leave out `:D`, unless it is the letter of an answer."""
    return m[0] if m[0][-1].isalpha() and _OPTION.search(m.string[max(0, m.start() - 10) : m.start()]) else PAUSE


FACES = (
    rule(r"¯\\?_[(（]ツ[)）]_\\?/¯", PAUSE),
    rule(
        rf"(?:[{_ARMS}]|(?<![A-Za-z])[oO])?[(（]([^()（）\n]{{2,24}})[)）](?:[{_ARMS}ブシ][\"ﾞ゛]?|[oO](?![A-Za-z]))?(?:╭❤)?",
        _wide_face,
    ),
    rule(rf"(?:(?<![A-Za-z])[oO])?[(（]([^()（）\n]{{0,24}})[)）](?:[{_ARMS}][\"ﾞ゛])?", _face),
    rule(r"ʕ[^ʕʔ\n]{1,12}ʔ", PAUSE),
    rule(
        rf"(?<={PAUSE})[*～~]?[oO](?![A-Za-z])|(?<={PAUSE})[{_ARMS}](?!\w)|(?<![A-Za-z0-9\u3041-\u30ff\u0600-\u065f])[{_ARMS}](?={PAUSE})"
    ),
    rule(rf"(?<=[\u4e00-\u9fff])[ツシッヅヾノﾉ](?![\u3040-\u30ff])(?=[{PAUSE}，。！？~～\s]|\Z)"),
    rule(rf"[ヽヾ╰╭](?={PAUSE})"),
    rule(
        r"(?<![A-Za-z0-9])([TOoQUu><^=;ಠ•°\-＾ˊˋ≧≦])[_.＿ωwvo▽∀﹏^]{1,3}(?:\1|(?<=>.)<|(?<=≧.)≦)(?![A-Za-z0-9])", PAUSE
    ),
    rule(
        r"(?<![A-Za-z0-9_/])(?:[:;][-'^o]?[)(*\\/|\]\[]|(?<![0-9] )=[-'^o]?[)(\]\[]|(?<![0-9] )[:;=][-'^o]?[DPpO]"
        r"|[xX]D|:'\(|[oO]rz|OwO|QAQ|QwQ|UwU|TAT|[oO][_.][oO])(?![A-Za-z0-9_/])",
        _smiley,
    ),
    rule(r"(?<![\w:]):[a-z+-][a-z0-9_+-]{1,30}:(?![\w:])"),  # :smile:
)
"""Rules for faces, applied before a part of one is taken for markdown."""
