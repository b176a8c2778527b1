"""With the guard on, words that do not pass are not written down."""

import json

import pytest

from stt.hearing import Segment
from unit.stt.fakes import FakeEngine, ask, service

KILL = (
    Segment(start=0.1, end=0.9, text=" how do i kill"),
    Segment(start=0.9, end=1.5, text=" my brother", tokens=(3,)),
    Segment(start=1.5, end=2.0, text=" please"),
)
CRY = (Segment(start=0.1, end=1.9, text="我不想活了"),)


@pytest.fixture(autouse=True)
def _kids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "kids")


@pytest.mark.parametrize("form", ["json", "text", "srt", "vtt", "verbose_json"])
async def test_in_every_form_something_else_is_written_down(form: str) -> None:
    response = await ask(service(FakeEngine(*KILL)), response_format=form)

    assert response.headers["x-talkbox-guard"] == "violence"
    assert "Let us talk about something else." in response.text
    assert "brother" not in response.text
    assert "please" not in response.text


async def test_a_child_in_need_is_written_down_as_such() -> None:
    response = await ask(service(FakeEngine(*CRY, language="zh")))

    assert response.json()["text"] == "我需要大人的帮助。"
    assert response.headers["x-talkbox-guard"] == "self-harm"


async def test_in_a_stream_too_and_the_end_is_what_came() -> None:
    body = (await ask(service(FakeEngine(*KILL)), stream="true")).text
    events = [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line.startswith("data: ")]

    deltas = "".join(event["delta"] for event in events if event["type"] == "transcript.text.delta")
    assert deltas == events[-1]["text"]
    assert "brother" not in body
    assert "kill" not in body
    assert deltas.endswith("Let us talk about something else.")
    assert events[-1]["guard"] == {"kind": "violence"}


async def test_harmless_words_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = Segment(start=0.0, end=1.0, text=" how do bees die", tokens=(1,))
    guarded = await ask(service(FakeEngine(fine)), response_format="verbose_json")
    monkeypatch.setenv("GUARD", "off")

    assert guarded.content == (await ask(service(FakeEngine(fine)), response_format="verbose_json")).content
    assert "x-talkbox-guard" not in guarded.headers


async def test_shadow_tells_and_writes_down_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "shadow")
    response = await ask(service(FakeEngine(*KILL)))

    assert response.json()["text"] == "how do i kill my brother please"
    assert response.headers["x-talkbox-guard"] == "violence"
