"""Read answers as kindly as real providers need: with a byte order mark, nulls, or numbers in quotation marks.

What is required must be there all the same; only its spelling may differ.
"""

import json
from typing import Any, TypeVar

import msgspec

from chassis.sse import BYTE_ORDER_MARK

T = TypeVar("T")


class Unexpected(Exception):
    """An answer holds something else than what was asked for: an error object, or no JSON at all.

    Args:
        body: The part that is something else.
    """

    def __init__(self, body: bytes) -> None:
        super().__init__("sent something else than what was asked for")
        self.body = body


def decoded(body: bytes, kind: type[T]) -> T:
    """Return what a JSON document holds.

    Raises:
        Unexpected: It is no JSON, or no `kind`.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # among them that of a field
        return converted(parsed(body.removeprefix(BYTE_ORDER_MARK)), kind)


def parsed(body: bytes) -> Any:
    """Return the JSON value in `body`.

    Raises:
        Unexpected: There is none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unexpected(body) from exc


def converted(value: Any, kind: type[T]) -> T:
    """Return a JSON value as a `kind`.

    Raises:
        Unexpected: It is none.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        try:
            return msgspec.convert(_plain(value), kind, strict=False)
        except msgspec.ValidationError as exc:
            raise Unexpected(json.dumps(value).encode()) from exc


def _plain(value: Any) -> Any:
    """Return `value` without nulls, its numbers as text, which is read as either."""
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items() if each is not None}
        case list():
            return [_plain(each) for each in value if each is not None]
        case int() | float() if not isinstance(value, bool):
            return str(value)
    return value
