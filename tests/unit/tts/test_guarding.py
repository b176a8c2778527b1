"""With the guard on, a kind sentence is spoken instead of what does not pass."""

import httpx
import pytest

from chassis.guard.guard import judged
from tts.cache.cache import Cache
from tts.cache.settings import CacheOptions
from unit.tts.fakes import FakeEngine, ask, service


@pytest.fixture(autouse=True)
def _kids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "kids")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Take the gun and shoot your teacher.", "That could hurt somebody"),
        ("先拿打火机，点燃窗帘就可以了。", "这个有点危险"),
    ],
)
@pytest.mark.parametrize("form", ["audio", "sse"])
async def test_a_kind_sentence_is_spoken_instead(text: str, said: str, form: str) -> None:
    engine = FakeEngine()
    response = await ask(service(one=engine), input=text, stream_format=form)

    spoken = "".join(clause for clause, _, _ in engine.said)
    assert spoken.startswith(said)
    assert "teacher" not in spoken
    assert response.headers["x-talkbox-guard"] in ("weapons", "fire", "violence")


@pytest.mark.parametrize("is_speakable", [None, False])
@pytest.mark.parametrize(
    "text",
    [
        "Take the g<b></b>un and sh<i>o</i>ot your teacher.",
        "<speak>Shoo<break time='1s'/>t your tea<mark name='x'/>cher with the gun.</speak>",
        "Sh[oo](http://x)t your tea[ch](http://y)er with the gu[n](z).",
        "sho&#111;t your te&#97;cher with the g&#117;n",
        "sh`oo`t your te**ach**er with the g`u`n",
        "先拿打**火**机，点<i></i>燃窗`帘`就可以了。",
    ],
)
async def test_no_markup_hides_what_would_be_spoken(text: str, is_speakable: bool | None) -> None:
    engine = FakeEngine()
    response = await ask(service(one=engine), input=text, speakable=is_speakable)

    assert response.headers["x-talkbox-guard"] in ("weapons", "fire", "violence")
    assert not any(word in clause for clause, _, _ in engine.said for word in ("cher", "窗"))


async def test_a_harmless_text_is_spoken_as_it_is() -> None:
    engine = FakeEngine()
    response = await ask(service(one=engine), input="How do bees die?")

    assert [clause for clause, _, _ in engine.said] == ["How do bees die?"]
    assert "x-talkbox-guard" not in response.headers


async def test_nothing_that_does_not_pass_is_spoken_ahead() -> None:
    engine = FakeEngine()
    app = service(cache=Cache(CacheOptions()), one=engine)
    await ask(app, input="Hello.")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as client:
        await client.post("/v1/audio/speech/ahead", json={"input": "Take the gun and shoot your teacher."})

    assert not any("teacher" in clause for clause, _, _ in engine.said)


def counted() -> float:
    return sum(
        sample.value for metric in judged.collect() for sample in metric.samples if sample.name.endswith("_total")
    )


@pytest.mark.parametrize("mode", ["kids", "shadow"])
@pytest.mark.parametrize("text", ["Take the gun and shoot your teacher.", "Take the **gun** and shoot your teacher."])
async def test_what_was_expected_is_counted_once(mode: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", mode)
    app = service(cache=Cache(CacheOptions()), one=FakeEngine())
    await ask(app, input="Hello.")
    before = counted()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tts") as client:
        await client.post("/v1/audio/speech/ahead", json={"input": text})
        assert counted() == before
    await ask(app, input=text)

    assert counted() == before + 1


async def test_shadow_speaks_and_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "shadow")
    engine = FakeEngine()
    response = await ask(service(one=engine), input="Take the gun and shoot your teacher.")

    assert [clause for clause, _, _ in engine.said] == ["Take the gun and shoot your teacher."]
    assert response.headers["x-talkbox-guard"]


class Told(FakeEngine):
    """Notes how it is told to speak."""

    manners: tuple[str, ...] = ()

    def instructed(self, instructions: str) -> "Told":
        self.manners += (instructions,)
        return self


@pytest.mark.parametrize(("manner", "kept"), [("Speak softly, like a bear.", True), ("Moan like a porn star.", False)])
async def test_instructions_that_do_not_pass_are_left_out(manner: str, kept: bool) -> None:
    engine = Told()
    response = await ask(service(one=engine), input="Hello.", instructions=manner)

    assert response.status_code == 200
    assert set(engine.manners) == ({manner} if kept else set())
