"""Parse JSON bodies into typed values."""

import re
from functools import cache
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from chassis.errors import BadRequest

T = TypeVar("T")
_ESCAPES = re.compile(
    rb"""\\\\ | \\u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2}  # whole
    | (?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})""",
    re.VERBOSE,
)
"""Escapes of characters above U+FFFF: two halves, or the half that a client's cut through an emoji leaves."""


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


async def parse_json(request: Request, kind: type[T], *, cut_characters: bool = False, body: bytes | None = None) -> T:
    """Parse the body as `kind`; fields that it does not have are ignored.

    Args:
        cut_characters: Accept half a character as U+FFFD.
        body: The body, where it was changed on the way.

    Raises:
        BadRequest: The body is no JSON, or not of that type; `param` names the field.
    """
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise BadRequest(f"Content-Type is {media_type!r}; send application/json.", code="unsupported_content_type")
    try:
        body = await request.body() if body is None else body
        body = _without_halves(body) if cut_characters else body
        value: T = _decoder(kind).decode(body)  # type: ignore[arg-type]  # a type is hashable
    except msgspec.ValidationError as exc:
        raise invalid(exc) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BadRequest(f"The body is not valid JSON: {exc}.") from exc
    return value


def _without_halves(body: bytes) -> bytes:
    return _ESCAPES.sub(lambda m: rb"\ufffd" if m["half"] else m[0], body) if rb"\u" in body else body


def invalid(exc: msgspec.ValidationError) -> BadRequest:
    """Turn msgspec's error into ours: its `$.messages[0].role` becomes `param`.

    msgspec gives the path in its message only; a test holds that wording.
    """
    text, _, path = str(exc).partition(" - at `")
    param = path.rstrip("`").removeprefix("$").removeprefix(".") or None
    if missing := re.fullmatch(r"Object missing required field `(.+)`", text):
        param = f"{param}.{missing[1]}" if param else missing[1]
        text = f"Missing required parameter: {param!r}"
    elif param:
        text = f"Invalid {param!r}: {text[:1].lower()}{text[1:]}"
    return BadRequest(f"{text}.", param=param)
