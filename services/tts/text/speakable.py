"""Text fit to be heard: what a reader sees and a listener should not hear is left out or put into words.

A table of rules, applied in order; each is one line: what it is, and what becomes of it.
"""

import re
from functools import lru_cache
from html import unescape

from chassis.stage_directions import AROUND, IN_ASTERISKS, IN_BRACKETS, is_between_asterisks, is_in_brackets
from chassis.thought_tags import TAIL, WHOLE
from tts.text.faces import FACES
from tts.text.latex import with_formulas_read
from tts.text.rules import Match, Rule, apply, rule
from tts.text.symbols import COMPARISONS, SYMBOLS, sign_alone, with_plain_digits
from tts.text.tidy_rules import CJK, MARKS, PAUSE, STOP, WORD, beside_cjk

_UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufff0-\uffff\ue000-\uf8ff\ufdd0-\ufdef\U000f0000-\U0010ffff]"
)
"""Control characters, noncharacters and private ones: no voice knows them, and XML forbids some."""
_INVISIBLE = re.compile("[\u200b\u2060-\u2064\ufeff\U000e0000-\U000e0fff]")
"""Marks within words that are for the eye alone."""
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""Pattern of the colours of a terminal."""


@lru_cache(128)
def tidy(text: str) -> str:
    """Return the text as a voice should say it; "" where there is nothing to say."""
    said = _without_marks(text, _CODE_LEFT_OUT)
    if not said and ("```" in text or "~~~" in text):
        said = _without_marks(text, _CODE_KEPT)
    return said


def clean(text: str) -> str:
    """Return the text without what only machines read; nothing that could be heard is lost."""
    return _UNSPEAKABLE.sub(" ", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))).strip()


def speakable(text: str) -> bool:
    """Return whether there is a letter or a digit in it, of any script: an engine that makes no sound of such a text
    has failed, and silence answers any other (punctuation and emoji alone)."""
    return bool(WORD.search(text))


def _without_marks(text: str, fences: Rule) -> str:
    text = clean(_TERMINAL.sub("", unescape(unescape(text)) if "&" in text else text))
    written, text = text, apply((*SYMBOLS, *HIDDEN, fences), text)
    text = apply((*BEFORE_FACES, *COMPARISONS, *FACES), with_formulas_read(text))
    text = apply(RULES, with_plain_digits(text))
    return text if speakable(text) else sign_alone(written)


_PROSE = frozenset({"", "text", "txt", "md", "markdown", "plain", "plaintext"})
"""Languages of fences whose text is meant to be read."""


def _fence(m: Match) -> str:
    return f"\n{m[2]}\n" if m[1].strip().lower() in _PROSE else "\n"


def _host(m: Match) -> str:
    address = m[0].rstrip(".,!?;:'\"*_~|")
    host = (m[1] or "").rstrip(".-").removeprefix("www.")
    return host + (m[0][len(address) :] if len(address) >= len(m[0]) - 3 else "")


def _items(m: Match) -> str:
    """Return a line with the numbers of a list inside it, 1. and 2. at least, each as an item of its own."""
    wanted, line = 1, m[0]
    for found in list(_ITEM.finditer(line)):
        wanted += int(found[1]) == wanted
    if wanted < 3:
        return line
    return _ITEM.sub(rf"{STOP}\1{PAUSE}", line)


_ITEM = re.compile(r"(?:(?<=[\s:：，。；;,!！?？])|^)([0-9]{1,2})[.．)）] ?(?=[^\W\d])")


def _tag(m: Match) -> str:
    """Return #HappyBear as the words that it is made of."""
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])", " ", m[1])


def _breath(m: Match) -> str:
    """Return a comma or a full stop as the text before it has them; nothing beside other punctuation."""
    before, after = m.string[max(0, m.start() - 1) : m.start()], m.string[m.end() : m.end() + 1]
    if not before or not after:
        return ""
    cjk = bool(re.match(f"[{CJK}]", after if before.isdigit() else before))
    if after in ".,，。;；:：、!！?？…)）」』》”" or before in "(（「『《“":
        return ""
    if before in MARKS or not (before.isalnum() or before in "\"'”’」』》)）%℃°"):
        return "" if cjk else " "
    return ("。" if cjk else ". ") if STOP in m[0] or "\n" in m[0] else ("，" if cjk else ", ")


_AS_WRITTEN = str.maketrans({PAUSE: ",", STOP: "\n"})


def _asterisks(m: Match) -> str:
    """Leave out a stage direction between asterisks or underscores; what is only stressed stays."""
    after = m.string[m.end() : m.end() + AROUND].translate(_AS_WRITTEN)
    if is_between_asterisks(m, _before(m), after):
        return PAUSE
    return (m[1] or m[2]).strip(" *_")


def _brackets(m: Match) -> str:
    """Leave out a stage direction in brackets, and what is meant for another voice."""
    return PAUSE if is_in_brackets(m, _before(m)) else m[0]


def _before(m: Match) -> str:
    return m.string[max(0, m.start() - AROUND) : m.start()].translate(_AS_WRITTEN)


_EMOJI = (
    "©®™℠♥\u2190-\u21ff"
    "\u2300-\u243f\u2500-\u27bf\u2800-\u28ff\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufe30-\ufe4f"
    "\U0001f000-\U0001f0ff\U0001f170-\U0001fbff"
)
HIDDEN = (
    *(rule(thought, STOP) for thought in WHOLE),
    rule(TAIL),
    rule(r"<([|｜])[^<>|｜\n]{1,40}\1>", STOP),  # a chat template's: <|im_end|>
    rule(r"<!--(?:(?!<!--).)*?-->", "", re.DOTALL),
    rule(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", "", re.DOTALL | re.IGNORECASE),
)
_FENCE = r"(?<![`~])(?:```+|~~~+)([^\n`~]*)\n(.*?)(?:\n ?(?:```+|~~~+)|\Z)"
_CODE_LEFT_OUT = rule(_FENCE, _fence, re.DOTALL)
_CODE_KEPT = rule(_FENCE, r"\n\2\n", re.DOTALL)

_TAGS = (
    rule(r"<((?:https?|mailto):[^<>\s]*|[\w.+-]+@[\w.-]+)>", r" \1 "),
    rule(r"</?(?:br|p|div|li|h[1-6]|tr|ul|ol|table|break|hr|s|speak)\b(?:[\s/][^<>=]*=[^<>]*"
         r"|\s*/?)>", STOP, re.IGNORECASE),
    rule(r"</?[A-Za-z][\w:.-]*(?:\s[^<>=]{1,40}=[^<>]*)?\s*/?>|<[A-Za-z]{2}[\w:.-]*(?:[\s/][^<>]*)?>"
         r"|<[A-Za-z/!?][^<>\s]*(?: [\w:-]+=[^<>]*)?\Z|<[?!][^<>]*>"),
)  # fmt: skip
"""Rules for tags of HTML and SSML."""
_LINKS = (
    rule(r"!\[([^\[\]\n]*)\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)", r"\1"),
    rule(r"\[(?![0-9]{1,3}\])([^\[\]\n]+)\]\[[^\[\]\n^]*\]", r"\1"),
    rule(r"(?<=\S)\[[0-9]{1,3}\](?:\([^()\n]*\))?|\[\^[^\[\]\n]{1,30}\]:?"),  # citations, footnotes
    rule(r"(?m)^ ?\[[^\[\]\n]+\]: ?\S.*$"),
    rule(r"\[([^\[\]\n]*)\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)", r"\1"),
    rule(r"(?<![A-Za-z0-9])(?:https?|ftps?|wss?|file)://(?:[^\s/@<>]*@)?"
         r"([A-Za-z0-9.-]*)[^\s<>\"'`，。；！？、（）()「」『』《》“”"
         r"\u3000-\u303f\u4e00-\u9fff]*", _host),
    rule(r"(?<![A-Za-z0-9.])www\.([A-Za-z0-9.-]+)(?:/[^\s<>\"'`，。；！？、（）()\u4e00-\u9fff]*)?", _host),
    rule(r"(?<![\w.@/-])((?:[a-z0-9-]{1,40}\.){1,4}(?:com|cn|org|net|edu|gov|io|ai|dev|app|co|uk|me|tv|info))/[^\s<>\"'`"
         r"，。；！？、（）()\u3000-\u303f\u4e00-\u9fff]*", _host),
    rule(r"(?<![A-Za-z])mailto:"),
)  # fmt: skip
_HEX_COLOUR = r"(?=[A-Fa-f]*[0-9])(?:[0-9A-Fa-f]{3}){1,2}(?![0-9A-Za-z])"
LINES = (
    rule(r"(?m)^ ?(?:[-*_=] ?){3,}$", STOP),
    rule(r"(?m)^ ?(?:> ?)+"),
    rule(r"(?m)^ ?#{1,6} +(.+)$", rf"{STOP}\1{STOP}"),
    rule(rf"(?m) #+ ?(?={STOP}|$)"),
    rule(r"(?m)^ ?[-*+•‣▪●○◦·–—] +(?:\[[ xX]\] )?(?![0-9.]+$)", STOP),
    rule(r"(?m)^.*[0-9][.．)）].*$", _items),
    rule(r"(?m)^ ?([0-9]{1,3})(?:[.)] +|[．）] ?(?=[^\W\d]))", rf"{STOP}\1{PAUSE}"),
    rule(r" ?\|[ |]*", PAUSE),
    rule("∣", "|"),
    rule(rf"(?<![A-Za-z0-9&])#(?=[A-Za-z0-9]{{0,40}}[a-z][A-Z0-9])(?!{_HEX_COLOUR})([A-Za-z0-9]+)", _tag),
)
SPANS = (
    rule(r"`+"),
    rule(r"(?<=[0-9])\*{3,}(?=[0-9])", PAUSE),  # 138****5678
    rule(r"\\[*_~#|>\[\]]"),
    rule(IN_ASTERISKS, _asterisks),
    rule(IN_BRACKETS, _brackets),
    rule(r"~~+|\$\$+|\*+"),
)  # fmt: skip
_MATHEMATICAL = r"[0-9a-z)²³⁴ⁿ₀-₉]"
SIGNS = (
    rule(r" ?(?:(?:<|(?<![-=<]))[-=]++>|<[-=]++|[→⇒➡←⇐↔⇔]) ?", PAUSE),
    rule(rf"[{_EMOJI}]+(?: [{_EMOJI}]+)*", " "),
    rule(r"(?<=[0-9℃℉度%％°元CF])[ ~～]*[~～] ?\+(?=[0-9])", "~"),
    rule(r"(?<=[0-9℃℉度%％°元CF])[ ~～]*[~～][ ~～]*(?=-?[0-9¥￥$€£])", "~"),
    rule(r"(?<=[一二三四五六七八九十日天月号点年岁])[~～](?=[0-9星周礼上下早晚中今明后])", "–"),
    rule(r"(?:(?<=^)|(?<=[\s(（]))~ ?(?=[0-9])", "≈"),
    rule(r"[~～]+(?!-?[0-9¥￥$€£])|(?<![0-9℃℉度%％°元CF])[~～]+", PAUSE),
    rule(rf"(?<={_MATHEMATICAL})(?<![A-Za-z][a-z]) [-–—−] (?=\(|[b-hj-z](?![A-Za-z]))", "−"),
    rule(r"(?<=\S)(?: [-–—]+ |-{2,})(?![0-9])|(?<!\S)[-–—_=]{2,}", PAUSE),
    rule(r"(?<=[a-z]{2})([.!?])(?=[A-Z][a-z'’ ]|[AI]\s)", r"\1 "),  # a blank forgotten after a sentence
    rule(r"[<>{}\[\]【】〖〗｛｝［］]", PAUSE),
    rule(r"(?:_(?![A-Za-z0-9._-]{0,40}@[A-Za-z0-9])|[\^\\])+", " "),
    rule(rf"={{2,}}|(?<![A-Za-z])#+(?![0-9]|{_HEX_COLOUR})"),
    rule(r"[(（]\s*[)）]"),
    rule(r"([!！?？])(?:[\s!！?？]*[!！?？])+", lambda m: next((mark for mark in m[0] if mark in "?？"), m[1])),
    rule(r"\.{2,}|…+|。{2,}|・{3,}", lambda m: "……" if beside_cjk(m) else "..."),
    rule(r"(?:\.{3}|……) ?(?=[!?！？])"),
    rule(r"([,，、;；：。])(?:\s?\1)+|(:)(?:\s?:)+(?![0-9A-Za-z])(?<![0-9A-Fa-f]::)", r"\1\2"),
)
NEGATIVE = r"[0-9.$€£¥￥√π|]|\((?:[0-9√-]|[a-z][^A-Za-z])|[b-hj-z](?![A-Za-z])"
"""Pattern of what follows a minus that is no dash."""
_BREATHS = (
    rule(r"(?<=[a-z,]) ?\n ?(?=[a-z])", " "),
    rule(rf"(?<![ \n{PAUSE}{STOP}])[ \n{PAUSE}{STOP}]*[\n{PAUSE}{STOP}][ \n{PAUSE}{STOP}]*", _breath),
    rule(r" +", " "),
    rule(rf"(?<=[{CJK}]) (?=[{MARKS}])|(?<=[\w{MARKS}]) (?=[，。；！？、])|(?<=\w) (?=[,;!?](?:\s|$|[{CJK}]))"),
    rule(
        rf"\A(?![?？] ?[+−×÷])[\s,，。;；:：、!！?？)）」』》”’—–\-]*(?<!-)(?=[^-])|\A[-—–\s]+(?!{NEGATIVE})"
        r"|\A\.\s+|\A[+>]+ +|(?<![\s,，、:：;；(（—–-])(?!(?<=(?<![A-Za-z])[A-F])-\Z)[\s,，、:：;；(（—–-]++\Z"
    ),
)
BEFORE_FACES = (
    rule(r"(?m)^ ?\|?(?: ?:?-+:? ?\|)+(?: ?:?-+:?)? ?$", STOP),  # the line below the head of a table
    rule(r"\\(?=[()\[\]](?![_^]))"),
)
RULES = (
    *_TAGS,
    *_LINKS,
    *LINES,
    *SPANS,
    *SIGNS,
    *_BREATHS,
)
