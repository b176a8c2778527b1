"""Names and ranges that folotoy-server documents for roles.json, and those of Talkbox's engines.

They are kept in one file for both readers of a roles.json, this one and the console page's: `proxy/site/folotoy.json`.
"""

from __future__ import annotations

import json
import os
import re
from difflib import get_close_matches
from typing import Any
from unicodedata import normalize
from urllib.parse import urlsplit

from deploy.installation import ROOT
from deploy.phrases import reads_chinese

_SHARED: dict[str, Any] = json.loads((ROOT / "proxy" / "site" / "folotoy.json").read_text(encoding="utf-8"))

NUMBERS = tuple("1234567")
TYPES: dict[str, list[str]] = _SHARED["types"]
OURS: dict[str, str] = _SHARED["ours"]
"""Types that speak OpenAI's API, and so can use Talkbox."""
FIELDS: dict[str, list[str]] = _SHARED["fields"]
FLAT: dict[str, list[str]] = _SHARED["flat"]
"""Older keys on the role itself, by the service that they are for; `model` is for none in particular."""
ROLE_KEYS: list[str] = _SHARED["role_keys"]
TEXTS: list[str] = _SHARED["texts"]
"""Keys whose value is a text."""
ALIASES: dict[str, str] = _SHARED["aliases"]
COUNTRIES: dict[str, str] = _SHARED["countries"]
"""Codes that people write for a language and that are none, each with the one that is meant."""
RANGES: dict[str, list[float]] = _SHARED["ranges"]
PINNED: dict[str, str] = _SHARED["pinned"]
USUAL_MODELS: dict[str, str] = _SHARED["usual_models"]
LAST_RESORTS = ("sphinx", "companion", "espeak", "flite")
"""Engines that answer where nothing better can; `phrases.json` says of each what it is."""
ENGINES: dict[str, list[str]] = _SHARED["engines"]
OPENAI_VOICES: list[str] = _SHARED["openai_voices"]
PLACEHOLDER = re.compile(_SHARED["placeholder"], re.IGNORECASE)
ODD_ADDRESS = re.compile(_SHARED["odd_address"])
"""Signs that no base has: a key, a question, a Chinese keyboard's."""
_LIKE_NOTHING = re.compile(_SHARED["host_like_nothing"], re.IGNORECASE)
_LOOPBACK = re.compile(_SHARED["loopback"], re.IGNORECASE)
NEW: dict[str, list[str]] = _SHARED["new"]
"""Greeting and prompt of a new role, by language."""
_ENDS = re.compile(_SHARED["blank_ends"])
HALF_SIGN = re.compile(_SHARED["half_sign"])
"""Escape of half a character, which nobody can send."""
BEGINNINGS: str = _SHARED["beginnings"]
"""Signs with which a roles.json begins, mistakes included; anything else is another format."""
BROKEN = tuple((re.compile(pattern), code) for pattern, code in _SHARED["broken"])
"""Patterns of lines that JSON refuses, each with the code of its sentence."""
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST, _LISTS = 80, ("known", "names", "path", "why")
_SENTENCES: dict[str, dict[str, list[str]]] = _SHARED["sentences"]


def bare(text: str) -> str:
    """Return a text without the blanks at its ends, those that nobody sees included."""
    return _ENDS.sub("", text)


def plain_name(key: str) -> str:
    """Return a key in folotoy-server's own spelling: voiceName, Voice-Name and VOICE NAME are voice_name."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", normalize("NFKC", bare(key)))
    return re.sub(r"[\s.-]+", "_", apart).lower()


def type_like(written: object, service: str) -> str:
    """Return the type that is meant; that of OpenAI's API where none is near."""
    plain = plain_name(str(written)).replace("_", "-")
    return (get_close_matches(plain, TYPES[service], 1, 0.75) or [OURS[service]])[0]


def host_of(address: str) -> str:
    """Return the host of an address with or without its scheme, in small letters; empty where there is none."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


def is_no_host(host: str | None) -> bool:
    """Return True for what stands for a host that is to be filled in, and for numbers that are no address."""
    return _LIKE_NOTHING.fullmatch(host or "") is not None and not is_loopback(host)


def is_loopback(host: str | None) -> bool:
    """Return True for the names and numbers by which a machine, or a container, calls itself."""
    return _LOOPBACK.fullmatch(host or "") is not None


def sentence(code: str, **values: object) -> tuple[str, str]:
    """Return the sentence that says what is wrong, and its cure, in the language of the locale."""
    told = _SENTENCES["zh" if reads_chinese(os.environ) else "en"][code]
    cause, cure = (_filled(text, values) for text in told)
    return cause, cure


def _filled(text: str, values: dict[str, object]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: _shown(found[1], values[found[1]]), text)


def _shown(name: str, value: object) -> str:
    """Return a value as it is fit for a line: signs that break one as a blank, and a long one cut."""
    text = _BREAKS.sub(" ", str(value))
    return text if name in _LISTS or len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
