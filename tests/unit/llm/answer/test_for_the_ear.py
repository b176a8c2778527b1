from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.thoughts import ANSWER, THOUGHTFUL, UNFINISHED
from llm.answer.markdown import Plain, plain
from llm.answer.thoughts import Thoughts, without_thoughts


def spoken(text: str, size: int, *, begun: bool = False) -> str:
    thoughts = Thoughts(begun=begun)
    pieces = [thoughts.add(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(pieces) + thoughts.rest()


THINKING = [
    ("<think>hm</think>Hello", "Hello"),
    ("<think>\nhm < 5 </thin k>\n</think>\n\nHello", "Hello"),
    ("\n<think>hm</think>Hello <b>you</b>", "Hello <b>you</b>"),
    ("<thinking>hm</thinking> Hello", "Hello"),
    ("<think>a</think><think>b</think>Hello", "Hello"),
    ("One\n<think>hm</think>two", "One\ntwo"),
    ("a < b and c</d>", "a < b and c</d>"),
    ("The `<think>` tag begins what `</think>` ends.", "The `<think>` tag begins what `</think>` ends."),
    ("Say <think> and it stays", "Say <think> and it stays"),
    ('<think>I say "hello"</think>\n\nHello', "Hello"),
    ("<think>so `</think>` ends it</think>Hello", "Hello"),
    ("<think>“hm”</think>Hello “you”", "Hello “you”"),
    ("One\n<think>hm</think>\n two", "One\ntwo"),
    ("<think>never ends", ""),
    ("<thin", "<thin"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(("text", "said"), THINKING)
def test_thoughts_are_taken_out_wherever_they_are_cut(text: str, said: str, size: int) -> None:
    assert spoken(text, size) == said


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_thought_without_its_opening_tag_is_taken_out_where_it_is_expected(size: int) -> None:
    assert spoken("so the child wants\n</think>\n\nHello", size, begun=True) == "Hello"
    assert spoken("<think>so</think>Hello", size, begun=True) == "Hello"


PARTS = [
    *("<think>", "</think>", "<reasoning>", "</reasoning>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷"),
    *("<|channel|>", "analysis", "final", "<|message|>", "<|end|>", "<answer>", "</answer>"),
    *("<", "</th", "[", "◁", '"', "`", "\n", " ", "bear", "熊", "A", "assistantfinal", "."),
    *(
        "Thinking",
        "**",
        ":",
        "：",
        "Answer",
        "Final ",
        "> ",
        "【思考】",
        "【回答】",
        "```",
        "thought",
        "...",
        "#",
        "<think/>",
    ),
    *(
        "[thinking]",
        "[/thinking]",
        "<details>",
        "<summary>Thinking</summary>",
        "</details>",
        "&lt;",
        "think",
        "&gt;",
        "/",
    ),
]


@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join), st.integers(1, 9), st.booleans())
def test_what_is_taken_out_does_not_depend_on_where_it_was_cut(text: str, size: int, begun: bool) -> None:
    assert spoken(text, size, begun=begun) == spoken(text, len(text) or 1, begun=begun)


@pytest.mark.parametrize("text", THOUGHTFUL)
@pytest.mark.parametrize("begun", [False, True])
def test_every_mark_of_a_thought_is_known_wherever_it_is_cut(text: str, begun: bool) -> None:
    for size in (*range(1, 9), len(text)):
        assert spoken(text, size, begun=begun) == ANSWER


@given(st.sampled_from(THOUGHTFUL), st.sets(st.integers(1, 200)))
def test_every_mark_of_a_thought_is_known_however_the_stream_is_cut(text: str, cuts: set[int]) -> None:
    bounds = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    thoughts = Thoughts()

    said = "".join(thoughts.add(text[begin:end]) for begin, end in pairwise(bounds))
    assert said + thoughts.rest() == ANSWER


@pytest.mark.parametrize("text", THOUGHTFUL)
def test_every_mark_of_a_thought_is_known_in_a_whole_answer(text: str) -> None:
    assert without_thoughts(text) == ANSWER


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("text", UNFINISHED)
def test_a_thought_that_never_ends_is_not_said(text: str, size: int) -> None:
    assert spoken(text, size) == ""


MENTIONS = [
    "The `[THINK]` mark and “<reasoning>” are mentioned.",
    "The tag <think> begins a thought.",
    "analysis of the sky: it is blue.",
    "analysis",
    "Analysis is hard.",
    "I <b>like</b> [bears] and a < b.",
    "<answer>42</answer>",
    "What is the final message? <output>1</output>",
    "I end with <",
    "I end with <|chan",
    "Thinking of you, I baked a cake. Answer me: do you like it?",
    "Thought: the bear is hungry. So it went out.",
    "Thinking: that is what the owl did all night.\n\nThe end.",
    "[thinking] Well, let me see. A bear!",
    "Hm! [thinking] Well.",
    "**The Thinking Bear**\n\nOnce upon a time.",
    "# Thinking\n\nA poem by a bear.",
    "> Thinking of the sea,\n> I sleep.\n\nA poem.",
    "思考是一件快乐的事。答案：在你心里。",
    "【小熊】你好！【兔子】你好！",
    "思考：熊为什么冬眠？",
    "<details><summary>More</summary>Bears sleep.</details>",
    "Three &lt; four &amp; five.",
    "C:\\users\\bear",
    "```python\nprint(1)\n```",
    "Riddle. What has roots nobody sees? Answer: a mountain.",
    "Think: what is red? Thoughts are free.",
    "Reasoning with bears is hard. Final answer: no.",
    "Tall trees. Reply: yes.",
    "**",
    "> ",
    "Thinking",
]


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("text", MENTIONS)
def test_what_is_no_thought_stays(text: str, size: int) -> None:
    assert spoken(text, size) == text
    assert without_thoughts(text) == text


def test_a_thought_in_the_middle_of_a_line_is_one_after_the_end_of_a_sentence() -> None:
    assert spoken("Hello! <think>hm</think>Little bear.", 1) == "Hello! Little bear."


def test_a_wrong_guess_loses_nothing() -> None:
    assert spoken("Hello there", 2, begun=True) == "Hello there"


def test_an_end_without_a_beginning_is_not_read_out_and_noted() -> None:
    thoughts = Thoughts()

    assert thoughts.add("so the child</thi") + thoughts.add("nk>Hello") == "so the childHello"
    assert thoughts.unopened


def test_a_whole_answer_is_known_to_the_end() -> None:
    assert without_thoughts("so the child\n</think>\n\nHello") == "Hello"
    assert without_thoughts("<think>so</think>Hello") == "Hello"
    assert without_thoughts('I say "so"</think>Hello') == "Hello"
    assert without_thoughts("Hello") == "Hello"


MARKDOWN = [
    ("**Hello**, *little* bear", "Hello, little bear"),
    ("# A story\n\nOnce", "A story\n\nOnce"),
    ("- one\n- two\n* three", "one\ntwo\nthree"),
    ("1. one\n2. two", "1. one\n2. two"),
    ("2 * 3 = 6, 2*3", "2 * 3 = 6, 2*3"),
    ("snake_case and _this_", "snake_case and this"),
    ("`code` and ```more```", "code and more"),
    ("a\n```python\nprint(1)\n```\nb", "a\nprint(1)\nb"),
    ("[Bears](http://bears.example/a_b) sleep", "Bears sleep"),
    ("[not a link] here", "[not a link] here"),
    ("a\n---\nb", "a\nb"),
    ("> quoted", "quoted"),
    ("| a | b |\n|---|---|\n| 1 | 2 |", "a , b \n1 , 2 "),
    ("~~no~~ hi~", "no hi~"),
    ("-5 degrees", "-5 degrees"),
    ("**你好！**我是小熊。", "你好！我是小熊。"),
    ("Hello! [", "Hello! ["),
    ("- [ ] one", "one"),
    ("*wags tail* Hello! *smiles* I am **very** happy.", "Hello! I am very happy."),
    ("Hi! *wags tail, barks happily* Let's play!", "Hi! Let's play!"),
    ("_giggles_ (sighs) Well, I *love* it (really).", "Well, I love it (really)."),
    ("*摇尾巴*你好！（开心地笑）我们玩吧。", "你好！我们玩吧。"),
    ("（微笑着，摇尾巴）**你好**，小朋友！", "你好，小朋友！"),
    ("（跳绳）是一种运动，他在*跳绳*。", "（跳绳）是一种运动，他在跳绳。"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 200])
@pytest.mark.parametrize(("text", "said"), MARKDOWN)
def test_markdown_is_smoothed_wherever_it_is_cut(text: str, said: str, size: int) -> None:
    smoother = Plain()
    pieces = [smoother.add(text[at : at + size]) for at in range(0, len(text), size)]

    assert "".join(pieces) + smoother.rest() == said


def test_a_clause_without_marks_is_not_kept_waiting() -> None:
    smoother = Plain()

    assert smoother.add("你好，") == "你好，"
    assert smoother.add("小熊！") == "小熊！"


@given(st.text(alphabet="ab 1\n*_`[]()!|~#>-<thinkou/笑，（）", max_size=60), st.integers(1, 9))
def test_how_a_text_is_cut_makes_no_difference(text: str, size: int) -> None:
    smoother = Plain()
    pieces = [smoother.add(text[at : at + size]) for at in range(0, len(text), size)]

    assert "".join(pieces) + smoother.rest() == plain(text)
    assert spoken(text, size).strip() == spoken(text, len(text) + 1).strip()
