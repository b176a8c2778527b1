"""Let a model on this machine read the prompt of each role, so that a toy's question finds it read.

Reading a prompt is most of the time to a local model's first word; it is kept until others take its place. A provider
elsewhere is not asked: it would cost money, and keeps nothing for a next request. Plain Python without dependencies,
and of any version from 3.9 on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from deploy.folotoy_facts import INSIDE
from deploy.folotoy_roles import Hop, hop
from deploy.phrases import phrase
from deploy.talk import Talkbox, TurnFailed

_LOCAL = frozenset({"gguf", "local", "ollama", "llamacpp", "lmstudio", "vllm"})
PATH = "/v1/chat/completions"
TOKENS = 8


def prompts(
    roles: Iterable[Mapping[str, Any]], settings: Mapping[str, str], engines: Sequence[Mapping[str, Any]], port: int
) -> Iterator[tuple[str, str]]:
    """Yield model and prompt of each role that a model on this machine would answer.

    Args:
        settings: The compose file's, for what a role does not say.
        engines: Engines of /status/llm.
        port: Port of the proxy; a role whose base has another belongs to somebody else's server.
    """
    for role in roles:
        mind, prompt = hop(role, "llm", settings), role.get("prompt")
        model = reader(engines, mind.model)
        if model and mind.is_ours and _is_here(mind, port) and isinstance(prompt, str) and prompt.strip():
            yield model, prompt


def reader(engines: Sequence[Mapping[str, Any]], model: str) -> str | None:
    """Return the name by which the local engine is reached that would answer; None where another kind would."""
    pinned = model.partition("/")[0]
    if any(engine["name"] == pinned for engine in engines):
        return model if pinned in _LOCAL else None
    first = next((str(engine["name"]) for engine in engines if engine["state"] == "ready"), "")
    return first if first in _LOCAL else None


def _is_here(mind: Hop, port: int) -> bool:
    try:
        url = urlsplit(mind.base)
        return not mind.base or url.hostname == INSIDE or url.port in range(port, port + 4)
    except ValueError:
        return False


def read(talkbox: Talkbox, model: str, prompt: str) -> None:
    """Have a prompt read, as the beginning of a conversation.

    Raises:
        TurnFailed: No model could, or not to the end.
    """
    hello = "你好！" if re.search("[\u4e00-\u9fff]", prompt) else "Hello!"
    messages = [{"role": "system", "content": prompt}, {"role": "user", "content": hello}]
    response = talkbox.post_json(PATH, {"model": model, "stream": True, "max_tokens": TOKENS, "messages": messages})
    try:
        body = response.read()
    except (OSError, HTTPException) as exc:
        raise TurnFailed(phrase("broke_off", path=PATH)) from exc
    if b"data: [DONE]" not in body:
        raise TurnFailed(phrase("broke_off", path=PATH))
