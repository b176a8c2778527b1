"""Texts that nobody should send: the time they take grows with their length alone."""

from time import thread_time

import pytest

from tts.text.clauses import clauses
from tts.text.figures import in_words
from tts.text.speakable import tidy

FIGURES = """
1+ 1- 1/ 1: 1x 1^ (1 1) √ π 2^ ½ ² 12:30 3-2赢 比分3-2 1000年 打110 电话1 邮编1 京A1 5元/ ¥5 $1 $a \\frac{ ٣ ❤ 我❤ <3
a< 1< Dec. call room Hmm aaa 1.000. 1. 1.2.3. = -- 1·2 ① の我 周一- 5℃- 1… 7 1/1/2024-
1h2m 1,5 |x |1| |x|, 5!= log₂ #Aa a_1@ 4399.com XIV IX第 IV A+ 5万+ ①② ② ㎡ ㏂ 🔟 >1 1ˆ 1/5-2/7, 6' 5" -5~-3℃ 2024-01-01
a.b.c. 1-1-1- 1/2/3/ $$$ %%% 10^-3 x² (2+3)× 8:30-9:30 第3-5页 H2O 1.5万 1号- 上午- C++ 1USD Mon. 5'5" ∠A ４２ Louis␣X
"""
OTHERS = """
( ) [ ] { } ()
[]( ![ - – ~ * _ ` ``` | |-| # > < <a <!-- & &lt; $ $$ \\( \\[ \\text{ " “ 《 、 。 ！ ? : ; , … · 😀 🇨🇳 ❤️
a你 ا한 สวัสดี (^_^) (≧▽≦) (╯°□°）╯ （微笑） *smiles* *a https://a.b/c? www. a/ a.b/ a@ a@b. <think> <script> ʜ １
a\u0301\u0302 \u200b 👨‍👩‍👧 <a␣b=c <a␣b= <b> <|a|> \\sqrt{ {a}^ \\frac{1}{2} $$x$$ **a** [a]:␣x (づ ʕ ¯\\_
"""
"""␣ is a blank within a unit."""
UNITS = [*FIGURES.split(), *OTHERS.split(), *[f"{unit}␣" for unit in FIGURES.split()[::3]]]
TEXTS = [unit.replace("␣", " ") for unit in UNITS]
SHORT, LONG = 1_024, 4_096


def seconds(unit: str, length: int) -> float:
    """Return the processor time of a text's whole way to an engine, in both languages."""
    text = (unit * length)[:length]
    tidy.cache_clear()
    in_words.cache_clear()
    began = thread_time()
    for language in ("zh-CN", "en-US"):
        list(clauses(in_words(tidy(text), language)))
    return thread_time() - began


@pytest.mark.parametrize("unit", TEXTS)
def test_four_times_as_many_characters_take_about_four_times_as_long(unit: str) -> None:
    """Anything quadratic would take sixteen times as long; other work on the machine slows both."""
    assert any(seconds(unit, LONG) < 8 * seconds(unit, SHORT) + 0.01 for _ in range(3))
