"""How each kind of figure is said in Chinese: functions of a match, for the table in figures_zh.py."""

import re
from collections.abc import Callable
from decimal import Decimal

from tts.text import words_zh as words
from tts.text.figure_rules import HEAD, RAISED, TAIL, N, any_of, are_days, is_date, month_and_day
from tts.text.numbers_zh import cardinal, counted, digits, number, part_of, sixtieth
from tts.text.rules import Match

PLAIN_UNIT = any_of(unit for unit in words.UNITS if unit.isalpha() and unit.isascii())


def telephone(m: Match) -> str:
    return digits(m[0], "幺")


def spelt(m: Match) -> str:
    """Return the words before the digits as they are, and the digits one by one."""
    return m[1] + _one_by_one(m[2], "一")


def spelt_aloud(m: Match) -> str:
    return m[1] + _one_by_one(m[2], "幺")


def _one_by_one(name: str, one: str) -> str:
    return re.sub(r"[0-9]+[- ]?(?=[0-9]|\b|$)", lambda m: digits(m[0], one), name)


def screen(m: Match) -> str:
    """Return 1920×1080 digit by digit."""
    return "乘".join(map(digits, re.findall("[0-9]+", m[0])))


def emergency(m: Match) -> str:
    """Return a sentence that speaks of calling, the numbers to call digit by digit."""
    if not re.search(words.CALLING, m[0]):
        return m[0]
    number_to_call = rf"{HEAD}(?:{words.EMERGENCY}){TAIL}(?!\.[0-9])(?!\s?(?:{words.COUNTED}|[-~～％%+×]))"
    return re.sub(number_to_call, telephone, m[0])


def day_of_year(year: str, month: str, day: str, otherwise: str) -> str:
    if not is_date(month, day):
        return otherwise
    return f"{digits(year)}年{cardinal(str(int(month)))}月{cardinal(str(int(day)))}日"


def short_date(m: Match) -> str:
    """Return 12-25 as a day where it can be one."""
    return f"{cardinal(m[1])}月{cardinal(m[2])}日" if is_date(m[1], m[2]) else m[0]


def written_date(m: Match) -> str:
    """Return 12/25/2024 as a day, 26/11/30 too, whose year comes first where that makes sense."""
    if len(m[4]) == 2 and len(m[1]) == 2 and is_date(m[3], m[4]):
        return day_of_year(m[1], m[3], m[4], m[0])
    month, day = month_and_day(m)
    return day_of_year(m[4], month, day, m[0])


def feet(m: Match) -> str:
    """Return 身高5'10" as 身高五英尺十英寸."""
    inches_left = f"{number(m[3])}英寸" if m[3] and m[3] != "0" else ""
    return f"{m[1] or ''}{number(m[2])}英尺{inches_left}"


def time(m: Match) -> str:
    hour, minute, second, half = str(int(m[1])), m[2], m[3], (m[4] or "").upper()
    said = counted(hour) + "点"
    if minute != "00" or second:
        said += f"{sixtieth(minute)}分"
    part_of_day = "" if not half else "上午" if half == "A" else "下午" if int(hour) != 12 else "中午"
    return part_of_day + said + (f"{sixtieth(second)}秒" if second else "")


def scored(m: Match) -> str:
    """Return a sentence about a match or a mixture, its `3:20` as a ratio."""
    ratio = rf"(?<![0-9.])(?<![0-9][:：])([0-9]{{1,3}})\s?[:：-]\s?([0-9]{{1,3}}){TAIL}(?![:：])"
    said = re.sub(rf"({words.SCORES}|{words.RATIOS})([是为：:]?\s?){ratio}", r"\1\2\3比\4", m[0])
    return re.sub(rf"{ratio}(?=[^，。,]{{0,4}}(?:{words.SCORED}))", r"\1比\2", said)


def lasted(m: Match) -> str:
    """Return 2:01:09 as a while."""
    return f"{m[1]}{counted(m[2])}小时{sixtieth(m[3])}分{sixtieth(m[4])}秒"


def sets(m: Match) -> str:
    """Return 11:9、8:11 as the sets of a match, unless they might be times."""
    pairs = re.findall("([0-9]+)[:：]([0-9]+)", m[0])
    is_match = any(len(after) == 1 or int(before) > 24 or int(after) > 59 for before, after in pairs)
    return re.sub("(?<=[0-9])[:：-](?=[0-9])", "比", m[0]) if is_match else m[0]


def money(m: Match) -> str:
    amount = number(m[2]) + (f"到{number(m[3])}" if m[3] else "") + (m[4] or "")
    unit = words.MONEY[m[1].strip()]
    return amount + (m[5] if m[5] and (unit == "元" or m[5] not in ("元", "块", "块钱")) else unit)


def fraction(m: Match) -> str:
    part, of = m[1], m[2]
    divided = int(of) == 0 or (int(part) > int(of) > 1 and int(part) % int(of) == 0)
    return f"{number(part)}除以{number(of)}" if divided else part_of(part, of)


def years(m: Match) -> str:
    """Return 1000年 as a while or as the name of a year."""
    before, year, after = m[1] or "", m[2], m.string[m.end() : m.end() + 4].removeprefix("年")
    round_one = int(year) % 100 == 0 and not after.startswith("代")
    spanned = re.match(words.SPANNED, after)
    late = spanned is not None and spanned[0] in ("后", "以后", "左右", "以来", "的") and 1800 < int(year) < 2100
    if (before and (round_one or before not in ("有", "用", "等", "活"))) or (round_one and spanned and not late):
        return f"{before}{cardinal(year)}"
    return f"{before}{digits(year)}"


def power(m: Match) -> str:
    power = (m[1] or m[2]).translate(RAISED).strip("()")
    return "的平方" if power == "2" else f"的{'负' if power[0] == '-' else ''}{power.lstrip('-')}次方"


def beside_letters(m: Match) -> str:
    return cardinal(m[1]) if len(m[1]) < 3 else digits(m[1])


def two_days(m: Match) -> str:
    """Return 7/1-8/31 as 七月一日到八月三十一日."""
    if not are_days(m):
        return m[0]
    return "到".join(f"{cardinal(month)}月{cardinal(day)}日" for month, day in ((m[1], m[2]), (m[3], m[4])))


def days_of_year(m: Match) -> str:
    """Return 2024/5/1到5/7 as 二零二四年五月一日到五月七日."""
    if not is_date(m[5], m[6]):
        return m[0]
    return f"{day_of_year(m[1], m[3], m[4], m[0])}到{cardinal(str(int(m[5])))}月{cardinal(str(int(m[6])))}日"


def labelled_date(m: Match) -> str:
    return f"{m[1]}{cardinal(m[2])}月{cardinal(m[3])}日" if is_date(m[2], m[3]) else m[0]


def many(m: Match) -> str:
    """Return 100+ as 一百多, but 18+ as 十八加."""
    is_round = m[2] or (m[1].endswith("0") and len(m[1]) > 1)
    return f"{cardinal(m[1])}{m[2] or ''}{'多' if is_round else '加'}"


def compound(m: Match) -> str:
    """Return 1m20cm as 一米二十厘米."""
    parts = re.findall(rf"({N})({PLAIN_UNIT})", re.sub(r"(?<=h)([0-9]+)m\Z", r"\1min", m[0]))
    return "".join(counted(figures) + words.UNITS[unit] for figures, unit in parts)


def duration(m: Match) -> str:
    """Return 1h 30m as 一小时三十分钟, 2m 30s as 两分三十秒."""
    hours, minutes, seconds = (counted(figures) if figures else "" for figures in m.groups())
    after = f"分{seconds}秒" if seconds else "分钟"
    return f"{hours}小时{minutes}{after}" if hours else f"{minutes}{after}"


def inches(m: Match) -> str:
    """Return 12" as 十二英寸, unless the sign closes a quotation."""
    before, sign = m.string[: m.end() - 1], m[0][-1]
    closes = before.count('"') % 2 if sign == '"' else sign == "”" and before.count("“") > before.count("”")
    return m[0] if closes else f"{number(m[1])}英寸"


def rated(m: Match) -> str:
    """Return 评分4.8/5 as 评分四点八分，满分五分."""
    return f"{m[1]}{number(m[2])}分，满分{cardinal(m[3])}分"


def final_score(m: Match) -> str:
    """Return 湖人112-108勇士 as 112比108: a range would rise."""
    return f"{m[1]}比{m[2]}" if int(m[1]) > int(m[2]) else m[0]


def standard(m: Match) -> str:
    """Return GB 2760-2014 digit by digit."""
    return f"{m[1]} {'点'.join(map(digits, m[2].split('.')))}，{digits(m[3])}"


def feast(m: Match) -> str:
    return cardinal(m[1]) + digits(m[2]) if int(m[1]) < 13 and len(m[2]) < 3 else m[0]


def with_unit(unit: str) -> Callable[[Match], str]:
    return lambda m: number(m[1]) + unit


def arc(m: Match) -> str:
    """Return 39°54′20″ as degrees, minutes and seconds."""
    return f"{number(m[1])}度{number(m[2])}分" + (f"{number(m[3])}秒" if m[3] else "")


_SCALED = {"k": 3, "K": 3, "M": 6, "B": 9, "bn": 9}


def scaled(m: Match) -> str:
    """Return $1.2M as $1200000."""
    return f"{m[1]}{Decimal(m[2].replace(',', '')).scaleb(_SCALED[m[3]]):f}"


def mixed_number(m: Match) -> str:
    """Return 2 1/3 as 二又三分之一; a fraction that is none stays."""
    return f"{number(m[1])}又{part_of(m[2], m[3])}" if int(m[2]) < int(m[3]) else m[0]
