"""Marks with which models set their thoughts apart from what they say: one table for everybody who takes thoughts out.

Sources: the reasoning parsers of vLLM, SGLang and llama.cpp, the pages of Open WebUI, LobeChat and Poe that write
thoughts as HTML or markdown, and reports of marks that were read aloud. Labels are in `thought_labels.py`.

These are expressions, in whatever case; `WHOLE` and `TAIL` hold their flags. Each service compiles those that it needs:
all of them together take a third of a start.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from chassis.thought_labels import (
    BRACKETED,
    BRACKETED_ENDS,
    LABEL,
    LABELLED,
    LABELLED_ENDS,
    NO_LETTERS,
    PART_OF_BRACKETED,
    PART_OF_LABEL,
    QUOTED,
    QUOTED_ENDS,
    TOOK,
    beginnings,
)

QUOTES = "`'\"“”‘’「」"
_ESCAPES = (("&lt;", "&gt;"), ("&#60;", "&#62;"), ("&#x3c;", "&#x3e;"), (r"\u003c", r"\u003e"))
"""Brackets as pages and careless programs write them."""
_LEFTS, _RIGHTS = ("|".join(map(re.escape, side)) for side in zip(*_ESCAPES, strict=True))
_LEFT, _RIGHT = rf"(?:<[|｜]?|＜|◁|{_LEFTS})", rf"(?:[|｜]?>|＞|▷|{_RIGHTS})"
_LONGEST_ATTRIBUTES = 200
LONGEST_MARK = 100
"""Characters of the longest mark that ends a thought."""

TAGS = (
    ("think", "thinking", "thought", "thoughts", "thinking_process", "thought_process", "thinking_mode"),
    ("thinking_content", "thought_content", "my_thoughts", "begin_think", "cot"),
    ("seed:think", "mm:think", "longcat_think", "think_fast", "think_faster", "antml:thinking", "antthinking"),
    ("reasoning", "reasoning_process", "reasoning_scratchpad", "scratchpad"),
    ("reasoning_content", "reasoning_text", "internal_reasoning", "reason"),
    ("reflection", "self_reflection"),
    ("analysis", "plan", "planning", "rationale", "deliberation", "ponder", "pondering"),
    ("inner_monologue", "internal_monologue", "inner_thought", "inner_thoughts", "chain_of_thought"),
    ("internal", "internal_thoughts", "monologue"),
    ("思考", "思考过程", "思考過程", "思维", "思维链", "思维过程", "思維", "思維鏈"),
    ("推理", "推理过程", "推理過程", "反思", "分析"),
)
"""Names of tags, as in `<think>…</think>`; within a family a tag may be ended by another's name."""

TOKENS = (
    ("[THINK]", "[/THINK]"),  # Mistral's Magistral
    ("[unused16]", "[unused17]"),  # openPangu
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Cohere's Command A
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
    ("<|start_of_thought|>", "<|end_of_thought|>"),
    ("<|think_start|>", "<|think_end|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
    ("<|channel>thought", "<channel|>"),  # Gemma 4
)
"""Tokens of models, which nobody writes by hand."""

_HARMONY = (
    r"<\|(?:channel|start)\|>",
    r"(?:final|assistant|to=user)(?![a-z])[^<]{0,40}(?:<\|constrain\|>[^<]{0,20})?<\|message\|>",
)
"""The format of gpt-oss: all is thought until the header of a message to the user ends."""

BARE_HARMONY = (r"analysis(?=[A-Z\u4e00-\u9fff])", r"assistant ?final")
"""Harmony whose tokens a server has left out: `analysisThe child asks…assistantfinalHello`. Case matters."""

WRAPPERS = ("answer", "response", "output", "final", "final_answer", "solution")
"""Tags around the answer that some models write after a thought."""


class Family(NamedTuple):
    """Marks that belong together, as expressions; `is_token` marks are never a part of prose.

    A thought that never ends is one all the same, unless its mark is not `is_sure`: `[thinking]` may direct an actor.
    """

    begins: str
    ends: str
    is_token: bool
    is_sure: bool = True


def _any(literals: Iterable[str]) -> str:
    return "(?:" + "|".join(map(re.escape, sorted(literals, key=len, reverse=True))) + ")"


def _tag(names: tuple[str, ...]) -> Family:
    attributes = rf"(?:\s[^<>\n]{{0,{_LONGEST_ATTRIBUTES}}}?)?"
    begins = rf"{_LEFT}\s?{_any(names)}{attributes}(?<!/){_RIGHT}"
    return Family(begins, rf"{_LEFT}\s?(?:/\s?{_any(names)}\s?|{_any(names)}{attributes}/){_RIGHT}", is_token=False)


_MARKED = (
    *map(_tag, TAGS),
    *(Family(re.escape(begins), re.escape(ends), is_token=True) for begins, ends in TOKENS),
)
"""Families whose ends mean nothing else, even where nobody saw the thought begin."""
_IN_DETAILS = rf"{NO_LETTERS}{{0,10}}(?:(?:show|view|hide|深度|已|已深度) ?)?{LABEL}{TOOK}{NO_LETTERS}{{0,20}}"
_DETAILS = r"<details\b[^<>\n]{0,200}"
DETAILS = Family(
    rf"{_DETAILS}\btype ?= ?[\"']?(?:reasoning|thinking)\b[^<>\n]{{0,200}}>"
    rf"|{_DETAILS}>\s{{0,8}}<summary>{_IN_DETAILS}</summary>",
    r"</details\s?>",
    is_token=False,
)
FENCE = Family(rf"(?<![^\n])[ \t]{{0,8}}```[ \t]?{LABEL}[ \t]{{0,8}}\n", r"\n[ \t]{0,8}`{3,}(?=[^`])", is_token=True)
_BRACKETS = Family(BRACKETED, BRACKETED_ENDS, is_token=False, is_sure=False)
FAMILIES = (*_MARKED, DETAILS, FENCE, _BRACKETS, Family(*_HARMONY, is_token=True))

BEGINS = rf"(?<![{QUOTES}])(?:" + "|".join(f"({family.begins})" for family in FAMILIES) + ")"
"""The mark that begins a thought; its group's number, less one, is its family's. One after a quote is a mention."""


def _unquoted(ends: str) -> str:
    """Return an expression for an end that is not in quotes: a thought may be about marks.

    One that only follows a quote ends a thought that ended in a quotation.
    """
    return rf"(?<![{QUOTES}])(?:{ends})|(?:{ends})(?![{QUOTES}])"


ENDS = tuple(_unquoted(family.ends) for family in FAMILIES)
"""The mark that ends a thought, in the order of `FAMILIES`."""

_ANY_END = "|".join(family.ends for family in _MARKED)
ANY_END = _unquoted(_ANY_END)
"""A mark that ends the thought of any family, for thoughts that nobody saw beginning (harmony's are always seen)."""

UNDECIDED_END = rf"(?<=[{QUOTES}])(?:{_ANY_END}|{DETAILS.ends}|{_HARMONY[1]})$"
"""An end after a quote, of which what follows shows whether it is in quotes."""

_PART_OF_NAME = beginnings(*(name for family in TAGS for name in family))
_WHOLE_NAMES = _any(name for family in TAGS for name in family)
_LITERALS = {*(token for pair in (*TOKENS, *_ESCAPES) for token in pair), "<|channel|>", "<|start|>"}
_PART_OF_RIGHT = "|".join(["[|｜/]", *(beginnings(right) for _, right in _ESCAPES)])
UNFINISHED = (
    "(?:"
    + "|".join(
        (
            rf"{_LEFT}\s?/?\s?{_PART_OF_NAME}",
            rf"{_LEFT}\s?{_WHOLE_NAMES}\s[^<>\n]{{0,{_LONGEST_ATTRIBUTES}}}[|｜]?",
            rf"{_LEFT}\s?/?\s?{_WHOLE_NAMES}\s?(?:{_PART_OF_RIGHT})?",
            rf"<{beginnings('details')}|{_DETAILS}(?:>\s{{0,8}}(?:<{beginnings('summary')}|<summary>[^<>\n]{{0,80}}"
            rf"(?:<{beginnings('/summary')})?)?)?|</{beginnings('details')}\s?",
            rf"(?<![^\n])[ \t]{{0,8}}(?:`{{1,2}}|```[ \t]?{PART_OF_LABEL}[ \t]{{0,8}})",
            PART_OF_BRACKETED,
            *(re.escape(literal[0]) + beginnings(literal[1:]) for literal in sorted(_LITERALS)),
        )
    )
    + ")$"
)
"""The end of a text that may become a mark when more comes."""

_HARMONY_BEGINS, _HARMONY_ENDS = _HARMONY
_OR_NEVER = {True: r"|\Z", False: ""}
WHOLE = (
    *(f"(?is)(?:{family.begins}).*?(?:{family.ends}{_OR_NEVER[family.is_sure]})" for family in FAMILIES[:-1]),
    rf"(?is)\A{QUOTED}.*?(?:{QUOTED_ENDS}|\Z)",
    rf"(?is)\A{LABELLED}.*?{LABELLED_ENDS}",
    rf"(?is)\A.*{_HARMONY_ENDS}|{_HARMONY_BEGINS}.*",
    rf"(?s)\A{BARE_HARMONY[0]}.*?{BARE_HARMONY[1]}",
)
"""A whole thought within a whole text, to its end or to that of the text."""

TAIL = rf"(?is)\A.*(?:{_ANY_END})"
"""The rest of a thought that began in an earlier text."""
