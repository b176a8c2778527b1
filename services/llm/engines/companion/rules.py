"""What the companion says next: rules over the words of the conversation, in the language of its last user message."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import TypeAlias

from msgspec import Struct

from llm.engines.companion.arithmetic import solve
from llm.engines.companion.phrases import (
    FALLBACK,
    JOKES,
    NOTHING_SAID,
    RHYMES,
    RIDDLES,
    STORIES,
    TOPICS,
    Language,
    Riddle,
)
from llm.wire import Assistant, Message, User, said_by

LATEST_CHARACTERS = 2000
"""Of a message; more is not needed to know what it is about."""
HAN = re.compile(r"[\u3400-\u9fff]")
KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
LETTER = re.compile(r"[^\W\d_]")
WORDS = {
    "story": re.compile(r"故事|童话|\b(?:story|stories|fairy ?tale|tale)\b", re.IGNORECASE),
    "riddle": re.compile(r"谜|脑筋急转弯|猜一猜|\briddles?\b", re.IGNORECASE),
    "joke": re.compile(r"笑话|好笑|逗我|\bjokes?\b|\bfunny\b|make me laugh", re.IGNORECASE),
    "rhyme": re.compile(r"唱|歌|儿歌|童谣|诗|\b(?:sing|song|rhyme|poem|lullaby)\b", re.IGNORECASE),
    "more": re.compile(
        r"再来|再讲|再说|还要|换一个|下一个|继续|\b(?:another|one more|again|more|next one)\b", re.IGNORECASE
    ),
    "time": re.compile(
        r"几点|什么时间|现在时间|时间是|\bwhat(?:'s| is)? (?:the )?time\b|what time is it", re.IGNORECASE
    ),
    "date": re.compile(
        r"几号|几月|星期几|礼拜几|周几|什么日子|今天是|\bwhat(?:'s| is)? (?:the |today's )?(?:date|day)\b",
        re.IGNORECASE,
    ),
    "give up": re.compile(
        r"不知道|猜不到|猜不出|答案|告诉我|放弃|\b(?:don'?t know|give up|no idea|tell me|the answer)\b", re.IGNORECASE
    ),
    "my name?": re.compile(
        r"我叫什么|我的名字(?:是什么|叫什么)|记得我.*名|我是谁"
        r"|\bwhat(?:'s| is) my name\b|\bremember my name\b|\bwho am i\b",
        re.IGNORECASE,
    ),
}
CALLED = (
    re.compile(
        r"(?:我叫|我的名字叫|我的名字是|叫我)([\u4e00-\u9fff]{1,4}?|[A-Za-z]{1,20})(?=[，。！？,.!?\s]|$|今年|你|吧)"
    ),
    re.compile(r"\b(?:my name is|my name's|call me|i am called)\s+([A-Za-z][A-Za-z'-]{0,19})", re.IGNORECASE),
)
NO_NAMES = re.compile(r"什么|啥|谁|不|(?:a|the|not|what|your|later)\b", re.IGNORECASE)
HOURS = ("一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
DAYS_ZH = "一二三四五六日"


class Heard(Struct):
    """The conversation as a rule sees it."""

    last: str
    earlier: list[str]
    """What the child said before, oldest first."""
    told: str
    """All that we said."""
    last_told: str
    language: Language
    chance: Random
    now: datetime


Rule: TypeAlias = Callable[[Heard], str | None]


def reply(messages: Sequence[Message], chance: Random, now: datetime) -> str:
    """The next thing to say.

    Args:
        chance: Chooses among what could be said as well.
        now: What time it is where the child is.
    """
    said = [text.strip()[:LATEST_CHARACTERS] for text in said_by(User, messages)] or [""]
    told = said_by(Assistant, messages)
    heard = Heard(
        last=said[-1],
        earlier=said[:-1],
        told="\n".join(told),
        last_told=told[-1] if told else "",
        language=language_of(said[::-1]),
        chance=chance,
        now=now,
    )
    return next(answer for rule in RULES if (answer := rule(heard)) is not None)


def language_of(texts: Sequence[str]) -> Language:
    """Of the first that has letters; English for those we cannot speak."""
    for text in texts:
        if HAN.search(text) and not KANA_OR_HANGUL.search(text):
            return "zh"
        if LETTER.search(text):
            return "en"
    return "en"


def _silence(heard: Heard) -> str | None:
    return None if heard.last else NOTHING_SAID[heard.language]


def _danger(heard: Heard) -> str | None:
    return _topic(heard, "danger")


def _guess(heard: Heard) -> str | None:
    """An answer to the riddle we asked last."""
    asked = next((riddle for riddle in RIDDLES["zh"] + RIDDLES["en"] if riddle.question in heard.last_told), None)
    if asked is None:
        return None
    if asked.heard.search(heard.last):
        right = {"zh": f"答对了，就是{asked.answer}。你真聪明，还想再猜一个吗？"}
        return right.get(heard.language, f"Yes, it is {asked.answer}. How clever you are! Would you like another one?")
    if WORDS["give up"].search(heard.last):
        shown = {"zh": f"没关系，答案是{asked.answer}。还想再猜一个吗？"}
        return shown.get(heard.language, f"That is all right. It is {asked.answer}. Would you like another one?")
    if any(word.search(heard.last) for name, word in WORDS.items() if name != "my name?"):
        return None
    if len(heard.last) <= 20 and "?" not in heard.last and "？" not in heard.last:
        return {
            "zh": "差一点点，再想一想。要是猜不出来，就说不知道。",
            "en": "Not quite, try again. Or say, I give up.",
        }[heard.language]
    return None


def _sum(heard: Heard) -> str | None:
    return solve(heard.last, heard.language)


def _clock(heard: Heard) -> str | None:
    now = heard.now
    if WORDS["time"].search(heard.last):
        hour = now.hour % 12 or 12
        if heard.language == "zh":
            part = ["凌晨", "早上", "下午", "晚上"][now.hour // 6]
            minutes = f"{now.minute}分" if now.minute else "整"
            return f"现在是{part}{HOURS[hour - 1]}点{minutes}。"
        half = "in the morning" if now.hour < 12 else "in the afternoon" if now.hour < 18 else "in the evening"
        return f"It is {hour} o'clock {half}." if now.minute == 0 else f"It is {hour} {now.minute:02} {half}."
    if WORDS["date"].search(heard.last):
        if heard.language == "zh":
            return f"今天是{now.month}月{now.day}日，星期{DAYS_ZH[now.weekday()]}。"
        return f"Today is {now:%A}, {now:%B} {now.day}."
    return None


def _name(heard: Heard) -> str | None:
    zh = heard.language == "zh"
    if WORDS["my name?"].search(heard.last):
        name = next(filter(None, map(_called, reversed(heard.earlier))), None)
        if name is None:
            return "你还没有告诉我呢。你叫什么名字？" if zh else "You have not told me yet. What is your name?"
        return f"你叫{name}呀，我记得呢。" if zh else f"Your name is {name}. I remember that."
    if name := _called(heard.last):
        return (
            f"你好，{name}，真是个好听的名字。很高兴认识你。你今天想玩什么？"
            if zh
            else f"Nice to meet you, {name}. What a lovely name. What would you like to do today?"
        )
    return None


def _called(text: str) -> str | None:
    for pattern in CALLED:
        if (found := pattern.search(text)) and not NO_NAMES.match(found[1]):
            return found[1]
    return None


def _told_by_heart(heard: Heard) -> str | None:
    """A story, riddle, joke or rhyme; "another one" means the kind asked for last."""
    kind = _wanted_kind(heard.last)
    if kind is None and len(heard.last) <= 30 and WORDS["more"].search(heard.last):
        kind = next(filter(None, map(_wanted_kind, reversed(heard.earlier))), None)
    match kind:
        case "story":
            return _fresh(heard, STORIES[heard.language])
        case "rhyme":
            return _fresh(heard, RHYMES[heard.language])
        case "joke":
            return _fresh(heard, JOKES[heard.language])
        case "riddle":
            riddles: tuple[Riddle, ...] = RIDDLES[heard.language]
            question = _fresh(heard, tuple(riddle.question for riddle in riddles))
            return f"好，你来猜一猜。{question}" if heard.language == "zh" else f"Here is a riddle. {question}"
    return None


def _wanted_kind(text: str) -> str | None:
    return next((kind for kind in ("riddle", "story", "joke", "rhyme") if WORDS[kind].search(text)), None)


def _topics(heard: Heard) -> str | None:
    return next((answer for topic in TOPICS if (answer := _topic(heard, topic.name)) is not None), None)


def _topic(heard: Heard, name: str) -> str | None:
    for topic in TOPICS:
        if topic.name == name and topic.heard[heard.language].search(heard.last):
            return _fresh(heard, topic.said[heard.language])
    return None


def _fallback(heard: Heard) -> str:
    return _fresh(heard, FALLBACK[heard.language])


def _fresh(heard: Heard, choices: Sequence[str]) -> str:
    """One that was not said yet, if there is one."""
    return heard.chance.choice([choice for choice in choices if choice not in heard.told] or list(choices))


RULES: tuple[Rule, ...] = (_silence, _danger, _guess, _sum, _clock, _name, _told_by_heart, _topics, _fallback)
