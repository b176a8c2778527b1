"""Streams of upstreams for the tests, and what comes of relaying them."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from chassis.upstream.refusals.meaning import within_success
from llm.answer.filter import Strainer
from llm.answer.passage import Passage
from llm.answer.relay import Relayed
from llm.answer.usage import Tally

DONE = b"data: [DONE]\n\n"
FRAME = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "bear"}


def event(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def chunk(finish: str | None = None, index: int = 0, /, **delta: Any) -> bytes:
    return event(FRAME | {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]})


BEGIN = chunk(role="assistant", content="")
END = chunk("stop")


def said(*texts: str) -> list[bytes]:
    return [BEGIN, *(chunk(content=text) for text in texts), END, DONE]


def strainer(*, thoughts: bool = True, reasoning: bool = False, markdown: bool = False, **more: bool) -> Strainer:
    return Strainer(thoughts=thoughts, reasoning=reasoning, markdown=markdown, **more)


EVERYTHING = {"thoughts": False}


class Relay:
    """One stream relayed; `out` has the pieces that left, also when it breaks."""

    def __init__(self, strain: Strainer | None = None, usage: Callable[[], dict[str, Any]] | None = None) -> None:
        self.out: list[bytes] = []
        self.ended = False
        self.tally = Tally()
        self.passage = Passage("asked", strain or strainer(), within_success, self.tally, usage)

    async def run(self, *pieces: bytes | Exception) -> bytes:
        async def arriving() -> AsyncIterator[bytes]:
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece

        def end() -> None:
            self.ended = True

        async for events in Relayed(arriving(), self.passage, end):
            self.out.append(events)
        return b"".join(self.out)

    async def chunks(self, *pieces: bytes) -> list[Any]:
        """Return the chunks that leave, without `[DONE]`, which must be the end."""
        stream = await self.run(*pieces)
        assert stream.endswith(DONE)
        return chunks_of(stream)


def chunks_of(stream: bytes) -> list[Any]:
    lines = [line for line in stream.decode().split("\n\n") if line]
    assert all(line.startswith("data: ") and "\n" not in line for line in lines), lines
    return [json.loads(line[6:]) for line in lines if line != "data: [DONE]"]


def words(chunks: list[Any], index: int = 0) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks
        for choice in chunk["choices"]
        if choice["index"] == index
    )
