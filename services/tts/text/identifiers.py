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
    """What stands between two signs."""
    pause: str
    """What stands between two groups of signs."""


ALONE, DONE = r"(?<![A-Za-z0-9_.:/@-])", r"(?![A-Za-z0-9_]|[:@-][A-Za-z0-9])"
"""The beginning and the end of a name that is no part of a longer one."""
HEX = "[0-9A-Fa-f]"
UUID = rf"{HEX}{{8}}(?:-{HEX}{{4}}){{3}}-{HEX}{{12}}"
MAC = rf"{HEX}{{2}}(?:(?::{HEX}{{2}}){{5,7}}|(?:-{HEX}{{2}}){{5,7}})|{HEX}{{4}}\.{HEX}{{4}}\.{HEX}{{4}}"
IPV6 = (
    rf"(?=[0-9A-Fa-f:]*::|(?:{HEX}{{1,4}}:){{7}})(?=:|[0-9A-Fa-f:]*[0-9])"
    rf"{HEX}{{0,4}}(?::{{1,2}}{HEX}{{1,4}}){{1,7}}(?:::)?(?:/[0-9]{{1,3}})?"
)
CARD = r"(?:[0-9]{4}[ -]){3,4}[0-9]{2,4}(?![ -]?[0-9])|97[89](?:-[0-9]{1,7}){3}-[0-9X]"
"""The number of a bank's card, or of a book."""
PREFIXED = rf"0[xX]{HEX}+|0[bB][01]+|0[oO][0-7]+|[Uu]\+(?={HEX}{{4}}){HEX}+"
TOKEN = r"(?=[A-Za-z-]*[0-9])(?=[0-9-]*[A-Za-z])[A-Za-z0-9]{2,}(?:-[A-Za-z0-9]{2,}){0,7}"
COLOUR = rf"#(?=(?:{HEX}{{3}}|{HEX}{{6}}|{HEX}{{8}})(?![0-9A-Za-z]))({HEX}*[A-Fa-f]{HEX}*|0[0-9]{{2,7}})"

TIMESTAMP = (
    r"(?<![0-9A-Za-z-])([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?"
    r"(?:(Z)|([+-])0?([0-9]{1,2}):?00)?(?![0-9A-Za-z])"
)
RELEASES = "alpha|beta|rc|RC|dev|pre"

CHANGE = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])")
ELEMENTS = re.compile(
    r"(?:[0-9]{0,2}(?:A[lrsugt]|B[are]?|C[aldorsu]?|F[er]?|H[eg]?|I|K[r]?|Li|M[gno]|N[aei]?|O|P[btu]?|Ra|S[inrc]?|Ti|U|W|Xe|Z[nr])"
    r"[0-9]{0,2})+"
)
"""A formula of chemistry, which is no code."""
MEASURES = re.compile(r"(?:[0-9]+(?:ms|h|min|m|s|sec|d|w|y|kg|g|mg|t|km|cm|mm|ft|in|lbs?|oz|l|ml|x|X))+[0-9]*")
"""A while or a size of several units, such as 1h30m15s."""
LEAST_SIGNS, LEAST_CHANGES, CHANGES_OF_HEX = 7, 4, 2
"""How long a name is, and how often letters and digits alternate in it, before it is taken for a code."""
SHORTEST_GROUP, GROUP = 6, 4


def identifiers(spelling: Spelling) -> Sequence[Rule]:
    """Return the rules that spell such names in one language."""
    return (
        rule(TIMESTAMP, _date_and_time),
        rule(rf"(?<=[0-9])-({RELEASES})\.?(?=[0-9])", r" \1 "),
        rule(COLOUR, lambda m: _spelt(m[1], spelling)),
        rule(f"{ALONE}(?:{UUID}|{MAC}|{IPV6}|{PREFIXED}|{CARD}){DONE}", lambda m: _spelt(m[0], spelling)),
        rule(
            r"(localhost|(?:[0-9]{1,3}\.){3}[0-9]{1,3})(:[0-9]{2,5})(?![0-9:])",
            lambda m: f"{m[1]}{spelling.pause}{_said(m[2], spelling)}",
        ),
        rule(r"([A-Za-z][0-9.]+)-(?=[0-9.]+[BM](?![A-Za-z0-9]))", r"\1 "),
        rule(f"{ALONE}{TOKEN}{DONE}", lambda m: _spelt(m[0], spelling) if _is_code(m[0]) else m[0]),
        rule(r"(?<=[A-Za-z_])::(?=[A-Za-z_~])", " "),
    )


def _date_and_time(m: Match) -> str:
    """Return 2026-11-30T18:05:29Z as a date and a time."""
    zone = " UTC" if m[3] else f" UTC{m[4]}{m[5]}" if m[4] else ""
    return f"{m[1]} {m[2]}{zone}"


def _is_code(token: str) -> bool:
    """Return whether a token is told from a word with a number: 9f86d08, dQw4w9WgXcQ, 4F9A-22BC-91D0."""
    signs = token.replace("-", "")
    if len(signs) < LEAST_SIGNS or ELEMENTS.fullmatch(signs) or MEASURES.fullmatch(signs):
        return False
    one_case = signs in (signs.lower(), signs.upper())
    is_hex = one_case and re.fullmatch(f"{HEX}+", signs) is not None
    return len(CHANGE.findall(signs)) >= (CHANGES_OF_HEX if is_hex else LEAST_CHANGES)


def _spelt(name: str, spelling: Spelling) -> str:
    return spelling.pause.join(_said(group, spelling) for group in _groups(name))


def _groups(name: str) -> Iterator[str]:
    """Give the parts of a name as it is written, long ones four signs at a time."""
    for part in re.findall(r"[A-Za-z0-9+]+|::|/", name):
        size = GROUP if len(part) > SHORTEST_GROUP else len(part)
        yield from (part[at : at + size] for at in range(0, len(part), size))


def _said(group: str, spelling: Spelling) -> str:
    """Return the signs as they are said: letters as capitals, so that none is read as a word."""
    if group in spelling.signs:
        return spelling.signs[group]
    words = (spelling.digits(sign) if sign.isdigit() else spelling.signs.get(sign, sign.upper()) for sign in group)
    return re.sub("(?<=[A-Z])(?=[A-Z])", " ", spelling.gap.join(words))
