"""Figures in words, in Chinese and in English."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.text.figures import in_words
from tts.text.numbers_en import cardinal as en_cardinal
from tts.text.numbers_zh import cardinal as zh_cardinal

CHINESE = [
    ("有3只熊", "有三只熊"),
    ("2个苹果，第2名，2月2日，12个", "两个苹果，第二名，二月二日，十二个"),
    ("0、10、15、20、115、1001、10000、10005人", "零、十、十五、二十、一百一十五、一千零一、一万、一万零五人"),
    ("1,234,567人，100000000元", "一百二十三万四千五百六十七人，一亿元"),
    ("10100100元", "一千零一十万零一百元"),
    ("圆周率3.14，版本1.2.3", "圆周率三点一四，版本一点二点三"),
    ("-3度，温度-5℃，25°C", "零下三度，温度零下五摄氏度，二十五摄氏度"),
    ("2024年5月6日", "二零二四年五月六日"),
    ("生于2024-05-06，2024/5/6", "生于二零二四年五月六日，二零二四年五月六日"),
    ("现在12:30，8:05，8:00，2:15:30", "现在十二点三十分，八点零五分，八点，两点十五分三十秒"),
    ("比分3:2", "比分三比二"),
    ("50%，3.5％，5%-10%", "百分之五十，百分之三点五，百分之五到百分之十"),
    ("¥5.5，￥3万，$5，€9，100USD的", "五点五元，三万元，五美元，九欧元，一百美元的"),
    ("5km，2kg，60km/h，3.5m²，8GB内存", "五公里，两公斤，六十公里每小时，三点五平方米，八G B内存"),
    ("1/2杯，1½杯，¾的", "二分之一杯，一又二分之一杯，四分之三的"),
    ("3-5个，3~5个，10–20岁", "三到五个，三到五个，十到二十岁"),
    ("3+5=8，5-3=2，2×3，6÷2，5＞3", "三加五等于八，五减三等于二，二乘三，六除以二，五大于三"),
    ("电话13812345678，拨打110", "电话幺三八幺二三四五六七八，拨打幺幺零"),
    ("打010-12345678", "打零幺零幺二三四五六七八"),
    ("代号007，编号123456789", "代号零零七，编号一二三四五六七八九"),
    ("MP3和5G，A4纸", "MP三和五G，A四纸"),
    ("打开example.com看看", "打开example点com看看"),
    ("1,000人，10,050只，1,000,000元", "一千人，一万零五十只，一百万元"),
    ("日期是2024-05-06.", "日期是二零二四年五月六日."),
    ("8:00-9:30，6月1日-3日，上午9点-下午5点", "八点到九点三十分，六月一日到三日，上午九点到下午五点"),
    ("生于12/25/2024，25.12.2024", "生于二零二四年十二月二十五日，二零二四年十二月二十五日"),
    ("2020-2024年，比分3-2", "二零二零到二零二四年，比分三比二"),
    ("花了5€，2$，US$5", "花了五欧元，两美元，五美元"),
]
ENGLISH = [
    ("I have 3 bears, 21 cats and 0 dogs", "I have three bears, twenty-one cats and zero dogs"),
    ("1,234,567 people, 1000000, 115",
     "one million two hundred thirty-four thousand five hundred sixty-seven people, "
     "one million, one hundred fifteen"),
    ("Pi is 3.14, v1.2.3", "Pi is three point one four, v one point two point three"),
    ("It is -5°C, 70°F, 1 degree", "It is minus five degrees Celsius, seventy degrees Fahrenheit, one degree"),
    ("on 2024-05-06, May 6, 2024, March 3rd",
     "on May sixth, twenty twenty-four, May sixth, twenty twenty-four, March third"),
    ("on the 6th of May", "on the sixth of May"),
    ("at 12:30, 8:05 pm, 8:00, 5 p.m", "at twelve thirty, eight oh five PM, eight o'clock, five PM"),
    ("50% or 3.5 %", "fifty percent or three point five percent"),
    ("$5, $1, $5.50, £3.01, €2.00, $3.5 million", "five dollars, one dollar, five dollars and fifty cents, "
     "three pounds and one pence, two euros, three point five million dollars"),
    ("1 km, 5 kg, 60 km/h, 6 ft, 8GB",
     "one kilometer, five kilograms, sixty kilometers per hour, six feet, eight gigabytes"),
    ("1/2 cup, 3/4, 2/3, 1½, 1 1/2, 24/7",
     "one half cup, three quarters, two thirds, one and one half, one and one half, twenty-four seven"),
    ("3-5 apples, 10–20, pages 3~5", "three to five apples, ten to twenty, pages three to five"),
    ("3+5=8, 5-3=2, 2×3, 5＞3", "three plus five equals eight, five minus three equals two, two times three, "
     "five is greater than three"),
    ("the 1st, 2nd, 3rd, 12th, 20th, 21st", "the first, second, third, twelfth, twentieth, twenty-first"),
    ("in 1998, in 2024, since 1905, by 2000, the 1990s, the 80s", "in nineteen ninety-eight, in twenty twenty-four, "
     "since nineteen oh five, by two thousand, the nineteen nineties, the eighties"),
    ("1,000 people, 10,050 cats, 1,000,000 stars",
     "one thousand people, ten thousand fifty cats, one million stars"),
    ("It was on 2024-05-06.", "It was on May sixth, twenty twenty-four."),
    ("12/25/2024, 25/12/2024, 31.12.2024.", "December twenty-fifth, twenty twenty-four, December twenty-fifth, "
     "twenty twenty-four, December thirty-first, twenty twenty-four."),
    ("a ratio of 3:1 or 16:9", "a ratio of three to one or sixteen to nine"),
    ("8:00-9:30, 9am-5pm", "eight o'clock to nine thirty, nine AM to five PM"),
    ("5€, 1 €, 20$, US$3, 50¢", "five euros, one euro, twenty dollars, three dollars, fifty cents"),
    ("call 555-1234 now", "call five five five, one two three four now"),
    ("agent 007, No. 5, #1", "agent zero zero seven, number five, number one"),
    ("MP3, B2B, COVID-19", "MP three, B two B, COVID nineteen"),
    ("teddy@example.org & co", "teddy at example dot org and co"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), CHINESE + ENGLISH)
def test_figures_are_read_as_a_speaker_reads_them(text: str, words: str) -> None:
    assert in_words(text) == words


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("I have 3. 我有3个。", None, "I have three. 我有三个。"),
        ("12:30", "zh-CN", "十二点三十分"),
        ("12:30", "en-US", "twelve thirty"),
        ("12:30", None, "twelve thirty"),
        ("Il a 3 chats", "fr-FR", "Il a 3 chats"),
        ("У меня 3 кота", None, "У меня 3 кота"),
        ("くまが3匹", None, "くまが3匹"),
        ("3月5日", "ja-JP", "3月5日"),
        ("곰 3마리", None, "곰 3마리"),
        ("I have 3", "zh-CN", "I have three"),
    ],
)
def test_each_sentence_is_read_in_its_own_language(text: str, language: str | None, words: str) -> None:
    assert in_words(text, language) == words


def test_text_without_figures_is_left_alone() -> None:
    assert in_words("Hello, 世界! I am a bear. Yes") == "Hello, 世界! I am a bear. Yes"


def _zh_value(words: str) -> int:
    """Back to a number, by the book."""
    total = section = digit = 0
    for char in words.replace("两", "二"):
        if char in "零一二三四五六七八九":
            digit = "零一二三四五六七八九".index(char)
        elif char in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
        else:
            scale = {"万": 10**4, "亿": 10**8}[char]
            if char == "亿" and words.startswith("万亿", words.index(char) - 1):
                total = total * scale
            total, section, digit = total + (section + digit) * scale, 0, 0
    return total + section + digit


def _en_value(words: str) -> int:
    small = dict(zip([en_cardinal(str(n)) for n in range(20)], range(20), strict=True))
    tens = {
        "twenty": 20,
        "thirty": 30,
        "forty": 40,
        "fifty": 50,
        "sixty": 60,
        "seventy": 70,
        "eighty": 80,
        "ninety": 90,
    }
    total = section = 0
    for word in re.split("[ -]", words):
        if word == "hundred":
            section *= 100
        elif scale := {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}.get(word):
            total, section = total + section * scale, 0
        else:
            section += small.get(word, tens.get(word, 0))
    return total + section


@given(st.integers(0, 10**12 - 1))
def test_a_number_in_chinese_words_is_that_number(number: int) -> None:
    assert _zh_value(zh_cardinal(str(number))) == number


@given(st.integers(0, 10**15 - 1))
def test_a_number_in_english_words_is_that_number(number: int) -> None:
    assert _en_value(en_cardinal(str(number))) == number


@given(st.integers(0, 10**12 - 1))
def test_a_number_with_commas_is_that_number(number: int) -> None:
    assert in_words(f"{number:,} bears") == f"{en_cardinal(str(number))} bears"
    assert in_words(f"{number:,}，熊") == f"{zh_cardinal(str(number))}，熊"


@given(st.text(st.sampled_from("0123456789.,:/-+%$¥°C kmg个年月日at熊ab()=×½"), max_size=60))
def test_any_mixture_ends_without_a_figure(text: str) -> None:
    assert not re.search("[0-9]", in_words(f"{text}熊"))
    assert not re.search("[0-9]", in_words(f"{re.sub('[个年月日熊]', '', text)} bear"))
