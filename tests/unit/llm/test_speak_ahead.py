"""What tts is told of an answer while it is on its way."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import process_time

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.settings import SettingError
from fixtures.serving import serving
from llm.answer.encode import Chunks
from llm.speak_ahead import AT_A_TIME, SpeakAheadOptions, Teller, _running, cut
from unit.llm.fakes import DONE, HELLO, FakeEngine, service

CHUNKS = Chunks("m", usage=False)


class Mouth:
    """A tts that notes what it is told, and answers once `go` is set."""

    def __init__(self, status: int = 204) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.go, self.status = asyncio.Event(), status
        self.left = 0
        self.go.set()
        self.app = Starlette(routes=[Route("/v1/audio/speech/ahead", self.ahead, methods=["POST"])])

    async def ahead(self, request: Request) -> Response:
        headers = request.headers
        text = json.loads(await request.body())["input"]
        self.told.append((text, headers.get("authorization", ""), headers["traceparent"]))
        gone = asyncio.create_task(self._gone(request))
        waits = asyncio.create_task(self.go.wait())
        await asyncio.wait([gone, waits], return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        waits.cancel()
        return Response(status_code=self.status)

    async def _gone(self, request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        self.left += 1

    async def texts(self, number: int) -> list[str]:
        """The first so many pieces, in the order of the alphabet: two are told at a time, and either may come first."""
        async with asyncio.timeout(30):
            while len(self.told) < number:
                await asyncio.sleep(0.005)
        return sorted(text for text, _, _ in self.told)


def saying(*words: str) -> FakeEngine:
    return FakeEngine(CHUNKS.begun(), *(CHUNKS.said(each) for each in words), CHUNKS.ended("stop") + DONE)


@asynccontextmanager
async def mind(mouth: Mouth, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mouth.app) as tts:
        monkeypatch.setenv("LLM_SPEAK_AHEAD_URL", f"{tts}/v1/")
        async with serving(service(one=engine)) as llm, httpx.AsyncClient(base_url=llm) as http:
            http.headers["authorization"] = "Bearer the-toys"
            yield http


async def ask(http: httpx.AsyncClient, **more: object) -> httpx.Response:
    return await http.post("/v1/chat/completions", json=HELLO | {"stream": True} | more)


async def test_tts_is_told_the_pieces_that_folotoy_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    mouth = Mouth()
    async with mind(mouth, saying("你好", "！", "！我是", "小熊。Let us ", "go,", " now"), monkeypatch) as http:
        answer = await ask(http)
        texts = await mouth.texts(4)

    assert texts == sorted(["你好！！", "我是小熊。", "Let us go,", " now"])
    assert {authorization for _, authorization, _ in mouth.told} == {"Bearer the-toys"}
    trace = answer.headers["server-timing"].partition('desc="')[2].split("-")[1]
    assert {parent.split("-")[1] for _, _, parent in mouth.told} == {trace}


@pytest.mark.parametrize("more", [{"stream": False}, {"response_format": {"type": "json_object"}}])
async def test_what_is_not_for_an_ear_is_not_told(more: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    mouth = Mouth()
    async with mind(mouth, saying("One. ", "Two."), monkeypatch) as http:
        await ask(http, **more)
        await ask(http)
        texts = await mouth.texts(2)

    assert texts == [" Two.", "One."]


async def test_a_tts_that_hangs_or_is_away_costs_the_answer_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    mouth = Mouth()
    mouth.go.clear()
    async with mind(mouth, saying("One. ", "Two. ", "Three. ", "Four."), monkeypatch) as http:
        async with asyncio.timeout(30):  # the mouth would hang for ever
            answer = await ask(http)
        assert answer.text.endswith("[DONE]\n\n")
        assert await mouth.texts(2) == [" Two.", "One."]
        mouth.go.set()
        assert await mouth.texts(4) == [" Four.", " Three.", " Two.", "One."]

    monkeypatch.setenv("LLM_SPEAK_AHEAD_URL", "http://127.0.0.1:9/v1")
    async with serving(service(one=saying("One. ", "Two."))) as llm, httpx.AsyncClient(base_url=llm) as http:
        assert (await ask(http)).text.endswith("[DONE]\n\n")


async def test_a_caller_who_leaves_ends_what_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    mouth, go = Mouth(), asyncio.Event()
    mouth.go.clear()
    engine = FakeEngine(CHUNKS.begun(), CHUNKS.said("One. Two. "), go, CHUNKS.ended("stop") + DONE)
    async with mind(mouth, engine, monkeypatch) as http:
        async with http.stream("POST", "/v1/chat/completions", json=HELLO | {"stream": True}) as response:
            pieces = response.aiter_bytes()  # held: when it is collected, the connection closes
            await anext(pieces)
            await mouth.texts(1)
        async with asyncio.timeout(30):
            while mouth.left < len(mouth.told):
                await asyncio.sleep(0.005)

    assert mouth.left >= 1


def test_an_address_that_is_none_is_said_at_the_start() -> None:
    with pytest.raises(SettingError, match="LLM_SPEAK_AHEAD_URL"):
        Teller(SpeakAheadOptions(speak_ahead_url="tts:8000/v1"))


async def test_a_tts_that_refuses_is_told_nothing_more_for_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for status in (401, 404, 429, 503, 302):
        mouth = Mouth(status)
        async with mind(mouth, saying("One. ", "Two. ", "Three. ", "Four. ", "Five."), monkeypatch) as http:
            await ask(http)
            await mouth.texts(1)
            while asyncio.all_tasks() & _running:
                await asyncio.sleep(0.005)
            await ask(http)
        assert len(mouth.told) <= AT_A_TIME
        assert f" answered {status}." in caplog.text


async def test_a_long_answer_ends_nothing_that_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    mouth = Mouth()
    mouth.go.clear()
    async with mind(mouth, saying(*(f"Piece {number}. " for number in range(1000))), monkeypatch) as http:
        await ask(http)
        assert len(await mouth.texts(AT_A_TIME)) == AT_A_TIME
        assert mouth.left == 0
        mouth.go.set()
        assert len(await mouth.texts(12)) == 12


def test_a_text_is_cut_in_one_pass_however_it_is_made() -> None:
    end = Teller(SpeakAheadOptions(speak_ahead_url="http://127.0.0.1:9/v1", speak_ahead_separators="]^-\\.")).end
    assert cut(end, "a]^b. c-\\d.") == ["a]^", "b.", " c-\\", "d."]
    for text in ("x" * 1_000_000, "." * 1_000_000):
        began = process_time()
        assert cut(end, text) == [text]
        assert process_time() - began < 20  # a hundred milliseconds; it was hours


async def test_what_has_no_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    mouth = Mouth()
    async with mind(mouth, saying("One. ", *["word " * 100] * 50, "Two. Three. "), monkeypatch) as http:
        await ask(http)
        assert await mouth.texts(1) == ["One."]
        while asyncio.all_tasks() & _running:
            await asyncio.sleep(0.005)
    assert len(mouth.told) == 1
