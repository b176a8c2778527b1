"""Names that machines give are spelt, sign by sign: hashes, UUIDs, addresses of networks, colours, serial numbers."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tts.text.rules import Match, Rule, rule


class Spelling(NamedTuple):
    """How a language says signs one by one."""

    digits: Callable[[str], str]
    signs: Mapping[str, str]
    """Words for signs that are neither letters nor digits."""
    gap: str
    """Text put between two signs."""
    pause: str
    """Text put between two groups of signs."""


_ALONE, _DONE = r"(?<![A-Za-z0-9_.:/@-])", r"(?![A-Za-z0-9_]|[:@-][A-Za-z0-9])"
"""The beginning and the end of a name that is no part of a longer one."""
_HEX = "[0-9A-Fa-f]"
_UUID = rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_MAC = rf"{_HEX}{{2}}(?:(?::{_HEX}{{2}}){{5,7}}|(?:-{_HEX}{{2}}){{5,7}})|{_HEX}{{4}}\.{_HEX}{{4}}\.{_HEX}{{4}}"
_IPV6 = (
    rf"(?=[0-9A-Fa-f:]*::|(?:{_HEX}{{1,4}}:){{7}})(?=:|[0-9A-Fa-f:]*[0-9])"
    rf"{_HEX}{{0,4}}(?::{{1,2}}{_HEX}{{1,4}}){{1,7}}(?:::)?(?:/[0-9]{{1,3}})?"
)
_CARD = r"(?:[0-9]{4}[ -]){3,4}[0-9]{2,4}(?![ -]?[0-9])|97[89](?:-[0-9]{1,7}){3}-[0-9X]"
"""The number of a bank's card, or of a book."""
_PREFIXED = rf"0[xX]{_HEX}+|0[bB][01]+|0[oO][0-7]+|[Uu]\+(?={_HEX}{{4}}){_HEX}+"
_TOKEN = r"(?=[A-Za-z-]*[0-9])(?=[0-9-]*[A-Za-z])[A-Za-z0-9]{2,}(?:-[A-Za-z0-9]{2,}){0,7}"
_COLOUR = rf"#(?=(?:{_HEX}{{3}}|{_HEX}{{6}}|{_HEX}{{8}})(?![0-9A-Za-z]))({_HEX}*[A-Fa-f]{_HEX}*|0[0-9]{{2,7}})"

_TIMESTAMP = (
    r"(?<![0-9A-Za-z-])([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?"
    r"(?:(Z)|([+-])0?([0-9]{1,2}):?00)?(?![0-9A-Za-z])"
)
_RELEASES = "alpha|beta|rc|RC|dev|pre"

_CHANGE = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])")
_ELEMENTS = re.compile(
    r"(?:[0-9]{0,2}(?:A[lrsugt]|B[are]?|C[aldorsu]?|F[er]?|H[eg]?|I|K[r]?|Li|M[gno]|N[aei]?|O|P[btu]?|Ra|S[inrc]?|Ti|U|W|Xe|Z[nr])"
    r"[0-9]{0,2})+"
)
"""A formula of chemistry, which is no code."""
_MEASURES = re.compile(r"(?:[0-9]+(?:ms|h|min|m|s|sec|d|w|y|kg|g|mg|t|km|cm|mm|ft|in|lbs?|oz|l|ml|x|X))+[0-9]*")
"""A while or a size of several units, such as 1h30m15s."""
_LEAST_SIGNS, _LEAST_CHANGES, _CHANGES_OF_HEX = 7, 4, 2
"""How long a name is, and how often letters and digits alternate in it, before it is taken for a code."""
_SHORTEST_GROUP, _GROUP = 6, 4


def identifiers(spelling: Spelling) -> Sequence[Rule]:
    """Return the rules that spell such names in one language."""
    return (
        rule(_TIMESTAMP, _date_and_time),
        rule(rf"(?<=[0-9])-({_RELEASES})\.?(?=[0-9])", r" \1 "),
        rule(_COLOUR, lambda m: _spelt(m[1], spelling)),
        rule(f"{_ALONE}(?:{_UUID}|{_MAC}|{_IPV6}|{_PREFIXED}|{_CARD}){_DONE}", lambda m: _spelt(m[0], spelling)),
        rule(
            r"(localhost|(?:[0-9]{1,3}\.){3}[0-9]{1,3})(:[0-9]{2,5})(?![0-9:])",
            lambda m: f"{m[1]}{spelling.pause}{_said(m[2], spelling)}",
        ),
        rule(r"([A-Za-z][0-9.]+)-(?=[0-9.]+[BM](?![A-Za-z0-9]))", r"\1 "),
        rule(f"{_ALONE}{_TOKEN}{_DONE}", lambda m: _spelt(m[0], spelling) if _is_code(m[0]) else m[0]),
        rule(r"(?<=[A-Za-z_])::(?=[A-Za-z_~])", " "),
    )


def _date_and_time(m: Match) -> str:
    """Return 2026-11-30T18:05:29Z as a date and a time."""
    zone = " UTC" if m[3] else f" UTC{m[4]}{m[5]}" if m[4] else ""
    return f"{m[1]} {m[2]}{zone}"


def _is_code(token: str) -> bool:
    """Return whether a token is told from a word with a number: 9f86d08, dQw4w9WgXcQ, 4F9A-22BC-91D0."""
    signs = token.replace("-", "")
    if len(signs) < _LEAST_SIGNS or _ELEMENTS.fullmatch(signs) or _MEASURES.fullmatch(signs):
        return False
    one_case = signs in (signs.lower(), signs.upper())
    is_hex = one_case and re.fullmatch(f"{_HEX}+", signs) is not None
    return len(_CHANGE.findall(signs)) >= (_CHANGES_OF_HEX if is_hex else _LEAST_CHANGES)


def _spelt(name: str, spelling: Spelling) -> str:
    return spelling.pause.join(_said(group, spelling) for group in _groups(name))


def _groups(name: str) -> Iterator[str]:
    """Give the parts of a name as it is written, long ones four signs at a time."""
    for part in re.findall(r"[A-Za-z0-9+]+|::|/", name):
        size = _GROUP if len(part) > _SHORTEST_GROUP else len(part)
        yield from (part[at : at + size] for at in range(0, len(part), size))


def _said(group: str, spelling: Spelling) -> str:
    """Return the signs as they are said: letters as capitals, so that none is read as a word."""
    if group in spelling.signs:
        return spelling.signs[group]
    words = (spelling.digits(sign) if sign.isdigit() else spelling.signs.get(sign, sign.upper()) for sign in group)
    return re.sub("(?<=[A-Z])(?=[A-Z])", " ", spelling.gap.join(words))
