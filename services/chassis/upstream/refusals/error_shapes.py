"""Find the message, the field at fault, the codes and the wait in an error object of whatever shape.

Names of fields are in small letters, but in `error_in`, which takes an answer as it was decoded.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

TEXTS = (
    *("message", "msg", "error_msg", "status_msg", "errmsg", "detail", "error_message", "errormessage"),
    *("error_description", "title"),
)
_PARAMS = ("param", "parameter", "field", "argument", "property", "loc", "path", "instancepath", "pointer")
"""Names of the field at fault: those of OpenAI, Spring, pydantic, zod, ajv, JSON:API."""
_CODES = ("code", "type", "__type", "status", "error_code", "reason", "errcode")
_NO_PLACE = re.compile(r"^None$|_error$|\s")
"""LiteLLM's word for none, Cerebras' for any field, and sentences, which resellers write there."""
_NUMBERED = ("error_code",)
"""Codes whose numbers other vendors use for something else."""
_LIMIT = re.compile(r"try again in (?:(\d+)m)?([\d.]+)(ms|s)\b", re.IGNORECASE)


def error_in(value: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a decoded answer that is the error, or the answer itself."""
    for name in ("error", "base_resp", "detail", "header"):
        inner = value.get(name)
        if isinstance(inner, str) and inner and name == "error":  # its name only, where there is a message beside
            return {"message": inner} | {key: field for key, field in value.items() if key != "error" and field}
        if isinstance(inner, dict) and inner and (name != "detail" or _says(inner)):
            if name == "base_resp":
                return {**inner, "base_resp": inner}
            return inner if inner.get("message") else error_in(inner)  # some wrap it once more
    response = value.get("Response")  # Tencent
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return dict(response["Error"])
    errors = value.get("errors")  # Cloudflare, Rails, JSON:API
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return dict(errors[0])
    if isinstance(errors, list | dict) and errors and not any(value.get(name) for name in TEXTS):
        return {"detail": errors if isinstance(errors, list) else [{"loc": key, "msg": errors[key]} for key in errors]}
    return value


def _says(detail: Mapping[str, Any]) -> bool:
    """Tell whether a `detail` is the error itself, and not only the id of its line in a log, as Coze's."""
    return any(name in detail for name in (*TEXTS, *_CODES))


def field_at_fault(error: Mapping[str, Any]) -> str | None:
    """Return the field at fault, such as `messages.0.role`, however its place is written."""
    details = error.get("details")
    nested = [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    nested += [each for detail in nested for each in detail.get("fieldViolations") or () if isinstance(each, dict)]
    source = error.get("source")
    for fields in (error, source if isinstance(source, dict) else {}, *nested):
        for name, place in fields.items():
            is_place = str(name).lower() in _PARAMS and (
                name != "path" or isinstance(place, list)
            )  # Spring's is its URL
            if is_place and (found := _place(place)) and not _NO_PLACE.search(found):
                return found
    return None


def _place(place: object) -> str:
    """Return where something is, as `messages.0.role`, from a path, a list of steps or a JSON pointer."""
    steps = [str(step) for step in place] if isinstance(place, list | tuple) else [place]
    if not all(isinstance(step, str) for step in steps):
        return ""
    return re.sub(r"^(?:[#$./]+|body[./\[])+", "", ".".join(map(str, steps))).replace("/", ".")


def validation_errors(detail: object) -> tuple[str, tuple[str, ...]]:
    """Return FastAPI's `[{loc, msg, type}]`, and what is like it, in one line, and the fields at fault."""
    if not isinstance(detail, list):
        return "", ()
    lines = [item if isinstance(item, dict) else {"msg": item} for item in detail if isinstance(item, dict | str)]
    where = [field_at_fault({str(name).lower(): field for name, field in item.items()}) or "" for item in lines]
    what = [item.get("msg") or item.get("message") or item.get("detail") or "" for item in lines]
    message = "; ".join(": ".join(filter(None, (place, str(text)))) for place, text in zip(where, what, strict=True))
    return message, tuple(filter(None, where))


def words_in(error: Mapping[str, Any]) -> frozenset[str]:
    """Return the codes, types, statuses and reasons of an error object, in lower case."""
    return _codes(error) | _details(error) | _base_resp(error)


def _codes(fields: Mapping[str, Any]) -> frozenset[str]:
    return _words(fields.get(name) for name in _CODES if name not in _NUMBERED) | frozenset(
        f"{name}.{fields[name]}" for name in _NUMBERED if isinstance(fields.get(name), str | int)
    )


def _details(error: Mapping[str, Any]) -> frozenset[str]:
    """Return Google's reasons, and Azure's inner code."""
    inner = error.get("innererror")
    found = [inner.get("code")] if isinstance(inner, dict) else []
    details = error.get("details")
    if isinstance(details, list):
        found += [detail.get("reason") for detail in details if isinstance(detail, dict)]
    return _words(found)


def _base_resp(error: Mapping[str, Any]) -> frozenset[str]:
    """Return MiniMax's number, which it also writes in brackets at the end of a message."""
    inner = error.get("base_resp")
    if isinstance(inner, dict):
        return frozenset({f"base_resp.{inner.get('status_code')}"})
    match = re.search(r"\((1\d{3}|2\d{3})\)$", str(error.get("message") or ""))
    return frozenset({f"base_resp.{match[1]}"}) if match else frozenset()


def _words(values: Iterable[object]) -> frozenset[str]:
    """Return codes in lower case; of `Throttling.RateQuota` also `throttling`."""
    words = {str(value).lower() for value in values if isinstance(value, str | int)}
    return frozenset(words | {word.partition(".")[0] for word in words})


def wait_seconds(message: str, error: Mapping[str, Any]) -> float | None:
    """Return the seconds in "try again in 7.66s" (OpenAI, Groq), or in Google's `retryDelay`."""
    if match := _LIMIT.search(message):
        minutes, number, unit = match.groups()
        return 60.0 * int(minutes or 0) + float(number.rstrip(".")) * (0.001 if unit.lower() == "ms" else 1.0)
    details = error.get("details")
    delays = [each.get("retryDelay") for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    delay = next((each for each in delays if isinstance(each, str)), "")
    return float(delay[:-1]) if re.fullmatch(r"\d+(?:\.\d+)?s", delay) else None
