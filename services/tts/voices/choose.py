"""Choose the voice: the one a caller named, or the nearest to it that an engine has."""

from collections.abc import Callable, Sequence
from itertools import islice

import msgspec

from chassis.errors import Declined
from chassis.script_language import foreign, language_of
from chassis.settings import SettingError
from tts.voices.language_tags import TAG, normal
from tts.voices.names import OPENAI, Gender, voice_traits


class Voice(msgspec.Struct, frozen=True):
    """A voice as its engine calls it."""

    name: str
    language: str
    """Language tag (BCP 47), e.g. `zh-CN`."""
    gender: Gender | None = None
    polyglot: bool = False
    """True where the voice reads other languages than its own too."""
    late: bool = False
    """True for a voice that was not known from the start: it is never chosen for a name that is not its own, so that
    each name keeps its voice."""


MANY = "mul"
"""ISO 639's code for many languages: of a voice that reads whatever it is given."""
MOST_LISTED = 40


def choose(
    known: Sequence[Voice], native: Voice | None, asked: str, text: str, default: str, language_hint: str | None = None
) -> Voice:
    """Return the voice to speak `text` with.

    A voice that could not read a single letter of the text gives way to one that can: a role whose voice is English
    must not fall silent when the answer is in Chinese. Another engine's voice means the nearest in language and gender.
    A name nobody knows means a voice of the text's language.

    Args:
        known: The engine's voices, in the order it prefers them.
        native: Its own voice of the name `asked`.
        asked: As the caller wrote it.
        default: The language of a text that does not tell.
        language_hint: The language of what the same caller said last, for a text without letters (`25`).

    Raises:
        Declined: The engine has no voice for that language.
    """
    if native and (native.polyglot or not foreign(text, native.language)):
        return native
    described = None if native else voice_traits(asked)
    language = native.language if native else described.language if described else _language_said(asked, known)
    if language is None or foreign(text, language):
        language = language_of(text, language_hint) or default
    fitting = _of(known, language)
    if not fitting:
        raise Declined(f"No voice for the language {language!r}. {_those(known)}", param="voice")
    gender = native.gender if native else described.gender if described else OPENAI.get(asked.lower())
    fitting = [voice for voice in fitting if not voice.late] or fitting
    alike = [voice for voice in fitting if gender in (None, voice.gender)] or fitting
    same_gender = [name for name, other in OPENAI.items() if other == gender]
    place = same_gender.index(asked.lower()) if asked.lower() in same_gender else 0
    return alike[place % len(alike)]


def prefer(names: Sequence[str], known: Sequence[Voice], find: Callable[[str], Voice | None]) -> list[Voice]:
    """Return the voices that an engine knows, those of `names` ahead of the others.

    Raises:
        SettingError: It has no voice of such a name.
    """
    first = []
    for name in names:
        voice = find(name)
        if voice is None:
            raise SettingError(f"No voice {name!r}. {_those(known)}")
        first.append(voice)
    return [*first, *(voice for voice in known if voice not in first)]


def _language_said(asked: str, known: Sequence[Voice]) -> str | None:
    """The language that another engine's voice name begins with (`zh-CN-YunjianNeural`, `en-us+f3`, `de`)."""
    match = TAG.fullmatch(asked)
    if asked.lower() in OPENAI or match is None:
        return None
    code, region = match.groups()
    tag = normal(f"{code}-{region}" if region else code)
    spoken = {voice.language.partition("-")[0] for voice in known}
    return tag if region or tag.partition("-")[0] in spoken else None


def _of(known: Sequence[Voice], language: str) -> list[Voice]:
    """The voices of a language: of its region where the tag has one, else of the region preferred, else of any."""
    tag = normal(language)
    primary = tag.partition("-")[0]
    relatives = [voice for voice in known if voice.language.startswith(primary)]  # `fi` and `fil`: those of `fi` only
    relatives = [voice for voice in relatives if voice.language.partition("-")[0] == primary]
    exact = [voice for voice in relatives if voice.language == tag]
    if exact:
        return exact
    return [voice for voice in relatives or known if voice.language == (relatives[0].language if relatives else MANY)]


def _those(known: Sequence[Voice]) -> str:
    if len(known) <= MOST_LISTED:
        return f"There are: {', '.join(voice.name for voice in known)}."
    some = ", ".join(islice((voice.name for voice in known), MOST_LISTED))
    return f"There are: {some} and {len(known) - MOST_LISTED} more, listed at /v1/audio/voices."
