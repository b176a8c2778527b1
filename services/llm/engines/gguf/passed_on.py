"""The fields of a question that reach llama.cpp: those it takes in any form a caller may send.

It has many of its own. Some it answers with a 500, at one it never answers, and others take what all share.
"""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

_OPENAIS = frozenset(
    {
        "messages",
        "model",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "stop",
        "seed",
        "logprobs",
        "top_logprobs",
        "logit_bias",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
    }
)
"""Fields of OpenAI's; their types and ranges are checked when the request is parsed."""
_Dial: TypeAlias = Annotated[float, Meta(ge=-1, le=1000)]


class _ForTemplate(Struct):
    """Arguments of a chat template that may be passed on; llama.cpp itself reads `enable_thinking`, too."""

    enable_thinking: bool = False


_OWN = {
    "top_k": _Dial,
    "min_p": _Dial,
    "typical_p": _Dial,
    "repeat_penalty": _Dial,
    "ignore_eos": bool,
    "chat_template_kwargs": _ForTemplate,
}
"""Fields of llama.cpp's own, each with the type in which it does no harm."""


def passed_on(fields: Mapping[str, Raw]) -> dict[str, Raw]:
    """Return those of the fields that are sent, as they came."""
    return {name: value for name, value in fields.items() if name in _OPENAIS or _is_harmless(name, value)}


def _is_harmless(name: str, value: Raw) -> bool:
    if name not in _OWN:
        return False
    try:
        msgspec.json.decode(value, type=_OWN[name])
    except msgspec.DecodeError:
        return False
    return True
