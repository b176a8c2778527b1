"""The handler: parse, decode, hear, encode, respond."""

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from chassis import metrics, trace
from chassis.budgets.key_budgets import KeyBudgets
from chassis.chain.answer import Answer, Work
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.errors import ApiError, BadRequest, EngineFailed, NotFound
from chassis.guard.options import HEADER
from chassis.server.forms import parse_form
from chassis.server.streams import EventStream
from chassis.sse import event
from stt.encode import Transcript, encode, events
from stt.engines import Engine
from stt.hearing import Heard, Hints, Script
from stt.piecewise import hear
from stt.sound.recording import Recording, Recordings
from stt.sound.unreadable import explain
from stt.stand_in import ASSUMED_HEADER, Suitability
from stt.text.chinese_script import written
from stt.wire import TranscriptionRequest, hints

if TYPE_CHECKING:
    from chassis.guard.guard import Guard
    from stt.guarding import Ear

T = TypeVar("T")
SPEECH_HEADER = "x-talkbox-speech"
"""Header of an answer without words: `none` where nobody speaks, `silence` where there is no sound at all, as from a
dead microphone. Without it somebody spoke, and was not understood."""
SHORT_SECONDS = 20.0
"""Length up to which the budget is as set; a longer recording gets as much more as it is longer."""


async def transcriptions(
    chain: Chain[Engine],
    recordings: Recordings,
    default_language: str | None,
    script: Script | None,
    guard: "Guard | None",
    budgets: KeyBudgets,
    request: Request,
) -> Response:
    """Answer with what is said in a recording, whole or as it is made out.

    Raises:
        BadRequest: The form, or the sound in it, cannot be used.
        TooBusy: No place in time, or the key has used up its budget.
        EngineFailed: No engine made it out in time. (If one breaks off after its first words, the events end in an
            error; an answer that is not streamed has no first words, so that the next engine is asked.)
    """
    key = request.scope["state"].get("key")
    await budgets.admit(key)
    async with AsyncExitStack() as stack:
        wanted, files = await stack.enter_async_context(parse_form(request, TranscriptionRequest))
        came = monotonic()
        told = hints(wanted, default_language, script)
        ear = _ear(guard, key)
        with trace.stage("decode"):
            recording = await stack.enter_async_context(_opened(recordings, files["file"].file))
        await stack.enter_async_context(budgets.spending(key, math.ceil(recording.seconds)))
        suitability = Suitability(chain.pick(wanted.model)[0], told.language)
        ask = partial(
            chain.answer,
            wanted.model,
            skip_loading=told.language is not None,
            extra_seconds=max(0.0, recording.seconds - SHORT_SECONDS),
            came=came,
            needs=lambda engine: engine.needs(recording.seconds) if suitability.suits(engine) else None,
        )
        if wanted.stream:
            answer = await ask(partial(_piecewise, recording, told, suitability, ear))
            stack.push_async_callback(answer.aclose)
            _count(answer.engine, key, recording.seconds)
            body = _to_the_end(events(answer, recording.seconds, told), request, stack.pop_all())
            return EventStream(body, headers=_headers(answer, ear))
        whole = await ask(partial(_whole, recording, told, suitability, ear))
        stack.push_async_callback(whole.aclose)
        [transcript] = [transcript async for transcript in whole]
        _count(whole.engine, key, recording.seconds)
        speech = "found" if transcript.segments else await recording.speech()
    content, media_type = encode(transcript, wanted)
    headers = _headers(whole, ear) | ({} if speech == "found" else {SPEECH_HEADER: speech})
    return Response(content, media_type=media_type, headers=headers)


@asynccontextmanager
async def _opened(recordings: Recordings, file: BinaryIO) -> AsyncIterator[Recording]:
    """Open a recording; where that fails, say what was uploaded instead.

    Raises:
        BadRequest: It is no sound, too little, or too much.
    """
    async with AsyncExitStack() as stack:
        try:
            recording = await stack.enter_async_context(recordings.open(file))
        except BadRequest as exc:
            if exc.body["code"] in (None, "audio_too_short") and (message := explain(file)):
                raise BadRequest(message, param="file") from exc
            raise
        yield recording


def _count(engine: str, key: str | None, seconds: float) -> None:
    metrics.of(metrics.sound_seconds, engine).inc(seconds)
    metrics.of(metrics.key_sound_seconds, key or "").inc(seconds)


def _ear(guard: "Guard | None", key: str | None) -> "Ear | None":
    """Return the guard of this request; None where it is off."""
    if guard is None or (watch := guard.watch(key)) is None:
        return None
    from stt.guarding import Ear  # only where the guard is on

    return Ear(watch)


def _headers(answer: Answer[T, str | None], ear: "Ear | None") -> dict[str, str]:
    assumed = {} if answer.record is None else {ASSUMED_HEADER: answer.record}
    kind = {} if ear is None or ear.kind is None else {HEADER: ear.kind}
    return {ENGINE_HEADER: answer.engine} | assumed | kind


def _piecewise(
    recording: Recording, told: Hints, suitability: Suitability, ear: "Ear | None", engine: Engine, model: str | None
) -> Work[Heard, str | None]:
    return Work(_heard(recording, told, suitability, ear, engine, model), suitability.assumed_by(engine))


def _whole(
    recording: Recording, told: Hints, suitability: Suitability, ear: "Ear | None", engine: Engine, model: str | None
) -> Work[Transcript, str | None]:
    heard = _heard(recording, told, suitability, ear, engine, model)
    return Work(_transcript(recording, heard), suitability.assumed_by(engine))


async def _heard(
    recording: Recording, told: Hints, suitability: Suitability, ear: "Ear | None", engine: Engine, model: str | None
) -> AsyncGenerator[Heard, None]:
    if model is not None and engine.models and model not in engine.models:
        known = ", ".join(engine.models)
        raise NotFound(f"This engine has no model {model!r}, but {known}.", param="model", code="model_not_found")
    suitability.check(engine)
    try:
        async with aclosing(hear(engine, recording, replace(told, model=model))) as pieces:
            listened = (written(heard, told) async for heard in pieces)
            async for heard in listened if ear is None else ear.judged(listened):
                yield heard
    except EngineFailed:
        suitability.failed(engine)
        raise


async def _transcript(recording: Recording, pieces: AsyncGenerator[Heard, None]) -> AsyncIterator[Transcript]:
    async with aclosing(pieces):
        heard = [piece async for piece in pieces]
    segments = tuple(segment for piece in heard for segment in piece.segments)
    yield Transcript(language=heard[0].language, seconds=recording.seconds, segments=segments)


async def _to_the_end(
    body: AsyncGenerator[bytes, None], request: Request, used: AsyncExitStack
) -> AsyncIterator[bytes]:
    """Pass the events on; where an engine breaks off, the last event is the error, since the status has left.

    Args:
        used: Things to close at the end.
    """
    async with used, aclosing(body):
        try:
            async for piece in body:
                yield piece
        except ApiError as exc:
            request.scope["state"]["error"] = exc
            yield event(exc.envelope, "error")
