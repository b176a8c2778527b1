"""Marks with which models set their thoughts apart from what they say: one table for everybody who takes thoughts out.

Sources: the reasoning parsers of vLLM, SGLang and llama.cpp, and reports of marks that were read aloud.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

QUOTES = "`'\"“”‘’「」"
LEFT, RIGHT = r"(?:<[|｜]?|＜|◁)", r"(?:[|｜]?>|＞|▷)"
LONGEST_ATTRIBUTES = 200
LONGEST_MARK = 100
"""Characters of the longest mark that ends a thought."""

TAGS = (
    ("think", "thinking", "thought", "thoughts", "thinking_process", "thought_process", "thinking_mode"),
    ("seed:think", "mm:think", "longcat_think", "think_fast", "think_faster", "antml:thinking", "antthinking"),
    ("reasoning", "reasoning_process", "reasoning_scratchpad", "scratchpad"),
    ("reflection", "self_reflection"),
    ("analysis", "plan", "planning", "rationale", "deliberation", "ponder", "pondering"),
    ("inner_monologue", "internal_monologue", "inner_thought", "inner_thoughts", "chain_of_thought"),
    ("internal", "internal_thoughts", "monologue"),
    ("思考", "思考过程", "思考過程"),
)
"""Names of tags, as in `<think>…</think>`; within a family a tag may be ended by another's name."""

TOKENS = (
    ("[THINK]", "[/THINK]"),  # Mistral's Magistral
    ("[unused16]", "[unused17]"),  # openPangu
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Cohere's Command A
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
    ("<|start_of_thought|>", "<|end_of_thought|>"),
    ("[thinking]", "[/thinking]"),
    ("<|think_start|>", "<|think_end|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
    ("<|channel>thought", "<channel|>"),  # Gemma 4
)
"""Tokens of models, which nobody writes by hand."""

HARMONY = (
    r"<\|(?:channel|start)\|>",
    r"(?:final|assistant|to=user)(?![a-z])[^<]{0,40}(?:<\|constrain\|>[^<]{0,20})?<\|message\|>",
)
"""The format of gpt-oss: all is thought until the header of a message to the user ends."""

BARE_HARMONY = (r"analysis(?=[A-Z\u4e00-\u9fff])", r"assistant ?final")
"""Harmony whose tokens a server has left out: `analysisThe child asks…assistantfinalHello`. Case matters."""

WRAPPERS = ("answer", "response", "output", "final", "final_answer", "solution")
"""Tags around the answer that some models write after a thought."""


class Family(NamedTuple):
    """Marks that belong together, as expressions; `is_token` marks are never a part of prose."""

    begins: str
    ends: str
    is_token: bool


def _any(literals: Iterable[str]) -> str:
    return "(?:" + "|".join(map(re.escape, sorted(literals, key=len, reverse=True))) + ")"


def beginnings(literal: str) -> str:
    """Return an expression for all that `literal` begins with, nothing and the whole included."""
    tail = ""
    for char in reversed(literal):
        tail = f"(?:{re.escape(char)}{tail})?"
    return tail


def _tag(names: tuple[str, ...]) -> Family:
    attributes = rf"(?:\s[^<>\n]{{0,{LONGEST_ATTRIBUTES}}})?"
    begins = rf"{LEFT}\s?{_any(names)}{attributes}{RIGHT}"
    return Family(begins, rf"{LEFT}\s?/\s?{_any(names)}\s?{RIGHT}", is_token=False)


FAMILIES = (
    *map(_tag, TAGS),
    *(Family(re.escape(begins), re.escape(ends), is_token=True) for begins, ends in TOKENS),
    Family(*HARMONY, is_token=True),
)

BEGINS = re.compile(rf"(?<![{QUOTES}])(?:" + "|".join(f"({family.begins})" for family in FAMILIES) + ")", re.IGNORECASE)
"""The mark that begins a thought; its group's number, less one, is its family's. One after a quote is a mention."""


def _unquoted(ends: str) -> re.Pattern[str]:
    """Return an expression for an end that is not in quotes: a thought may be about marks.

    One that only follows a quote ends a thought that ended in a quotation.
    """
    return re.compile(rf"(?<![{QUOTES}])(?:{ends})|(?:{ends})(?![{QUOTES}])", re.IGNORECASE)


ENDS = tuple(_unquoted(family.ends) for family in FAMILIES)
"""The mark that ends a thought, in the order of `FAMILIES`."""

_ANY_END = "|".join(family.ends for family in FAMILIES[:-1])
ANY_END = _unquoted(_ANY_END)
"""A mark that ends the thought of any family, for thoughts that nobody saw beginning (harmony's are always seen)."""

UNDECIDED_END = re.compile(rf"(?<=[{QUOTES}])(?:{_ANY_END}|{HARMONY[1]})$", re.IGNORECASE)
"""An end after a quote, of which what follows shows whether it is in quotes."""

_NAMES = [beginnings(name) for family in TAGS for name in family]
_WHOLE_NAMES = _any(name for family in TAGS for name in family)
_LITERALS = {*(token for pair in TOKENS for token in pair), "<|channel|>", "<|start|>"}
UNFINISHED = re.compile(
    "(?:"
    + "|".join(
        (
            rf"{LEFT}\s?/?\s?(?:{'|'.join(_NAMES)})",
            rf"{LEFT}\s?{_WHOLE_NAMES}\s[^<>\n]{{0,{LONGEST_ATTRIBUTES}}}[|｜]?",
            rf"{LEFT}\s?/?\s?{_WHOLE_NAMES}\s?[|｜]?",
            *(re.escape(literal[0]) + beginnings(literal[1:]) for literal in sorted(_LITERALS)),
        )
    )
    + ")$",
    re.IGNORECASE,
)
"""The end of a text that may become a mark when more comes."""

_HARMONY_BEGINS, _HARMONY_ENDS = HARMONY
WHOLE = (
    *(
        re.compile(rf"(?:{family.begins}).*?(?:{family.ends}|\Z)", re.DOTALL | re.IGNORECASE)
        for family in FAMILIES[:-1]
    ),
    re.compile(rf"\A.*{_HARMONY_ENDS}|{_HARMONY_BEGINS}.*", re.DOTALL | re.IGNORECASE),
    re.compile(rf"\A{BARE_HARMONY[0]}.*?{BARE_HARMONY[1]}", re.DOTALL),
)
"""A whole thought within a whole text, to its end or to that of the text."""

TAIL = re.compile(rf"\A.*(?:{_ANY_END})", re.DOTALL | re.IGNORECASE)
"""The rest of a thought that began in an earlier text."""
