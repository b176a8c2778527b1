"""Choose the companion's next words by rules over the conversation, in the language of its last user message."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import TypeAlias

from msgspec import Struct

from llm.engines.companion.arithmetic import solve
from llm.engines.companion.phrases import TOPICS
from llm.engines.companion.repertoire import FALLBACK, JOKES, NOTHING_SAID, RHYMES, RIDDLES, STORIES, Riddle
from llm.own_language import Language, own_language
from llm.wire import Assistant, Message, User, said_by

_READ_CHARACTERS = 2000
"""Characters read of each message; its subject shows in them."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORDS = {
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
_CALLED = (
    re.compile(
        r"(?:我叫|我的名字叫|我的名字是|叫我)([\u4e00-\u9fff]{1,4}?|[A-Za-z]{1,20})(?=[，。！？,.!?\s]|$|今年|你|吧)"
    ),
    re.compile(r"\b(?:my name is|my name's|call me|i am called)\s+([A-Za-z][A-Za-z'-]{0,19})", re.IGNORECASE),
)
_NO_NAMES = re.compile(r"什么|啥|谁|不|(?:a|the|not|what|your|later)\b", re.IGNORECASE)
_HOURS = ("一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_DAYS_ZH = "一二三四五六日"


class _Conversation(Struct):
    """The conversation as a rule sees it."""

    last: str
    earlier: list[str]
    """The child's messages before the last, oldest first."""
    answers: str
    """The answers of the companion so far, joined."""
    last_answer: str
    language: Language
    chance: Random
    now: datetime


Rule: TypeAlias = Callable[[_Conversation], str | None]


def reply(messages: Sequence[Message], chance: Random, now: datetime) -> str:
    """Return the next words.

    Args:
        chance: Chooses among answers that fit equally.
        now: The time where the child is.
    """
    questions = [text.strip()[:_READ_CHARACTERS] for text in said_by(User, messages)] or [""]
    answers = said_by(Assistant, messages)
    talk = _Conversation(
        last=questions[-1],
        earlier=questions[:-1],
        answers="\n".join(answers),
        last_answer=answers[-1] if answers else "",
        language=own_language(questions[::-1]),
        chance=chance,
        now=now,
    )
    return next(answer for rule in RULES if (answer := rule(talk)) is not None)


def _silence(talk: _Conversation) -> str | None:
    return None if talk.last else NOTHING_SAID[talk.language]


def _danger(talk: _Conversation) -> str | None:
    return _topic(talk, "danger")


def _guess(talk: _Conversation) -> str | None:
    """Judge an answer to the riddle that was asked last."""
    asked = next((riddle for riddle in RIDDLES["zh"] + RIDDLES["en"] if riddle.question in talk.last_answer), None)
    if asked is None:
        return None
    if asked.accepted.search(talk.last):
        right = {"zh": f"答对了，就是{asked.answer}。你真聪明，还想再猜一个吗？"}
        return right.get(talk.language, f"Yes, it is {asked.answer}. How clever you are! Would you like another one?")
    if _WORDS["give up"].search(talk.last):
        shown = {"zh": f"没关系，答案是{asked.answer}。还想再猜一个吗？"}
        return shown.get(talk.language, f"That is all right. It is {asked.answer}. Would you like another one?")
    if any(word.search(talk.last) for name, word in _WORDS.items() if name != "my name?"):
        return None
    if len(talk.last) <= 20 and "?" not in talk.last and "？" not in talk.last:
        return {
            "zh": "差一点点，再想一想。要是猜不出来，就说不知道。",
            "en": "Not quite, try again. Or say, I give up.",
        }[talk.language]
    return None


def _sum(talk: _Conversation) -> str | None:
    return solve(talk.last, talk.language)


def _clock(talk: _Conversation) -> str | None:
    now = talk.now
    if _WORDS["time"].search(talk.last):
        hour = now.hour % 12 or 12
        if talk.language == "zh":
            part = ["凌晨", "早上", "下午", "晚上"][now.hour // 6]
            minutes = f"{now.minute}分" if now.minute else "整"
            return f"现在是{part}{_HOURS[hour - 1]}点{minutes}。"
        half = "in the morning" if now.hour < 12 else "in the afternoon" if now.hour < 18 else "in the evening"
        return f"It is {hour} o'clock {half}." if now.minute == 0 else f"It is {hour} {now.minute:02} {half}."
    if _WORDS["date"].search(talk.last):
        if talk.language == "zh":
            return f"今天是{now.month}月{now.day}日，星期{_DAYS_ZH[now.weekday()]}。"
        return f"Today is {now:%A}, {now:%B} {now.day}."
    return None


def _name(talk: _Conversation) -> str | None:
    zh = talk.language == "zh"
    if _WORDS["my name?"].search(talk.last):
        name = next(filter(None, map(_called, reversed(talk.earlier))), None)
        if name is None:
            return "你还没有告诉我呢。你叫什么名字？" if zh else "You have not told me yet. What is your name?"
        return f"你叫{name}呀，我记得呢。" if zh else f"Your name is {name}. I remember that."
    if name := _called(talk.last):
        return (
            f"你好，{name}，真是个好听的名字。很高兴认识你。你今天想玩什么？"
            if zh
            else f"Nice to meet you, {name}. What a lovely name. What would you like to do today?"
        )
    return None


def _called(text: str) -> str | None:
    for pattern in _CALLED:
        if (found := pattern.search(text)) and not _NO_NAMES.match(found[1]):
            return found[1]
    return None


def _told_by_heart(talk: _Conversation) -> str | None:
    """Tell a story, riddle, joke or rhyme; "another one" means the kind asked for last."""
    kind = _wanted_kind(talk.last)
    if kind is None and len(talk.last) <= 30 and _WORDS["more"].search(talk.last):
        kind = next(filter(None, map(_wanted_kind, reversed(talk.earlier))), None)
    match kind:
        case "story":
            return _fresh(talk, STORIES[talk.language])
        case "rhyme":
            return _fresh(talk, RHYMES[talk.language])
        case "joke":
            return _fresh(talk, JOKES[talk.language])
        case "riddle":
            riddles: tuple[Riddle, ...] = RIDDLES[talk.language]
            question = _fresh(talk, tuple(riddle.question for riddle in riddles))
            return f"好，你来猜一猜。{question}" if talk.language == "zh" else f"Here is a riddle. {question}"
    return None


def _wanted_kind(text: str) -> str | None:
    return next((kind for kind in ("riddle", "story", "joke", "rhyme") if _WORDS[kind].search(text)), None)


def _topics(talk: _Conversation) -> str | None:
    return next((answer for topic in TOPICS if (answer := _topic(talk, topic.name)) is not None), None)


def _topic(talk: _Conversation, name: str) -> str | None:
    for topic in TOPICS:
        if topic.name == name and topic.cues[talk.language].search(talk.last):
            return _fresh(talk, topic.texts[talk.language])
    return None


def _fallback(talk: _Conversation) -> str:
    return _fresh(talk, FALLBACK[talk.language])


def _fresh(talk: _Conversation, choices: Sequence[str]) -> str:
    """Choose among the texts that were not said yet, if there are any."""
    return talk.chance.choice([choice for choice in choices if choice not in talk.answers] or list(choices))


RULES: tuple[Rule, ...] = (_silence, _danger, _guess, _sum, _clock, _name, _told_by_heart, _topics, _fallback)
