"""Formulas of chemistry, told from words and powers: Ca(OH)2, SO₄²⁻, ²³⁵U."""

from collections.abc import Mapping, Sequence

from tts.text.figure_rules import RAISED
from tts.text.rules import Match, Rule, rule

_GROUPS = "OH|NO[2₂3₃]|SO[3₃4₄]|PO[4₄]|H?CO[3₃]|NH[2₂4₄]|CN|CH[2₂3₃]|COOH|ClO[3₃4₄]?|MnO[4₄]"
"""Groups of atoms that stand in brackets."""
_UP = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_CHARGE = rf"(?:([²³⁴]?)([⁺⁻])(?![{_UP}])|([²³⁴])([-−+])(?![0-9A-Za-z(√]|\s[0-9a-z(]))"


def formulas(signs: Mapping[str, str]) -> Sequence[Rule]:
    """Return the rules that read formulas.

    Args:
        signs: Words for + and -.
    """

    def charged(m: Match) -> str:
        number, sign = (m[2] or m[4] or "").translate(RAISED), (m[3] or m[5]).translate(RAISED)
        return f"{m[1]} {number} {signs[sign.replace('−', '-')]}".replace("  ", " ")

    return (
        rule(
            rf"(?<=[A-Za-z0-9₀-₉])\(({_GROUPS})\)([0-9₀-₉]?)",
            lambda m: f" {' '.join(m[1])} {m[2]}".rstrip(),
        ),
        rule(r"(?<=[A-Z][a-z])OH(?![A-Za-z])|(?<=[KH0-9])OH(?![A-Za-z])", " O H"),
        rule(rf"(?<![A-Za-z])((?:[A-Z][a-z]?[0-9₀-₉]{{0,2}}){{1,4}}){_CHARGE}", charged),
        rule(
            rf"(?<![0-9A-Za-z){_UP}])([{_UP}]{{1,3}})([A-Z][a-z]?)(?![A-Za-z])",
            lambda m: f"{m[2]}-{m[1].translate(RAISED)}",
        ),
    )
