"""Tell which languages can be heard now, and how to hear more, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.phrases import phrase

_NAMED = ("en", "zh")


def limits(engines: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what cannot be heard and the remedy; None where several languages are heard, or nothing is.

    Args:
        engines: The engines of /status/stt.
    """
    ready = [engine for engine in engines if engine["state"] == "ready"]
    if not ready or not all(engine.get("only") for engine in ready):
        return None
    codes = dict.fromkeys(str(engine["only"]) for engine in ready)
    language = phrase("comma").join(phrase(f"language_{code}") if code in _NAMED else code for code in codes)
    hearer = ", ".join(str(engine["name"]) for engine in ready)
    missing = [engine for engine in engines if engine not in ready]
    reasons = [phrase(f"engine_{engine['state']}", engine=engine["name"]) for engine in missing]
    reason = phrase("reason", reasons=phrase("comma").join(reasons)) if reasons else ""
    lines = [phrase("heard_only", language=language, hearer=hearer, reason=reason)]
    is_loading = any(engine["state"] == "loading" for engine in missing)
    lines.append(phrase("heard_later") if is_loading else phrase("hear_more", language=language))
    if all(engine["name"] != "whisper" for engine in engines):
        lines.append(phrase("without_whisper"))
    return "\n".join(lines)
