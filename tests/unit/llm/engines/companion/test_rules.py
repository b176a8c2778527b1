import re
from datetime import datetime
from random import Random
from typing import get_args

import pytest

from llm.engines.companion.phrases import TOPICS
from llm.engines.companion.repertoire import FALLBACK, JOKES, NOTHING_SAID, RHYMES, RIDDLES, STORIES
from llm.engines.companion.rules import reply
from llm.own_language import Language, own_language
from llm.wire import Assistant, Message, Part, System, User

NOON = datetime(2026, 11, 22, 12, 0)
EVERYTHING = [
    *(text for topic in TOPICS for texts in topic.texts.values() for text in texts),
    *(text for table in (FALLBACK, STORIES, RHYMES, JOKES) for texts in table.values() for text in texts),
    *(riddle.question for riddles in RIDDLES.values() for riddle in riddles),
    *NOTHING_SAID.values(),
]


def talk(*turns: str, now: datetime = NOON, seed: int = 1) -> str:
    """Turns of child, companion, child …; the companion's next."""
    messages: list[Message] = [System("You are a bear.")]
    messages += [User(text) if number % 2 == 0 else Assistant(text) for number, text in enumerate(turns)]
    return reply(messages, Random(seed), now)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("Hello!", "companion"),
        ("你好", "小伙伴"),
        ("Who are you?", "model"),
        ("你是谁？", "没有"),
        ("I am so sad today", "happened|hug"),
        ("我好难过", "难过"),
        ("I'm scared of the dark", "light|brave"),
        ("Somebody hit me", "grown-up|mom"),
        ("有人打我", "爸爸妈妈|大人"),
        ("Good night", "stars|Sleep"),
        ("晚安", "晚安"),
        ("谢谢你", "不"),
        ("what is 3 plus 4", "is 7"),
        ("三加四等于几", "等于7"),
        ("Why is the sky blue?", "grown-up|think"),
        ("天空为什么是蓝色的", "老师"),
        ("Tell me a story", r"\."),
        ("讲个故事", "。"),
        ("What's the weather like?", "see|window"),
        ("My name is Anna", "Anna"),
        ("我叫小明", "小明"),
        ("qwertyuiop", "model|more|listening"),
        ("", "here"),
    ],
)
def test_simple_things_are_answered(said: str, part: str) -> None:
    assert re.search(part, talk(said))


@pytest.mark.parametrize(
    ("now", "zh", "en"),
    [
        (datetime(2026, 11, 22, 8, 5), "现在是早上八点5分。", "It is 8 05 in the morning."),
        (datetime(2026, 11, 22, 14, 0), "现在是下午两点整。", "It is 2 o'clock in the afternoon."),
        (datetime(2026, 11, 22, 0, 30), "现在是凌晨十二点30分。", "It is 12 30 in the morning."),
    ],
)
def test_the_time_is_told(now: datetime, zh: str, en: str) -> None:
    assert talk("现在几点了？", now=now) == zh
    assert talk("What time is it?", now=now) == en


def test_the_day_is_told() -> None:
    assert talk("今天星期几？") == "今天是11月22日，星期日。"
    assert talk("What day is it today?") == "Today is Sunday, November 22."


def test_a_name_is_remembered_from_earlier() -> None:
    assert "Anna" in talk("My name is Anna.", "Nice to meet you.", "What is my name?")
    assert "小明" in talk("我叫小明", "你好", "我叫什么名字？")
    assert "not told" in talk("What is my name?")


def test_a_riddle_is_asked_and_its_answer_judged() -> None:
    asked = talk("ask me a riddle")
    riddle = next(riddle for riddle in RIDDLES["en"] if riddle.question in asked)

    assert talk("ask me a riddle", asked, riddle.answer).startswith("Yes")
    assert "try again" in talk("ask me a riddle", asked, "a potato")
    assert riddle.answer in talk("ask me a riddle", asked, "I don't know")
    assert re.search("grown-up|mom", talk("ask me a riddle", asked, "somebody hurts me"))


def test_another_one_is_of_the_same_kind_and_not_the_same() -> None:
    said: list[str] = ["讲个故事"]
    for _ in STORIES["zh"][1:]:
        said += [talk(*said), "再来一个"]
    told = {*said[1::2], talk(*said)}

    assert told == set(STORIES["zh"])


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["你好"], "zh"),
        (["hello"], "en"),
        (["hello 你好"], "zh"),
        (["?!", "你好"], "zh"),
        (["123", "hello"], "en"),
        (["こんにちは、元気"], "en"),
        (["привет"], "en"),
        (["..."], "en"),
    ],
)
def test_the_language_is_that_of_the_latest_words(texts: list[str], language: Language) -> None:
    assert own_language(texts) == language


def test_the_language_changes_with_the_child() -> None:
    assert re.search(r"[\u4e00-\u9fff]", talk("hello", "Hello there.", "你是谁"))
    assert not re.search(r"[\u4e00-\u9fff]", talk("你好", "你好呀。", "who are you"))


def test_the_same_chance_says_the_same() -> None:
    assert len({talk("hello", seed=7) for _ in range(5)}) == 1
    assert len({talk("hello", seed=seed) for seed in range(20)}) > 1


def test_parts_are_understood_and_no_message_at_all_too() -> None:
    assert "companion" in reply([User([Part("text", text="who are"), Part("text", text="you")])], Random(1), NOON)
    assert reply([System("x")], Random(1), NOON) == NOTHING_SAID["en"]


@pytest.mark.parametrize("text", EVERYTHING)
def test_everything_we_say_can_be_read_aloud_piece_by_piece(text: str) -> None:
    assert not re.search(r"[*_#`<>\[\]|~\"“”:：;；()（）\n]", text)
    assert not re.search(r"[\U0001F000-\U0001FFFF\u2600-\u27BF]", text)
    assert text[-1] in "。！？.!?"
    assert max(map(len, re.split("[，！。？,.!?]", text))) <= 70


@pytest.mark.parametrize("language", get_args(Language))
def test_every_topic_speaks_the_language_it_hears(language: Language) -> None:
    for topic in TOPICS:
        assert len(topic.texts[language]) >= 2
        assert all(("\u4e00" <= text[0] <= "\u9fff") == (language == "zh") for text in topic.texts[language])


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["a" * 10**6, "三" * 10**6, "my name is " * 10**5, "1 " * 10**6, "what does " * 10**5])
def test_no_text_takes_long(text: str) -> None:
    assert talk(text)
