"""Encode a transcript as json, text, srt, vtt, or events."""

import math
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from typing import Any

import msgspec

from chassis.sse import event
from stt.hearing import Heard, Hints, Segment
from stt.text.languages import name_of
from stt.wire import TranscriptionRequest

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_AUDIO_TOKENS_PER_SECOND = 10
"""Rate at which OpenAI's own models count sound."""


_TOKEN = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """The transcript of a whole recording."""

    language: str
    seconds: float
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments).strip()


def encode(transcript: Transcript, wanted: TranscriptionRequest) -> tuple[bytes, str]:
    """Return body and content type."""
    match wanted.response_format:
        case "text":
            return f"{transcript.text}\n".encode(), TEXT
        case "srt":
            return _srt(transcript.segments).encode(), TEXT
        case "vtt":
            return _vtt(transcript.segments).encode(), TEXT
        case "verbose_json":
            return msgspec.json.encode(_verbose(transcript, wanted)), JSON
        case _:
            return msgspec.json.encode({"text": transcript.text, "usage": _duration(transcript.seconds)}), JSON


def _duration(seconds: float) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(seconds)}


def _verbose(transcript: Transcript, wanted: TranscriptionRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "task": "transcribe",
        "language": name_of(transcript.language),
        "duration": round(transcript.seconds, 3),
        "text": transcript.text,
    }
    if wanted.segments:
        body["segments"] = [_segment(number, segment) for number, segment in enumerate(transcript.segments)]
    if wanted.words:
        body["words"] = [word for segment in transcript.segments for word in segment.words]
    return body | {"usage": _duration(transcript.seconds)}


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "seek": round(segment.start * 100),
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": segment.tokens,
        "temperature": segment.temperature,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": segment.compression_ratio,
        "no_speech_prob": segment.no_speech_prob,
    }


def _srt(segments: Iterable[Segment]) -> str:
    cues = (
        f"{number}\n{_clock(segment.start, ',')} --> {_clock(segment.end, ',')}\n{_cue(segment.text)}\n\n"
        for number, segment in enumerate(segments, start=1)
    )
    return "".join(cues)


def _vtt(segments: Iterable[Segment]) -> str:
    cues = (
        f"{_clock(segment.start, '.')} --> {_clock(segment.end, '.')}\n{_markup(_cue(segment.text))}\n\n"
        for segment in segments
    )
    return "WEBVTT\n\n" + "".join(cues)


def _clock(seconds: float, mark: str) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{mark}{milliseconds % 1000:03}"


def _cue(text: str) -> str:
    """Put a cue on one line and take out arrows: either would end it."""
    return " ".join(text.split()).replace("-->", "->")


def _markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


async def events(
    pieces: AsyncIterator[Heard], seconds: float, hints: Hints, noted: Callable[[], dict[str, Any]] = dict
) -> AsyncGenerator[bytes, None]:
    """Yield `transcript.text.delta` events, and one `transcript.text.done` whose text is all deltas joined.

    Args:
        noted: Returns fields for the last event: what is known of the transcript only then.
    """
    text, tokens = "", 0
    async for heard in pieces:
        for segment in heard.segments:
            delta = segment.text if text else segment.text.lstrip()
            if delta:
                text += delta
                tokens += len(segment.tokens) or _count(segment.text)
                yield event({"type": "transcript.text.delta", "delta": delta})
    done = {"type": "transcript.text.done", "text": text, "usage": _tokens(seconds, hints, tokens)}
    yield event(done | noted())


def _tokens(seconds: float, hints: Hints, output: int) -> dict[str, Any]:
    audio, prompt = math.ceil(_AUDIO_TOKENS_PER_SECOND * seconds), _count(hints.prompt or "")
    return {
        "type": "tokens",
        "input_tokens": audio + prompt,
        "output_tokens": output,
        "total_tokens": audio + prompt + output,
        "input_token_details": {"text_tokens": prompt, "audio_tokens": audio},
    }


def _count(text: str) -> int:
    """Estimate the tokens of a text: one for each word, and for each character of scripts without spaces."""
    return len(_TOKEN.findall(text))
