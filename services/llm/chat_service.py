"""The ground for engines that have a service with an API of its own continue a conversation."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from chassis.errors import ApiError, Declined, EngineFailed, NotFound
from chassis.upstream.leniency import Unexpected
from chassis.upstream.vendor import Call, Vendor
from llm.answer.encode import DONE, AnswerChoice, Chunks, Reason, Usage, completion
from llm.answer.filter import Strainer
from llm.answer.passage import Passage
from llm.answer.relay import Relayed
from llm.answer.usage import Counts
from llm.answer.whole import mended
from llm.engines import Engine
from llm.request.body import heard
from llm.settings import RelayOptions
from llm.wire import Asked, ChatRequest

_MOST_STOP_BYTES = 2**16
_STOP_SECONDS = 3.0


class Finish(Struct, frozen=True):
    """The end of an answer.

    Args:
        counts: Tokens as the service counts them; None where it does not.
    """

    reason: Reason = "stop"
    counts: Counts | None = None


class ChatService(Engine):
    """An engine that is a service with an API of its own.

    A subclass says in `attempt` how one key is used for one answer. It yields words as they come, and a `Finish`.
    """

    first_byte_seconds = 2.0
    url: str
    """Address that what is asked is sent to, at the provider's own host."""
    models: tuple[str, ...] = ()

    def __init__(self, vendor: Vendor, options: RelayOptions) -> None:
        self.vendor, self.options = vendor, options
        self._stops: set[asyncio.Task[None]] = set()

    @property
    def sends_to(self) -> str:
        """The server to which conversations are sent."""
        return self.vendor.server_of(self.url)

    @abstractmethod
    def attempt(self, key: str, wanted: ChatRequest) -> AsyncGenerator[str | Finish, None]:
        """Yield the words of one answer, then its `Finish`.

        Raises:
            ApiError: The answer is a refusal, or holds one.
            Unexpected: The answer holds something else than words.
        """

    @property
    def detail(self) -> str | None:
        """Text beside the state in /readyz."""
        return self.vendor.detail

    async def chat(self, asked: Asked) -> AsyncGenerator[bytes, None]:
        self._check(asked)
        pieces = self._streamed(asked) if asked.wanted.stream else self._whole(asked)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    def _check(self, asked: Asked) -> None:
        if asked.model is not None:
            message = f"No model {asked.model!r} here: {self.vendor.name} chooses its own."
            raise NotFound(message, param="model", code="model_not_found")
        check(asked.wanted, self.vendor.name)

    async def _streamed(self, asked: Asked) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._events(asked)) as events:
            usage = partial(_usage_shown, asked) if asked.wanted.wants_usage else None
            passage = Passage(self.vendor.name, self._strainer(asked), self.vendor.meant, asked.tally, usage)
            async for piece in Relayed(events, passage):
                yield piece

    async def _events(self, asked: Asked) -> AsyncGenerator[bytes, None]:
        chunks = Chunks(self.vendor.name, usage=asked.wanted.wants_usage)
        yield chunks.begun()
        async with aclosing(self._pieces(asked)) as pieces:
            async for piece in pieces:
                yield chunks.ended(piece.reason) if isinstance(piece, Finish) else chunks.said(piece)
        if asked.wanted.wants_usage:
            yield chunks.told(_usage(asked))
        yield DONE

    async def _whole(self, asked: Asked) -> AsyncGenerator[bytes, None]:
        said: list[str] = []
        reason: Reason = "stop"
        async with aclosing(self._pieces(asked)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Finish):
                    reason = piece.reason
                else:
                    said.append(piece)
        body = completion([AnswerChoice(tuple(said), reason)], self.vendor.name, _usage(asked))
        yield mended(body, msgspec.json.decode(body), self._strainer(asked), self.vendor.name)

    async def _pieces(self, asked: Asked) -> AsyncGenerator[str | Finish, None]:
        """Yield all of one answer, whichever key it takes; an answer that does not end is raised."""
        finished = False
        try:
            async with aclosing(self.vendor.in_turn(lambda key: self.attempt(key, asked.wanted))) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Finish):
                        finished, asked.tally.told = True, piece.counts
                    yield piece
        except Unexpected as exc:
            raise self.vendor.no_answer(exc.body, "conversation") from exc
        if not finished:
            raise EngineFailed("broke off before the answer was finished")

    def _strainer(self, asked: Asked) -> Strainer:
        wish, ear = heard(asked.wanted, self.options), self.options.for_the_ear
        return Strainer(thoughts=wish != "show", reasoning=wish in ("hide", "off"), markdown=ear, heard=ear)

    def stop_soon(self, call: Call) -> None:
        """Tell the service, while nobody waits, to stop work whose answer nobody hears any more."""
        work = asyncio.create_task(self._stop(call))
        self._stops.add(work)
        work.add_done_callback(self._stops.discard)

    async def _stop(self, call: Call) -> None:
        try:
            await self.vendor.read(call, _MOST_STOP_BYTES, seconds=_STOP_SECONDS)
        except ApiError:
            return

    async def aclose(self) -> None:
        await asyncio.gather(*self._stops)
        await self.vendor.aclose()


def check(wanted: ChatRequest, name: str) -> None:
    """Refuse what a service that takes plain words alone cannot do.

    Raises:
        Declined: Another engine may do it.
    """
    if (wanted.n or 1) > 1:
        raise Declined(f"{name} gives one answer at a time; leave out 'n'.", param="n")
    if wanted.logprobs:
        raise Declined(f"{name} has no 'logprobs'; leave them out.", param="logprobs")
    if wanted.asks_for_moderation:
        raise Declined(f"{name} reports no moderation; leave out 'moderation'.", param="moderation")
    if not wanted.is_prose:
        raise Declined(f"{name} answers in words; leave out 'response_format'.", param="response_format")
    if wanted.tool_choice not in (None, "none", "auto"):
        raise Declined(f"{name} calls no tools of a caller; leave out 'tool_choice'.", param="tool_choice")
    for number, message in enumerate(wanted.messages):
        for part in message.content if isinstance(message.content, list) else ():
            if part.type not in ("text", "refusal"):
                raise Declined(f"{name} understands text only.", param=f"messages[{number}].content")


def _usage(asked: Asked) -> Usage:
    counts = asked.tally.counts(lambda: 0)
    return Usage.of(counts.prompt_tokens, counts.completion_tokens)


def _usage_shown(asked: Asked) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(_usage(asked))
    return shown
