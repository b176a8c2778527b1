"""The request of POST /v1/audio/transcriptions, and the hints for an engine that come of it."""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, field

from chassis.errors import BadRequest
from stt.hearing import Hints, Script
from stt.text.chinese_script import script_of
from stt.text.languages import UnknownLanguage, code_of

ResponseFormat: TypeAlias = Literal["json", "text", "srt", "verbose_json", "vtt"]
"""Formats that there are; `diarized_json` is none of them, since no engine here tells speakers apart."""
Granularity: TypeAlias = Literal["word", "segment"]
Part: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0)]
FewTexts: TypeAlias = Annotated[tuple[str, ...], Meta(max_length=4)]


class TranscriptionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Text fields of the form. An empty `model` means the chain."""

    model: str = ""
    language: str = ""
    prompt: str = ""
    response_format: ResponseFormat = "json"
    temperature: Part = 0.0
    timestamp_granularities: tuple[Granularity, ...] = ()
    stream: bool = False

    languages: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    # Checked, and otherwise without effect: no engine here has what they ask for.
    include: tuple[Literal["logprobs"], ...] = ()
    chunking_strategy: str = "auto"
    chunking_type: Literal["server_vad"] | None = field(default=None, name="chunking_strategy[type]")
    chunking_threshold: Part = field(default=0.5, name="chunking_strategy[threshold]")
    chunking_padding: Milliseconds = field(default=300, name="chunking_strategy[prefix_padding_ms]")
    chunking_silence: Milliseconds = field(default=200, name="chunking_strategy[silence_duration_ms]")
    known_speaker_names: FewTexts = ()
    known_speaker_references: FewTexts = ()

    @property
    def words(self) -> bool:
        return "word" in self.timestamp_granularities

    @property
    def segments(self) -> bool:
        return not self.timestamp_granularities or "segment" in self.timestamp_granularities


class _ServerVad(msgspec.Struct, frozen=True):
    type: Literal["server_vad"]
    threshold: Part = 0.5
    prefix_padding_ms: Milliseconds = 300
    silence_duration_ms: Milliseconds = 200


def hints(wanted: TranscriptionRequest, default_language: str | None, script: Script | None = None) -> Hints:
    """Check the request, and return the hints for an engine.

    Args:
        default_language: The language where the caller names none.
        script: Characters for Chinese where the caller names none.

    Raises:
        BadRequest: A field, or two together, that cannot be served.
    """
    if not math.isfinite(wanted.temperature):
        raise BadRequest("Invalid 'temperature': expected a number from 0 to 1.", param="temperature")
    if wanted.words and wanted.response_format != "verbose_json" and not wanted.stream:
        raise BadRequest("Times of words need response_format 'verbose_json'.", param="timestamp_granularities")
    if wanted.include and wanted.response_format != "json":
        raise BadRequest("'logprobs' can only be included in response_format 'json'.", param="include")
    _check_chunking(wanted.chunking_strategy)
    listed = _languages(wanted.languages, "languages")
    candidates = _languages([wanted.language], "language") or listed
    named = (wanted.language, *wanted.languages)
    return Hints(
        language=candidates[0] if len(candidates) == 1 else default_language,
        candidates=candidates if len(candidates) > 1 else (),
        prompt=_plain(wanted.prompt) or None,
        hotwords=tuple(word for keyword in wanted.keywords if (word := _plain(keyword))),
        temperature=wanted.temperature,
        words=wanted.words,
        times=wanted.response_format in ("verbose_json", "srt", "vtt"),
        stream=wanted.stream,
        named=wanted.model,
        script=next((found for name in named if (found := script_of(name))), script),
    )


def _languages(names: Sequence[str], param: str) -> tuple[str, ...]:
    """Return the codes of languages, each once; a name may also be several with commas."""
    split = [name for listed in names for name in re.split("[,;|/、，；]", listed)]
    return tuple(dict.fromkeys(code for name in split if (code := _language(name, param))))


def _plain(text: str) -> str:
    """Return a prompt in which a model's control tokens (`<|zh|>`) are text like any other."""
    return text.strip().replace("<|", "< |").replace("|>", "| >")


def _language(name: str, param: str) -> str | None:
    try:
        return code_of(name)
    except UnknownLanguage as exc:
        raise BadRequest(str(exc), param=param, code="invalid_language_format") from exc


def _check_chunking(strategy: str) -> None:
    if strategy == "auto":
        return
    try:
        msgspec.json.decode(strategy, type=_ServerVad)
    except (msgspec.DecodeError, UnicodeError) as exc:
        message = "Invalid 'chunking_strategy': expected 'auto', or an object of type 'server_vad'."
        raise BadRequest(message, param="chunking_strategy") from exc
