"""Files that a guard reads beside its lists: kinds of risk, sentences, and the profiles of children of each age."""

from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from chassis.script_language import detect
from chassis.settings import SettingError

HERE = Path(__file__).parent
_OFF = "off"
T = TypeVar("T")


class Risk(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of risk."""

    category: str
    """The category of KORA's that the kind belongs to."""
    sentence: str
    """Sentence that is said instead, in `sentences.toml`."""
    crisis: bool = False
    """The child is sent to a grown-up, and the owner is told."""
    warnable: bool = False
    """True where an answer may name the kind in order to warn of it."""
    finish: Literal["content_filter", "stop"] = "content_filter"
    optional: bool = False
    """True where the kind passes, unless a profile has it in `strict`."""


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """The kinds of risk that are stopped for children of one age."""

    allow: tuple[str, ...] = ()
    """Kinds of risk that pass."""
    strict: tuple[str, ...] = ()
    """Kinds of risk of which a hint is enough."""
    points: int = 4
    """Hints of one kind in a talk from which on another one is enough."""
    only: tuple[str, ...] = ()
    """Topics that the toy talks about; empty: all. Those of the lists, or words."""
    never: tuple[str, ...] = ()
    """Topics that the toy never talks about."""
    like: str = ""
    """Profile whose values hold where this one says nothing."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics that the toy is held to, or kept from."""
        return self.only + self.never


class Sentences(Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence by the language that it is said in."""

    zh: str
    en: str

    def of(self, text: str) -> str:
        """Return it in the language of a text."""
        return self.zh if detect(text) == "zh" else self.en


OFF_PROFILE = Profile(points=0)


def profile_of(name: str) -> Profile:
    """Return the profile of an age, or of a file.

    Raises:
        SettingError: There is none.
    """
    if name == _OFF:
        return OFF_PROFILE
    path = HERE / "profiles" / f"{name}.toml" if "/" not in name and not name.endswith(".toml") else Path(name)
    try:
        return _completed(read_file(path.expanduser(), dict[str, Any]), path)
    except SettingError as exc:
        known = ", ".join(sorted(path.stem for path in (HERE / "profiles").glob("*.toml")))
        raise SettingError(f"GUARD_PROFILE: {name!r}: {exc} There are: {known}, off, or a file of your own.") from exc


def _completed(own: dict[str, Any], path: Path) -> Profile:
    like = own.get("like")
    base = msgspec.structs.asdict(profile_of(like)) if isinstance(like, str) and like != path.stem else {}
    try:
        return msgspec.convert(base | own, Profile)
    except msgspec.ValidationError as exc:
        raise SettingError(f"{path.name} cannot be used ({exc}).") from exc


def read_file(path: Path, kind: type[T]) -> T:
    """Return what a TOML file holds.

    Raises:
        SettingError: It cannot be read as that.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise SettingError(f"{path.name} cannot be used ({exc}).") from exc
