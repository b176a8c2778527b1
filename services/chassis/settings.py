"""Settings: read once from the environment into frozen values. Nothing else reads `os.environ`."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_origin

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
COMMENT = re.compile(r"(?:^|\s)#")
"""Begins what is no key in a line of a file of keys, as in `.env`."""
MEMORY = "memory://"
_COMMA = re.compile("[,，、]")
_BETWEEN_ENGINES = re.compile(r"[\s;；'\"“”‘’]+")
SWITCHES = {"on": "true", "yes": "true", "off": "false", "no": "false"}


class SettingError(ValueError):
    """A variable cannot be used; the message names it and says what it takes."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Variables that one file reads: with the prefix `TTS_`, the field `language` is `TTS_LANGUAGE`.

    The docstrings of a subclass and of its fields are the text of `docs/settings.md`; `make docs` writes that page.
    """

    prefix: ClassVar[str] = ""
    """Start of each variable's name. `<NAME>` in it is the name of a row, which `read` replaces with `prefix=`."""


class ServiceSettings(Options, frozen=True, kw_only=True):
    """Settings that each service has under its own prefix."""

    engines: tuple[str, ...]
    """The chain: names of engines, in the order in which they are asked. A name outside the table of engines is a row:
    an upstream with OpenAI's API, described by `<SERVICE>_<NAME>_…`."""
    type: str = ""
    """FoloToy's name for a provider, as its compose file has it (`azure-stt`): that engine is asked first, ahead of
    those of `<SERVICE>_ENGINES`. Its names for servers of OpenAI's API, such as Talkbox itself, change nothing."""
    first_byte_seconds: Seconds = 4.0
    """Time for the whole chain to its first byte, as long as a later engine could still answer."""
    last_engine_seconds: Seconds = 30.0
    """Time for the last engine that could answer; a toy gives up after about 30 s. One that only stands in for a better
    one has the rest of `<SERVICE>_FIRST_BYTE_SECONDS`."""
    hedge_seconds: Annotated[float, Meta(ge=0)] | Literal["auto"] = 0.0
    """Silence after which the next engine is asked too; the first to answer wins. `auto`: the time within which 95 of
    100 answers of that engine began lately; 0: one after another."""
    max_concurrent: Count = 64
    """Requests served at a time by one process; stt's default is 8 times the number of cores."""
    max_queued: Annotated[int, Meta(ge=0)] = 128
    """Requests that may wait for a place; further ones get 429."""
    max_body_bytes: Count = 2**20
    """Size of the largest request; a larger one gets 413."""
    key_requests: str = ""
    """Requests that each key may make: `20/minute; 500/day`, a day from midnight to midnight (`TZ`); a key's name gives
    it a limit of its own: `20/minute, kitchen: 100/minute`. Empty: no limit."""
    budgets_url: str = MEMORY
    """Place where the budgets of keys are counted; `redis://host:6379` (or Valkey) for several workers or replicas.
    While it is away, each process counts for itself."""

    def __post_init__(self) -> None:
        words = (word for entry in self.engines for word in _BETWEEN_ENGINES.split(entry))
        msgspec.structs.force_setattr(self, "engines", tuple(filter(None, words)))


O = TypeVar("O", bound=Options)  # noqa: E741  (a type variable named as its bound)


def read(
    kind: type[O], environ: Mapping[str, str] | None = None, *, prefix: str | None = None, own: str | None = None
) -> O:
    """Return the environment as `kind`; unset and empty variables keep their defaults.

    Lists are separated by commas; switches are on/off, yes/no, true/false, 1/0. `NAME_FILE` names a file that holds
    the value of `NAME`, as secrets are often kept.

    Args:
        prefix: Start of the variables' names, instead of the kind's own.
        own: Start of the names of variables that win over those: `LLM_MOONSHOT_TEMPERATURE` over `LLM_TEMPERATURE`.

    Raises:
        SettingError: A value is of the wrong type, a required one is missing, or a file cannot be read.
    """
    environ = os.environ if environ is None else environ
    prefix = kind.prefix if prefix is None else prefix
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        for start in (prefix,) if own is None else (own, prefix):
            variable = start + field.name.upper()
            if text := _text(environ, variable):
                found[field.name] = _value(variable, text, field.type)
                break
        if field.required and field.name not in found:
            raise SettingError(f"Set {prefix}{field.name.upper()}.")
    return kind(**found)


def variables_set() -> Mapping[str, str]:
    """Return all variables and their values, for whoever looks for names that nobody reads."""
    return os.environ


def value_of(variable: str) -> str:
    """Return the text of one variable whose name is no field's, such as one that a vendor chose; empty if unset.

    Raises:
        SettingError: The file that `variable` with `_FILE` names cannot be read.
    """
    return _text(os.environ, variable)


def by_name(text: str) -> dict[str, list[str]]:
    """Return the values of a setting that differs by key (`6-8, kitchen: 3-5`), those without a name under `""`."""
    found: dict[str, list[str]] = {}
    for entry in filter(str.strip, text.split(",")):
        name, colon, value = entry.partition(":")
        found.setdefault(name.strip() if colon else "", []).append((value if colon else entry).strip())
    return found


def _text(environ: Mapping[str, str], variable: str) -> str:
    """Return the value of `variable`, or what the file holds that `variable` with `_FILE` names; empty if neither."""
    text, file = environ.get(variable, "").strip(), environ.get(f"{variable}_FILE", "").strip()
    if not file:
        return text
    if text:
        raise SettingError(f"Set {variable} or {variable}_FILE, not both.")
    try:
        lines = Path(file).expanduser().read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise SettingError(f"{variable}_FILE: cannot read {file!r} ({reason}).") from exc
    holds_keys = "KEY" in variable
    kept = [text for line in lines if (text := (COMMENT.split(line)[0] if holds_keys else line).strip())]
    if not kept:
        raise SettingError(f"{variable}_FILE: {file!r} is empty.")
    return ",".join(kept) if holds_keys else " ".join(kept)


def _value(variable: str, text: str, kind: Any) -> Any:
    raw: Any = text
    if get_origin(kind) is tuple:
        raw = [part.strip() for part in _COMMA.split(text) if part.strip()]
        if not raw:
            raise SettingError(f"{variable}: there is nothing between the commas. Fill it in, or leave it empty.")
    elif kind is bool:
        raw = SWITCHES.get(text.lower(), text.lower())
    try:
        return msgspec.convert(raw, kind, strict=False, dec_hook=_path)
    except msgspec.ValidationError as exc:
        shown = "it" if "KEY" in variable else repr(text)
        raise SettingError(f"{variable}: cannot use {shown} ({exc}).") from exc


def _path(kind: type, value: Any) -> Path:
    """Convert to `Path`, the one type of a setting that msgspec does not know."""
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value).expanduser()
