"""What transcription servers answer: a text, with or without times, whole or as events."""

import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from chassis.errors import EngineFailed
from stt.engines import Segment, Word
from stt.languages import UnknownLanguage, code_of
from stt.speech import Speech

MAX_EVENT_BYTES = 2**20

TAG = re.compile(r"<\|([^|<>\n]{1,30})\|>")
"""What SenseVoice says of the sound: `<|zh|><|NEUTRAL|><|Speech|><|woitn|>`."""
LONGEST_TAG = 34
PICTURES = str.maketrans(dict.fromkeys("🎼👏😀😭🤧😷😊😔😡😰🤢😮❓\ufe0f"))
"""What its scripts make of those tags: music, applause, laughter, moods."""


class Part(msgspec.Struct, frozen=True):
    """A segment, of which servers leave out what they like."""

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
    """A whole answer."""

    text: str
    language: str | None = None
    segments: tuple[Part, ...] | None = None
    words: tuple[Word, ...] | None = None


class Event(msgspec.Struct, frozen=True):
    """One of a stream; some servers send the text of each segment and no type."""

    type: str | None = None
    delta: str = ""
    text: str = ""
    error: Any = None


class Cleaner:
    """Takes out SenseVoice's tags and their pictures; a tag may come in two pieces."""

    def __init__(self) -> None:
        self._held = ""
        self.language: str | None = None
        """As the first tag that names one says."""

    def feed(self, text: str) -> str:
        text = self._held + text
        begin = text.rfind("<", -LONGEST_TAG)
        unfinished = begin >= 0 and text[begin : begin + 2] in ("<", "<|") and ">" not in text[begin:]
        self._held = text[begin:] if unfinished else ""
        return self._without(text[:begin] if unfinished else text)

    def flush(self) -> str:
        text, self._held = self._held, ""
        return self._without(text)

    def _without(self, text: str) -> str:
        if self.language is None:
            self.language = next((code for tag in TAG.findall(text) if (code := language_of(tag))), None)
        return TAG.sub("", text).translate(PICTURES)


def cleaned(text: str) -> tuple[str, str | None]:
    """Without tags, and the language they told."""
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.flush(), cleaner.language


def language_of(name: str | None) -> str | None:
    """`zh` for `zh` or `chinese`; None for what is no language."""
    try:
        return code_of(name) if name else None
    except UnknownLanguage:
        return None


def guessed(text: str) -> str:
    """The language of a text, by its letters alone."""
    for letters, code in (("[\u3040-\u30ff]", "ja"), ("[\uac00-\ud7af]", "ko"), ("[\u3400-\u9fff]", "zh")):
        if re.search(letters, text):
            return code
    return "en"


def segments(answered: Answered, speech: Speech, *, words: bool) -> tuple[Segment, ...]:
    """In the recording's time, although only `speech` was sent."""

    def said(word: Word) -> Word:
        return Word(cleaned(word.word)[0].strip(), speech.when(word.start), speech.when(word.end, ends=True))

    parts = answered.segments or (Part(text=answered.text, end=speech.seconds),)
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


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of each server-sent event.

    Raises:
        EngineFailed: One of them has no end.
    """
    rest, data = b"", []
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                data.append(line.removeprefix(b"data:").strip())
            elif not line and data:
                yield b"\n".join(data)
                data = []
        if len(rest) + sum(map(len, data)) > MAX_EVENT_BYTES:
            raise EngineFailed(f"sent an event of more than {MAX_EVENT_BYTES} bytes")
    if data:
        yield b"\n".join(data)
