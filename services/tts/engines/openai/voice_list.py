"""Read the lists of voices that servers give."""

from typing import Any

import msgspec

from tts.voices.choose import MANY, Voice
from tts.voices.language_tags import TAG, normal
from tts.voices.names import OPENAI, Gender, voice_traits

_MOST_VOICES = 2_000


class _VoiceEntry(msgspec.Struct):
    """Voice in a server's list; servers use different ones of these fields."""

    id: Any = None
    voice_id: Any = None
    name: Any = None
    language: Any = None
    locale: Any = None
    lang: Any = None
    gender: Any = None


class _VoiceList(msgspec.Struct):
    """List of voices within an object."""

    voices: list[str | _VoiceEntry] | None = None
    data: list[str | _VoiceEntry] | None = None


def voices_in(body: bytes) -> list[Voice] | None:
    """Return the voices in a list of names or of objects, bare or as `voices` or `data`; None if it is no list."""
    try:
        found = msgspec.json.decode(body, type=_VoiceList | list[str | _VoiceEntry])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if isinstance(found, _VoiceList):
        found = found.data if found.voices is None else found.voices
    if found is None:
        return None
    voices = [voice for entry in found[:_MOST_VOICES] if (voice := _heard_of(entry)) is not None]
    return list({voice.name.lower(): voice for voice in voices}.values())


def _heard_of(entry: str | _VoiceEntry) -> Voice | None:
    if isinstance(entry, str):
        entry = _VoiceEntry(id=entry)
    name = _text(entry.id, entry.voice_id, entry.name)
    if not name:
        return None
    said, tag = voice_traits(name), _text(entry.language, entry.locale, entry.lang)
    language = normal(tag) if TAG.fullmatch(tag) else said.language if said else MANY
    genders: dict[str, Gender] = {"f": "female", "m": "male"}
    gender = genders.get(_text(entry.gender)[:1].lower()) or (said.gender if said else OPENAI.get(name.lower()))
    return Voice(name, language, gender, polyglot=language == MANY, late=True)


def _text(*values: Any) -> str:
    """Return the first of `values` that is a text."""
    return next((value for value in values if isinstance(value, str) and value), "")
