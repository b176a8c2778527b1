"""A model server on this machine, found without being configured: Ollama, LM Studio, llama.cpp's server or vLLM.

It is looked for in the background, again and again until there is one; no request waits for that.
"""

import re
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self, TypeAlias

from msgspec import Struct

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import read
from chassis.upstream.allowance import LimitOptions
from chassis.upstream.model_names import listed_in
from chassis.upstream.settings import Row, RowOptions
from llm.engines import COMPANION
from llm.engines.openai.engine import OpenAIChat
from llm.engines.openai.model_list import MAX_BYTES
from llm.request.providers import UPSTREAMS
from llm.settings import RelayOptions

Place: TypeAlias = tuple[str, str, int]
"""Provider, host and port of a server to look for."""
PORTS = (("ollama", 11434), ("lmstudio", 1234), ("llamacpp", 8088), ("vllm", 8000))
BESIDE: tuple[Place, ...] = (("ollama", "ollama", 11434), ("llamacpp", "llamacpp", 8080))
"""Servers that compose.yaml starts with its profiles."""
_OWN_PORT = 8000
"""Port at which this service itself listens in its container."""
_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
AGAIN_SECONDS = 30.0
PATIENCE_SECONDS = 1.0
_NO_TALKER = re.compile(r"embed|rerank|bge-|whisper|tts", re.IGNORECASE)


class LocalServer(Struct, frozen=True):
    """A model server that answered."""

    provider: str
    base_url: str
    models: tuple[str, ...]


class Local(OpenAIChat):
    """The row `local`: the operator's own, or the first model server that is found."""

    @classmethod
    def load(cls, name: str, report: Report, places: Sequence[Place] | None = None) -> Self:
        prefix = UPSTREAMS.prefix(name)
        options = read(RelayOptions, own=prefix)
        if UPSTREAMS.exists(name):  # the operator has a row of that name
            return cls(UPSTREAMS.row(name), options)
        report("looking for a model server on this machine", None)
        server = find(around() if places is None else places)
        wanted = read(RowOptions, prefix=prefix)
        model = wanted.model or server.models[0]
        limits = read(LimitOptions, prefix=prefix)
        made = cls(Row(name, server.base_url, "", model, wanted.models, "direct", prefix, limits=limits), options)
        made.become(server.provider)
        return made


def around(marks: Sequence[Path] = _CONTAINER_MARKS) -> list[Place]:
    """Return the places to look at; in a container that itself comes last: one that is worked in may have a server."""
    here = [(provider, "127.0.0.1", port) for provider, port in PORTS]
    if not any(mark.exists() for mark in marks):
        return here
    outside = [(provider, "host.docker.internal", port) for provider, port in PORTS]
    return [*BESIDE, *outside, *(place for place in here if place[2] != _OWN_PORT)]


def find(places: Sequence[Place]) -> LocalServer:
    """Return the first server that has a model to talk with.

    Raises:
        EngineUnavailable: No place has one.
    """
    for provider, host, port in places:
        models = [name for name in _listed(host, port) if not _NO_TALKER.search(name)]
        if models and COMPANION not in models:  # or it is a Talkbox
            return LocalServer(provider, f"http://{host}:{port}/v1", tuple(models))
    tried = ", ".join(f"{provider} at {host}:{port}" for provider, host, port in places)
    raise EngineUnavailable(
        f"No model server with a model found on this machine ({tried}).", retry_seconds=AGAIN_SECONDS
    )


def _listed(host: str, port: int) -> tuple[str, ...]:
    connection = HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/v1/models")
        response = connection.getresponse()
        return tuple(listed_in(response.read(MAX_BYTES))) if response.status == 200 else ()
    except (OSError, HTTPException, ValueError):
        return ()  # no server, or one of another kind
    finally:
        connection.close()
