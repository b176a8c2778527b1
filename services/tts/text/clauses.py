"""Text cut for speech: a short first clause, whose sound is there at once, then longer ones, made while it plays.

A clause ends where a speaker would breathe: after a sentence, else at a comma, else between words, and only where a
word is longer than all limits inside it. Cuts are found, not made: each clause is a stretch of the text as it was.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

_SENTENCE, _ASIDE_SENTENCE, _CLAUSE, _PAUSE, _ASIDE_CLAUSE, _SPACE, _PARTICLE = 7, 6, 5, 4, 3, 2, 1
"""Kinds of places for a breath, the best first. Inside brackets and quotes each is a little worse than outside."""

_OPENERS, _CLOSERS = "([{（［｛〔【〖《〈「『“‘«‹¿¡", ")]}）］｝〕】〗》〉」』”’»›"
_AFTER = re.escape(_CLOSERS) + "\"'"
_CJK = r"\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
_BREATH = re.compile(
    rf"""
    (?! (?<=[0-9A-Za-z])[0-9A-Za-z] )                                             # within a word: most of English
    (?:
      (?P<newline>  \s*\n\s* )
    | (?P<dots>     \.{{2,}} | …+ | 。{{2,}} )                                   # ... ……
    | (?P<stop>     [。！？｡؟۔।॥։።។။‼⁇⁈⁉]+ | [!?]+(?=[\s{_AFTER}{_CJK}]|$) )[！？!?。]*
    | (?P<dot>      \.(?=[\s{_AFTER}]|$) | (?<=[{_CJK}{_AFTER}])\.(?=[{_CJK}]) )
    | (?P<comma>    [；;：:，,،؛፣၊·;](?=[\s{_AFTER}]|$) | [；：，،؛](?!\d) | (?<!\d)[；：，]
                  | (?<=[{_CJK}{_AFTER}])[,;:] | [,;:](?=[{_CJK}]) )
    | (?P<pause>    [、､།]+ | (?:—|–(?=\s)|(?<=\s)-(?=\s))+ | (?<=[{_CJK}])[~～]+ )
    | (?P<space>    \s+ )
    | (?P<particle> [的了着过吗呢吧啊呀嘛哦](?=[{_CJK}]) | (?<=[{_CJK}])(?=[0-9A-Za-z]) | (?<=[0-9A-Za-z])(?=[{_CJK}]) )
    | (?P<open>     [{re.escape(_OPENERS)}] )
    | (?P<close>    [{re.escape(_CLOSERS)}] )
    )
    """,
    re.VERBOSE,
)
_STRENGTH = {
    "newline": _SENTENCE,
    "stop": _SENTENCE,
    "dot": _SENTENCE,
    "dots": _CLAUSE,
    "comma": _CLAUSE,
    "pause": _PAUSE,
}
_STRENGTH |= {"space": _SPACE, "particle": _PARTICLE, "close": _PARTICLE}
_ASIDE = {_SENTENCE: _ASIDE_SENTENCE, _CLAUSE: _ASIDE_CLAUSE, _PAUSE: _ASIDE_CLAUSE}
_TRAIL = re.compile(rf"[{_AFTER}！？!?。…～~，、]*\s*")
"""Pattern of closing quotes, more marks and spaces, which belong to the breath before them."""

_ABBREVIATED = re.compile(
    r"""(?: \b[A-Za-zÀ-ÿА-я] | \b(?:[^\W\d]\.)+[^\W\d]   # J. K.   U.S.  e.g.  Ph.D
      | \b(?i:Dr|Mr|Mrs|Ms|Mx|Prof|St|Mt|Ft|Rev|Hon|Gen|Col|Lt|Sgt|Capt|Gov|Sen|Rep|vs|cf|viz|al|approx|ca|resp
            |fig|vol|pp?|ch|sec|ed|eds|dept|est|Mme|Mlle|Sra?|Srta|Dña?|Hr|Fr|bzw|usw|evtl|ggf|Nr|ca|inkl|tel)
      )\Z""",
    re.VERBOSE,
)
_MAYBE_LAST = re.compile(
    r"\b(?i:etc|Inc|Ltd|Co|Corp|Jr|Sr|Bros|[ap]\.m|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\Z"
)
"""Abbreviations that may end a sentence as well: they do where a capital follows."""
_ITEM = re.compile(r"(?:\n|\A)\s*\d{1,3}\Z")
"""Pattern of the number before a line of a list."""
_NUMBER_SIGN = re.compile(r"\b(?i:no)\Z")

_SMALL_KANA = "ーゝゞヽヾ々〻ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
_GLUE = frozenset(_CLOSERS + _SMALL_KANA + "\u200c\u200d\ufe0e\ufe0f\u20e3\u0e33\u0eb3、。，．！？：；…,.!?:;%％℃°")
"""Signs that never begin a clause; combining marks do not either."""
_LEADING = frozenset(_OPENERS + "เแโใไເແໂໃໄ\u200d")
"""Signs that never end a clause: what opens, vowels written before their consonant, and the joiner."""

_SKIN_OR_FLAG = re.compile("[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_HANGUL_TAIL = re.compile("[\u1160-\u11ff]")


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Limits of clauses, in letters: a Chinese, Japanese or Korean character takes as long to say as three."""

    first: int = 60
    """Length of the first clause (twice that rather than cut between words); then twice, four times … that."""
    most: int = 300
    """Length of any clause; so it holds at most that many characters, and a third of that in Chinese."""
    least: int = 18
    """Fewest characters of a clause; a shorter one is joined with the next."""
    most_bytes: int = 4096
    """UTF-8, after `&`, `<` and `>` have been escaped."""


USUAL = Lengths()


def clauses(text: str, lengths: Lengths = USUAL) -> Iterator[str]:
    """Give the text in clauses, in order; nothing but white space is left out."""
    text, first, most = text.strip(), lengths.first, lengths.most
    letters = [0, *accumulate(map(_letters, text))]
    sizes = [0, *accumulate(map(_escaped_bytes, text))]
    breaths = [*_breaths(text), (len(text), _SENTENCE)]
    start, at, soft = 0, 0, min(first, most)

    def reach(length: int) -> int:
        """How far a clause of `length` goes from `start`; a single character always fits."""
        end = (
            min(bisect_right(letters, letters[start] + length), bisect_right(sizes, sizes[start] + lengths.most_bytes))
            - 1
        )
        return max(end, start + 1)

    while start < len(text):
        near, far = reach(soft), reach(min(2 * first, most) if start == 0 else most)
        while breaths[at][0] <= start:
            at += 1
        within = [breaths[i] for i in range(at, _upto(breaths, far))]
        long_enough = [it for it in within if letters[it[0]] - letters[start] >= lengths.least]
        cut = len(text) if near == len(text) else _choose(long_enough or within, near, earliest=start == 0)
        if cut is None:
            cut = len(text) if far == len(text) else _between_characters(text, start, near)
        if letters[-1] - letters[cut] < lengths.least and far == len(text):
            cut = len(text)
        if clause := text[start:cut].strip():
            yield clause
            soft = min(2 * soft, most)
        start = cut


@lru_cache(4096)
def _letters(char: str) -> int:
    return 3 if char >= "\u2e80" else 1


@lru_cache(4096)
def _escaped_bytes(char: str) -> int:
    if char < "\x80":
        return 5 if char == "&" else 4 if char in "<>" else 1
    return 2 if char < "\u0800" else 3 if char < "\U00010000" else 4


def _upto(breaths: list[tuple[int, int]], end: int) -> int:
    return bisect_right(breaths, (end, _SENTENCE + 1))


def _choose(breaths: list[tuple[int, int]], near: int, *, earliest: bool) -> int | None:
    """Return the best place: of the highest kind up to `near`, else the next after it, else between words."""
    strong = [(end, kind) for end, kind in breaths if kind >= _PAUSE]
    if inside := [it for it in strong if it[0] <= near]:
        kind = max(_SENTENCE if kind >= _ASIDE_SENTENCE else _PAUSE for _, kind in inside)
        ends = [end for end, it in inside if it >= min(kind, _ASIDE_SENTENCE)]
        return ends[0] if earliest else ends[-1]
    if strong:
        return strong[0][0]
    weak = [(kind, end) for end, kind in breaths if end <= near]
    return max(weak)[1] if weak else None


def _breaths(text: str) -> Iterator[tuple[int, int]]:
    """Give the places where one could breathe, and how good they are: (end, kind), ends ascending."""
    depth, last = 0, 0
    for found in _BREATH.finditer(text):
        if found.start() < last:  # it went with the breath before
            continue
        name = str(found.lastgroup)
        if name == "open":
            depth += 1
            continue
        kind = _dot(text, found.start(), found.end()) if name == "dot" else _STRENGTH[name]
        depth = 0 if name == "newline" else max(0, depth - 1) if name == "close" else depth
        end = found.end()
        if kind >= _ASIDE_CLAUSE or name == "close":
            trail = _TRAIL.match(text, end)
            assert trail is not None  # it may be empty
            depth = max(0, depth - sum(char in _CLOSERS for char in trail[0]))
            end = trail.end()
        if last < end < len(text):
            yield end, _ASIDE.get(kind, kind) if depth else kind
        last = max(last, end)


def _dot(text: str, start: int, end: int) -> int:
    """Return how good the place after a dot is: it ends a sentence, an abbreviation, an initial or an ordinal."""
    before, after = text[max(0, start - 12) : start], text[end : end + 3].lstrip("\"' \t" + _CLOSERS)[:1]
    if _MAYBE_LAST.search(before):
        return _SENTENCE if after.isupper() else _PARTICLE
    if _ABBREVIATED.search(before) or _ITEM.search(before) or (after.isdigit() and _NUMBER_SIGN.search(before)):
        return _PARTICLE
    return _PAUSE if after.islower() or before[-1:].isdigit() else _SENTENCE


def _between_characters(text: str, start: int, end: int) -> int:
    """Return the last place up to `end` that splits no character as a reader sees it; `end` if all would."""
    for cut in range(end, start, -1):
        if _whole(text, start, cut):
            return cut
    return end


def _whole(text: str, start: int, cut: int) -> bool:
    before, after = text[cut - 1], text[cut]
    if after in _GLUE or before in _LEADING or unicodedata.category(after)[0] == "M":
        return False
    if _SKIN_OR_FLAG.match(after) or _HANGUL_TAIL.match(after) or (before.isdigit() and after.isdigit()):
        return False
    if _regional(after) and _regional(before):  # two of them are one flag
        run = cut
        while run > start and _regional(text[run - 1]):
            run -= 1
        return (cut - run) % 2 == 0
    return True


def _regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
