"""`make changes`: what callers notice of restarts, upgrades, scaling and reloads, ROUNDS times in a row (10).

Natively, or with MODE=containers. A chat of 20 s and a transcription of 12 s have begun before each change; callers of
all services ask again and again meanwhile, some on kept connections and some on new ones.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from aiohttp import web

from bench.sites import Containers, Native, Site
from bench.stt import FORM, form
from fixtures import sounds
from imitations.upstream import MANNERS, Upstream

LONG_CHAT, SHORT_CHAT = "words-40-every-500", "words-5-every-50"
TRANSCRIPTION_SECONDS = 12.0
CALLERS = 2
"""Of each service and each kind of connection."""
SILENCE_SECONDS = 20.0


@dataclass
class Noticed:
    """What callers noticed during one kind of change."""

    answered: Counter[str] = field(default_factory=Counter)
    """Whole answers, by what was asked."""
    refused: Counter[str] = field(default_factory=Counter)
    """Those answered with 429: more than the machine could serve in time, whatever was changed."""
    failed: Counter[str] = field(default_factory=Counter)
    """Others, by what was asked."""
    longest: float = 0.0
    """Seconds that the slowest answer took, of those that begin at once."""


class Refused(Exception):
    """The service has no place for a request."""


def whole(answer: httpx.Response, body: bytes, *, end: bytes = b"") -> None:
    """Raises:
    Refused: The answer is a 429.
    ValueError: It is no success, or lacks its end.
    """
    if answer.status_code == 429:
        raise Refused
    if answer.status_code != 200 or not body.endswith(end) or not body or b'"error"' in body:
        raise ValueError(f"{answer.status_code} {body[-150:]!r}")


class Callers:
    """Who asks meanwhile; `noticed` is where what becomes of them is written down."""

    def __init__(self, site: Site, noticed: Noticed) -> None:
        self.site, self.noticed = site, noticed
        self._sound = form(sounds.wav(sounds.spoken("Hello little bear, how are you today?")))
        self._numbers = iter(range(10**9))
        self.over = False

    def client(self, *, kept: bool) -> httpx.AsyncClient:
        limits = httpx.Limits(max_keepalive_connections=None if kept else 0)
        headers = {"authorization": f"Bearer {self.site.key}"}
        timeout = httpx.Timeout(60, read=SILENCE_SECONDS)
        return httpx.AsyncClient(
            base_url=self.site.base, headers=headers, timeout=timeout, limits=limits, trust_env=False
        )

    async def chat(self, client: httpx.AsyncClient, model: str, began: asyncio.Event | None = None) -> None:
        asked = {"model": f"imitated/{model}", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
        body = b""
        async with client.stream("POST", "/chat/completions", json=asked) as answer:
            async for piece in answer.aiter_raw():
                body += piece
                if began:
                    began.set()
        whole(answer, body, end=b"data: [DONE]\n\n")

    async def transcription(self, client: httpx.AsyncClient) -> None:
        headers = {"content-type": FORM}
        answer = await client.post("/audio/transcriptions", content=self._sound, headers=headers)
        whole(answer, answer.content)

    async def speech(self, client: httpx.AsyncClient) -> None:
        asked = {"model": "espeak", "voice": "alloy", "input": f"Number {next(self._numbers)}."}
        answer = await client.post("/audio/speech", json=asked)
        whole(answer, answer.content)

    async def list_models(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/models")
        whole(answer, answer.content)

    async def once(self, what: str, asking: Awaitable[None]) -> None:
        """Write down what became of one request, under the change that goes on when it ends."""
        began = time.monotonic()
        try:
            await asking
        except Refused:
            self.noticed.refused[what] += 1
        except (httpx.HTTPError, ValueError) as exc:
            self.noticed.failed[what] += 1
            print(f"FAILED {what}, after {time.monotonic() - began:.1f} s: {exc!r}", flush=True)
        else:
            self.noticed.answered[what] += 1
            if not what.startswith("long"):
                self.noticed.longest = max(self.noticed.longest, time.monotonic() - began)

    async def keep_asking(self, what: str, ask: Callable[[httpx.AsyncClient], Awaitable[None]], *, kept: bool) -> None:
        async with self.client(kept=kept) as client:
            while not self.over:
                await self.once(f"{what}, {'kept' if kept else 'new'} connection", ask(client))
                await asyncio.sleep(0.2)

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Let all of them ask, until the block ends; their last requests are answered afterwards."""
        kinds = {
            "chat": lambda client: self.chat(client, SHORT_CHAT),
            "speech": self.speech,
            "models": self.list_models,
        }
        async with asyncio.TaskGroup() as group:
            for what, ask in kinds.items():
                for kept in (True, False) * CALLERS:
                    group.create_task(self.keep_asking(what, ask, kept=kept))
            try:
                yield
            finally:
                self.over = True

    async def begin_long(self, group: asyncio.TaskGroup) -> None:
        """Begin a long chat and a long transcription; return once both are under way."""
        heard = asyncio.Event()

        async def one(what: str, ask: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
            async with self.client(kept=False) as client:
                await self.once(what, ask(client))
            heard.set()

        group.create_task(one("long transcription", self.transcription))
        group.create_task(one("long chat", lambda client: self.chat(client, LONG_CHAT, heard)))
        await heard.wait()
        await asyncio.sleep(1)


@asynccontextmanager
async def ears(host: str) -> AsyncIterator[int]:
    """Serve transcriptions that take their time; the port."""

    async def transcribe(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(TRANSCRIPTION_SECONDS)
        return web.json_response({"text": "hello little bear"})

    app = web.Application(client_max_size=2**25)
    app.router.add_post("/v1/audio/transcriptions", transcribe)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def changes(site: Site, number: int) -> dict[str, Callable[[], None]]:
    """One round, in its order."""
    return {
        "settings": lambda: site.settings(number),
        "upgrade": lambda: site.upgrade(number),
        "scale up": lambda: site.scale(2),
        "restart": site.restart,
        "scale down": lambda: site.scale(1),
        "proxy reload": site.reload,
    }


async def rounds(site: Site, number: int) -> dict[str, Noticed]:
    """Change everything so many times; what was noticed, by change."""
    noticed: dict[str, Noticed] = {}
    callers = Callers(site, Noticed())
    async with asyncio.TaskGroup() as long_ones, callers.asking():
        for each in range(number):
            for what, change in changes(site, each).items():
                callers.noticed = noticed.setdefault(what, Noticed())
                await callers.begin_long(long_ones)
                began = time.monotonic()
                await asyncio.to_thread(change)
                print(f"round {each + 1}: {what}, {time.monotonic() - began:.0f} s", flush=True)
    return noticed


def report(noticed: Mapping[str, Noticed]) -> int:
    """Print what was noticed; return how many requests failed."""
    for what, each in noticed.items():
        answered, refused = each.answered.total(), each.refused.total()
        begun = sum(number for kind, number in each.answered.items() if kind.startswith("long"))
        print(
            f"{what}: {answered} answered, {begun} of them long; {refused} refused, {each.failed.total()} failed; "
            f"the slowest of the short ones took {each.longest:.1f} s"
        )
    failed = sum(each.failed.total() for each in noticed.values())
    print(f"{sum(each.answered.total() for each in noticed.values())} answered, {failed} failed")
    return failed


async def main(environ: Mapping[str, str]) -> int:
    """Return how many requests failed."""
    in_containers = environ.get("MODE") == "containers"
    host = "0.0.0.0" if in_containers else "127.0.0.1"
    async with ears(host) as port, Upstream(MANNERS["drops"], models=(), host=host) as upstream:
        settings = {
            "STT_ENGINES": "imitated",
            "STT_IMITATED_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "STT_IMITATED_MODEL": "*",
            "STT_FIRST_BYTE_SECONDS": "60",
            "LLM_ENGINES": "imitated",
            "LLM_IMITATED_BASE_URL": upstream.base_url,
            "LLM_IMITATED_MODEL": "*",
            "TTS_ENGINES": "espeak",
        }
        with tempfile.TemporaryDirectory(prefix="talkbox-changes-") as folder:
            kind: Callable[[Path, Mapping[str, str]], Site] = Containers if in_containers else Native
            site = await asyncio.to_thread(kind, Path(folder), settings)
            try:
                return report(await rounds(site, int(environ.get("ROUNDS") or 10)))
            finally:
                await asyncio.to_thread(site.remove)


if __name__ == "__main__":
    sys.exit(bool(asyncio.run(main(os.environ))))
