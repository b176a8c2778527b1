"""Any transcription server that speaks OpenAI's dialect: a row of settings, not code.

`STT_GROQ_API_KEY` is the key of the row `groq`; `GROQ_API_KEY` is too, and is shared with the other services. Only
speech is sent, in a small file; silence is not sent at all.
"""

import re
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import httpx
from msgspec import Meta, structs

from chassis.chain.seat import Report
from chassis.errors import Declined, EngineFailed
from chassis.settings import Options, SettingError, read
from chassis.sse import events
from chassis.threads import Stop, cores, pieces, workers
from chassis.upstream.leniency import Unexpected, decoded
from chassis.upstream.question import NamedBy, Question
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.remote import Remote
from chassis.upstream.reply import Reply
from chassis.upstream.settings import Row
from stt.engines import Engine
from stt.engines.openai.answers import Answered, TranscriptEvent, segments
from stt.engines.openai.providers import UPSTREAMS, HearingProvider
from stt.hearing import RATE, Heard, Hints, Pcm, Segment
from stt.sound import speech
from stt.sound.audio_file import Format, encoded
from stt.sound.speech import Speech
from stt.text.hallucinations import is_invented
from stt.text.languages import UnknownLanguage, code_of, guessed, known_code
from stt.text.tags import Cleaner, cleaned

MAX_ANSWER_BYTES = 16 * 2**20
SHORT_SECONDS = 10.0
"""Length that `…_ANSWER_SECONDS` is meant for; a longer recording gets as many seconds more as it is longer."""
_TEXT_ONLY = "gpt-"
"""Part of the names of OpenAI's models that give no times."""

_SPARE = {
    "temperature": None,
    "stream": None,
    "response_format": re.compile("verbose_json|timestamp_granularities"),
    "prompt": None,
}

Seconds = Annotated[float, Meta(gt=0)]


class HearingRowOptions(Options, frozen=True, kw_only=True):
    """More settings of a transcription server, beside its address, key and model."""

    prefix = "STT_<NAME>_"
    format: Format | None = None
    """Format of the audio sent: `opus` and `mp3` are the smallest, `flac` is exact, every server reads `wav`. Unset:
    `flac`; `opus` for openai and groq."""
    languages: tuple[str, ...] = ()
    """Languages it understands; recordings in other languages go to the next engine. Empty: any."""
    stream: Literal["on", "off"] = "on"
    """`off`: it is not asked to stream its words."""
    connect_seconds: Seconds = 3.0
    """Time to connect."""
    answer_seconds: Seconds = 20.0
    """Longest silence before its answer, if the chain's budget does not end sooner."""
    gap_seconds: Seconds = 10.0
    """Longest silence within its answer."""


@dataclass(frozen=True, kw_only=True)
class Upload(Question):
    """Speech that is to be written down."""

    url: httpx.URL
    file: tuple[str, bytes, str]
    speech: Speech
    hints: Hints

    @property
    def extras(self) -> frozenset[str]:
        return frozenset([*(["response_format"] if self.verbose else ()), *(["stream"] if self.streamed else ())])

    @property
    def spare(self) -> Mapping[str, re.Pattern[str] | None]:
        sent = self._fields(frozenset())
        return {name: pattern for name, pattern in _SPARE.items() if name in sent and sent[name] != "json"}

    def body(self, without: frozenset[str]) -> tuple[dict[str, str], bytes]:
        form = httpx.Request("POST", self.url, data=self._fields(without), files={"file": self.file})
        return {"content-type": form.headers["content-type"]}, form.read()

    def _fields(self, without: frozenset[str]) -> dict[str, Any]:
        hints = self.hints
        fields: dict[str, Any] = {"model": self.model, "response_format": "json"}
        if hints.language:
            fields["language"] = hints.language
        prompt = " ".join(filter(None, (", ".join(hints.hotwords), hints.prompt)))
        if prompt and "prompt" not in without:
            fields["prompt"] = prompt
        if hints.temperature and "temperature" not in without:
            fields["temperature"] = str(hints.temperature)
        if self.verbose and "response_format" not in without:
            fields["response_format"] = "verbose_json"
            fields["timestamp_granularities[]"] = ["segment", "word"] if hints.words else ["segment"]
        if self.streamed and "stream" not in without:
            fields["stream"] = "true"
        return fields

    @property
    def verbose(self) -> bool:
        return (self.hints.times or self.hints.words) and _TEXT_ONLY not in self.model

    @property
    def streamed(self) -> bool:
        return self.hints.stream and not self.verbose and self.speech.sure


class OpenAITranscriptions(Engine):
    """Engine of one row: sends the speech in a recording, and reads the transcript."""

    first_byte_seconds = 1.0

    def __init__(self, row: Row, options: HearingRowOptions, provider: HearingProvider) -> None:
        """Raises:
        EngineUnavailable: The address or a key cannot be sent.
        SettingError: No such language.
        """
        self.row, self.options = row, options
        self.models = tuple(dict.fromkeys((*((row.model,) if row.model else ()), *row.models))) if row.models else ()
        self._format: Format = options.format or provider.format
        try:
            self.languages = frozenset(filter(None, map(code_of, options.languages or provider.languages)))
        except UnknownLanguage as exc:
            raise SettingError(f"{row.prefix}LANGUAGES: {exc}") from exc
        self.only = next(iter(self.languages)) if len(self.languages) == 1 else None
        self._remote = Remote(row, "/audio/transcriptions", {}, connect_seconds=options.connect_seconds)
        self._executor = workers(cores(), "upload")

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        found = UPSTREAMS.row(name)
        engine = cls(found, read(HearingRowOptions, prefix=found.prefix), UPSTREAMS.provider(name))
        speech.warm_up()
        return engine

    @property
    def sends_to(self) -> str:
        """The server to which recordings are sent."""
        return self._remote.server

    @property
    def detail(self) -> str | None:
        """State of keys, fields and names, for /readyz."""
        return self._remote.detail

    def hears(self, language: str | None) -> bool:
        return language is None or not self.languages or language in self.languages

    async def aclose(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        await self._remote.aclose()

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        if not self.hears(hints.language):
            raise Declined(f"{self.row.name} does not hear {hints.language!r}.", param="language")
        if self.options.stream == "off":
            hints = structs.replace(hints, stream=False)
        async with aclosing(pieces(self._executor, lambda stop: self._packed(pcm, hints, stop))) as only:
            sent = await anext(only)
        if sent is None:
            yield Heard(language=hints.language or "en")
            return
        async with self._remote.allowance.place():
            reply = await self._remote.ask(sent)
            try:
                if reply.media_type == "text/event-stream":
                    async for heard in self._relayed(reply, sent):
                        yield heard
                else:
                    yield await self._whole(reply, sent)
            finally:
                await reply.aclose()

    def _packed(self, pcm: Pcm, hints: Hints, stop: Stop) -> Generator[Upload | None, None, None]:
        """Yield the question for the speech in `pcm`; None where nobody speaks."""
        found = speech.find(pcm, stop)
        if found is None or stop:
            yield None
            return
        model, named_by = self._model(hints)
        patience = self.options.answer_seconds + max(0.0, found.seconds - SHORT_SECONDS)
        yield Upload(
            url=self._remote.upstream.url,
            file=encoded(found.pcm, self._format),
            speech=found,
            hints=hints,
            model=model,
            named_by=named_by,
            begin_seconds=patience,
        )

    def _model(self, hints: Hints) -> tuple[str, NamedBy]:
        named = hints.named if hints.named != self.row.name else ""
        if hints.model and hints.model != self.row.model:
            return hints.model, "pick"
        if named and (named in self.row.models or not self.row.model):
            return named, "request"
        return self.row.model or "whisper-1", "row"

    def _pieces(self, reply: Reply, sent: Upload) -> AsyncIterator[bytes]:
        return reply.in_time(sent.begin_seconds, self.options.gap_seconds)

    async def _whole(self, reply: Reply, sent: Upload) -> Heard:
        body = b""
        async for piece in self._pieces(reply, sent):
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise EngineFailed(f"answered more than {MAX_ANSWER_BYTES} bytes")
        try:
            answered = decoded(body, Answered)
        except Unexpected as exc:
            raise self._remote.no_answer(body, reply, "transcript") from exc
        text, tagged = cleaned(answered.text)
        language = sent.hints.language or known_code(answered.language) or tagged or guessed(text)
        if not text.strip() or (not sent.speech.sure and is_invented(text)):
            return Heard(language=language)
        return Heard(language=language, segments=segments(answered, sent.speech, words=sent.hints.words))

    async def _relayed(self, reply: Reply, sent: Upload) -> AsyncIterator[Heard]:
        cleaner, said, kind = Cleaner(), False, ""
        begin, end = sent.speech.spans[0][0], sent.speech.spans[-1][1]

        def heard(text: str) -> Heard:
            span = Segment(start=begin / RATE, end=end / RATE, text=text)
            language = sent.hints.language or cleaner.language or guessed(text)
            return Heard(language=language, segments=(span,) if text else ())

        async with aclosing(events(self._pieces(reply, sent))) as pieces:
            async for data in pieces:
                if data == b"[DONE]":
                    break
                event = self._event(data, reply)
                kind = event.type or "segment"
                match kind:
                    case "transcript.text.delta":
                        text = cleaner.feed(event.delta)
                    case "transcript.text.done" if said:
                        text = ""
                    case "segment" | "transcript.text.done":
                        text = cleaner.feed(event.text)
                    case _:
                        continue
                if text:
                    said = True
                    yield heard(text)
                if kind == "transcript.text.done":
                    reply.ended()
                    break
        if kind not in ("transcript.text.done", "segment"):
            raise EngineFailed(f"{self._remote.upstream.shown} broke off")
        if (text := cleaner.flush()) or not said:
            yield heard(text)

    def _event(self, data: bytes, reply: Reply) -> TranscriptEvent:
        try:
            event = decoded(data, TranscriptEvent)
        except Unexpected as exc:
            raise EngineFailed(f"sent an event that is none. {self._remote.hint}") from exc
        complaint = Complaint.of(data) if event.error else None
        if complaint is not None:
            raise self._remote.meant(complaint, reply)
        return event
