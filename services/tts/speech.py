"""POST /v1/audio/speech: parse, speak, respond."""

import base64
from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import Response

from chassis import metrics
from chassis.budgets.key_budgets import KeyBudgets
from chassis.chain.chain import ENGINE_HEADER
from chassis.errors import ApiError
from chassis.guard.options import HEADER
from chassis.server.ranges import whole
from chassis.server.streams import EventStream, Stream
from chassis.sse import close, event
from tts.audio.encoders import with_sizes
from tts.cache.cache import CACHE_HEADER, Replay
from tts.cache.entry import Outgoing
from tts.order import Order
from tts.synthesizer import Synthesizer
from tts.wire import MEDIA_TYPES, parse


async def speech(synthesizer: Synthesizer, budgets: KeyBudgets, request: Request) -> Response:
    """Answer with sound in the codec asked for, sent as the engine makes it, or as it was kept.

    Raises:
        BadRequest: The body cannot be served, or no engine has a voice for it.
        TooBusy: No place in time, or the key has used up its budget.
        EngineFailed: No engine gave sound in time. (If one breaks off later, the connection does.)
    """
    wanted, key = await parse(request), request.scope["state"].get("key")
    await budgets.admit(key)
    characters = len(wanted.text)
    order, kind = await synthesizer.order(wanted, key)
    kept = "no-store" not in request.headers.get("cache-control", "")
    async with budgets.spending(key, characters):
        sound = await synthesizer.sound(order, key, kept=kept)
    metrics.of(metrics.key_characters, key or "").inc(characters)
    synthesizer.remember(order, key)
    about = {ENGINE_HEADER: sound.engine, CACHE_HEADER: sound.how, HEADER: kind}
    headers = {name: value for name, value in about.items() if value}
    return _response(sound, order, request, headers)


def _response(sound: Outgoing, order: Order, request: Request, headers: Mapping[str, str]) -> Response:
    if order.wanted.streamed_as == "sse":
        return EventStream(_events(sound, order, request), headers=headers)
    if isinstance(sound, Replay):
        return whole(with_sizes(sound.sound), request, media_type=MEDIA_TYPES[order.wanted.codec], headers=headers)
    return Stream(sound, media_type=MEDIA_TYPES[order.wanted.codec], headers=headers)


async def _events(sound: Outgoing, order: Order, request: Request) -> AsyncIterator[bytes]:
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
