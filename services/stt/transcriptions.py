"""POST /v1/audio/transcriptions: parse, decode, transcribe, encode, respond."""

import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing

from starlette.requests import Request
from starlette.responses import Response

from chassis.budgets.key_budgets import KeyBudgets
from chassis.errors import ApiError
from chassis.server.forms import parse_form
from chassis.server.streams import EventStream
from chassis.sse import event
from stt.encode import Transcript, encode, events
from stt.sound.recording import Recording
from stt.transcriber import Transcriber
from stt.wire import TranscriptionRequest

_SPEECH_HEADER = "x-talkbox-speech"
"""Header of an answer without words: `none` where nobody speaks, `silence` where there is no sound at all, as from a
dead microphone. Without it somebody spoke, and was not understood."""
_RECORDING_HEADER = "x-talkbox-recording"
"""Header of an answer whose recording is not what its own header says: `says 48000 Hz, sounds like 16000`."""
_DOUBTFUL_LOGPROB = -0.7
"""Mean logarithm of a segment's tokens below which the rate of its recording is doubted."""

log = logging.getLogger("talkbox.stt")


async def transcriptions(transcriber: Transcriber, budgets: KeyBudgets, request: Request) -> Response:
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
        dictation = await stack.enter_async_context(transcriber.dictation(wanted, files["file"].file, key))
        await stack.enter_async_context(budgets.spending(key, math.ceil(dictation.recording.seconds)))
        noted = _noted(dictation.recording.contradiction)
        if wanted.stream:
            answer = await stack.enter_async_context(transcriber.answer(dictation, dictation.piecewise, key))
            pieces = events(answer, dictation.recording.seconds, dictation.hints, dictation.noted)
            headers = dictation.headers(answer) | noted
            return EventStream(_to_the_end(pieces, request, stack.pop_all()), headers=headers)
        whole = await stack.enter_async_context(transcriber.answer(dictation, dictation.whole, key))
        [transcript] = [transcript async for transcript in whole]
        noted |= await _about(dictation.recording, transcript)
    content, media_type = encode(transcript, wanted)
    return Response(content, media_type=media_type, headers=dictation.headers(whole) | noted)


async def _about(recording: Recording, transcript: Transcript) -> dict[str, str]:
    """Return the headers that say what is wrong with a recording of which little was understood."""
    speech = "found" if transcript.segments else await recording.speech()
    headers: dict[str, str] = {} if speech == "found" else {_SPEECH_HEADER: speech}
    understood = transcript.segments and min(each.avg_logprob for each in transcript.segments) >= _DOUBTFUL_LOGPROB
    if understood or speech == "silence" or recording.contradiction is not None:
        return headers
    return headers | _noted(await recording.other_rate())


def _noted(contradiction: str | None) -> dict[str, str]:
    """Return the header for it, and note it in the log, where the operator looks first."""
    if contradiction is None:
        return {}
    log.warning("the header of a recording %s", contradiction)
    return {_RECORDING_HEADER: contradiction}


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
