"""The HTTPS overlay, with a certificate of Caddy's own authority."""

import asyncio
import ssl
from collections.abc import Iterator

import httpx
import pytest

from containers.installation import Installation, inspect, kill_from_outside, wait_until
from containers.load import ask, chat


@pytest.fixture(scope="module")
def site(started: Installation) -> Iterator[tuple[str, ssl.SSLContext]]:
    """The overlay's address, and who vouches for it."""
    http, https = started.https_ports, started.https_ports + 1
    ports = {"TALKBOX_HTTP_PORT": str(http), "TALKBOX_HTTPS_PORT": str(https)}
    started.make("up", TALKBOX_SITE="localhost", **ports)
    trust = ssl.create_default_context()
    address = f"https://localhost:{https}"

    def answers() -> bool:
        try:
            authority = started.compose(
                "exec", "-T", "caddy", "cat", "/data/caddy/pki/authorities/local/root.crt", TALKBOX_SITE="localhost"
            )
            trust.load_verify_locations(cadata=authority)
            return httpx.get(f"{address}/v1/models", verify=trust).status_code == 401
        except (AssertionError, httpx.TransportError):
            return False

    wait_until(answers, "Caddy has its certificate")
    yield address, trust
    started.restore()


async def test_streams_pass_through_https_as_they_are_made(
    started: Installation, site: tuple[str, ssl.SSLContext]
) -> None:
    address, trust = site
    async with started.client(address, trust) as client:
        outcome = await ask(client, chat(chunks=20, gap=0.1))

    assert outcome.complete
    assert outcome.events[0][0] < outcome.events[-1][0] - 1.5


async def test_plain_http_is_sent_on_and_the_proxy_is_told_who_calls(
    started: Installation, site: tuple[str, ssl.SSLContext]
) -> None:
    async with started.client(f"http://localhost:{started.https_ports}") as client:
        sent_on = await client.get("/v1/models")

    assert sent_on.status_code == 308
    assert sent_on.headers["location"].startswith("https://localhost")


async def test_an_answer_that_breaks_off_is_broken_behind_https_too(
    started: Installation, site: tuple[str, ssl.SSLContext]
) -> None:
    address, trust = site
    heard = asyncio.Event()
    async with started.client(address, trust) as client:
        asking = asyncio.create_task(ask(client, chat(chunks=100, gap=0.1), heard))
        await heard.wait()
        await asyncio.to_thread(kill_from_outside, started.container("llm"))
        outcome = await asking

    assert outcome.begun
    assert outcome.error is not None
    assert len(outcome.events) < 100


async def test_without_the_proxy_https_says_so_in_the_same_shape(
    started: Installation, site: tuple[str, ssl.SSLContext]
) -> None:
    address, trust = site
    started.compose("stop", "proxy")
    async with started.client(address, trust) as client:
        closed = await client.get("/v1/models")
    started.compose("start", "proxy")

    assert closed.status_code == 503
    assert closed.json()["error"]["type"] == "server_error"


async def test_only_https_is_open_to_the_world(started: Installation, site: tuple[str, ssl.SSLContext]) -> None:
    shown = started.compose("config", "--format=json", TALKBOX_SITE="toys.example.com", TALKBOX_BIND="")

    assert '"host_ip": "127.0.0.1"' in shown
    assert inspect(started.container("caddy"))["HostConfig"]["CapAdd"] in (
        ["NET_BIND_SERVICE"],
        ["CAP_NET_BIND_SERVICE"],
    )
