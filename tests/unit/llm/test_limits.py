"""Minutes of a day end a talk kindly, and a long talk is reminded of a rest."""

from datetime import datetime
from pathlib import Path

import pytest

from chassis.guard.diary import Diary
from chassis.guard.guard import STAND_INS, Guard
from chassis.guard.minutes import Minutes, Talked
from chassis.guard.options import GuardOptions, LimitsOptions
from llm.answer.encode import AnswerChoice, Usage, completion
from llm.app import assemble
from llm.settings import Settings
from unit.llm.fakes import FakeEngine, ask, chain_of, service
from unit.llm.test_guarding import SAD, reasons, saying, words

ZH = [{"role": "user", "content": "讲个故事吧"}]
JSON = {"response_format": {"type": "json_object"}}


class Clock(Minutes):
    """Minutes that are what a test wants."""

    def __init__(self, reminder: int | None) -> None:
        self.reminder = reminder

    async def note(self, key: str | None, now: datetime | None = None) -> Talked:
        return Talked(is_over=False, reminder=self.reminder)


@pytest.mark.parametrize("mode", ["kids", "shadow"])
async def test_after_its_minutes_a_toy_says_good_bye_but_a_crisis_comes_first(
    mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "limits.db"
    for minute in range(0, 1440, 20):
        await Diary(str(file)).note("", datetime.now().date(), minute)
    monkeypatch.setenv("GUARD", mode)
    monkeypatch.setenv("LIMITS_MINUTES", "20")
    monkeypatch.setenv("LIMITS_STORE", str(file))
    app = service(one=saying("Sure."))
    stream, chinese = await ask(app, stream=True), await ask(app, stream=True, messages=ZH)
    crisis = await ask(app, stream=True, messages=SAD)

    assert stream.headers["x-talkbox-guard"] == "minutes"
    assert crisis.headers["x-talkbox-guard"] == "self-harm"
    assert reasons(stream.text) == ["stop"]
    if mode == "kids":
        assert words(stream.text).endswith("until tomorrow!")
        assert words(chinese.text).endswith("明天再聊，再见！")
    else:
        assert words(stream.text) == "Sure."


def reminding(reminder: int | None = 30, mode: str = "kids") -> Guard:
    guard = Guard(GuardOptions(guard="kids" if mode == "kids" else "shadow"), LimitsOptions())
    guard.minutes = Clock(reminder)
    return guard


@pytest.mark.parametrize(
    ("question", "end"), [(None, "Sure. By the way, we have talked for 30 minutes."), (ZH, "我们已经聊了30分钟啦。")]
)
async def test_an_answer_ends_with_the_reminder(question: list[dict[str, str]] | None, end: str) -> None:
    engine = saying("Sure.")
    app = assemble(Settings(), chain_of(one=engine), guard=reminding())
    response = await ask(app, stream=True, **({"messages": question} if question else {}))

    assert end in words(response.text)
    assert reasons(response.text) == ["stop"]
    assert "x-talkbox-guard" not in response.headers


async def test_a_whole_answer_too_and_json_never() -> None:
    engine = FakeEngine(completion([AnswerChoice(("Sure.",), "stop")], "m", Usage.of(1, 2)))
    app = assemble(Settings(), chain_of(one=engine), guard=reminding())
    plain, json = await ask(app), await ask(app, **JSON)

    assert plain.json()["choices"][0]["message"]["content"].startswith("Sure. By the way")
    assert json.json()["choices"][0]["message"]["content"] == "Sure."


async def test_shadow_reminds_nobody() -> None:
    engine = saying("Sure.")
    app = assemble(Settings(), chain_of(one=engine), guard=reminding(mode="shadow"))

    assert words((await ask(app, stream=True)).text) == "Sure."


async def test_tts_lets_our_own_sentences_pass() -> None:
    guard = Guard(GuardOptions(guard="kids", guard_profile="3-5"), LimitsOptions())
    watch = guard.watch(None)
    assert watch is not None
    watch.reminder = 90
    said = [each for name, each in guard.sentences.items() if name not in STAND_INS]
    own = [text for each in said for text in (each.zh, each.en)]

    assert [
        text for text in (*own, watch.remind("hello"), watch.remind("你好")) if await watch.judge(text, "answered")
    ] == []
