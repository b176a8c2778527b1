"""The handler: parse, decode, hear, encode, respond."""

from collections.abc import AsyncIterator
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chassis.chain import ENGINE_HEADER, Answer, Chain
from chassis.errors import ApiError, BadRequest, NotFound
from chassis.streams import EVENT_STREAM, Stream, close, event
from chassis.wire import parse_form
from stt.decode import Decoder
from stt.encode import Transcript, encode, events
from stt.engines import RATE, Engine, Heard, Hints, Pcm, Script
from stt.script import written
from stt.wire import TranscriptionRequest, hints

SHORT_SECONDS = 10.0
"""A longer recording gets as much more of the budget as it is longer."""


async def transcriptions(
    chain: Chain[Engine], decoder: Decoder, default_language: str | None, script: Script | None, request: Request
) -> Response:
    """What was said, whole or as it is made out.

    Raises:
        BadRequest: The form, or the sound in it, cannot be used.
        EngineFailed: No engine made it out in time. (If one breaks off after its first words, the events end in an
            error; an answer that is not streamed has no first words, so that the next engine is asked.)
    """
    async with parse_form(request, TranscriptionRequest) as (wanted, files):
        told = hints(wanted, default_language, script)
        if "file" not in files:
            raise BadRequest("Missing required parameter: 'file'.", param="file")
        pcm = await decoder.decode(files["file"].file)
    seconds = len(pcm) / RATE
    ask = partial(
        chain.answer,
        wanted.model,
        skip_loading=told.language is not None,
        extra_seconds=max(0.0, seconds - SHORT_SECONDS),
        willing=lambda engine: engine.hears(told.language),
    )
    if wanted.stream:
        answer = await ask(partial(_heard, pcm, told))
        body = _to_the_end(answer, events(answer, seconds, told), request)
        return Stream(body, media_type=EVENT_STREAM, headers={ENGINE_HEADER: answer.engine})
    whole = await ask(partial(_transcript, pcm, told))
    try:
        [transcript] = [transcript async for transcript in whole]
    finally:
        await whole.aclose()
    content, media_type = encode(transcript, wanted)
    return Response(content, media_type=media_type, headers={ENGINE_HEADER: whole.engine})


def _heard(pcm: Pcm, told: Hints, engine: Engine, model: str | None) -> AsyncIterator[Heard]:
    if model is not None and engine.models and model not in engine.models:
        known = ", ".join(engine.models)
        raise NotFound(f"This engine has no model {model!r}, but {known}.", param="model", code="model_not_found")
    pieces = engine.transcribe(pcm, msgspec.structs.replace(told, model=model))
    return pieces if told.script is None else _written(pieces, told.script)


async def _written(pieces: AsyncIterator[Heard], script: Script) -> AsyncIterator[Heard]:
    try:
        async for heard in pieces:
            yield written(heard, script)
    finally:
        await close(pieces)


async def _transcript(pcm: Pcm, told: Hints, engine: Engine, model: str | None) -> AsyncIterator[Transcript]:
    pieces = _heard(pcm, told, engine, model)
    try:
        heard = [piece async for piece in pieces]
    finally:
        await close(pieces)
    segments = tuple(segment for piece in heard for segment in piece.segments)
    yield Transcript(language=heard[0].language, seconds=len(pcm) / RATE, segments=segments)


async def _to_the_end(answer: Answer[Heard], body: AsyncIterator[bytes], request: Request) -> AsyncIterator[bytes]:
    """The events; an engine that breaks off is told of by the last one, since the status has left."""
    try:
        async for piece in body:
            yield piece
    except ApiError as exc:
        request.scope["state"]["error"] = exc
        yield event({"error": exc.body}, "error")
    finally:
        await answer.aclose()
