"""Read what folotoy-server would do for each role: roles.json, and the compose file for what a role leaves out.

Plain Python without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.folotoy_files import broken_file, read_json
from deploy.folotoy_names import OURS

PREFIXES = {"stt": "OPENAI_WHISPER_", "llm": "OPENAI_OPENAI_", "tts": "OPENAI_TTS_"}
"""Starts of folotoy-server's variables for servers of OpenAI's API."""
MODELS = {"stt": "whisper-1", "llm": "gpt-3.5-turbo", "tts": "tts-1"}
_TIMEOUT_SECONDS = 5.0
MOUTHS = 2


@dataclass(frozen=True)
class Hop:
    """One step of a role's turn.

    Args:
        kind: FoloToy's type, `openai-tts`; empty where nothing says one.
        config: All that the role says of it; a key of `…_config` wins over the same key on the role, the older form.
    """

    service: str
    kind: str
    base: str
    key: str
    model: str
    config: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        """True where a server of OpenAI's API does this step, such as Talkbox."""
        return self.kind in ("", OURS[self.service])

    def text(self, name: str, usual: str = "") -> str:
        return str(self.config.get(name) or usual)


def roles(path: Path) -> list[dict[str, Any]]:
    """Return every role of the file, and every one that a single toy has instead.

    Raises:
        BrokenFile: The file cannot be read as such.
    """
    return [role for _, role in named_roles(path)]


def named_roles(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every role with its number.

    Raises:
        BrokenFile: As `roles`.
    """
    found = read_json(path)
    if not isinstance(found, dict) or not isinstance(found.get("toys", {}), dict):
        raise broken_file(path, 1, "no_object" if not isinstance(found, dict) else "toys_no_object")
    if "start_text" in found or "prompt" in found:
        raise broken_file(path, 1, "single_role")
    toys = [(serial, toy) for serial, toy in found.pop("toys", {}).items() if isinstance(toy, dict)]
    own = [(f"{name} of {serial}", {**_dict(found.get(name)), **_dict(role)})
           for serial, toy in toys for name, role in toy.items()]  # fmt: skip
    for name, role in (*((name, _dict(role)) for name, role in found.items()), *own):
        if role:
            yield name, role


def hop(role: Mapping[str, Any], service: str, settings: Mapping[str, str]) -> Hop:
    """Return one step of a role's turn.

    Args:
        settings: The compose file's environment, for what the role does not say.
    """
    own = _dict(role.get(f"{service}_config"))
    config = own if service == "stt" else {**role, **own}  # a model on the role itself was never that of the ears
    prefix = PREFIXES[service]
    return Hop(
        service,
        str(role.get(f"{service}_type") or settings.get(f"{service.upper()}_TYPE", "")).strip(),
        str(config.get("api_base") or settings.get(f"{prefix}API_BASE", "")).strip(),
        str(config.get("key") or settings.get(f"{prefix}KEY", "")).strip(),
        str(config.get("model") or settings.get(f"{prefix}MODEL") or MODELS[service]),
        {"language": role.get("language"), **config} if service == "stt" else config,
    )


def timeout_seconds(settings: Mapping[str, str]) -> float:
    """Return the silence after which folotoy-server gives a step up."""
    return _number(settings.get("HTTPX_TIMEOUT")) or _TIMEOUT_SECONDS


def mouths(settings: Mapping[str, str]) -> int:
    """Return how many pieces of an answer folotoy-server has spoken at a time."""
    return max(1, int(_number(settings.get("VOICE_EXECUTOR_MAX_WORKERS")) or MOUTHS))


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _dict(found: Any) -> dict[str, Any]:
    return dict(found) if isinstance(found, dict) else {}
