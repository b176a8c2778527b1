"""Figures in words: numbers, dates, times, money, units and the signs between them, in Chinese and in English.

For engines that spell what they do not know; others read figures well by themselves. Each language is a table of
rules, applied in order: first the forms that belong together (a date), then the signs, last the numbers left over.
Our own, since num2words (no Chinese, 90 ms to import), cn2an (180 ms) and inflect (3 s) know numbers only.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

Match = re.Match[str]
Rule = tuple[re.Pattern[str], str | Callable[[Match], str]]

N = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
HEAD, TAIL = r"(?<![0-9.,])", r"(?![0-9])"
DATED = r"(?![0-9/-]|\.[0-9])"
"""After a date; the full stop of its sentence may follow."""
TO = r"\s*[-–—~～]+\s*"
RUN = re.compile(r"(?:[^\n。！？!?；;.]|\.(?!\s)|(?<=[Nn]o)\.)+(?:[\n。！？!?；;]|\.\s?)*|.", re.DOTALL)
"""A sentence, about: a language is decided for each."""
HAN, KANA, LATIN = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[\u3040-\u30ff\uac00-\ud7a3]"), re.compile(r"[A-Za-z]")
WIDE = re.compile(r"[\u3000-\u303f\uff01-\uff1b\uff1f-\uff60￥]")
OTHER = re.compile(r"[\u0370-\u1dff\ua000-\uabff]")
LONGEST = 15
"""Digits of a number; longer ones are read digit by digit."""


@lru_cache(128)
def in_words(text: str, language: str | None = None) -> str:
    """The text without figures, as far as they are read in Chinese or in English.

    Args:
        language: The voice's, e.g. `"en"` or `"fr-FR"`; Latin letters are taken for English where it is not given.
    """
    spoken = (language or "").partition("-")[0].lower()
    fallback = "zh" if HAN.search(text) else spoken or "en"
    return RUN.sub(lambda run: _read(run[0], _language(run[0], spoken, fallback)), text)


def _language(run: str, spoken: str, fallback: str) -> str:
    """Of one sentence; "" where its figures are better left alone."""
    if KANA.search(run) or OTHER.search(run) or spoken in ("ja", "ko"):
        return ""
    if HAN.search(run):
        return "zh"
    if LATIN.search(run):
        return "en" if spoken in ("", "en", "zh", "yue") else ""
    return "zh" if WIDE.search(run) else fallback


def _read(run: str, language: str) -> str:
    if any(char in SIGNS for char in run):
        for pattern, words in RULES.get(language, ()):
            run = pattern.sub(words, run)
    return run


SIGNS = frozenset("0123456789%&@#№½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞.")


def _rule(pattern: str, words: str | Callable[[Match], str], flags: int = 0) -> Rule:
    return re.compile(pattern, flags), words


def _any(names: Iterable[str]) -> str:
    """One of them, the longest that fits."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def _whole(figures: str) -> tuple[str, str]:
    """Digits before and after the decimal point."""
    whole, _, rest = figures.replace(",", "").partition(".")
    return whole, rest


def _spelt(digits: str) -> bool:
    """Whether it is a name made of digits rather than an amount: 007, or a very long one."""
    return len(digits) > LONGEST or (len(digits) > 1 and digits[0] == "0")


def _month_and_day(m: Match) -> tuple[str, str]:
    """12/25/2024 as Americans write it, unless only 25/12/2024 makes sense; 25.12.2024 as Europeans do."""
    return (m[3], m[1]) if m[2] == "." or int(m[1]) > 12 else (m[1], m[3])


VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5)}
VULGAR |= {"⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8)}
PARTS = f"[{''.join(VULGAR)}]"

# ---------------------------------------------------------------- Chinese

ZH_DIGITS = "零一二三四五六七八九"
ZH_UNITS = {
    "km/h": "公里每小时", "m/s": "米每秒", "km²": "平方公里",
    "m²": "平方米", "㎡": "平方米", "m³": "立方米", "cm²": "平方厘米",
    "km": "公里", "cm": "厘米", "mm": "毫米", "m": "米", "kg": "公斤", "mg": "毫克", "g": "克", "ml": "毫升",
    "mL": "毫升",
    "L": "升", "GB": "G B", "MB": "M B", "TB": "T B", "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫",
    "kW": "千瓦", "W": "瓦", "V": "伏", "mAh": "毫安时", "kWh": "千瓦时", "min": "分钟", "h": "小时",
    "s": "秒", "ms": "毫秒",
    "€": "欧元", "$": "美元", "£": "英镑", "¥": "元", "￥": "元",
    "kcal": "千卡", "cal": "卡", "dB": "分贝", "rpm": "转每分",
}  # fmt: skip
ZH_MONEY = {
    "¥": "元",
    "￥": "元",
    "$": "美元",
    "€": "欧元",
    "£": "英镑",
    "USD": "美元",
    "CNY": "元",
    "RMB": "元",
    "EUR": "欧元",
}
ZH_SIGNS = {"+": "加", "-": "减", "−": "减", "×": "乘", "*": "乘", "÷": "除以", "=": "等于", "＜": "小于", "＞": "大于"}
ZH_SIGNS |= {"≤": "小于等于", "≥": "大于等于", "≠": "不等于", "±": "正负", "≈": "约等于"}
COUNTED = (
    "个|只|条|张|本|头|匹|位|名|件|块|杯|瓶|辆|颗|朵|棵|首|句|岁|天|周|次|倍|种|年(?!级)|点|元|米|升|克|斤|两|秒|"
    "小时|分钟|公斤|公里|千克|厘米|星期|双|对|家|座|层|根|支|把|盒|包|碗|遍|步|场|口|万|千|亿|度"
)


def zh_digits(digits: str, one: str = "一") -> str:
    """Digit by digit; on the telephone one is 幺."""
    return "".join(one if digit == "1" else ZH_DIGITS[int(digit)] for digit in digits if digit.isdigit())


def zh_cardinal(digits: str) -> str:
    if _spelt(digits):
        return zh_digits(digits)
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    words, gap = "", False
    for group, scale in reversed(list(zip(groups, ("", "万", "亿", "万亿"), strict=False))):
        if int(group) == 0:
            gap = bool(words)
            continue
        part = _zh_below_ten_thousand(group)
        words += ("零" if words and (gap or (len(group) == 4 and group[0] == "0")) else "") + part + scale
        gap = False
    return (words.removeprefix("一") if words.startswith("一十") else words) or "零"


def _zh_below_ten_thousand(group: str) -> str:
    words = ""
    for digit, scale in zip(group.lstrip("0").rjust(4, "0"), ("千", "百", "十", ""), strict=True):
        if digit != "0":
            words += ZH_DIGITS[int(digit)] + scale
        elif words and words[-1] != "零":
            words += "零"
    return words.rstrip("零")


def zh_number(figures: str) -> str:
    whole, rest = _whole(figures)
    return zh_cardinal(whole) + (f"点{zh_digits(rest)}" if rest else "")


def _zh_amount(figures: str, unit: str) -> str:
    return ("两" if figures == "2" else zh_number(figures)) + unit


def _zh_date(m: Match) -> str:
    if not (1 <= int(m[2]) <= 12 and 1 <= int(m[3]) <= 31):
        return m[0]
    return f"{zh_digits(m[1])}年{zh_cardinal(str(int(m[2])))}月{zh_cardinal(str(int(m[3])))}日"


def _zh_written_date(m: Match) -> str:
    month, day = _month_and_day(m)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return m[0]
    return f"{zh_digits(m[4])}年{zh_cardinal(str(int(month)))}月{zh_cardinal(str(int(day)))}日"


def _zh_time(m: Match) -> str:
    hour, minute, second = str(int(m[1])), m[2], m[3]
    words = _zh_amount(hour, "点")
    if minute != "00" or second:
        words += f"{_zh_sixty(minute)}分"
    return words + (f"{_zh_sixty(second)}秒" if second else "")


def _zh_sixty(two: str) -> str:
    return f"零{ZH_DIGITS[int(two)]}" if two[0] == "0" and two != "00" else zh_cardinal(str(int(two)))


def _zh_fraction(m: Match) -> str:
    part, whole = int(m[1]), int(m[2])
    if not 0 < part < whole:
        return f"{zh_cardinal(str(part))}比{zh_cardinal(str(whole))}" if whole else m[0]
    return f"{zh_cardinal(str(whole))}分之{zh_cardinal(str(part))}"


def _zh_vulgar(m: Match) -> str:
    part, whole = VULGAR[m[2]]
    return (f"{zh_number(m[1])}又" if m[1] else "") + f"{ZH_DIGITS[whole]}分之{ZH_DIGITS[part]}"


def _zh_beside_letters(m: Match) -> str:
    return zh_cardinal(m[0]) if len(m[0]) < 3 else zh_digits(m[0])


ZH: Sequence[Rule] = (
    _rule(rf"(?<=比分)([是为]?\s?[0-9]+){TO}(?=[0-9])", r"\1比"),
    _rule(rf"(?<=[:：][0-5][0-9]){TO}(?=[0-9]{{1,2}}[:：][0-5][0-9])", "到"),
    _rule(rf"(?<=[年月日号点时分天岁]){TO}(?=[0-9]|[上中下]午|[早晚])", "到"),
    _rule(rf"{HEAD}([12][0-9]{{3}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){DATED}", _zh_date),
    _rule(rf"{HEAD}([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([12][0-9]{{3}}){DATED}", _zh_written_date),
    _rule(r"(?<![0-9:：.])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?:[:：]([0-5][0-9]))?(?![0-9:：])", _zh_time),
    _rule(r"(?<![0-9:：.])([0-9]{1,3})[:：]([0-9]{1,3})(?![0-9:：])", lambda m: f"{m[1]}比{m[2]}"),
    _rule(rf"(?<![0-9.,-])(?:\+?86[- ]?)?1[3-9][0-9](?:[- ]?[0-9]{{4}}){{2}}{TAIL}", lambda m: zh_digits(m[0], "幺")),
    _rule(rf"(?<![0-9.,-])(?:0[0-9]{{2,3}}|400|800)-[0-9]{{3,4}}-?[0-9]{{4}}{TAIL}", lambda m: zh_digits(m[0], "幺")),
    _rule(rf"(?<=打)[0-9]{{3,5}}{TAIL}", lambda m: zh_digits(m[0], "幺")),
    _rule(rf"(?<=[0-9])\s*[-−]\s*(?=(?:{N})\s*=)", "减"),
    _rule(rf"{HEAD}(?<!-)({N}(?:%|℃|°C?)?)\s*[-–—~～]+\s*(?=[¥￥$€£]?(?:{N})(?![0-9-]))", r"\1到"),
    _rule(r"(?<=[0-9])\s*([+×*÷=＜＞≤≥≠±≈])\s*(?=[0-9(-])", lambda m: ZH_SIGNS[m[1]]),
    _rule(rf"(?<![A-Za-z0-9)%-])[-−](?=(?:{N})\s?(?:℃|°))", "零下"),
    _rule(r"(?<![A-Za-z0-9)%-])[-−](?=[0-9])", "负"),
    _rule(
        rf"(?:(?<![A-Za-z])US)?([¥￥$€£])\s?({N})\s?(万亿|亿|万|千|百)?",
        lambda m: f"{zh_number(m[2])}{m[3] or ''}{ZH_MONEY[m[1]]}",
    ),
    _rule(rf"{HEAD}({N})\s?(USD|CNY|RMB|EUR)(?![A-Za-z])", lambda m: zh_number(m[1]) + ZH_MONEY[m[2]]),
    _rule(rf"{HEAD}({N})\s?[%％]", lambda m: f"百分之{zh_number(m[1])}"),
    _rule(rf"{HEAD}({N})\s?‰", lambda m: f"千分之{zh_number(m[1])}"),
    _rule(rf"{HEAD}({N})\s?(?:℃|°\s?C\b)", lambda m: f"{zh_number(m[1])}摄氏度"),
    _rule(rf"{HEAD}({N})\s?(?:℉|°\s?F\b)", lambda m: f"{zh_number(m[1])}华氏度"),
    _rule(rf"{HEAD}({N})\s?°", lambda m: f"{zh_number(m[1])}度"),
    _rule(
        rf"(?<![A-Za-z0-9.,])({N})\s?({_any(ZH_UNITS)})(?![A-Za-z0-9²³/])",
        lambda m: _zh_amount(m[1], ZH_UNITS[m[2]]),
    ),
    _rule(rf"(?:{HEAD}([0-9]+))?({PARTS})", _zh_vulgar),
    _rule(r"(?<![0-9/.A-Za-z])([0-9]{1,3})/([0-9]{1,3})(?![0-9/])", _zh_fraction),
    _rule(rf"{HEAD}([12][0-9]{{3}})(?=年|到[12][0-9]{{3}}年)", lambda m: zh_digits(m[1])),
    _rule(rf"{HEAD}[0-9]+(?:\.[0-9]+){{2,}}", lambda m: "点".join(map(zh_cardinal, m[0].split(".")))),
    _rule(rf"(?<![0-9.,A-Za-z第/])2(?={COUNTED})", "两"),
    _rule(
        r"(?<=[A-Za-z])-?[0-9]+(?![.,]?[0-9])", lambda m: _zh_beside_letters(re.match("[0-9]+", m[0].lstrip("-")) or m)
    ),
    _rule(
        r"(?<![0-9.])(?![0-9]*0000(?![0-9]))[0-9]{9,}(?![0-9.])|(?<![0-9.])(?<![0-9],)0[0-9]+(?![0-9.])",
        lambda m: zh_digits(m[0]),
    ),
    _rule(N, lambda m: zh_number(m[0])),
    _rule(r"(?<=[A-Za-z])\.(?=[A-Za-z])", "点"),
    _rule(r"[#№] ?(?=[零一二三四五六七八九十])", ""),
    _rule(r"\s?&\s?", "和"),
)

# ---------------------------------------------------------------- English

EN_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
EN_SCALES = ("", " thousand", " million", " billion", " trillion")
EN_ORDINAL = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
EN_ORDINAL |= {"twelve": "twelfth"}
EN_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
EN_UNITS = {
    "km/h": "kilometer per hour", "mph": "mile per hour", "m/s": "meter per second", "km²": "square kilometer",
    "m²": "square meter", "m³": "cubic meter", "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter",
    "kg": "kilogram", "mg": "milligram", "g": "gram", "lb": "pound", "lbs": "pound", "oz": "ounce", "ml": "milliliter",
    "mL": "milliliter", "L": "liter", "ft": "foot", "mi": "mile", "GB": "gigabyte", "MB": "megabyte", "TB": "terabyte",
    "KB": "kilobyte", "kB": "kilobyte", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz",
    "kW": "kilowatt", "W": "watt", "V": "volt", "mAh": "milliamp hour", "kWh": "kilowatt hour", "hrs": "hour",
    "hr": "hour",
    "min": "minute", "mins": "minute", "sec": "second", "secs": "second", "ms": "millisecond", "kcal": "kilocalorie",
    "dB": "decibel", "cm²": "square centimeter", "cm³": "cubic centimeter",
    "€": "euro", "$": "dollar", "£": "pound", "¢": "cent",
}  # fmt: skip
EN_PLURALS = {
    "foot": "feet",
    "hertz": "hertz",
    "kilohertz": "kilohertz",
    "megahertz": "megahertz",
    "gigahertz": "gigahertz",
}
EN_MONEY = {
    "$": ("dollar", "cent"),
    "€": ("euro", "cent"),
    "£": ("pound", "pence"),
    "¥": ("yuan", ""),
    "￥": ("yuan", ""),
}
EN_SIGNS = {
    "+": "plus",
    "−": "minus",
    "×": "times",
    "*": "times",
    "÷": "divided by",
    "=": "equals",
    "＜": "is less than",
}
EN_SIGNS |= {"＞": "is greater than", "≤": "is at most", "≥": "is at least", "≠": "is not", "±": "plus or minus"}
EN_SIGNS |= {"≈": "is about"}
EN_MAGNITUDE = {"k": "thousand", "K": "thousand", "M": "million", "bn": "billion", "B": "billion"}
MONTH = "|".join(f"{month}|{month[:3]}" if len(month) > 3 else month for month in EN_MONTHS) + "|Sept"


def en_digits(digits: str) -> str:
    return " ".join(EN_SMALL[int(digit)] for digit in digits if digit.isdigit())


def en_cardinal(digits: str) -> str:
    if _spelt(digits):
        return en_digits(digits)
    groups = [digits[max(0, end - 3) : end] for end in range(len(digits), 0, -3)]
    parts = [
        _en_below_thousand(int(group)) + scale
        for group, scale in reversed(list(zip(groups, EN_SCALES, strict=False)))
        if int(group)
    ]
    return " ".join(parts) or "zero"


def _en_below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{EN_SMALL[hundreds]} hundred"] if hundreds else []
    if rest:
        words.append(
            EN_SMALL[rest] if rest < 20 else EN_TENS[rest // 10] + (f"-{EN_SMALL[rest % 10]}" if rest % 10 else "")
        )
    return " ".join(words)


def en_number(figures: str) -> str:
    whole, rest = _whole(figures)
    return en_cardinal(whole) + (f" point {en_digits(rest)}" if rest else "")


def en_ordinal(digits: str) -> str:
    words = en_cardinal(str(int(digits)))
    head, last = words[: -len(re.split("[ -]", words)[-1])], re.split("[ -]", words)[-1]
    return head + (EN_ORDINAL.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"))


def en_year(digits: str) -> str:
    """1998 is nineteen ninety-eight, 1905 nineteen oh five, 2000 two thousand."""
    first, last = digits[:2], int(digits[2:])
    if digits[1:3] == "00":
        return en_cardinal(digits)
    tail = "hundred" if not last else f"oh {EN_SMALL[last]}" if last < 10 else en_cardinal(str(last))
    return f"{en_cardinal(first)} {tail}"


def _plural(words: str) -> str:
    first, space, rest = words.partition(" per ")
    return (EN_PLURALS.get(first) or f"{first}s") + space + rest


def _en_amount(figures: str, unit: str) -> str:
    return f"{en_number(figures)} {unit if figures == '1' else _plural(unit)}"


def _en_money(m: Match) -> str:
    unit, small = EN_MONEY[m[1]]
    units = unit if unit == "yuan" else _plural(unit)
    if m[3]:
        return f"{en_number(m[2])} {EN_MAGNITUDE.get(m[3], m[3])} {units}"
    whole, rest = _whole(m[2])
    if len(rest) != 2 or not small:
        return f"{en_number(m[2])} {unit if m[2] == '1' else units}"
    words = f"{en_cardinal(whole)} {unit if whole == '1' else units}"
    cents = small if small == "pence" or rest == "01" else f"{small}s"
    return words if rest == "00" else f"{words} and {en_cardinal(str(int(rest)))} {cents}"


def _en_time(m: Match) -> str:
    hour, minute, second, half = str(int(m[1])), m[2], m[3], m[4]
    words = en_cardinal(hour)
    if minute != "00":
        words += f" oh {EN_SMALL[int(minute)]}" if minute[0] == "0" else f" {en_cardinal(minute)}"
    elif not second and not half:
        words += " o'clock" if int(hour) <= 12 else " hundred"
    words += f" and {en_cardinal(str(int(second)))} seconds" if second else ""
    return words + (f" {half.upper()}M" if half else "")


def _en_iso_date(m: Match) -> str:
    if not (1 <= int(m[2]) <= 12 and 1 <= int(m[3]) <= 31):
        return m[0]
    return f"{EN_MONTHS[int(m[2]) - 1]} {en_ordinal(m[3])}, {en_year(m[1])}"


def _en_written_date(m: Match) -> str:
    month, day = _month_and_day(m)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return m[0]
    return f"{EN_MONTHS[int(month) - 1]} {en_ordinal(day)}, {en_year(m[4])}"


def _en_fraction(m: Match) -> str:
    whole, part, of = m[1], int(m[2]), int(m[3])
    if not 0 < part < of:
        return m[0]
    return (f"{en_cardinal(whole)} and " if whole else "") + _en_parts(part, of)


def _en_parts(part: int, of: int) -> str:
    if of > 20 and of != 100:
        return f"{en_cardinal(str(part))} over {en_cardinal(str(of))}"
    name = {2: "half", 4: "quarter"}.get(of) or en_ordinal(str(of))
    plural = {"half": "halves"}.get(name, f"{name}s")
    return f"{en_cardinal(str(part))} {name if part == 1 else plural}"


EN: Sequence[Rule] = (
    _rule(rf"{HEAD}([12][0-9]{{3}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){DATED}", _en_iso_date),
    _rule(rf"{HEAD}([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([12][0-9]{{3}}){DATED}", _en_written_date),
    _rule(
        rf"\b({MONTH})\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?(?=$|[^\w:.]|[.:]\D)", lambda m: f"{m[1]} {en_ordinal(m[2])}"
    ),
    _rule(
        rf"\b(?:[Tt]he )?([0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)? ({MONTH})\b",
        lambda m: f"the {en_ordinal(m[1])} of {m[2]}",
    ),
    _rule(rf"(:[0-5][0-9]|[0-9]\s?[apAP]\.?[mM]\.?){TO}(?=[0-9]{{1,2}}(?::[0-5][0-9]|\s?[apAP]\.?[mM]\b))", r"\1 to "),
    _rule(
        r"(?<![0-9:.])([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9:])(?:\s?([apAP])\.?[mM]\b)?", _en_time
    ),
    _rule(r"(?<![0-9:.])([0-9]{1,3}):([0-9]{1,3})(?![0-9:])", r"\1 to \2"),
    _rule(rf"{HEAD}([0-9]{{1,2}})\s?([apAP])\.?[mM]\b", lambda m: f"{en_cardinal(m[1])} {m[2].upper()}M"),
    _rule(
        r"(?<![\w.,-])(?:(?:\+?[0-9]{1,3}[- .])?\(?[0-9]{3}\)?[- .][0-9]{3}[- .][0-9]{4}|[0-9]{3}-[0-9]{4})(?![\w-])",
        lambda m: ", ".join(map(en_digits, re.findall("[0-9]+", m[0]))),
    ),
    _rule(rf"(?<=[0-9])\s*[-−]\s*(?=(?:{N})\s*=)", " minus "),
    _rule(rf"{HEAD}(?<![A-Za-z]-)(?<!-)({N}(?:%|℃|°[CF]?)?)\s*[-–—~～]+\s*(?=[$€£¥]?(?:{N})(?![0-9-]))", r"\1 to "),
    _rule(r"(?<=[0-9])\s*([+×*÷=＜＞≤≥≠±≈])\s*(?=[0-9(-])", lambda m: f" {EN_SIGNS[m[1]]} "),
    _rule(r"(?<![\w)%-])[-−](?=[0-9$€£])", "minus "),
    _rule(rf"(?:\bUS)?([$€£¥￥])\s?({N})(?:\s?(thousand|million|billion|trillion|k|K|M|bn|B)\b)?", _en_money),
    _rule(rf"{HEAD}({N})\s?[%％]", lambda m: f"{en_number(m[1])} percent"),
    _rule(rf"{HEAD}({N})\s?(?:℃|°\s?C\b)", lambda m: f"{_en_amount(m[1], 'degree')} Celsius"),
    _rule(rf"{HEAD}({N})\s?(?:℉|°\s?F\b)", lambda m: f"{_en_amount(m[1], 'degree')} Fahrenheit"),
    _rule(rf"{HEAD}({N})\s?°", lambda m: _en_amount(m[1], "degree")),
    _rule(
        rf"(?<![A-Za-z0-9.,])({N})\s?({_any(EN_UNITS)})(?![A-Za-z0-9²³/])",
        lambda m: _en_amount(m[1], EN_UNITS[m[2]]),
    ),
    _rule(rf"{HEAD}([0-9]{{1,9}})(?:st|nd|rd|th)\b", lambda m: en_ordinal(m[1]), re.IGNORECASE),
    _rule(rf"{HEAD}((?:1[0-9]|20)[0-9]0)'?s\b", lambda m: _decade(en_year(m[1]))),
    _rule(r"(?<![\w.,])['’]?([2-9]0)'?s\b", lambda m: _decade(en_cardinal(m[1]))),
    _rule(
        rf"(?:{HEAD}([0-9]+)\s?)?({PARTS})",
        lambda m: (f"{en_cardinal(m[1])} and " if m[1] else "") + _en_parts(*VULGAR[m[2]]),
    ),
    _rule(r"(?<![0-9/.A-Za-z])(?:([0-9]{1,3}) )?([0-9]{1,3})/([0-9]{1,3})(?![0-9/])", _en_fraction),
    _rule(
        rf"(\b(?i:in|since|from|until|till|by|before|after|year|of|{MONTH})|(?:st|nd|rd|th),)"
        r" ([12][0-9]{3})(?![0-9,.]?[0-9])",
        lambda m: f"{m[1]} {en_year(m[2])}",
    ),
    _rule(r"(?<![\w.,-])(1[1-9][0-9]{2})(?![\w,.-]*[0-9])", lambda m: en_year(m[1])),
    _rule(r"(?<=[A-Za-z])-?(?=[0-9])|(?<=[0-9])(?=[A-Za-z])", " "),
    _rule(r"(?<=[0-9])/(?=[0-9])", " "),
    _rule(rf"{HEAD}[0-9]+(?:\.[0-9]+){{2,}}", lambda m: " point ".join(map(en_cardinal, m[0].split(".")))),
    _rule(r"\b[Nn]o\.? ?(?=[0-9])|[#№] ?(?=[0-9])", "number "),
    _rule(
        r"(?<![0-9.])(?![0-9]*0000(?![0-9]))[0-9]{10,}(?![0-9.])|(?<![0-9.])(?<![0-9],)0[0-9]+(?![0-9.])",
        lambda m: en_digits(m[0]),
    ),
    _rule(N, lambda m: en_number(m[0])),
    _rule(r"(?<=\w)@(?=\w)", " at "),
    _rule(r"(?<=[A-Za-z])\.(?=[A-Za-z]{2})", " dot "),
    _rule(r"\s?&\s?", " and "),
)


def _decade(words: str) -> str:
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


RULES: dict[str, Sequence[Rule]] = {"zh": ZH, "en": EN}
