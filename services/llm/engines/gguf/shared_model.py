"""The way to llama.cpp's server: a question waits for its share of the context, and gives way while it is read."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct

from chassis.upstream.client import Upstream
from chassis.upstream.reply import Reply
from llm.engines.gguf.passed_on import passed_on
from llm.engines.gguf.readers import SHORT_TOKENS, PromptReader, PromptReaders
from llm.engines.gguf.shared_context import SharedContext

_MAX_COUNT_BYTES = 2**16
_MAX_REFUSAL_BYTES = 2**25
"""It repeats the part of the question that it could not read."""
_UNREADABLE = b'"Failed to parse '
_MOST_TOKENS = 2**31 - 1
"""More than this llama.cpp takes for another number."""
_EVENT_END = b"\n\n"
_LIMITS = ("max_tokens", "max_completion_tokens")
_READ_ONLY = {"stream": Raw(b"true"), "max_tokens": Raw(b"1")}
_TELL_PROGRESS = {"return_progress": Raw(b"true")}


class _Asked(Struct):
    """The fields of a question, and the limit that its answer asks for.

    Args:
        fields: Its fields that are sent, but for the limit.
        limit: Most tokens of its answer; None: the caller says nothing of them.
    """

    fields: dict[str, Raw]
    limit: int | None
    is_stream: bool

    @classmethod
    def of(cls, body: bytes) -> "_Asked":
        fields = msgspec.json.decode(body, type=dict[str, Raw])
        limits = [msgspec.json.decode(fields[name], type=int | None) for name in _LIMITS if name in fields]
        limit = min((each for each in limits if each is not None), default=None)
        return cls(passed_on(fields), limit, bytes(fields.get("stream", b"")) == b"true")

    def body(self, changes: dict[str, Raw]) -> bytes:
        limit = {} if self.limit is None else {"max_tokens": Raw(str(min(self.limit, _MOST_TOKENS)).encode())}
        return msgspec.json.encode(self.fields | limit | changes)


class _Count(Struct):
    input_tokens: int


class _Progress(Struct):
    total: int
    processed: int


class _Event(Struct):
    prompt_progress: _Progress | None = None


class SharedModel(Upstream):
    """llama.cpp's server, which makes several answers at a time.

    Args:
        context: The tokens that all of them share.
        share: Tokens of each where all places are taken.
    """

    def __init__(self, url: str, headers: dict[str, str], *, context: SharedContext, share: int, **more: Any) -> None:
        super().__init__(url, headers, **more)
        self._context, self._share, self._readers = context, share, PromptReaders()

    async def post_at_once(
        self, body: bytes, headers: dict[str, str], *, silence_seconds: float | None = None
    ) -> Reply:
        """Do what any upstream does, once there is room; a streamed answer is returned when its question was read.

        Raises:
            TooBusy: There is no room in time.
            EngineFailed, EngineTimeout: As any upstream.
        """
        asked = _Asked.of(body)
        tokens = await self._count(asked, headers)
        if asked.limit is None:
            asked.limit = self._rest_of_share(tokens)
        held = await self._context.take(tokens + asked.limit)
        post = partial(super().post_at_once, headers=headers, silence_seconds=silence_seconds)
        try:
            if asked.is_stream:
                reply = await self._once_read(partial(post, asked.body(_TELL_PROGRESS)))
            else:
                if tokens > SHORT_TOKENS:
                    await (await self._once_read(partial(post, asked.body(_READ_ONLY | _TELL_PROGRESS)))).aclose()
                reply = await post(asked.body({}))
            await _blame_caller(reply)
        except BaseException:
            self._context.leave(held)
            raise
        reply.follow(partial(self._closed, held))
        return reply

    async def _count(self, asked: _Asked, headers: dict[str, str]) -> int:
        """Return the tokens of a question; those of the whole context where llama.cpp cannot count them."""
        url = f"{self.url}/input_tokens"
        reply = await self.request("POST", url, asked.body({}), headers)
        try:
            if reply.status != 200:
                return self._context.tokens
            return msgspec.json.decode(await reply.read(_MAX_COUNT_BYTES), type=_Count).input_tokens
        finally:
            await reply.aclose()

    def _rest_of_share(self, tokens: int) -> int:
        """Return what a question leaves of its share, and at least a quarter of that: the limit where none is set."""
        return max(1, self._share // 4, self._share - tokens)

    def _closed(self, held: int, whole: bool) -> None:
        (self._context.give_back if whole else self._context.leave)(held)

    async def _once_read(self, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        """Return the answer to a stream's question once that was read, or the refusal of it."""
        with self._readers.joined() as reader:
            while True:
                async with AsyncExitStack() as stack:
                    reply = await ask()
                    stack.push_async_callback(reply.aclose)
                    if reply.status != 200 or await self._was_read(reply, reader):
                        stack.pop_all()
                        return reply
                await self._readers.give_way(reader)

    async def _was_read(self, reply: Reply, reader: PromptReader) -> bool:
        """Return True once a question was read, and False once it must give way."""
        async with aclosing(_tokens_left(reply)) as progress:
            async for left in progress:
                self._readers.note(reader, left)
                if self._readers.must_give_way(reader):
                    return False
        return True


async def _blame_caller(reply: Reply) -> None:
    """Have a reply say 400 where llama.cpp could not read its question, which it calls a 500."""
    if reply.status != 500:
        return
    async with AsyncExitStack() as stack:
        stack.push_async_callback(reply.aclose)
        said = await reply.read(_MAX_REFUSAL_BYTES)
        stack.pop_all()
    reply.put_back(said)
    if _UNREADABLE in said:
        reply.status = 400


async def _tokens_left(reply: Reply) -> AsyncGenerator[int, None]:
    """Yield the tokens that are left of a question, until its answer begins."""
    came = b""
    async for piece in reply:
        came += piece
        while _EVENT_END in came:
            event, _, rest = came.partition(_EVENT_END)
            if event.startswith(b"data:"):
                progress = _progress(event)
                if progress is None:
                    reply.put_back(came)
                    return
                yield progress.total - progress.processed
            came = rest
    reply.put_back(came)


def _progress(event: bytes) -> _Progress | None:
    try:
        return msgspec.json.decode(event.removeprefix(b"data:"), type=_Event).prompt_progress
    except msgspec.DecodeError:  # `[DONE]`, or an error
        return None
