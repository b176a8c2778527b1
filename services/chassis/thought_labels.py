"""Words that models and their pages write over a thought and over the answer after it, where they have no tags.

`**Thinking:** The child … **Answer:** Hello`, `【思考】…【回答】…`, `Thought: … Final Answer: …`, a quotation headed
`> Thinking`. They are words of prose too: only the first of an answer counts, and only where the other one follows.

Sources: the parser of Granite in vLLM, HuatuoGPT-o1, prompts of ReAct, Poe, Open WebUI and LobeChat.
"""

import re
from collections.abc import Iterable

_OVER_THOUGHTS = (
    *("think", "thinking", "thought", "thoughts", "my thoughts", "thought process", "thinking process"),
    *("my thought process", "reasoning", "reasoning process", "chain of thought", "scratchpad"),
    *("internal monologue", "inner monologue", "internal thoughts", "inner thoughts"),
    *("here is my thought process", "here's my thought process"),
    *("思考", "思考过程", "思考過程", "思维过程", "思維過程", "思维链", "推理", "推理过程", "推理過程", "内心独白"),
    *("思考プロセス", "생각", "사고 과정", "размышление", "размышления", "рассуждение", "рассуждения"),
)
_OVER_ANSWERS = (
    *("answer", "final answer", "my answer", "final", "response", "final response", "my response", "reply"),
    *("final reply", "output", "final output", "here is my response", "here's my response"),
    *("回答", "答案", "最终答案", "最終答案", "最终回答", "最終回答", "正式回答", "回复", "最终回复", "回覆", "答复"),
    *("输出", "答え", "답변", "최종 답변", "ответ", "окончательный ответ"),
)


def _any(names: Iterable[str], *, parts: bool = False) -> str:
    """Return an expression for the longest of these names, letter by letter: where no name begins, few are looked at.

    Args:
        parts: All that a name begins with will do, nothing included.
    """
    rests: dict[str, list[str]] = {}
    for name in names:
        rests.setdefault(name[:1], []).append(name[1:])
    may_end = parts or "" in rests
    ways = [
        ("[ _-]" if char == " " else re.escape(char)) + _any(rest, parts=parts) for char, rest in rests.items() if char
    ]
    return f"(?:{'|'.join(ways)}){'?' if may_end else ''}" if ways else ""


def beginnings(*literals: str) -> str:
    """Return an expression for all that one of `literals` begins with, nothing and the whole included."""
    return _any(literals, parts=True)


LABEL = _any(_OVER_THOUGHTS)
PART_OF_LABEL = beginnings(*_OVER_THOUGHTS)
NO_LETTERS = r"[^\w<>\n]"
TOOK = r"(?: for [^\n<>:：]{1,24}|[ （(]{1,2}用时[^\n<>:：]{1,16})?"
"""The time that a page says a thought took."""

_ANSWER = _any(_OVER_ANSWERS)
_ORNAMENT = "#*_ \\t💭🤔🧠💡"
_HEAD, _TAIL = f"[{_ORNAMENT}]{{0,12}}", r"[*_ \t]{0,8}"
_OPEN, _SHUT = r"[【\[〖]", r"[】\]〗]"
_DOTS = r"(?:\.{3}|…)?"

LABELLED = (
    rf"{_HEAD}(?:{LABEL}{TOOK}{_DOTS}{_TAIL}[:：]{_TAIL}(?=[^\s*_]|\n\s{{0,8}}[^\s>])"
    rf"|{LABEL}{TOOK}{_DOTS}{_TAIL}\n(?=\s{{0,8}}[^\s>]))"
)
"""The label of a thought, at the beginning of an answer."""
LABELLED_ENDS = (
    rf"(?:[\n.!?。！？…:：][ \t\n]{{0,8}}{_HEAD}{_ANSWER}{_TAIL}[:：]|\n{_HEAD}{_ANSWER}{_TAIL}(?=\n)"
    rf"|[*_]{{2,3}}{_ANSWER}[:：]?[*_]{{2,3}}[:：]?){_TAIL}(?=[^*_ \t:：])"
)
"""The label of an answer."""
BRACKETED, BRACKETED_ENDS = rf"{_OPEN}{LABEL}{_SHUT}", rf"{_OPEN}(?:{_ANSWER}|/{LABEL}){_SHUT}[:：]?(?=[^:：])"
PART_OF_BRACKETED = rf"{_OPEN}/?{PART_OF_LABEL}"
QUOTED = (
    rf"(?:{_HEAD}{LABEL}{TOOK}{_DOTS}{_TAIL}[:：]?{_TAIL}\n\s{{0,8}}>"
    rf"|>[> \t]{{0,4}}{_HEAD}{LABEL}{TOOK}{_DOTS}{_TAIL}(?:[:：]|\n))"
)
"""The beginning of a quotation that is a thought, at the beginning of an answer."""
QUOTED_ENDS = r"\n[ \t]{0,8}(?=[^\s>])"
"""The first line after it."""
PART_OF_ANY = (
    rf"(?:>[> \t]{{0,4}})?{_HEAD}(?:{PART_OF_LABEL}|{LABEL}{TOOK}[.…]{{0,3}}{_TAIL}[:：]?{_TAIL}"
    rf"(?:\n\s{{0,8}})?)"
    rf"|{_HEAD}{LABEL} (?:f(?:o(?:r(?: [^\n<>:：]{{0,24}})?)?)?)?"
)
"""A text that may become one of these labels when more comes."""
FIRSTS = frozenset(f"{_ORNAMENT}>" + "".join(name[0] + name[0].upper() for name in _OVER_THOUGHTS))
"""Characters with which one begins."""
