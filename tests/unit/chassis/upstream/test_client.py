import asyncio
import gzip
import os
import re
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme

from chassis.errors import EngineFailed, EngineTimeout, TooBusy
from chassis.upstream.client import Unusable
from chassis.upstream.client import Upstream as Client
from imitations.upstream import MANNERS, Manner, Upstream

PATH = "/chat/completions"
BODY = b'{"model":"m","messages":[],"stream":true}'


async def read(client: Client) -> bytes:
    reply = await client.post(BODY, {})
    try:
        return await reply.read(10**6)
    finally:
        await reply.aclose()


async def test_a_kept_connection_is_used_again() -> None:
    async with Upstream() as upstream:
        client = Client(upstream.base_url + PATH, {})
        for _ in range(3):
            await read(client)
        await client.aclose()

    assert [seen.connection for seen in upstream.seen] == [1, 1, 1]


async def test_an_answer_left_at_its_end_keeps_its_connection() -> None:
    async with Upstream() as upstream:
        client = Client(upstream.base_url + PATH, {})
        for _ in range(3):
            reply = await client.post(BODY, {})
            while b"[DONE]" not in await anext(reply):
                pass
            reply.ended()
            await reply.aclose()
            await upstream.seen[-1].over.wait()
            while not any(client._transport._idle.values()):
                await asyncio.sleep(0.001)
        await client.aclose()

    assert [seen.connection for seen in upstream.seen] == [1, 1, 1]
    assert all(seen.left_after is None for seen in upstream.seen)


async def test_an_upstream_that_lingers_after_the_end_is_left_alone() -> None:
    async with Upstream(MANNERS["lingers"]) as upstream:
        client = Client(upstream.base_url + PATH, {})
        reply = await client.post(BODY, {})
        while b"[DONE]" not in await anext(reply):
            pass
        reply.ended()
        await reply.aclose()
        await asyncio.wait_for(upstream.seen[0].over.wait(), 30)
        await client.aclose()

    assert upstream.seen[0].left_after is not None


async def test_closing_a_reply_releases_the_upstream_at_once() -> None:
    async with Upstream(MANNERS["stall"]) as upstream:
        client = Client(upstream.base_url + PATH, {})
        reply = await client.post(BODY, {})
        await anext(reply)
        closed = time.monotonic()
        await reply.aclose()
        await asyncio.wait_for(upstream.seen[0].over.wait(), 30)
        await client.aclose()

    assert upstream.seen[0].left_at is not None
    assert upstream.seen[0].left_at - closed < 1.0


async def test_a_caller_who_leaves_before_the_answer_releases_the_upstream_too() -> None:
    async with Upstream(MANNERS["silent"]) as upstream:
        client = Client(upstream.base_url + PATH, {})
        asking = asyncio.create_task(client.post(BODY, {}))
        while not upstream.seen:
            await asyncio.sleep(0.001)
        asking.cancel()
        await asyncio.wait_for(upstream.seen[0].over.wait(), 30)
        await client.aclose()

    assert upstream.seen[0].left_after is not None


async def test_a_refused_connection_says_so_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}/v1", {})

    with pytest.raises(EngineFailed, match="cannot reach") as caught:
        await client.post(BODY, {})
    await client.aclose()
    assert caught.value.body["code"] == "upstream_unreachable"
    assert not isinstance(caught.value, EngineTimeout)


async def test_only_on_a_kept_connection_that_drops_is_it_asked_once_more() -> None:
    async with Upstream() as upstream:
        client = Client(upstream.base_url + PATH, {})
        reply = await client.post(BODY, {})
        await reply.read(10_000)
        upstream.manner = MANNERS["drops"]
        for _ in range(2):  # what was asked on a new one may have been begun
            with pytest.raises(EngineFailed, match="broke off"):
                await client.post(BODY, {})
        await client.aclose()

    assert [seen.connection for seen in upstream.seen] == [1, 1, 2, 3]


async def test_silence_in_the_middle_is_a_timeout() -> None:
    async with Upstream(MANNERS["stall"]) as upstream:
        client = Client(upstream.base_url + PATH, {})
        reply = await client.post(BODY, {}, silence_seconds=0.1)
        with pytest.raises(EngineTimeout, match="fell silent"):
            await reply.read(10**6)
        await reply.aclose()
        await client.aclose()


async def test_an_answer_that_breaks_off_is_a_failure() -> None:
    async with Upstream(MANNERS["cut"]) as upstream:
        client = Client(upstream.base_url + PATH, {})
        with pytest.raises(EngineFailed, match="broke off"):
            await read(client)
        await client.aclose()


async def test_what_does_not_speak_http_is_a_failure() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    client = Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", {})
    with pytest.raises(EngineFailed):
        await client.post(BODY, {})
    await client.aclose()
    server.close()


async def test_an_answer_of_too_many_bytes_is_refused() -> None:
    async with Upstream(Manner(body=b"x" * 1000)) as upstream:
        client = Client(upstream.base_url + PATH, {})
        reply = await client.post(BODY, {})
        with pytest.raises(EngineFailed, match="more than"):
            await reply.read(999)
        await reply.aclose()
        await client.aclose()


async def test_an_answer_compressed_against_our_wish_is_read_all_the_same() -> None:
    packed = Manner(body=gzip.compress(b"hello"), headers=(("content-encoding", "gzip"),))
    async with Upstream(packed) as upstream:
        client = Client(upstream.base_url + PATH, {})
        assert await read(client) == b"hello"
        await client.aclose()


async def test_no_redirect_is_followed() -> None:
    async with Upstream(MANNERS["redirect"]) as upstream:
        client = Client(upstream.base_url + PATH, {}, setting="LLM_UP_BASE_URL")
        with pytest.raises(EngineFailed) as caught:
            await client.post(BODY, {})
        await client.aclose()

    assert str(caught.value) == (
        f"http://127.0.0.1:{upstream.port} answered 307 and points to http://192.0.2.1/v1. "
        "Set LLM_UP_BASE_URL to the right address."
    )
    assert len(upstream.seen) == 1


@pytest.mark.parametrize("location", ["", "http://[", "https://bear:honey@there.example/v1?key=secret#x"])
async def test_a_redirect_shows_no_secret_and_may_point_nowhere(location: str) -> None:
    async with Upstream(Manner(status=301, headers=(("location", location),), body=b"")) as upstream:
        client = Client(upstream.base_url + PATH, {})
        with pytest.raises(EngineFailed, match=r"answered 301.*Set BASE_URL") as caught:
            await client.post(BODY, {})
        await client.aclose()

    assert not {"honey", "secret"} & set(re.findall(r"\w+", str(caught.value)))


async def test_a_key_goes_instead_of_the_name_and_password_of_the_address_never_beside_them() -> None:
    async with Upstream() as upstream:
        client = Client(f"http://bear:honey@127.0.0.1:{upstream.port}/v1{PATH}", {})
        for headers in ({"authorization": "Bearer k"}, {"api-key": "k"}):
            reply = await client.post(BODY, headers)
            await reply.read(10**6)
            await reply.aclose()
        await client.aclose()

    assert [seen.headers["authorization"] for seen in upstream.seen] == ["Bearer k", "Basic YmVhcjpob25leQ=="]


async def test_a_certificate_of_ones_own_is_trusted_beside_the_public_ones(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ours.pem"))
    other.cert_pem.write_to_path(str(tmp_path / "theirs.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
    for file, trusted in (("ours.pem", True), ("theirs.pem", False), (None, False)):
        client = Client(url, {}, ca_file=tmp_path / file if file else None)
        if trusted:
            assert await read(client) == b"hello"
        else:
            with pytest.raises(EngineFailed, match="certificate"):
                await read(client)
        await client.aclose()
    server.close()

    (tmp_path / "odd.pem").write_text("no certificate")
    for path in (tmp_path / "odd.pem", tmp_path / "absent.pem"):
        with pytest.raises(Unusable, match=path.name):
            Client(url, {}, ca_file=path)


def test_a_proxy_of_the_environment_that_cannot_be_used_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")

    with pytest.raises(Unusable, match="ALL_PROXY must be an http"):
        Client("https://far.example/v1", {})
    Client("https://far.example/v1", {}, proxy="direct")


async def test_credentials_in_an_address_become_a_header_and_are_not_shown() -> None:
    async with Upstream() as upstream:
        client = Client(upstream.base_url.replace("//", "//bear:ho%20ney@") + PATH, {})
        await read(client)
        await client.aclose()

    assert upstream.seen[0].headers["authorization"] == "Basic YmVhcjpobyBuZXk="
    assert "ney" not in client.shown


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("nan", None),
        ("-5", None),
        ("1e400", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Wed, 99 Oct 2015 99:99:99 GMT", None),
    ],
)
async def test_how_long_to_wait_is_read_from_the_headers(said: str, seconds: float | None) -> None:
    async with Upstream(Manner(status=429, body=b"", headers=(("retry-after", said),))) as upstream:
        client = Client(upstream.base_url + PATH, {})
        reply = await client.post(BODY, {})
        assert reply.retry_after == seconds
        await reply.aclose()
        await client.aclose()


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("ftp://host/v1", {}),
        ("host/v1", {}),
        ("http:///v1", {}),
        ("http://[::1/v1", {}),
        ("http://host/v1", {"authorization": "Bearer a\nb"}),
        ("http://host/v1", {"authorization": "Bearer ключ"}),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_set(url: str, headers: dict[str, str]) -> None:
    with pytest.raises(Unusable):
        Client(url, headers)


async def test_the_environments_proxy_is_used_but_not_for_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Upstream() as proxy, Upstream() as upstream:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        far, near = Client("http://far.example.com/v1", {}), Client(upstream.base_url + PATH, {})
        direct = Client("http://far.example.com/v1", {}, proxy="direct")
        await read(far)
        await read(near)
        assert direct._transport.proxy is None
        for client in (far, near, direct):
            await client.aclose()

    assert [seen.path for seen in proxy.seen] == ["http://far.example.com/v1"]
    assert [seen.path for seen in upstream.seen] == ["/v1/chat/completions"]


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://[::1"])
def test_a_proxy_of_a_kind_we_cannot_use_is_refused_when_it_is_set(proxy: str) -> None:
    with pytest.raises(Unusable, match="proxy"):
        Client("http://far.example.com/v1", {}, proxy=proxy)


async def test_a_date_to_come_is_the_seconds_until_then() -> None:
    said = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    async with Upstream(Manner(status=503, body=b"", headers=(("retry-after", said),))) as upstream:
        client = Client(upstream.base_url + PATH, {})
        reply = await client.post(BODY, {})
        assert reply.retry_after == pytest.approx(30, abs=3)
        await reply.aclose()
        await client.aclose()


@contextmanager
def no_files_left() -> Iterator[None]:
    """Let this process open nothing more."""
    limit, ceiling = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, ceiling))
    taken: list[int] = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, ceiling))
        for number in taken:
            os.close(number)


async def test_where_no_file_is_left_the_upstream_is_not_blamed(caplog: pytest.LogCaptureFixture) -> None:
    async with Upstream() as upstream:
        client = Client(upstream.base_url + PATH, {})
        with no_files_left(), pytest.raises(TooBusy, match="file descriptor"):
            await client.post(BODY, {})
        await client.aclose()

    assert "EMFILE" in caplog.text
