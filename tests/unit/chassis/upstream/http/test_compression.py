import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from chassis.errors import EngineFailed
from chassis.upstream.http.compression import MAX_INFLATED_BYTES, PIECE_BYTES, decoded, encodings

TEXT = "熊 speaks. ".encode() * 20_000


async def sliced(body: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def read(body: bytes, encoding: str, size: int = 1000) -> bytes:
    return b"".join([piece async for piece in decoded(sliced(body, size), encodings(encoding), "http://up")])


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
async def test_what_is_compressed_is_inflated_however_it_is_cut(size: int) -> None:
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for body, encoding in (
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), " X-GZip , identity"),
        (gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (raw.compress(TEXT) + raw.flush(), "deflate"),
    ):
        assert await read(body, encoding, size) == TEXT


def test_what_is_not_compressed_is_not_touched() -> None:
    assert encodings("") == encodings("identity") == encodings(" Identity, ") == []


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br", "gzip, gzip"])
async def test_what_cannot_be_inflated_is_named(encoding: str) -> None:
    with pytest.raises(EngineFailed, match=f"http://up sent an answer compressed as '{encoding}'"):
        await read(b"abc", encoding)


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(TEXT)[:-8] + bytes(8)])
async def test_what_is_damaged_is_called_so(body: bytes) -> None:
    with pytest.raises(EngineFailed, match="damaged"):
        await read(body, "gzip")


async def test_a_bomb_ends_at_the_limit_and_takes_the_memory_of_one_piece() -> None:
    bomb = gzip.compress(b"\0" * (MAX_INFLATED_BYTES + 10**6), compresslevel=1)
    seen, failure = 0, ""
    tracemalloc.start()
    try:
        try:
            async for piece in decoded(sliced(bomb, len(bomb)), ["gzip"], "http://up"):
                assert len(piece) <= PIECE_BYTES
                seen += len(piece)
        except EngineFailed as exc:
            failure = str(exc)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "inflates to more than" in failure
    assert MAX_INFLATED_BYTES - PIECE_BYTES <= seen <= MAX_INFLATED_BYTES
    assert peak < 4 * 2**20
