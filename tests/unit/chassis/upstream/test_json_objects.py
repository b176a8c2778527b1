import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.errors import EngineFailed
from chassis.upstream.json_objects import messages
from chassis.upstream.leniency import Unexpected

OBJECTS = [{"a": 1, "text": 'a "quoted" } brace {'}, {"a": 2, "text": "小熊"}, {"a": 3, "text": "x" * 70_000}]


async def read(body: bytes, size: int, kind: Any = dict[str, Any]) -> list[Any]:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    return [message async for message in messages(pieces(), kind)]


@pytest.mark.parametrize("size", [1_000_000, 1_021, 7])
@pytest.mark.parametrize(("before", "after"), [(b"", b""), (b"", b"\n"), (b"\n ", b"\r\n"), (b"data: ", b"\n\n")])
async def test_objects_are_read_however_they_are_put_in_a_row(before: bytes, after: bytes, size: int) -> None:
    body = b"".join(before + json.dumps(each, ensure_ascii=False).encode() + after for each in OBJECTS)

    assert await read(body, size) == OBJECTS


@pytest.mark.parametrize(
    "body",
    [b"", b"  \n", b"<html>", b'{"a":', b'{"a":1}<html>', b"data: nonsense\n\n", b": comment\n\n", b"data: [1]\n\n"],
)
async def test_anything_else_is_unexpected(body: bytes) -> None:
    with pytest.raises(Unexpected):
        await read(body, 5)


async def test_an_object_of_another_kind_is_shown() -> None:
    with pytest.raises(Unexpected) as caught:
        await read(b'{"error":{"code":7}}', 5, dict[str, str])

    assert json.loads(caught.value.body) == {"error": {"code": 7}}


async def test_an_event_without_an_end_is_given_up() -> None:
    with pytest.raises(EngineFailed):
        await read(b"data: " + b"x" * 9 * 2**20, 2**20)


async def test_done_is_no_object() -> None:
    assert await read(b'data: {"a":1}\n\ndata: [DONE]\n\n', 4) == [{"a": 1}]
