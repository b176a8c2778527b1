"""Callers of the language model, and what became of each."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx


@dataclass
class Outcome:
    """One request's."""

    status: int | None = None
    """None if it never began to answer."""
    events: list[tuple[float, str]] = field(default_factory=list)
    """The data of each, and how many seconds after the request it came."""
    error: str | None = None
    """Why the stream, or the wait for it, broke off."""

    @property
    def complete(self) -> bool:
        return self.status == 200 and self.error is None and bool(self.events) and self.events[-1][1] == "[DONE]"

    @property
    def begun(self) -> bool:
        """Whether the caller had heard of success before whatever came later."""
        return self.status == 200


def chat(*, chunks: int, gap: float, silence: float = 0) -> dict[str, object]:
    """A request to the upstream of the tests."""
    words = json.dumps({"chunks": chunks, "gap": gap, "silence": silence})
    return {"model": "slow", "stream": True, "messages": [{"role": "user", "content": words}]}


async def ask(client: httpx.AsyncClient, wanted: dict[str, object], heard: asyncio.Event | None = None) -> Outcome:
    """One streamed answer.

    Args:
        heard: Set when the first event is there.
    """
    outcome = Outcome()
    began = time.monotonic()
    try:
        async with client.stream("POST", "/v1/chat/completions", json=wanted) as response:
            outcome.status = response.status_code
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    outcome.events.append((time.monotonic() - began, line.removeprefix("data: ")))
                    if heard:
                        heard.set()
                elif response.status_code != 200:
                    outcome.error = line
    except httpx.HTTPError as exc:
        outcome.error = repr(exc)
    return outcome


@asynccontextmanager
async def load(client: httpx.AsyncClient, *, callers: int = 8) -> AsyncIterator[list[Outcome]]:
    """So many callers, each asking again and again until the block ends; its outcomes are complete afterwards."""
    outcomes: list[Outcome] = []
    over = asyncio.Event()

    async def call() -> None:
        while not over.is_set():
            outcomes.append(await ask(client, chat(chunks=5, gap=0.1, silence=0.1)))

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())
        try:
            yield outcomes
        finally:
            over.set()
