import asyncio
from typing import Any, cast

from chassis.server.cork import Cork


class Wire:
    """A transport that notes its writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str) -> str:
        return name


def corked() -> tuple[Any, Wire]:
    wire = Wire()
    return Cork(cast(asyncio.Transport, wire)), wire


async def test_what_is_written_in_one_turn_of_the_loop_leaves_in_one_write() -> None:
    cork, wire = corked()
    cork.write(b"head")
    cork.write(b"body")
    assert wire.written == []
    await asyncio.sleep(0)
    cork.write(b"end")
    await asyncio.sleep(0)

    assert wire.written == [b"headbody", b"end"]


async def test_nothing_is_lost_on_closing_and_nothing_written_after() -> None:
    cork, wire = corked()
    cork.write(b"last")
    cork.close()
    cork.write(b"too late")
    await asyncio.sleep(0)

    assert (wire.written, wire.closed) == ([b"last"], True)


async def test_everything_else_is_the_transports_own() -> None:
    assert corked()[0].get_extra_info("peername") == "peername"
