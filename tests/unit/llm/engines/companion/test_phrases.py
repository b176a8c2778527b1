import re
from typing import get_args

import pytest

from llm.engines.companion.phrases import TOPICS, Topic
from llm.engines.companion.repertoire import FALLBACK, JOKES, NOTHING_SAID, RHYMES, RIDDLES, STORIES
from llm.excuse import NO_ANSWER
from llm.own_language import Language

LANGUAGES = get_args(Language)
LISTS = {"fallback": FALLBACK, "jokes": JOKES, "rhymes": RHYMES, "stories": STORIES}
LISTS |= {f"topic {topic.name}": topic.texts for topic in TOPICS}
LISTS |= {"no answer": {key: (text,) for key, text in NO_ANSWER.items()}}
LISTS |= {"nothing said": {key: (text,) for key, text in NOTHING_SAID.items()}}
LISTS |= {"riddles": {key: tuple(riddle.question for riddle in riddles) for key, riddles in RIDDLES.items()}}


@pytest.mark.parametrize("name", LISTS)
def test_there_is_something_to_say_in_every_language_and_nothing_twice(name: str) -> None:
    for language in LANGUAGES:
        texts = LISTS[name][language]
        assert texts
        assert all(text.strip() == text != "" for text in texts)
        assert len({*texts}) == len(texts)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(("language", "most"), [("zh", 24), ("en", 70)])
def test_a_clause_can_be_cut_off_before_its_sound_takes_long(name: str, language: Language, most: int) -> None:
    for text in LISTS[name][language]:
        clauses = re.split("[，！。？,!.?]", text)
        assert clauses.pop() == "", f"it does not end a sentence: {text}"
        assert all(0 < len(clause.strip()) <= most for clause in clauses), text


@pytest.mark.parametrize("name", LISTS)
def test_a_text_has_the_letters_and_marks_of_its_language(name: str) -> None:
    assert not [text for text in LISTS[name]["en"] if not text.isascii()]
    assert not [text for text in LISTS[name]["zh"] if re.search("[A-Za-z,!.?]", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_riddles_own_answer_counts_and_its_question_does_not_give_it_away(language: Language) -> None:
    for riddle in RIDDLES[language]:
        assert riddle.accepted.search(riddle.answer)
        assert not riddle.accepted.search(riddle.question)
    for riddle in RIDDLES[language]:
        assert [other for other in RIDDLES[language] if other.accepted.search(riddle.answer)] == [riddle]


def test_danger_is_listened_for_ahead_of_everything_else() -> None:
    assert TOPICS[0].name == "danger"
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_no_topic_is_heard_in_silence(topic: Topic) -> None:
    assert not [language for language in LANGUAGES if topic.cues[language].search("  \n")]


@pytest.mark.parametrize(
    ("text", "name"),
    [("The shield is made of iron", "greeting"), ("a whyte horse", "why"), ("firefly", "danger"), ("badly", "sad")],
)
def test_an_english_word_is_not_heard_inside_another(text: str, name: str) -> None:
    (topic,) = (topic for topic in TOPICS if topic.name == name)

    assert not topic.cues["en"].search(text)


@pytest.mark.parametrize("text", ["HELLO", "Hello!", "oh, hello there"])
def test_english_is_heard_in_capitals_and_between_other_words(text: str) -> None:
    assert next(topic for topic in TOPICS if topic.cues["en"].search(text)).name == "greeting"
