"""Parse request bodies, JSON or multipart, into typed values."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

import msgspec
import msgspec.inspect
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from chassis.errors import BadRequest

T = TypeVar("T")
MAX_FIELDS = 1000
MAX_FILES = 8
MAX_FIELD_BYTES = 2**20
_ESCAPES = re.compile(
    rb"""\\\\ | \\u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2}  # whole
    | (?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})""",
    re.VERBOSE,
)
"""Escapes of characters above U+FFFF: two halves, or the half that a client's cut through an emoji leaves."""


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


async def parse_json(request: Request, kind: type[T], *, cut_characters: bool = False) -> T:
    """Parse the body as `kind`; fields that it does not have are ignored.

    Args:
        cut_characters: Accept half a character as U+FFFD.

    Raises:
        BadRequest: The body is no JSON, or not of that type; `param` names the field.
    """
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise BadRequest(f"Content-Type is {media_type!r}; send application/json.", code="unsupported_content_type")
    try:
        body = await request.body()
        body = _without_halves(body) if cut_characters else body
        value: T = _decoder(kind).decode(body)  # type: ignore[arg-type]  # a type is hashable
    except msgspec.ValidationError as exc:
        raise invalid(exc) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BadRequest(f"The body is not valid JSON: {exc}.") from exc
    return value


def _without_halves(body: bytes) -> bytes:
    return _ESCAPES.sub(lambda m: rb"\ufffd" if m["half"] else m[0], body) if rb"\u" in body else body


@asynccontextmanager
async def parse_form(
    request: Request, kind: type[T], files: tuple[str, ...] = ("file",)
) -> AsyncIterator[tuple[T, dict[str, UploadFile]]]:
    """Parse a multipart body: text fields as `kind`, and the files named in `files`, open until the block ends.

    A field may be called `name` or `name[]`; fields that `kind` does not have are ignored.

    Raises:
        BadRequest: The body is not multipart, broken, cut short, or not of that type; `param` names the field.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise BadRequest(f"Content-Type is {media_type!r}; send multipart/form-data.", code="unsupported_content_type")
    form = await _whole_form(request)
    try:
        yield _sorted(form, kind, files)
    finally:
        await form.close()


class _Multipart(MultiPartParser):
    """Starlette's parser, which by itself takes a body without its last boundary for complete."""

    ended = False

    def on_end(self) -> None:
        self.ended = True


async def _whole_form(request: Request) -> FormData:
    parser = _Multipart(
        request.headers, request.stream(), max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as exc:
        raise BadRequest(f"The multipart body cannot be read: {exc.message.rstrip('.')}.") from exc
    except UnicodeError as exc:  # raised by the charset that the caller named
        raise BadRequest("The multipart body cannot be read in the charset it names.") from exc
    except ClientDisconnect as exc:
        raise BadRequest("The connection closed before the body was complete.") from exc
    if not parser.ended:
        await form.close()
        raise BadRequest("The multipart body is cut short: its closing boundary is missing.")
    return form


def _sorted(form: FormData, kind: type[T], files: tuple[str, ...]) -> tuple[T, dict[str, UploadFile]]:
    fields: dict[str, list[str]] = {}
    uploads: dict[str, UploadFile] = {}
    for key, value in form.multi_items():
        name = key.removesuffix("[]")
        if isinstance(value, UploadFile):
            if name in files:
                uploads.setdefault(name, value)
        elif name in files:
            raise BadRequest(f"{name!r} must be a file, not text.", param=name)
        else:
            fields.setdefault(name, []).append(value)
    return _from_fields(fields, kind), uploads


@cache
def _lists(kind: Any) -> frozenset[str]:
    """Names of the fields that take several values."""
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)
    return frozenset(
        field.encode_name for field in described.fields if isinstance(field.type, msgspec.inspect.VarTupleType)
    )


def _from_fields(fields: dict[str, list[str]], kind: type[T]) -> T:
    lists = _lists(kind)  # type: ignore[arg-type]  # a type is hashable
    flat: dict[str, Any] = {name: values if name in lists else values[-1] for name, values in fields.items()}
    try:
        return msgspec.convert(flat, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise invalid(exc) from exc


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
