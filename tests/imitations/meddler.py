"""A gateway between an engine and the imitation of its provider, which spoils answers as people report it of gateways.

It passes each question on, reads the good answer whole, and sends it in one of `WAYS`. Those in `HARMLESS` change
nothing that is said; after any other, what was said cannot be known.
"""

import asyncio
import gzip
import re
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

import httpx

Way = Callable[["Answer"], "Answer"]
_LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
_BOM = b"\xef\xbb\xbf"


class Answer:
    """An answer on its way: `head` holds what is sent ahead of its status line."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.head = b""
        self.slice_bytes, self.slice_seconds = 65_536, 0.0
        self.cut_after: int | None = None
        self.resets = False

    @property
    def is_text(self) -> bool:
        return self.body[:1] in (b"{", b"d", b"e", b":", b"i")

    @property
    def is_stream(self) -> bool:
        return b"data:" in self.body[:200]

    def with_body(self, body: bytes, claims: str = "") -> "Answer":
        self.body = body
        if claims:
            self.headers["content-type"] = claims
        return self


def _headed(answer: Answer, name: str, value: str) -> Answer:
    answer.headers[name] = value
    return answer


def _bom(answer: Answer) -> Answer:
    return answer.with_body(_BOM + answer.body) if answer.is_text else answer


def _gzip(answer: Answer) -> Answer:
    return _headed(answer.with_body(gzip.compress(answer.body)), "content-encoding", "gzip")


def _bytewise(answer: Answer) -> Answer:
    answer.body, answer.slice_bytes = answer.body, 1 if len(answer.body) < 4_000 else 997
    return answer


def _comments(answer: Answer) -> Answer:
    if not answer.is_stream:
        return answer
    return answer.with_body(b": keep-alive\n\n" + answer.body.replace(b"\n\n", b"\n\n: PROCESSING\n\n"))


def _no_blank(answer: Answer) -> Answer:
    return answer.with_body(re.sub(rb"(?m)^(data|event): ", rb"\1:", answer.body)) if answer.is_stream else answer


def _single(answer: Answer) -> Answer:
    return answer.with_body(answer.body.replace(b"\n\n", b"\n")) if answer.is_stream else answer


def _windows(answer: Answer) -> Answer:
    return answer.with_body(answer.body.replace(b"\n", b"\r\n")) if answer.is_stream else answer


def _nulls(answer: Answer) -> Answer:
    """Add fields that are null, and make null what is empty."""
    if not answer.is_text:
        return answer
    return answer.with_body(re.sub(rb'": (""|\{\}|\[\])(?=[,}])', rb'": null', answer.body))


def _numbers(answer: Answer) -> Answer:
    """Put whole numbers into quotation marks."""
    return answer.with_body(re.sub(rb'": (-?\d+)(?=[,}])', rb'": "\1"', answer.body)) if answer.is_text else answer


def _ids(answer: Answer) -> Answer:
    """Take the quotation marks from ids that are whole numbers."""
    return answer.with_body(re.sub(rb'": "(\d{3,18})"(?=[,}])', rb'": \1', answer.body)) if answer.is_text else answer


def _continue(answer: Answer) -> Answer:
    answer.head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    return answer


def _moved(answer: Answer) -> Answer:
    answer.status = 302
    return _headed(answer.with_body(b""), "location", "https://login.example.com/?next=/")


def _in_a_character(answer: Answer) -> Answer:
    """End the body properly, in the middle of a character."""
    if not answer.is_text:
        return answer.with_body(b"\xe4\xbd")
    return answer.with_body(answer.body[: len(answer.body) // 2] + "好".encode()[:2])


def _cut(answer: Answer) -> Answer:
    answer.cut_after = len(answer.body) // 2
    return answer


def _reset(answer: Answer) -> Answer:
    answer.cut_after, answer.resets = 0, True
    return answer


def _reset_late(answer: Answer) -> Answer:
    answer.resets = True
    return _cut(answer)


def drip(answer: Answer) -> Answer:
    """Send one byte now and then, as a line that is all but dead."""
    answer.slice_bytes, answer.slice_seconds = 1, 0.05
    return answer


HARMLESS: dict[str, Way] = {
    "as it is": lambda answer: answer,
    "a byte order mark": _bom,
    "gzip": _gzip,
    "byte by byte": _bytewise,
    "comments": _comments,
    "no blank after data": _no_blank,
    "line ends of Windows": _windows,
    "single line ends": _single,
    "nulls": _nulls,
    "numbers as strings": _numbers,
    "strings as numbers": _ids,
    "a foreign type": lambda answer: _headed(answer, "content-type", "text/html; charset=gbk"),
    "no type": lambda answer: _headed(answer, "content-type", ""),
    "100-continue": _continue,
    "a huge header": lambda answer: _headed(answer, "x-huge", "h" * 30_000),
}
HARMFUL: dict[str, Way] = {
    "a page": lambda answer: answer.with_body(_LOGIN, "text/html"),
    "a page under its type": lambda answer: answer.with_body(_LOGIN),
    "nothing": lambda answer: answer.with_body(b""),
    "blanks": lambda answer: answer.with_body(b"\n\n  \n"),
    "null": lambda answer: answer.with_body(b"null"),
    "an object": lambda answer: answer.with_body(b"{}"),
    "ok": lambda answer: answer.with_body(b'{"code":0,"message":"success","data":null}'),
    "an error": lambda answer: answer.with_body(b'{"code":"1000","message":"internal error","data":null}'),
    "a login": _moved,
    "cut in a character": _in_a_character,
    "cut": _cut,
    "a reset": _reset,
    "a reset within": _reset_late,
    "an endless header": lambda answer: _headed(answer, "x-endless", "h" * 200_000),
    "no content": lambda answer: _status(answer.with_body(b""), 204),
    "partial": lambda answer: _status(answer.with_body(b""), 206),
    "teapot": lambda answer: _status(answer.with_body(b"teapot"), 418),
    "unavailable for legal reasons": lambda answer: _status(answer.with_body(_LOGIN, "text/html"), 451),
    "origin is away": lambda answer: _status(answer.with_body(_LOGIN, "text/html"), 522),
}
WAYS = HARMLESS | HARMFUL | {"drip": drip}


def _status(answer: Answer, status: int) -> Answer:
    answer.status = status
    return answer


class Meddler:
    """Serves on loopback in front of `target`; `base_url` is its address, with the path of the target's.

    Args:
        way: How answers to questions are spoiled; those to a GET, as for a token, are not.
    """

    def __init__(self, way: str, target: str) -> None:
        self.way, self.target = way, target
        self.asked = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}{urlsplit(self.target).path}"
        self._client = httpx.AsyncClient(timeout=20, trust_env=False)
        self._open: set[asyncio.StreamWriter] = set()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()
        await self._client.aclose()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._served(reader, writer)
        self._open.discard(writer)
        writer.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.strip().split("\r\n")
        method, path, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if "upgrade" in headers:
            return await self._upgraded(head.encode("latin-1"), reader, writer)
        parts = urlsplit(self.target)
        headers["host"] = parts.netloc
        url = f"{parts.scheme}://{parts.netloc}{path}"
        got = await self._client.request(method, url, headers=headers, content=body)
        kept = {name: value for name, value in got.headers.items() if name.startswith(("x-", "content-type"))}
        answer = Answer(got.status_code, kept, got.content)
        if method == "POST":
            self.asked += 1
            answer = WAYS[self.way](answer)
        await _send(answer, writer)

    async def _upgraded(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tunnel a WebSocket, or answer its handshake in the way of a spoiled answer."""
        self.asked += 1
        if self.way in HARMFUL:
            answer = WAYS[self.way](Answer(200, {}, b""))
            answer.cut_after = None if answer.cut_after is None else 0
            return await _send(answer, writer)
        parts = urlsplit(self.target)
        there, onward = await asyncio.open_connection(parts.hostname, parts.port)
        self._open.add(onward)
        onward.write(head)
        await asyncio.gather(_copied(reader, onward), _copied(there, writer))


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
    writer.close()


async def _send(answer: Answer, writer: asyncio.StreamWriter) -> None:
    if answer.cut_after == 0:
        return _reset_now(writer)
    headers = answer.headers | {"content-length": str(len(answer.body)), "connection": "close"}
    lines = [f"HTTP/1.1 {answer.status} So", *(f"{name}: {value}" for name, value in headers.items() if value)]
    writer.write(answer.head + "\r\n".join(lines).encode() + b"\r\n\r\n")
    body = answer.body[: answer.cut_after]
    for at in range(0, len(body), answer.slice_bytes):
        writer.write(body[at : at + answer.slice_bytes])
        await writer.drain()
        await asyncio.sleep(answer.slice_seconds)
    if answer.resets:
        await asyncio.sleep(0.05)  # what was sent arrives first
        _reset_now(writer)


def _reset_now(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees a reset."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
