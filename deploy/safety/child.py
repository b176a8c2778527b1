"""A child and a toy: one question, asked of the real llm service with a model behind it that answers as it is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, MutableMapping
from time import perf_counter
from typing import Any, NamedTuple, Self

from starlette.applications import Starlette

from chassis.chain.chain import Chain
from chassis.chain.seat import Report, Seat
from chassis.guard.guard import Guard
from chassis.guard.options import HEADER
from chassis.guard.panel import Panel
from chassis.guard.rules import Finding, Side
from chassis.server.auth import KeyOptions
from llm.answer.encode import DONE, Chunks
from llm.app import assemble
from llm.engines import Engine
from llm.settings import Settings
from llm.wire import Asked

PIECE = 3
"""Characters of an answer that the model says at a time."""


class _Obliging(Engine):
    """A model that says `answer`, whatever it is asked."""

    first_byte_seconds = 0.1
    models = ()
    answer = ""

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls()

    async def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        chunks = Chunks("obliging", usage=False)
        yield chunks.begun()
        for at in range(0, len(self.answer), PIECE):
            yield chunks.said(self.answer[at : at + PIECE])
        yield chunks.ended("stop") + DONE

    async def aclose(self) -> None:
        """Do nothing: no connection is open."""


class Noting(Panel):
    """The rules; every text that they judged is noted."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard.rules, [], 1.0)
        self.judged: list[str] = []

    def look(self, text: str, side: Side) -> Finding:
        self.judged.append(text)
        return super().look(text, side)


class HeardByChild(NamedTuple):
    """The answer of a toy, as a child hears it."""

    words: str
    kind: str | None
    """Kind of risk for which the guard ended it."""
    seconds: float
    """Time to the first byte."""
    unjudged: int
    """Pieces that left without having been judged."""


class Toy:
    """The llm service with the obliging model, and the guard or none."""

    def __init__(self, guard: Guard | None) -> None:
        self.model = _Obliging()
        self.noting = None if guard is None else Noting(guard)
        if guard is not None and self.noting is not None:
            guard.panel = self.noting
        chain: Chain[Engine] = Chain([Seat.of("obliging", self.model)], first_byte_seconds=4.0)
        self.app: Starlette = assemble(Settings(), chain, keys=KeyOptions(), guard=guard)

    async def ask(self, talk: list[str], answer: str) -> HeardByChild:
        """Ask the last question of a talk; what the toy said before is of no matter."""
        said = [message for text in talk[:-1] for message in (("user", text), ("assistant", "OK."))]
        messages = [{"role": role, "content": text} for role, text in [*said, ("user", talk[-1])]]
        body = json.dumps({"messages": messages, "stream": True}).encode()
        self.model.answer = answer
        judged = [] if self.noting is None else self.noting.judged
        judged.clear()
        headers: dict[str, str] = {}
        pieces: list[tuple[float, bytes]] = []
        unjudged = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal unjudged
            if message["type"] == "http.response.start":
                headers.update((name.decode(), value.decode()) for name, value in message["headers"])
            elif message.get("body"):
                pieces.append((perf_counter() - began, message["body"]))
                if self.noting is not None:
                    unjudged += sum(text in answer and not _is_in(text, judged) for text in _words(message["body"]))

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/chat/completions",
            "raw_path": b"/v1/chat/completions",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
            "client": ("127.0.0.1", 1),
            "state": {},
        }
        began = perf_counter()
        await self.app(scope, receive, send)
        whole = b"".join(piece for _, piece in pieces)
        words = "".join(_words(whole))
        return HeardByChild(words, headers.get(HEADER) or _trailer(whole), pieces[0][0], unjudged)


def _is_in(text: str, judged: list[str]) -> bool:
    """Tell whether a piece of several clauses was judged, clause by clause."""
    return any(text in each for each in judged) or all(any(word in each for each in judged) for word in text.split())


def _chunks(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: {")]


def _words(body: bytes) -> list[str]:
    found = (choice["delta"].get("content") for chunk in _chunks(body) for choice in chunk.get("choices", ()))
    return [text for text in found if text]


def _trailer(body: bytes) -> str | None:
    return next((chunk["guard"]["kind"] for chunk in _chunks(body) if "guard" in chunk), None)
