"""Toys that talk through any base, as folotoy-server takes their turns; what each turn took, and what failed."""

import asyncio
import json
import random
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx
from deploy.talk import SYSTEM, pieces

TOY_SECONDS = 5.0
"""Silence after which folotoy-server gives a step up."""
_WATCH_SECONDS = 0.05
HOPS = ("heard", "first words", "first sound", "turn")
"""Transcript there · first words of the answer · first byte of its first piece · end of speech to that byte."""


@dataclass
class Seen:
    """What the turns of many toys took, in seconds, and what became of the others."""

    took: dict[str, list[float]] = field(default_factory=lambda: {hop: [] for hop in HOPS})
    failed: Counter[str] = field(default_factory=Counter)
    """Turns without an answer, by hop and reason."""
    late: list[float] = field(default_factory=list)
    """How much too late these toys themselves woke up, now and then."""

    @property
    def whole(self) -> int:
        """Number of turns that were answered with sound, to their end."""
        return len(self.took["turn"])

    @property
    def turns(self) -> int:
        return self.whole + sum(self.failed.values())


class Failed(Exception):
    """A turn ended early; the message is where, and why."""


@dataclass(frozen=True)
class Toy:
    """One toy with its own key and its own child, who thinks before each question.

    Args:
        think_seconds: Mean pause between the end of an answer and the next question.
        fresh: Have every piece made anew, as if no toy had ever said it.
    """

    client: httpx.AsyncClient
    base: str
    key: str
    question: bytes
    think_seconds: float
    fresh: bool
    seen: Seen

    async def talk(self, until: float) -> None:
        """Take turn after turn."""
        left = until - time.perf_counter()
        pause = random.uniform(0, min(self.think_seconds, left / 2))  # children do not all begin at once
        while time.perf_counter() + pause < until:
            await asyncio.sleep(pause)
            try:
                await self.turn()
            except Failed as exc:
                self.seen.failed[str(exc)] += 1
            pause = random.expovariate(1 / self.think_seconds) if self.think_seconds else 0.0

    async def turn(self) -> None:
        """Take one turn.

        Raises:
            Failed: It was not answered to its end.
        """
        began = time.perf_counter()
        words = await self._hear()
        heard = time.perf_counter()
        lanes, speaking = asyncio.Semaphore(2), list[asyncio.Task[tuple[float, float]]]()
        first_words = 0.0
        try:
            async for piece in self._pieces(words):
                first_words = first_words or time.perf_counter()
                speaking.append(asyncio.create_task(self._speak(piece, lanes)))
            spoken = await asyncio.gather(*speaking)
        finally:
            for task in speaking:
                task.cancel()
            await asyncio.gather(*speaking, return_exceptions=True)
        if not spoken:
            raise Failed("chat: nothing to say")
        asked, sounds = spoken[0]
        for hop, seconds in zip(
            HOPS, (heard - began, first_words - heard, sounds - asked, sounds - began), strict=True
        ):
            self.seen.took[hop].append(seconds)

    @property
    def _headers(self) -> dict[str, str]:
        return _credentials(self.key) | ({"cache-control": "no-store"} if self.fresh else {})

    async def _hear(self) -> str:
        form = {"model": "whisper-1", "language": "en", "response_format": "json"}
        files = {"file": ("question.wav", self.question, "audio/wav")}
        try:
            answer = await self.client.post(
                f"{self.base}/audio/transcriptions", data=form, files=files, headers=self._headers
            )
        except httpx.HTTPError as exc:
            raise Failed(f"transcription: {type(exc).__name__}") from exc
        if answer.status_code != 200:
            raise Failed(f"transcription: {answer.status_code}")
        return str(answer.json()["text"]) or "Hello!"

    async def _pieces(self, words: str) -> AsyncIterator[str]:
        """Yield what the answer is cut into, as soon as each piece has ended."""
        cut, text = 0, ""
        async for more in self._chat(words):
            text += more
            for piece in list(pieces(iter([text])))[cut:-1]:
                cut += 1
                yield piece
        for piece in list(pieces(iter([text])))[cut:]:
            yield piece

    async def _chat(self, words: str) -> AsyncIterator[str]:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": words}]
        asked = {"model": "gpt-4o-mini", "stream": True, "max_tokens": 200, "messages": messages}
        url, done = f"{self.base}/chat/completions", False
        try:
            async with self.client.stream("POST", url, json=asked, headers=self._headers) as answer:
                if answer.status_code != 200:
                    raise Failed(f"chat: {answer.status_code}")
                async for line in answer.aiter_lines():
                    data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
                    done = done or data == "[DONE]"
                    for choice in json.loads(data).get("choices", []) if data and not done else []:
                        yield choice.get("delta", {}).get("content") or ""
        except httpx.HTTPError as exc:
            raise Failed(f"chat: {type(exc).__name__}") from exc
        if not done:
            raise Failed("chat: broken off")

    async def _speak(self, piece: str, lanes: asyncio.Semaphore) -> tuple[float, float]:
        """Return when a piece was asked for, and when its first byte came; it is taken to its end."""
        asked = {"model": "tts-1", "voice": "alloy", "input": piece, "response_format": "mp3"}
        url = f"{self.base}/audio/speech"
        async with lanes:
            began, first = time.perf_counter(), 0.0
            try:
                async with self.client.stream("POST", url, json=asked, headers=self._headers) as answer:
                    if answer.status_code != 200:
                        raise Failed(f"speech: {answer.status_code}")
                    async for _ in answer.aiter_bytes():
                        first = first or time.perf_counter()
            except httpx.HTTPError as exc:
                raise Failed(f"speech: {type(exc).__name__}") from exc
        return began, first or time.perf_counter()


async def talking(
    number: int, seconds: float, base: str, keys: Sequence[str], question: bytes, think_seconds: float, *, fresh: bool
) -> Seen:
    """Let so many toys talk for so long; each has a key of its own as far as there are enough."""
    seen, trusted = Seen(), ssl.create_default_context()
    async with AsyncExitStack() as stack:
        until = time.perf_counter() + seconds
        toys = []
        for each in range(number):  # one client for all would look through all connections for each request
            client = httpx.AsyncClient(timeout=TOY_SECONDS, trust_env=False, verify=trusted)
            await stack.enter_async_context(client)
            toys.append(Toy(client, base, keys[each % len(keys)], question, think_seconds, fresh, seen))
        watch = asyncio.create_task(_watch(seen.late))
        await asyncio.gather(*(toy.talk(until) for toy in toys))
        watch.cancel()
    return seen


async def _watch(late: list[float]) -> None:
    """Note how late a short sleep ends, until cancelled."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_WATCH_SECONDS)
        late.append(time.perf_counter() - began - _WATCH_SECONDS)


async def question_of(base: str, key: str, text: str) -> bytes:
    """Have a question spoken by the base itself, as wav.

    Raises:
        Failed: It cannot.
    """
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        answer = None
        for model in ("flite", "tts-1"):  # flite's is the English that PocketSphinx understands best
            asked = {"model": model, "voice": "slt", "input": text, "response_format": "wav"}
            try:
                answer = await client.post(f"{base}/audio/speech", json=asked, headers=_credentials(key))
            except httpx.HTTPError as exc:
                raise Failed(f"{base} does not answer ({type(exc).__name__}). `make up` starts Talkbox.") from exc
            if answer.status_code == 200:
                return answer.content
    raise Failed(f"The question could not be spoken: {answer.status_code if answer else ''} {answer and answer.text}")


def _credentials(key: str) -> dict[str, str]:
    """Headers; none for a base that asks for no key, as httpx refuses an empty one."""
    return {"authorization": f"Bearer {key}"} if key else {}
