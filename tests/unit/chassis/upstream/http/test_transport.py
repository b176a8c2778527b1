import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
import trustme

from chassis.upstream.client import Upstream
from chassis.upstream.http import connection
from chassis.upstream.http.body import Body, Unbegun
from chassis.upstream.http.connection import MAX_HEAD_BYTES
from chassis.upstream.http.flow_control import HIGH_WATER_BYTES
from chassis.upstream.http.transport import ProxyRefused, Transport, header_lines

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def no_tls() -> ssl.SSLContext:
    raise AssertionError("nobody asked for https")


class Server:
    """Talks to each connection as `talk` says."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.talk, self.tls = talk, tls
        self.connections = 0
        self.left = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.talk(reader, writer)
        finally:
            self.left.set()
            writer.close()


async def asked(reader: asyncio.StreamReader) -> bytes:
    """The next request, its body left alone where it announces none."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, found, length = head.lower().partition(b"content-length: ")
    return head + (await reader.readexactly(int(length.split(b"\r\n")[0])) if found else b"")


def always(answer: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await asked(reader)
            writer.write(answer)

    return talk


def once(answer: bytes) -> Talk:
    """Answer one request, and close."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(answer)
        await writer.drain()

    return talk


def answering(*answers: bytes) -> Talk:
    """One request after the other, and close."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await asked(reader)
            writer.write(answer)
            await writer.drain()

    return talk


def post(port: int, *, scheme: str = "http", host: str = "127.0.0.1", **extensions: object) -> httpx.Request:
    return httpx.Request("POST", f"{scheme}://{host}:{port}/v1", content=b"hello", extensions=extensions)


async def read(transport: Transport, request: httpx.Request) -> bytes:
    response = await transport.handle_async_request(request)
    return await response.aread()


@asynccontextmanager
async def transport(
    tls: Callable[[], ssl.SSLContext] = no_tls, proxy: httpx.Proxy | None = None
) -> AsyncIterator[Transport]:
    made = Transport(tls, proxy)
    try:
        yield made
    finally:
        await made.aclose()


async def test_what_leaves_is_what_httpx_made_of_it() -> None:
    seen = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await asked(reader))
        writer.write(OK)

    async with Server(talk) as server, transport() as made:
        assert await read(made, post(server.port)) == b"ok"

    host = b"127.0.0.1:%d" % server.port
    assert seen == [b"POST /v1 HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n\r\nhello" % host]


async def test_all_that_has_come_by_now_is_one_piece() -> None:
    async with Server(always(CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")) as server, transport() as made:
        response = await made.handle_async_request(post(server.port))
        assert isinstance(response.stream, Body)
        assert [piece async for piece in response.stream] == [b"ab"]


async def test_a_kept_connection_that_was_closed_meanwhile_is_not_used() -> None:
    async with Server(once(OK)) as server, transport() as made:
        for _ in range(3):
            assert await read(made, post(server.port)) == b"ok"
            await server.left.wait()
            server.left.clear()
            await asyncio.sleep(0)
            while any(made._idle.values()):  # until its end has arrived here
                await asyncio.sleep(0.001)

    assert server.connections == 3


async def test_only_a_kept_connection_closed_instead_of_an_answer_was_never_begun() -> None:
    async with Server(once(b"")) as server, transport() as made:
        with pytest.raises(httpx.ReadError) as fresh:
            await made.handle_async_request(post(server.port))

    async with Server(answering(OK, b"")) as server, transport() as made:
        await read(made, post(server.port))
        with pytest.raises(Unbegun):
            await made.handle_async_request(post(server.port))

    async with Server(answering(OK, b"HTTP/1.1 200 O")) as server, transport() as made:
        await read(made, post(server.port))
        with pytest.raises(httpx.ReadError) as half:
            await made.handle_async_request(post(server.port))

    assert not isinstance(fresh.value, Unbegun)
    assert not isinstance(half.value, Unbegun)


async def test_how_long_a_connection_is_kept_says_nothing_of_how_long_an_answer_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.upstream.http.connection.KEEP_ALIVE_SECONDS", 0.2)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for pause in (0.0, 0.4):
            await asked(reader)
            await asyncio.sleep(pause)
            writer.write(OK)

    async with Server(talk) as server, transport() as made:
        assert [await read(made, post(server.port)) for _ in range(2)] == [b"ok", b"ok"]

    assert server.connections == 1


async def test_an_answer_that_ends_with_its_connection_is_whole() -> None:
    async with Server(once(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as server, transport() as made:
        assert await read(made, post(server.port)) == b"all of it"
        assert not any(made._idle.values())


async def test_silence_within_an_answer_that_ends_with_its_connection_is_not_its_end() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        await asyncio.Event().wait()

    async with Server(talk) as server, transport() as made:
        with pytest.raises(httpx.ReadTimeout):
            await read(made, post(server.port, timeout={"read": 0.1}))


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (CHUNKED + b"5\r\nhello\r\n", b"hello"),
        (CHUNKED + b"5\r\nhel", b"hel"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", b"hello"),
    ],
)
async def test_an_answer_cut_short_is_told_after_what_came_of_it(answer: bytes, came: bytes) -> None:
    async with Server(once(answer)) as server, transport() as made:
        response = await made.handle_async_request(post(server.port))
        assert isinstance(response.stream, Body)
        assert await anext(response.stream) == came
        with pytest.raises(httpx.ReadError):
            await anext(response.stream)


async def test_a_hint_ahead_of_the_answer_is_not_the_answer() -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n"
    async with Server(always(hint + OK)) as server, transport() as made:
        response = await made.handle_async_request(post(server.port))
        assert response.status_code == 200
        assert "link" not in response.headers
        assert await response.aread() == b"ok"


async def test_line_ends_without_their_carriage_return_are_understood() -> None:
    async with Server(always(OK.replace(b"\r\n", b"\n"))) as server, transport() as made:
        assert await read(made, post(server.port)) == b"ok"


async def test_a_connection_that_is_to_be_closed_is_not_kept() -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    async with Server(always(closing)) as server, transport() as made:
        for _ in range(2):
            assert await read(made, post(server.port)) == b"ok"

    assert server.connections == 2


async def test_two_answers_to_one_request_are_an_end_of_the_connection() -> None:
    async with Server(always(OK + OK)) as server, transport() as made:
        for _ in range(2):
            with suppress(httpx.RemoteProtocolError):
                assert await read(made, post(server.port)) == b"ok"

    assert server.connections == 2


async def test_headers_without_an_end_are_refused() -> None:
    endless = b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * MAX_HEAD_BYTES
    async with Server(once(endless)) as server, transport() as made:
        with pytest.raises(httpx.RemoteProtocolError):
            await made.handle_async_request(post(server.port))


async def test_an_upstream_waits_while_nobody_takes_what_it_sent() -> None:
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x" * 2**16)
            await writer.drain()
            sent += 2**16

    async with Server(talk) as server, transport() as made:
        response = await made.handle_async_request(post(server.port, timeout={"read": 1.0}))
        before = -1
        while before != sent:  # until it got stuck, for longer than it might be silent
            before = sent
            await asyncio.sleep(1.2)
        stuck = sent
        body = await response.aread()

    assert HIGH_WATER_BYTES < stuck < 1000 * 2**16
    assert len(body) == 1000 * 2**16


async def test_an_upload_that_is_answered_is_not_gone_on_with() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\nno")
        await asyncio.Event().wait()

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 2**16

    async with Server(talk) as server, transport() as made:
        headers = {"content-length": str(10**12), "host": "here"}
        request = httpx.Request("POST", f"http://127.0.0.1:{server.port}/", headers=headers, stream=Endless())
        async with asyncio.timeout(10):
            response = await made.handle_async_request(request)
            assert (response.status_code, await response.aread()) == (413, b"no")
        assert not any(made._idle.values())


@pytest.mark.parametrize("value", ["y\r\nz: w", "y\nz: w", "y\rz"])
def test_a_header_cannot_hold_a_second_one(value: str) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        header_lines([("x", value)])


async def test_what_comes_faster_than_anybody_could_tell_leaves_together() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(CHUNKED)
        for _ in range(400):
            writer.write(b"1\r\na\r\n")
            await asyncio.sleep(0)
        writer.write(b"0\r\n\r\n")

    async with Server(talk) as server, transport() as made:
        response = await made.handle_async_request(post(server.port))
        assert isinstance(response.stream, Body)
        pieces = [piece async for piece in response.stream]

    assert b"".join(pieces) == b"a" * 400
    assert len(pieces) < 200


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def client_side(authority: trustme.CA) -> Callable[[], ssl.SSLContext]:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return lambda: context


async def test_https_is_spoken_with_whom_the_context_trusts(authority: trustme.CA) -> None:
    async with (
        Server(always(OK), server_side(authority)) as server,
        transport(client_side(authority)) as made,
        transport(ssl.create_default_context) as strict,
    ):
        for _ in range(2):
            assert await read(made, post(server.port, scheme="https", host="localhost")) == b"ok"
        with pytest.raises(httpx.ConnectError) as caught:
            await read(strict, post(server.port, scheme="https", host="localhost"))

    assert isinstance(caught.value.__cause__, ssl.SSLError)
    assert server.connections == 1


def tunnelling(places: list[bytes]) -> Talk:
    """A proxy that connects to whom it is asked."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asked(reader)
        places.append(head)
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Go\r\n\r\n")

        async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            while piece := await source.read(2**16):
                to.write(piece)
            to.close()

        try:
            await asyncio.gather(copy(reader, back), copy(there, writer))
        finally:
            back.close()

    return talk


async def test_https_goes_through_a_tunnel_of_the_proxys(authority: trustme.CA) -> None:
    places: list[bytes] = []
    async with Server(always(OK), server_side(authority)) as server, Server(tunnelling(places)) as between:
        proxy = httpx.Proxy(f"http://bear:honey@127.0.0.1:{between.port}")
        async with transport(client_side(authority), proxy) as made:
            for _ in range(2):
                assert await read(made, post(server.port, scheme="https", host="localhost")) == b"ok"

    (head,) = places
    assert head.startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % server.port)
    assert b"proxy-authorization: Basic YmVhcjpob25leQ==\r\n" in head.replace(b"Proxy-A", b"proxy-a")


async def test_a_proxy_that_refuses_or_is_absent_is_told_from_the_upstream(authority: trustme.CA) -> None:
    async with Server(once(b"HTTP/1.1 407 Who?\r\ncontent-length: 0\r\n\r\n")) as between:
        made = Transport(client_side(authority), httpx.Proxy(f"http://127.0.0.1:{between.port}"))
        with pytest.raises(ProxyRefused) as refused:
            await read(made, post(443, scheme="https", host="far.example.com"))
    with pytest.raises(httpx.ProxyError) as absent:
        await read(made, post(80, host="far.example.com"))
    await made.aclose()

    assert refused.value.status == 407
    assert not isinstance(absent.value, ProxyRefused)


@pytest.mark.parametrize("length", [b"1", b"500"])
@pytest.mark.parametrize("first", [True, False])
async def test_where_an_answer_is_chunked_a_length_beside_it_is_not_believed(length: bytes, first: bool) -> None:
    lines = [b"content-length: " + length, b"transfer-encoding: chunked"]
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *(lines if first else reversed(lines)), b"", b""])
    async with Server(always(head + b"3\r\nabc\r\n0\r\n\r\n")) as server, transport() as made:
        for _ in range(3):
            assert await read(made, post(server.port)) == b"abc"


async def test_a_body_that_is_not_taken_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SEND_SECONDS", 0.1)

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 2**18

    async with Server(deaf) as server, transport() as made:
        with pytest.raises(httpx.WriteTimeout):
            await made.handle_async_request(
                httpx.Request("POST", f"http://127.0.0.1:{server.port}/v1", content=endless())
            )


async def test_a_body_that_is_taken_slowly_is_no_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SEND_SECONDS", 0.3)
    pieces, now = 160, 1000.0  # far more than the system takes in by itself
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(pieces * 2**18)
        writer.write(OK)

    async def long() -> AsyncIterator[bytes]:
        nonlocal now
        for _ in range(pieces):
            now += 0.2  # what the other side takes for each
            yield b"x" * 2**18

    async with Server(whole) as server, transport() as made:
        headers = {"content-length": str(pieces * 2**18)}
        url = f"http://127.0.0.1:{server.port}/v1"
        assert await read(made, httpx.Request("POST", url, content=long(), headers=headers)) == b"ok"


async def test_a_slip_in_our_own_code_is_not_called_a_lack_of_connection() -> None:
    def broken() -> ssl.SSLContext:
        raise RuntimeError("a slip")

    async with transport(broken) as made, Server(always(OK)) as server:
        with pytest.raises(RuntimeError, match="a slip"):
            await made.handle_async_request(post(server.port, scheme="https"))


async def test_the_client_of_httpx_works_over_it_and_keeps_no_cookies() -> None:
    crumbs = b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 2\r\n\r\nok"
    seen = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await asked(reader))
            writer.write(crumbs)

    async with Server(talk) as server:
        client = Upstream(f"http://127.0.0.1:{server.port}/v1/x?api-version=1", {"content-type": "a/b"})
        for way in (client.post, client.post_at_once, client.post):
            reply = await way(b"hello", {"authorization": "Bearer k"})
            assert await reply.read(100) == b"ok"
        reply = await client.get(f"http://127.0.0.1:{server.port}/v1/models", {})
        assert await reply.read(100) == b"ok"
        await client.aclose()

    first, second, third, fourth = ((head.partition(b"\r\n")[0], lines(head)) for head in seen)
    assert first == third == second
    assert first[0] == b"POST /v1/x?api-version=1 HTTP/1.1"
    assert fourth == (b"GET /v1/models HTTP/1.1", {b"host: 127.0.0.1:%d" % server.port})
    assert server.connections == 1


def lines(head: bytes) -> set[bytes]:
    return {line.lower() for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]}


async def test_a_dns_that_does_not_answer_keeps_one_thread_and_none_of_the_loops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, asked = threading.Event(), []

    def look_up(*place: object, **_: object) -> list[object]:
        asked.append(place)
        answered.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        async with httpx.AsyncClient(transport=Transport(ssl.create_default_context), trust_env=False) as client:
            timeout = httpx.Timeout(5, connect=0.5)
            waiting = [client.get("http://toys.example", timeout=timeout) for _ in range(64)]
            refused = await asyncio.gather(*waiting, return_exceptions=True)
            await asyncio.wait_for(asyncio.to_thread(len, ""), 30)
    finally:
        answered.set()

    assert {type(each) for each in refused} == {httpx.ConnectTimeout}
    assert len(asked) == 1
