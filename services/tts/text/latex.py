r"""LaTeX as mathematics: `$n^2$`, `\(\frac{1}{2}\)` and `\times` become n², 1/2 and ×, which voices can read."""

import re

from tts.text.figure_rules import POWER
from tts.text.rules import Match, apply, rule

SIGNS = {
    "times": "×", "cdot": "×", "div": "÷", "pm": "±", "leq": "≤", "le": "≤", "leqslant": "≤", "geq": "≥", "ge": "≥",
    "geqslant": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "lt": "＜", "gt": "＞", "infty": "∞", "pi": "π",
    "alpha": "α", "beta": "β", "gamma": "γ", "theta": "θ", "lambda": "λ", "mu": "μ", "sigma": "σ", "phi": "φ",
    "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η", "kappa": "κ", "nu": "ν", "xi": "ξ",
    "rho": "ρ", "tau": "τ", "chi": "χ", "psi": "ψ", "varphi": "φ", "Sigma": "Σ", "Pi": "Π", "Theta": "Θ",
    "Lambda": "Λ", "Phi": "Φ", "Psi": "Ψ", "Gamma": "Γ", "angle": "∠", "triangle": "∆", "parallel": "∥", "perp": "⊥",
    "cong": "≅", "sim": "∼", "equiv": "≡", "propto": "∝", "therefore": "∴", "because": "∵", "in": "∈", "notin": "∉",
    "subset": "⊂", "subseteq": "⊆", "supset": "⊃", "supseteq": "⊇", "cup": "∪", "cap": "∩", "emptyset": "∅",
    "varnothing": "∅", "forall": "∀", "exists": "∃", "partial": "∂", "nabla": "∇", "land": "∧", "wedge": "∧",
    "lor": "∨", "vee": "∨", "neg": "¬", "lnot": "¬", "mid": "∣", "vert": "|", "lvert": "|", "rvert": "|", "ast": "×",
    "prime": "′", "omega": "ω", "Delta": "Δ", "Omega": "Ω", "circ": "°", "degree": "°", "to": "→", "rightarrow": "→",
    "Rightarrow": "→", "implies": "→", "iff": "→", "Leftrightarrow": "→", "leftrightarrow": "→", "mapsto": "→",
    "gets": "→", "ldots": "…", "cdots": "…", "dots": "…", "percent": "%", "colon": ":", "quad": " ", "qquad": " ",
    "sin": " sin ", "cos": " cos ", "tan": " tan ", "log": " log ", "ln": " ln ", "lg": " lg ", "max": " max ",
    "min": " min ", "gcd": " gcd ", "det": " det ", "bmod": " mod ", "cot": " cot ", "sec": " sec ", "csc": " csc ",
}  # fmt: skip
_RAISED = dict(zip("0123456789+-nixyabkm", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱˣʸᵃᵇᵏᵐ", strict=True))
_LOWERED = dict(zip("0123456789nxaijkm", "₀₁₂₃₄₅₆₇₈₉ₙₓₐᵢⱼₖₘ", strict=True))
_DEEP = 4
"""Most fractions and roots inside one another."""
_OPERATORS = {"sum": "∑", "prod": "∏", "int": "∫", "iint": "∬", "iiint": "∭", "oint": "∮", "lim": "lim"}
_SPAN = "⋯"
"""Sign between the bounds of a sum or an integral, in brackets behind its sign: ∑⟨i=1⋯n⟩."""
_ACCENTS = {"vec": "\u20d7", "overrightarrow": "\u20d7", "bar": "\u0304", "overline": "\u0304", "hat": "\u0302"}

_NAMES = "|".join((*SIGNS, *_OPERATORS, *_ACCENTS))
_COMMAND = re.compile(rf"\\(?:frac|dfrac|tfrac|sqrt|text|boxed|left|right|begin|binom|{_NAMES})(?![A-Za-z])")
_ARGUMENT = r"(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\[A-Za-z]+|[0-9A-Za-z])"
_FORMULA = re.compile(r"\$\$([^$]{1,600})\$\$|\\\[(.{1,600}?)\\\]|\\\((.{1,600}?)\\\)", re.DOTALL)
_INLINE = re.compile(r"(?<![A-Za-z0-9$\\])\$(?![\s$])([^$\n]{1,200})(?<![\s\\])\$(?![0-9$A-Za-z])")
_MATHEMATICS = re.compile(r"[\\^_=+<>*×÷≤≥]|\A[A-Za-z]\Z|[0-9a-z] ?[-/] ?[0-9a-z]")
_FOLDER = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\")
"""Pattern of the beginning of a path on Windows, whose backslashes begin no command."""
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{4,}")


def with_formulas_read(text: str) -> str:
    """Return the text with its formulas in the signs of mathematics, without dollars, braces and commands."""
    if "$" in text:
        text = _INLINE.sub(_inline, text)
    if "\\" in text or "$$" in text:
        text = _FORMULA.sub(lambda m: _formula(m[1] or m[2] or m[3]), text)
    return _formula(text, strip=False) if _COMMAND.search(text) and not _FOLDER.search(text) else text


def _inline(m: Match) -> str:
    """Return a formula between dollars; sums of money stay."""
    inside = m[1]
    return _formula(inside) if _MATHEMATICS.search(inside) and not _PROSE.search(inside) else m[0]


def _formula(text: str, *, strip: bool = True) -> str:
    if strip:  # nothing but a formula
        text = text.replace("<", "＜").replace(">", "＞")
    for _ in range(_DEEP):
        text = apply(_NESTED, text)
    text = apply(_FLAT, text)
    return re.sub(r" {2,}", " ", text.strip()) if strip else text


def _over(m: Match) -> str:
    part, of = m[1].strip(), m[2].strip()
    if part.isdigit() and of.isdigit():
        return f"{part}/{of}"
    return f"{_grouped(part)}÷{_grouped(of)}"


def _grouped(term: str) -> str:
    return term if re.fullmatch(r"[\w.{}\\^∂]+", term) else f"({term})"


def raised(power: str) -> str:
    """Return a power in raised signs, as far as there are such."""
    if all(char in _RAISED for char in power):
        return "".join(_RAISED[char] for char in power)
    return POWER + (power if len(power) == 1 else f"({power})")


def _lowered(m: Match) -> str:
    index = m[1] if m[1] is not None else m[2]
    return "".join(_LOWERED.get(char, char) for char in index)


def _with_bounds(m: Match) -> str:
    """Return a sum, an integral or a limit with its bounds in brackets behind it."""
    sign = _OPERATORS[m[1]]
    bounds = {kind: part.removeprefix("{").removesuffix("}").strip() for kind, part in _BOUND.findall(m[2])}
    if m[1] == "lim":
        bounds["_"] = re.sub(r"\s?(?:\\(?:to|rightarrow)(?![A-Za-z])|→)\s?", _SPAN, bounds.get("_", ""))
    within = _SPAN.join(bounds[kind] for kind in "_^" if bounds.get(kind))
    return f"{sign}⟨{within}⟩ " if within else f"{sign} "


_BOUND = re.compile(rf"([_^])\s?({_ARGUMENT})")


_NESTED = (
    rule(rf"\\({'|'.join(_OPERATORS)})(?:\\limits)?(?![A-Za-z])\s?((?:[_^]\s?{_ARGUMENT}\s?){{0,2}})", _with_bounds),
    rule(r"\\[dt]?binom\s?\{([^{}]*)\}\s?\{([^{}]*)\}", r"C(\1, \2)"),
    rule(
        r"\\(log|lg)\s?_(?:\{([^{}]*)\}|([0-9A-Za-z]))",
        lambda m: f" {m[1]}{''.join(_LOWERED.get(c, c) for c in m[2] or m[3])} ",
    ),
    rule(
        rf"\\({'|'.join(_ACCENTS)})\s?(?:\{{([A-Za-z]{{1,2}})\}}|([A-Za-z])(?![A-Za-z]))",
        lambda m: (m[2] or m[3]) + _ACCENTS[m[1]],
    ),
    rule(r"\\p?mod\s?\{([^{}]*)\}", r" mod \1 "),
    rule(r"\\[dt]?frac\s?\{([^{}]*)\}\s?\{([^{}]*)\}", _over),
    rule(r"\\[dt]?frac\s?([0-9])\s?([0-9])", r"\1/\2"),
    rule(r"\\sqrt\s?\[3\]\s?\{([^{}]*)\}", lambda m: f"∛{_grouped(m[1])}"),
    rule(r"\\sqrt\s?\{([^{}]*)\}", lambda m: f"√{_grouped(m[1])}"),
    rule(r"\\(?:text|mathrm|mathbf|textbf|boxed|operatorname|mathit|textit)\s?\{([^{}]*)\}", r" \1 "),
    rule(r"\^\{\\circ\}|\^\\circ(?![A-Za-z])", "°"),
    rule(r"\^\{([^{}\\]{1,12})\}", lambda m: raised(m[1].strip())),
    rule(r"_\{([^{}\\]{1,12})\}|(?<![A-Za-z]{2})(?<=[A-Za-z}])_([0-9A-Za-z])(?![A-Za-z0-9])", _lowered),
)
_FLAT = (
    rule(r"\\(?:begin|end)\s?\{[^{}]*\}(?:\{[^{}]*\})?"),
    rule(r"\^([0-9A-Za-z])", lambda m: raised(m[1])),
    rule(r"\\([%$#&_{}])", r"\1"),
    rule(r"\\[,;:! ]|\\\\|(?<!\\)&", " "),
    rule(r"\\([A-Za-z]+)", lambda m: SIGNS.get(m[1], " ")),
    rule(r"\{,\}", ","),
    rule(r"[{}]"),
)
