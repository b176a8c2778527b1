"""Parse multipart bodies into typed values, as leniently as the many clients that make them by hand need it."""

import errno
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

import msgspec
import msgspec.inspect
from msgspec.inspect import BoolType, LiteralType, Metadata, StrType, Type, VarTupleType
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from chassis.errors import BadRequest, NotReady
from chassis.server.bodies import invalid
from chassis.server.multipart import tidied
from chassis.settings import SWITCHES

T = TypeVar("T")
_MAX_FIELDS = 1000
_MAX_FILES = 8
_MAX_FIELD_BYTES = 2**20
_LEFT_OUT = frozenset({"", "null", "none", "undefined"})
"""Texts of an optional field that has no value; free text may be any but the first."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_AS_IT_IS = frozenset({"", "7bit", "8bit", "binary", "identity"})
_INDEX = re.compile(r"\[\d*\]$")


@asynccontextmanager
async def parse_form(
    request: Request, kind: type[T], files: tuple[str, ...] = ("file",)
) -> AsyncIterator[tuple[T, dict[str, UploadFile]]]:
    """Parse a multipart body: text fields as `kind`, and the files named in `files`, open until the block ends.

    A field may be called `name`, `name[]` or `name[0]`. A part with a file's name is that file, with or without a
    filename. Empty fields are left out, and fields that `kind` does not have are ignored. A list may also be JSON
    (`["word"]`), or names with commas where only certain names are allowed.

    Raises:
        BadRequest: The body is not multipart, broken, cut short, or not of that type, or a file is missing; `param`
            names the field.
        NotReady: The disk is full.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        found = f"Content-Type is {media_type!r}" if media_type else "There is no Content-Type"
        raise BadRequest(f"{found}; send multipart/form-data.", code="unsupported_content_type")
    form = await _whole_form(request, files)
    try:
        yield _sorted(form, kind, files)
    finally:
        await form.close()


class _Multipart(MultiPartParser):
    """Starlette's parser, which by itself takes a body without its last boundary for complete.

    It takes a part for a file by its filename alone, which old clients and hand-made bodies leave out. It takes all
    parts to be in the charset of the whole, and to be sent as they are.
    """

    def __init__(self, request: Request, files: tuple[str, ...]) -> None:
        super().__init__(
            request.headers,
            self._to_its_end(tidied(request.stream(), _boundary(request))),
            max_files=_MAX_FILES,
            max_fields=_MAX_FIELDS,
            max_part_size=_MAX_FIELD_BYTES,
        )
        self.files, self.ended = files, False

    async def _to_its_end(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Pass the body on; an error at its end has the parser close the files that it has begun."""
        async for piece in body:
            yield piece
        if not self.ended:
            raise MultiPartException("it is cut short; it ends in CRLF, two dashes, the boundary, two dashes")

    def on_headers_finished(self) -> None:
        part = self._current_part
        _, options = parse_options_header(part.content_disposition)
        name = options.get(b"name", b"").decode("latin-1")
        if b"filename" not in options and _name(name) in self.files:
            part.content_disposition = (part.content_disposition or b"") + b'; filename="nameless"'
        super().on_headers_finished()
        headers = dict(part.item_headers)
        encoding = headers.get(b"content-transfer-encoding", b"binary").strip().lower().decode("latin-1")
        if encoding not in _AS_IT_IS:
            raise MultiPartException(f"its part {name[:40]!r} is encoded ({encoding[:40]}). Send its bytes as they are")
        charset = parse_options_header(headers.get(b"content-type"))[1].get(b"charset", b"").decode("latin-1")
        self._charset_of_part = _codec(charset) or self._charset

    def on_part_end(self) -> None:
        whole, self._charset = self._charset, self._charset_of_part
        super().on_part_end()
        self._charset = whole
        if self.items[-1][0] == "_charset_" and isinstance(self.items[-1][1], str):
            self._charset = _codec(self.items[-1][1]) or whole

    def on_end(self) -> None:
        self.ended = True


def _name(key: str) -> str:
    """Return the name of a field without an index, and without the single quotes that no standard knows."""
    return _INDEX.sub("", key.strip("'"))


def _boundary(request: Request) -> bytes:
    found: bytes = parse_options_header(request.headers["content-type"])[1].get(b"boundary", b"")
    return found


def _codec(charset: str) -> str | None:
    """Return a charset that texts can be read in; None where it is none."""
    try:
        b"abcd".decode(charset)
    except (LookupError, ValueError):  # there is none, or it is one of bytes
        return None
    return charset


async def _whole_form(request: Request, files: tuple[str, ...]) -> FormData:
    try:
        return await _Multipart(request, files).parse()
    except MultiPartException as exc:
        raise BadRequest(f"The multipart body cannot be read: {_reason(request, exc)}.") from exc
    except UnicodeError as exc:  # raised by the charset that the caller named
        raise BadRequest("The multipart body cannot be read in the charset it names.") from exc
    except OSError as exc:
        if exc.errno not in _NO_ROOM:
            raise
        message = "There is no room for the upload: the disk that TMPDIR is on is full."
        raise NotReady(message, code="disk_full", retry_after=5) from exc
    except ClientDisconnect as exc:
        raise BadRequest("The connection closed before the body was complete.") from exc


def _reason(request: Request, exc: MultiPartException) -> str:
    """Return what is wrong with a body, and what to do."""
    boundary = _boundary(request).decode("latin-1")
    if not boundary:
        return "Content-Type names no boundary. Leave that header to your HTTP client, which writes both"
    if encoding := request.headers.get("content-encoding"):
        return f"it is encoded ({encoding}). Send it as it is"
    if "header" in str(exc.__cause__):
        return f"the headers of a part: {exc.__cause__}"
    if exc.message.startswith("Invalid"):
        shown = boundary[:100]
        return (
            f"its parts are not separated by the boundary {shown!r} of Content-Type. Before each part comes the line "
            f"'--{shown}', after the last '--{shown}--', and each line ends in CRLF"
        )
    return exc.message.rstrip(".")


def _sorted(form: FormData, kind: type[T], files: tuple[str, ...]) -> tuple[T, dict[str, UploadFile]]:
    fields: dict[str, list[str]] = {}
    uploads: dict[str, UploadFile] = {}
    for key, value in form.multi_items():
        name = _name(key)
        if isinstance(value, str):
            fields.setdefault(name, []).append(value)
        elif name not in uploads or not uploads[name].size:  # a page may have sent a field that nobody filled, too
            uploads[name] = value
    sorted_fields = _from_fields(fields, kind)
    for name in files:
        if name not in uploads:
            came = next((f" A file came as {other!r}; call that part {name!r}." for other in uploads), "")
            raise BadRequest(f"Missing required parameter: {name!r}.{came}", param=name)
    return sorted_fields, uploads


def _from_fields(fields: Mapping[str, Sequence[str]], kind: type[T]) -> T:
    types = _types(kind)  # type: ignore[arg-type]  # a type is hashable
    given = {name: _value(name, types[name], texts) for name, texts in fields.items() if name in types}
    try:
        return msgspec.convert(
            {name: value for name, value in given.items() if value not in (None, [])}, kind, strict=False
        )
    except msgspec.ValidationError as exc:
        raise invalid(exc) from exc


@cache
def _types(kind: Any) -> Mapping[str, Type]:
    """Return the type of each field."""
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)
    return {field.encode_name: _plain(field.type) for field in described.fields}


def _plain(described: Type) -> Type:
    return _plain(described.type) if isinstance(described, Metadata) else described


def _value(name: str, described: Type, texts: Sequence[str]) -> Any:
    """Return the text or the texts of a field as msgspec converts them; None where it is left out."""
    if not isinstance(described, VarTupleType):
        return _one(name, described, texts[-1])
    item = _plain(described.item_type)
    split = [part for text in texts for part in _listed(item, text)]
    return [value for part in split if (value := _one(name, item, part)) is not None]


def _listed(item: Type, text: str) -> Sequence[str]:
    """Split a list that came as one text."""
    stripped = text.strip()
    if stripped.startswith("[") and stripped.endswith("]"):
        try:
            found = json.loads(stripped if '"' in stripped else stripped.replace("'", '"'))
        except (ValueError, RecursionError):
            return [text]
        return list(map(str, found))
    return text.split(",") if isinstance(item, LiteralType) else [text]


def _one(name: str, described: Type, text: str) -> str | None:
    """Return one text, tidied; None where it is left out.

    Raises:
        BadRequest: It is none of the names that the field allows.
    """
    tidy = text.strip()
    if isinstance(described, StrType):
        return text if tidy else None
    if tidy.lower() in _LEFT_OUT:
        return None
    if isinstance(described, BoolType):
        return SWITCHES.get(tidy.lower(), tidy.lower())
    if isinstance(described, LiteralType):
        if tidy.lower() not in described.values:
            allowed = ", ".join(map(str, described.values))
            raise BadRequest(
                f"Invalid {name!r}: {tidy[:40]!r} is none of {allowed}.", param=name, code="unsupported_value"
            )
        return tidy.lower()
    return tidy
