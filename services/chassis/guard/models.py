"""Guard models and moderation services: asked over HTTP what they think of a text, each as a row of settings."""

import re
from typing import Any, Literal, TypeAlias

import msgspec

from chassis.errors import EngineFailed
from chassis.guard.options import GuardRowOptions
from chassis.guard.rules import Finding, Side
from chassis.settings import SettingError, read
from chassis.upstream.client import Unusable, Upstream

MOST_BYTES = 2**18
NOTHING = Finding((), frozenset())
Dialect: TypeAlias = Literal["qwen3guard", "moderations"]
KNOWN: dict[str, GuardRowOptions] = {
    "qwen3guard": GuardRowOptions(model="Qwen/Qwen3Guard-Gen-4B", dialect="qwen3guard"),
    "openai-moderation": GuardRowOptions(
        base_url="https://api.openai.com/v1", model="omni-moderation-latest", dialect="moderations"
    ),
}
"""Rows that are known by name; what the operator sets wins. None of them has met the real service yet."""
QWEN_KINDS = {
    "violent": "violence",
    "non-violent illegal acts": "crime",
    "sexual content or sexual acts": "sexual",
    "pii": "personal-data",
    "suicide & self-harm": "self-harm",
    "unethical acts": "bullying",
    "politically sensitive topics": "politics",
    "jailbreak": "jailbreak",
}
OPENAI_KINDS = {
    "harassment": "bullying",
    "hate": "hate",
    "illicit": "crime",
    "self-harm": "self-harm",
    "sexual": "sexual",
    "sexual/minors": "grooming",
    "violence": "violence",
}
"""By the whole name of a category, else by its part before the slash."""
OTHER = "violence"
"""Kind of what is unsafe in a category that nobody here knows."""
_LINE = re.compile(r"^\s*(safety|categories)\s*:\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)


class GuardModel:
    """Somebody else's judge: a model or service at an address of the operator's.

    Raises:
        SettingError: Its address or its dialect is missing, or cannot be used.
    """

    def __init__(self, name: str) -> None:
        start = f"GUARD_{name.upper().replace('-', '_')}_"
        own, known = read(GuardRowOptions, prefix=start), KNOWN.get(name, GuardRowOptions())
        base, dialect = own.base_url or known.base_url, own.dialect or known.dialect
        if not base:
            raise SettingError(f"Set {start}BASE_URL: the address of {name!r} of GUARD_ENGINES, with its /v1.")
        if not dialect:
            raise SettingError(f"Set {start}DIALECT: `qwen3guard` or `moderations`.")
        self.name, self._dialect, self._model = name, dialect, own.model or known.model
        headers = {"content-type": "application/json"}
        if own.api_key:
            headers["authorization"] = f"Bearer {own.api_key}"
        path = "/chat/completions" if dialect == "qwen3guard" else "/moderations"
        try:
            self._upstream = Upstream(base.rstrip("/") + path, headers, setting=f"{start}BASE_URL")
        except Unusable as exc:
            raise SettingError(f"{start}BASE_URL: {exc}.") from exc

    @property
    def server(self) -> str:
        """Server that is asked."""
        return self._upstream.shown

    async def ask(self, text: str, side: Side, child: str) -> Finding:
        """Return what it finds in a text; `child` is what the child said before an answer.

        Raises:
            EngineFailed: It could not be asked, or its answer cannot be understood.
        """
        reply = await self._upstream.post(msgspec.json.encode(self._body(text, side, child)), {})
        try:
            body = await reply.read(MOST_BYTES)
        finally:
            await reply.aclose()
        if reply.status != 200:
            raise EngineFailed(f"answered {reply.status}")
        try:
            answer = msgspec.json.decode(body)
            return _qwen(answer) if self._dialect == "qwen3guard" else _openai(answer)
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, AttributeError) as exc:
            raise EngineFailed("answered something that cannot be understood") from exc

    def _body(self, text: str, side: Side, child: str) -> dict[str, Any]:
        if self._dialect == "moderations":
            return {"model": self._model, "input": text}
        talk = [{"role": "user", "content": text if side == "asked" else child}]
        if side == "answered":
            talk.append({"role": "assistant", "content": text})
        return {"model": self._model, "messages": talk, "temperature": 0, "max_tokens": 64}

    async def aclose(self) -> None:
        """Close its connections."""
        await self._upstream.aclose()


def _qwen(answer: dict[str, Any]) -> Finding:
    """Read the lines `Safety: …` and `Categories: …`; what is controversial is a hint."""
    text = answer["choices"][0]["message"]["content"]
    lines = {name.lower(): value.lower() for name, value in _LINE.findall(text)}
    named = [each.strip() for each in lines.get("categories", "").split(",")]
    kinds = tuple(dict.fromkeys(QWEN_KINDS.get(each, OTHER) for each in named if each not in ("", "none")))
    match lines["safety"]:
        case "safe":
            return NOTHING
        case "unsafe":
            return Finding(kinds or (OTHER,), frozenset())
        case "controversial":
            return Finding((), frozenset(kinds))
    raise LookupError("safety")


def _openai(answer: dict[str, Any]) -> Finding:
    result = answer["results"][0]
    if not result["flagged"]:
        return NOTHING
    named = (name for name, is_flagged in result["categories"].items() if is_flagged)
    kinds = (OPENAI_KINDS.get(name) or OPENAI_KINDS.get(name.partition("/")[0], OTHER) for name in named)
    return Finding(tuple(dict.fromkeys(kinds)) or (OTHER,), frozenset())
