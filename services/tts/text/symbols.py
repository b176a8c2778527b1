"""Rules for letters and digits in disguise, hearts that are words, and cut emoji: said as they are, or left out."""

import re
import unicodedata
from math import factorial

from chassis.script_language import DENSE, scripts, wide
from tts.text.latex import raised
from tts.text.rules import Match, rule
from tts.text.tidy_rules import PAUSE, SPACED, STOP

_WORDS, _HAN = re.compile(r"[A-Za-z]{2}|[\u3400-\u9fff]"), re.compile(r"[\u3400-\u9fff]")


def _compatible(m: Match) -> str:
    return unicodedata.normalize("NFKC", m[0])


def _one_step(m: Match) -> str:
    """Return ㎡ as m² (NFKC would make it m2), ㏄ as cc, ㋂ as 3月."""
    _, _, codes = unicodedata.decomposition(m[0]).partition("> ")
    return "".join(chr(int(code, 16)) for code in codes.split()).replace("∕", "/") or m[0]


_CIRCLED = "[\u2460-\u2487\u24eb-\u24ff\u2776-\u2793\u3220-\u3229]"  # ① ⑴ ❶ ➀ ㈠
_ITEM, _FIRST_ITEM = re.compile(_CIRCLED), re.compile("[①❶➀➊⑴⒈㈠]")


def _numbered(m: Match) -> str:
    """Return the rest of a line from ① on, with plain numbers; those of a list have a stop before them."""
    first = _FIRST_ITEM.search(m[0])

    def number(item: Match) -> str:
        value = unicodedata.numeric(item[0])
        begun = value > 1 and first is not None and first.start() < item.start()
        return f"{STOP if begun else ''}{value:.0f}{PAUSE}"

    return _ITEM.sub(number, m[0])


def _roman(m: Match) -> str:
    return f"{unicodedata.numeric(m[0]):.0f}" if len(m[0]) == 1 else _compatible(m)


def _plain_letters(m: Match) -> str:
    """Return the letter at the end of each name, such as LATIN LETTER SMALL CAPITAL H."""
    return "".join(_plain_letter(char) for char in m[0])


def _plain_letter(char: str) -> str:
    name = unicodedata.name(char, "")
    last = name.rpartition(" ")[2]
    if len(last) != 1:
        return unicodedata.normalize("NFKC", char)
    return last if "CAPITAL LETTER" in name else last.lower()


def _stars(m: Match) -> str:
    return f"{m[1]}星" if _HAN.search(m.string) else f"{m[1]} star{'' if m[1] == '1' else 's'}"


_HEART = "(?:[❤♥❣🧡💛💚💙💜🖤🤍🤎💓-💟🩵-🩷]\ufe0f?)+"
_GREETINGS = "hello|hi|hey|thanks|bye|yes|no|ok|okay|wow|love|good|sure|great|goodnight|please|sorry|welcome|oh|happy"
_GREETINGS_ZH = "晚安|早安|你好|谢谢|再见|加油|好的|早上好|晚上好|么么哒|宝贝|亲爱的|爱你|抱抱|想你"
_HEARTS = (
    rule(rf"\b(I|[Ww]e|[Yy]ou|[Tt]hey) ?{_HEART} ?(?=[A-Za-z])", r"\1 love "),
    rule(rf"(?m)((?:^|[.!?,] )(?!(?i:{_GREETINGS})\b)[A-Z][a-z]+) ?{_HEART} ?(?=[A-Za-z])", r"\1 loves "),
    rule(rf"(?<=[A-Za-z]) {_HEART} (?=(?:you|u|me|him|her|it|us|them)\b)", " love "),
    rule(
        rf"([我你他她它们家]) ?{_HEART} ?(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff]) ?{_HEART} ?(?=[你我他她它])",
        lambda m: f"{m[1] or ''}爱",
    ),
    rule(rf"(?m)((?:^|[。！？，])(?!{_GREETINGS_ZH})[\u4e00-\u9fff]{{2,4}}) ?{_HEART} ?(?=[\u4e00-\u9fff])", r"\1爱"),
)
"""A heart between two words is a verb: I ❤️ you, 我❤你."""

SYMBOLS = (
    rule("([0-9])\ufe0f?\u20e3", rf"\1{PAUSE}"),  # keycaps
    rule(
        "(?<![\u0600-\u0dff])[\u200c\u200d]|[\u200c\u200d](?![\u0600-\u0dff])"
    ),  # joiners, but where letters need them
    rule("[\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\u20e3]"),
    rule("[\ud800-\udfff]", " "),  # half an emoji
    rule(r"(?<![0-9a-hj-zA-HJ-Z] )(?<![\w.])<3+(?![0-9.])", "♥"),
    *_HEARTS,
    rule("[\ufe00-\ufe0f]"),
    rule("[\u0300-\u036f]*[\u0332-\u0338][\u0300-\u036f]*|[\u0300-\u036f]{3,}"),  # struck through, heaped up
    rule("(?<=[0-9])(?:''|’’|′′)", "″"),
    rule("(?<![\uff66-\uff9f])[\uff65\uff9e\uff9f]+|[\uff65\uff9f]+(?![\uff66-\uff9f])"),  # specks of faces, no kana
    rule("🔟", "10"),
    rule("(?<=[0-9])．(?=[0-9])", "."),
    rule("([0-9])\\s?[★☆⭐]\ufe0f?(?![★☆⭐])", _stars),
    rule("(?<=[A-G])♯", "#"),
    rule("(?<=[A-G])♭", "b"),
    rule("♯(?=[A-G])", "升"),
    rule("♭(?=[A-G])", "降"),
    rule("[\u2160-\u217f]+", _roman),
    rule("[\u3250\u32c0-\u32ff\u3358-\u33ff]", _one_step),
    rule(
        "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06\u203c\u2047-\u2049\u249c-\u24e9\u3280-\u3289"
        "\u2102\u210a-\u2113\u2115\u2119-\u211d\u2124\u2128\u212c\u212d\u212f-\u2131\u2133\u2134\u2139\u213d-\u2140"
        "\u2145-\u2149\U0001d400-\U0001d7ff\U0001f110-\U0001f149]|[\u02b0-\u02b8\u02e0-\u02e4\u1d2c-\u1d61\u2071\u207f]{2,}",
        _compatible,
    ),
    rule(
        "[\u0262\u026a\u0274\u0276\u0280\u028f\u0299\u029c\u029f\u1d00-\u1d22\ua730\ua731\U0001f150-\U0001f169]+",
        _plain_letters,
    ),
    rule("[\U0001f170-\U0001f189]{2,}|[\U0001f170-\U0001f189](?=[A-Za-z])", _plain_letters),
    rule("[\u2795\u2796\u2797\u2716]", lambda m: {"➕": "+", "➖": "-", "➗": "÷"}.get(m[0], "×")),
    rule(rf"{SPACED}+", " "),
    rule(f"{_CIRCLED}.*", _numbered, re.DOTALL),
    rule(r" ?\n[ \n]*\n ?| ?\n ?", "\n"),
)

_LOWERED = str.maketrans("0123456789n", "₀₁₂₃₄₅₆₇₈₉ₙ")
_OPERAND = r"-?(?:[A-Za-z](?![A-Za-z0-9_:>=-])|[0-9][0-9.]*+(?![A-Za-z_]))"


def _factorial(m: Match) -> str:
    """Return 5!=120 with a blank, since it is true; 5!=6 says that they differ."""
    return f"{m[1]}! =" if factorial(int(m[1])) == int(m[2]) else m[0]


_ABSOLUTE = re.compile(
    r"(?<![|0-9A-Za-z])\|(?![^|\n]*[a-z]{2})([-−]?[0-9a-z](?:[-0-9a-z+−×÷*/^²³. ]{0,14}[0-9a-z²³])?)\|(?![|0-9A-Za-z])"
)


def _absolutes(m: Match) -> str:
    """Return a line, its |x| between signs that are no edges of a table's cells."""
    line = m[0].strip()
    table = line.count("|") % 2 or (line.count("|") > 2 and line[0] == line[-1] == "|" and _WORDS.search(line))
    return m[0] if table else _ABSOLUTE.sub(r"∣\1∣", m[0])


_BLANK = r"(?:_{2,}|[(（] *[)）]|[□◻▢⬜☐])"


def _blank(m: Match) -> str:
    """Return the gap of an exercise as a question mark between signs, which each language has a word for."""
    return f"{(m[1] or '').replace('-', '−')}?"


_AS_POWER = r"(?<=[0-9)])\*\*(?=[0-9]{1,3}(?![\w*]))"
_POWER_OF = re.compile(rf"{_AS_POWER}([0-9]+)")
"""Pattern of two asterisks between numbers, which are no stress."""


def _power(m: Match) -> str:
    return raised(m[1])


COMPARISONS = (
    rule(rf"([+\-−×÷] ?)(?:{_BLANK}|[?？])(?= ?[+−×÷=]| - )|{_BLANK}(?= ?[+−×÷=])", _blank),
    rule(rf"(?:{_BLANK}|(?m:^)[?？]) -(?= [0-9a-z] ?)", "? −"),
    rule(r"(?<![^\s(（\u3400-\u9fff])([<>])(?=[0-9])", lambda m: "＜" if m[1] == "<" else "＞"),
    rule(r"(?<=[按键])[#＃](?:号键|键|号)?", "井号键"),
    rule(r"(?<=按)[*＊](?:号键|键|号)?", "星号键"),
    rule(r"(?<=\b[Pp]ress )([#*])(?!\w)", lambda m: "the pound key" if m[1] == "#" else "the star key"),
    rule(r"(?m)^.*\|.*$", _absolutes),
    rule(r"(?<![\w.])([0-9]{1,2})!=(?=([0-9]{1,24})(?![\w.]))", _factorial),
    rule(r"[△▵](?=[A-Z]{3}(?![A-Z]))", "∆"),
    rule(
        r"(?<=[\w)]) ?(<=|>=|!=|=<)(?= ?[\w(\-])", lambda m: m[0].replace(m[1], {"!=": "≠", ">=": "≥"}.get(m[1], "≤"))
    ),
    rule(r"(?<=[0-9)]) ?==(?= ?[0-9(])", "="),
    rule(rf"(?<![\w/])(?<![0-9]\.)([A-Za-z]|[0-9][0-9.]*+) ?< ?(?={_OPERAND})", r"\1＜"),
    rule(rf"(?<![\w</])(?<![0-9]\.)([A-Za-z]|[0-9][0-9.]*+) ?> ?(?={_OPERAND})", r"\1＞"),
    rule(rf"(?m)^(?=.*\*\*)(?:[^*\n]|(?<!\*)\*(?!\*)|{_AS_POWER})+$", lambda m: _POWER_OF.sub(_power, m[0])),
    rule(
        r"(?<=[0-9A-Za-z)])\^(?:\((-?[0-9a-z]{1,3})\)|(-?[0-9]{1,4}(?![0-9_^])|[a-z](?![A-Za-z_^])))(?<!o\^o)",
        lambda m: raised(m[1] or m[2]),
    ),
    rule(r"(?<=[0-9)])\^(?=\()", "ˆ"),
    rule(r"(?<![A-Za-z])([a-np-z])_([0-9n])(?![A-Za-z0-9_])", lambda m: m[1] + (m[2].translate(_LOWERED))),
    rule(r"(?<=[0-9])([cmk]?m) ?\* ?(?=[0-9])", r"\1×"),
    rule(r"(?<=[0-9)]) ?\* ?(?=[0-9(]|[a-z](?![A-Za-z*]))", "×"),
)
"""Signs of mathematics that would pass for tags, faces or stress."""


_ALONE = {
    "+": ("加号", "plus"), "×": ("乘号", "times"), "÷": ("除号", "divided by"), "=": ("等号", "equals"),
    "%": ("百分号", "percent"), "∞": ("无穷大", "infinity"), "√": ("根号", "square root"), "≠": ("不等号", "not equal"),
    "≈": ("约等号", "about"), "@": ("艾特", "at"), "&": ("和", "and"), "$": ("美元", "dollar"), "€": ("欧元", "euro"),
    "£": ("英镑", "pound"), "¥": ("元", "yuan"), "℃": ("摄氏度", "degrees Celsius"), "°": ("度", "degrees"),
    "№": ("号码", "number"), "™": ("商标", "trademark"),
}  # fmt: skip
"""Signs that are said where nothing else is: `加号是，+。` comes in two pieces."""
_A_SIGN = re.compile(
    rf"[\s“”\"'‘’「」『』（）()，,]*([{re.escape(''.join(_ALONE))}])[\s“”\"'‘’「」『』（）()，。！？、,.!?]*"
)


def sign_alone(text: str) -> str:
    """Return the name of a sign that is all there is of the text; "" for any other."""
    found = _A_SIGN.fullmatch(text.translate(_NARROW))
    return _ALONE[found[1]][0 if wide(text) else 1] if found else ""


_NARROW = str.maketrans("＋＝％＄￥＠＆￡", "+=%$¥@&£")


def with_plain_digits(text: str) -> str:
    """Return the text with the digits of other scripts as 0 to 9, unless it has letters of such a script: then the
    voice that reads those reads their digits."""
    if text.isascii() or set(scripts(text)) - DENSE - {""}:
        return text
    return re.sub(r"\d", lambda m: str(unicodedata.decimal(m[0])), text)
