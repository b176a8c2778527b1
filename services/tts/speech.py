"""POST /v1/audio/speech: parse, speak, encode, respond."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from chassis import metrics
from chassis.budgets.key_budgets import KeyBudgets
from chassis.chain.answer import Answer, Work
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.errors import ApiError
from chassis.guard.options import HEADER
from chassis.server.ranges import whole
from chassis.server.streams import EventStream, Stream
from chassis.sse import close, event
from tts.audio.encoders import with_sizes
from tts.audio.loudness import Levels
from tts.cache.cache import CACHE_HEADER, Cache, Replay
from tts.cache.entry import How, Outgoing
from tts.engines import Engine
from tts.order import Order
from tts.pace import Pace
from tts.recent import RecentLanguages, RecentManners
from tts.settings import Settings
from tts.take import Silence, Take
from tts.text.aside import aside
from tts.text.speakable import speakable
from tts.wire import MEDIA_TYPES, CheckedRequest, parse

if TYPE_CHECKING:
    from chassis.guard.guard import Guard


async def speech(
    chain: Chain[Engine],
    settings: Settings,
    levels: Levels,
    turns: asyncio.Lock,
    pace: Pace,
    cache: Cache | None,
    recent: RecentLanguages,
    manners: RecentManners,
    guard: "Guard | None",
    budgets: KeyBudgets,
    request: Request,
) -> Response:
    """Answer with sound in the codec asked for, sent as the engine makes it, or as it was kept.

    Args:
        turns: Held by whoever encodes.
        pace: Pace of the engines that work on this machine.

    Raises:
        BadRequest: The body cannot be served, or no engine has a voice for it.
        TooBusy: No place in time, or the key has used up its budget.
        EngineFailed: No engine gave sound in time. (If one breaks off later, the connection does.)
    """
    wanted, key = await parse(request), request.scope["state"].get("key")
    await budgets.admit(key)
    characters = len(wanted.text)
    wanted, kind = await fit_for_a_child(wanted, guard, key)
    hint = recent.get(key, wanted.voice)
    order = await aside(wanted.text, lambda: Order.planned(wanted, settings, hint, chain))
    begin = partial(begun, chain, order, levels, turns, pace)
    kept = None if "no-store" in request.headers.get("cache-control", "") else cache
    async with budgets.spending(key, characters):
        sound = await outgoing(order, chain, kept, begin, key or "")
    metrics.of(metrics.key_characters, key or "").inc(characters)
    if (language := order.language_told) is not None:
        recent.note(key, wanted.voice, language)
    manners.note(key, wanted)
    about = {ENGINE_HEADER: sound.engine, CACHE_HEADER: sound.how, HEADER: kind}
    headers = {name: value for name, value in about.items() if value}
    return _response(sound, order, request, headers)


def _response(sound: Outgoing, order: Order, request: Request, headers: Mapping[str, str]) -> Response:
    if order.wanted.streamed_as == "sse":
        return EventStream(events(sound, order, request), headers=headers)
    if isinstance(sound, Replay):
        return whole(with_sizes(sound.sound), request, media_type=MEDIA_TYPES[order.wanted.codec], headers=headers)
    return Stream(sound, media_type=MEDIA_TYPES[order.wanted.codec], headers=headers)


async def outgoing(
    order: Order, chain: Chain[Engine], cache: Cache | None, begin: Callable[[], Awaitable["Speaking"]], caller: str
) -> Outgoing:
    """Return the sound of an order: as it was kept, or as `begin` makes it."""
    if not speakable(order.text):
        return Unspoken(Silence(order))
    if cache is None:
        return await begin()
    return await cache.answer(order.shared_key, order.keys(chain), begin, caller=caller)


async def fit_for_a_child(
    wanted: CheckedRequest, guard: "Guard | None", key: str | None
) -> tuple[CheckedRequest, str | None]:
    """Return what is to be spoken, a kind sentence where the text does not pass, and the kind of risk found in it."""
    if guard is None or (watch := guard.watch(key)) is None:
        return wanted, None
    verdict = await watch.judge(wanted.text, "answered")
    kind = None if watch.noted is None else watch.noted.kind
    return (wanted if verdict is None else replace(wanted, text=watch.sentence(verdict, wanted.text))), kind


async def begun(
    chain: Chain[Engine],
    order: Order,
    levels: Levels,
    turns: asyncio.Lock,
    pace: Pace,
    *,
    check: Callable[[Engine], None] = lambda engine: None,
) -> "Speaking":
    """Return once an engine has given its first sound.

    Args:
        check: Raises `Declined` for an engine that shall not be asked.

    Raises:
        BadRequest: No engine has a voice for it.
        EngineFailed: No engine gave sound in time.
    """

    def work(engine: Engine, submodel: str | None) -> Work[bytes, Take]:
        check(engine)
        take = Take(order, order.plan(engine, submodel), levels, turns, pace)
        return Work(take.pieces(), take)

    return Speaking(order, await chain.answer(order.wanted.model, work))


class Speaking(AsyncIterator[bytes]):
    """An answer that an engine is making."""

    how: How | None = None

    def __init__(self, order: Order, answer: Answer[bytes, Take]) -> None:
        self._answer, self._closed = answer, False
        self.engine = answer.engine
        self.key = order.key(answer.engine, answer.record.plan)

    @property
    def seconds(self) -> float:
        return self._answer.record.seconds

    async def __anext__(self) -> bytes:
        return await anext(self._answer)

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            metrics.of(metrics.sound_seconds, self.engine).inc(self.seconds)
            await self._answer.aclose()


class Unspoken(AsyncIterator[bytes]):
    """An answer that no engine makes."""

    engine: str | None = None
    how: How | None = None

    def __init__(self, silence: Silence) -> None:
        self._silence, self._pieces = silence, silence.pieces()

    @property
    def seconds(self) -> float:
        return self._silence.seconds

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        await self._pieces.aclose()


async def events(sound: Outgoing, order: Order, request: Request) -> AsyncIterator[bytes]:
    """Yield the sound as server-sent events, and what it cost; a failure is an event too, and the last one."""
    try:
        async for piece in sound:
            yield event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    except ApiError as exc:
        request.scope["state"]["error"] = exc
        yield event(exc.envelope)
    else:
        yield event({"type": "speech.audio.done", "usage": order.usage(sound.seconds)})
    finally:
        await close(sound)
