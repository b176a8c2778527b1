"""Three times as many callers as can be served: what is still answered in a toy's time; and twice the replicas."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx

from bench.stack import PAUSE_SECONDS, apart, free_ports, proxy, quantile, row, service, verdict
from bench.stt import FORM, form
from fixtures import sounds
from imitations.upstream import MANNERS, Upstream, in_a_thread

TOY_SECONDS = 5.0
CLIENTS, MEASURED_SECONDS = 3, 10.0
TIMES = 3
LEAST_GOODPUT, LEAST_GROWTH = 0.9, 1.9
WORDS = "The little bear walked through the forest and found a blue stone near the river that sparkled in the sun. "
PLACES = 10
"""Of llm, whose upstream waits: two in a second each."""


@dataclass
class Fate:
    """What became of requests: the silence of each that was let in, and how many were refused."""

    silences: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    """Seconds to each 429."""
    broken: int = 0

    @property
    def good(self) -> int:
        return sum(silence <= TOY_SECONDS for silence in self.silences)


@dataclass(frozen=True)
class Asking:
    """How a service is asked."""

    url: str
    body: Callable[[], bytes]
    content_type: str = "application/json"

    async def once(self, client: httpx.AsyncClient, fate: Fate) -> None:
        """Note the longest silence of one answer, from its request to its end."""
        headers = {"authorization": "Bearer bench", "content-type": self.content_type}
        began = last = time.perf_counter()
        longest = 0.0
        try:
            async with client.stream("POST", self.url, content=self.body(), headers=headers) as answer:
                if answer.status_code == 429:
                    return fate.refused.append(time.perf_counter() - began)
                async for _ in answer.aiter_raw():
                    now = time.perf_counter()
                    longest, last = max(longest, now - last), now
                if answer.status_code != 200:
                    raise httpx.HTTPError(str(answer.status_code))
        except httpx.HTTPError:
            fate.broken += 1
        else:
            fate.silences.append(max(longest, time.perf_counter() - last))


async def served(asking: Asking, clients: int, seconds: float) -> Fate:
    """So many clients, each asking again as soon as it was answered."""
    fate, until = Fate(), time.perf_counter() + seconds
    async with _client() as client:

        async def keep_asking() -> None:
            while time.perf_counter() < until:
                refused = len(fate.refused)
                await asking.once(client, fate)
                if len(fate.refused) > refused:
                    await asyncio.sleep(PAUSE_SECONDS)

        await asyncio.gather(*(keep_asking() for _ in range(clients)))
    return fate


async def flooded(asking: Asking, rate: float, seconds: float) -> Fate:
    """So many requests a second, whatever became of those before."""
    fate, began = Fate(), time.perf_counter()
    async with _client() as client, asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            group.create_task(asking.once(client, fate))
    return fate


def _client() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(timeout=60, limits=limits, trust_env=False)


async def overload(name: str, asking: Asking, clients: int = CLIENTS) -> list[bool]:
    """Measure what is served, then send three times as much, and measure what is served again."""
    await served(asking, clients, MEASURED_SECONDS / 3)  # what it learns of its own pace, it has learned
    before = (await served(asking, clients, MEASURED_SECONDS)).good / MEASURED_SECONDS
    fate = await flooded(asking, TIMES * before, 2 * MEASURED_SECONDS)
    after = (await served(asking, clients, MEASURED_SECONDS)).good / MEASURED_SECONDS
    capacity = (before + after) / 2  # other programs may have come or gone meanwhile
    goodput = fate.good / (2 * MEASURED_SECONDS)
    late = len(fate.silences) - fate.good
    row(f"{name}: served a second, and at {TIMES} times", f"{capacity:.1f}", f"{goodput:.1f}")
    row(
        "  refused with 429, half of them within", str(len(fate.refused)), f"{quantile(fate.refused or [0], 0.5):.3f} s"
    )
    silences = fate.silences or [0.0]
    row("  longest silence of those let in, p50 and p99", *(f"{quantile(silences, p):.2f} s" for p in (0.5, 0.99)))
    return [
        verdict("  goodput lost", 100 * (1 - goodput / capacity), 100 * (1 - LEAST_GOODPUT), "%"),
        verdict("  let in, and silent for more than 5 s", late, 0, ""),
        verdict("  broken off", fate.broken, 0, ""),
    ]


def waiting(*, seconds: float) -> bytes:
    """A chat that the upstream of the tests answers after a while."""
    model = f"words-1-every-0-after-{1000 * seconds:.0f}"
    return json.dumps({"model": f"imitated/{model}", "messages": [{"role": "user", "content": "Hello"}]}).encode()


def story() -> Callable[[], bytes]:
    """A text of sixty words, another one each time."""
    numbers: Iterator[int] = itertools.count()
    return lambda: json.dumps(
        {"model": "tts-1", "voice": "slt", "input": f"Number {next(numbers)}. {3 * WORDS}"}
    ).encode()


@contextmanager
def minds(first: int, number: int, upstream: Upstream) -> Iterator[str]:
    """So many processes of llm, behind the proxy's balancer if there are several."""
    with ExitStack() as stack:
        environ = {
            "LLM_ENGINES": "imitated",
            "LLM_IMITATED_BASE_URL": upstream.base_url,
            "LLM_IMITATED_MODEL": "*",
            "LLM_MAX_CONCURRENT": str(PLACES),
            "LLM_MAX_QUEUED": str(PLACES),
        }
        ports = [first + 12 + 20 * each for each in range(number)]
        for port in ports:
            stack.enter_context(service("llm", port, **environ))
        servers = [f"127.0.0.1:{port}" for port in ports]
        stack.enter_context(proxy(first, servers={"llm": servers}))
        yield f"http://127.0.0.1:{first}/v1/chat/completions"


async def main() -> list[bool]:
    """Each service on a core of its own."""
    kept: list[bool] = []
    first = free_ports(60)
    sound = form(sounds.wav(sounds.spoken("Hello little bear, how are you today?")[: 3 * sounds.RATE]))
    with apart() as core:
        with service("stt", first + 11, core, STT_ENGINES="sphinx") as stt:
            stt.wait_for_all_engines()
            url = f"http://127.0.0.1:{stt.port}/v1/audio/transcriptions"
            kept += await overload("stt, sphinx, 3 s", Asking(url, lambda: sound, FORM))
        with service("tts", first + 13, core, TTS_ENGINES="flite", TTS_CACHE="off") as tts:
            tts.wait_for_all_engines()
            url = f"http://127.0.0.1:{tts.port}/v1/audio/speech"
            kept += await overload("tts, flite, 60 words", Asking(url, story()))
    goodput = {}
    with in_a_thread(Upstream(MANNERS["drops"], models=())) as upstream:
        for number in (1, 2):
            with minds(first, number, upstream) as url:
                asking = Asking(url, lambda: waiting(seconds=0.5))
                if number == 1:
                    kept += await overload("llm, an upstream of half a second", asking, PLACES)
                fate = await flooded(asking, TIMES * number * PLACES / 0.5, MEASURED_SECONDS)
                goodput[number] = fate.good / MEASURED_SECONDS
    row("llm: goodput of one replica, and of two", *(f"{value:.1f}" for value in goodput.values()))
    times = goodput[2] / goodput[1]
    row("  times as much", f"{times:.2f}", f"≥ {LEAST_GROWTH}", "kept" if times >= LEAST_GROWTH else "NOT KEPT")
    return [*kept, times >= LEAST_GROWTH]
