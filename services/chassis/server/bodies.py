"""Parse JSON bodies into typed values."""

import re
from functools import cache
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from chassis.errors import BadRequest
from chassis.server.headers import header

T = TypeVar("T")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ESCAPES = re.compile(
    rb"""\\\\ | \\u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2}  # whole
    | (?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})""",
    re.VERBOSE,
)
"""Escapes of characters above U+FFFF: two halves, or the half that a client's cut through an emoji leaves."""


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


async def read_body(request: Request) -> bytes:
    """Return the body of a request, without the byte order mark that Windows puts before it; once: nothing keeps it.

    Raises:
        BadRequest: It is compressed.
        ClientDisconnect: The caller left in the middle.
    """
    encoding = header(request.scope, b"content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise BadRequest(
            f"Content-Encoding is {encoding[:32]!r}; send the body as it is, not compressed.",
            code="unsupported_content_encoding",
        )
    return (await _whole(request.receive)).removeprefix(_BYTE_ORDER_MARK)


async def _whole(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def parse_json(request: Request, kind: type[T], *, cut_characters: bool = False, body: bytes | None = None) -> T:
    """Parse the body as `kind`; fields that it does not have are ignored.

    Args:
        cut_characters: Accept half a character as U+FFFD.
        body: The body, where it was changed on the way.

    Raises:
        BadRequest: The body is no JSON, compressed, or not of that type; `param` names the field.
    """
    media_type = header(request.scope, b"content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        is_now = f"Content-Type is {media_type!r}" if media_type else "Content-Type is empty"
        raise BadRequest(f"{is_now}; send application/json.", code="unsupported_content_type")
    body = await read_body(request) if body is None else body
    try:
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
