"""Figures in words: numbers, dates, times, money, units and the signs between them, in Chinese and in English.

For engines that spell what they do not know; others read figures well by themselves. Each language is a table of
rules, applied in order: first the forms that belong together (a date), then the signs, last the numbers left over.
Our own, since num2words (no Chinese, 90 ms to import), cn2an (180 ms) and inflect (3 s) know numbers only.
"""

import re
from collections.abc import Sequence

from tts.text.figure_rules import (
    DATED,
    HEAD,
    PARTS,
    TAIL,
    TO,
    VULGAR,
    Match,
    N,
    Rule,
    _any,
    _month_and_day,
    _rule,
    _spelt,
    _whole,
)

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
