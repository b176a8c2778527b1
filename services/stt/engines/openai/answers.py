"""Answers of transcription servers: a text, with or without times, whole or as events."""

from typing import Any

import msgspec

from stt.hearing import Segment, Word
from stt.sound.speech import Speech
from stt.text.tags import cleaned


class AnsweredSegment(msgspec.Struct, frozen=True):
    """A segment of an answer; servers leave out any of its fields."""

    text: str = ""
    start: float = 0.0
    end: float = 0.0
    tokens: tuple[int, ...] | None = None
    temperature: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None
    words: tuple[Word, ...] | None = None


class Answered(msgspec.Struct, frozen=True):
    """An answer that came whole."""

    text: str
    language: str | None = None
    segments: tuple[AnsweredSegment, ...] | None = None
    words: tuple[Word, ...] | None = None


class TranscriptEvent(msgspec.Struct, frozen=True):
    """An event of a streamed answer; some servers send the text of each segment and no type."""

    type: str | None = None
    delta: str = ""
    text: str = ""
    error: Any = None


def segments(answered: Answered, speech: Speech, *, words: bool) -> tuple[Segment, ...]:
    """Return the segments of an answer in the recording's time, although only `speech` was sent."""

    def said(word: Word) -> Word:
        return Word(cleaned(word.word)[0].strip(), speech.when(word.start), speech.when(word.end, ends=True))

    parts = answered.segments or (AnsweredSegment(text=answered.text, end=speech.seconds),)
    loose = list(answered.words or ())
    found = []
    for number, part in enumerate(parts):
        text = cleaned(part.text)[0].rstrip()
        if not text.strip():
            continue
        last = number == len(parts) - 1
        own = list(part.words or ())
        while loose and (last or loose[0].start < part.end):
            own.append(loose.pop(0))
        found.append(
            Segment(
                start=speech.when(part.start),
                end=speech.when(part.end, ends=True),
                text=text,
                tokens=part.tokens or (),
                temperature=part.temperature or 0.0,
                avg_logprob=part.avg_logprob or 0.0,
                compression_ratio=part.compression_ratio or 1.0,
                no_speech_prob=part.no_speech_prob or 0.0,
                words=tuple(map(said, own)) if words else (),
            )
        )
    return tuple(found)
