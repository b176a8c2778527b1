"""Text fit to be heard: what a reader sees and a listener should not hear is left out or put into words.

A table of rules, applied in order; each is one line: what it is, and what becomes of it. `PAUSE` and `STOP` stand for
a breath until the end, when each becomes the comma or full stop of its script, or nothing beside other punctuation.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from html import unescape

from chassis.thought_tags import TAIL, WHOLE

Match = re.Match[str]
PAUSE, STOP = "\x1f", "\x1e"
CJK = "\u2e80-\u2fff\u3000-\u303f\u3040-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60"
SPACED, MARKS = r"[^\S\n]", ",，.。;；:：、!！?？…"
MOST_STAGE = 60
"""Characters of a stage direction; a longer one is a story."""

UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufff0-\uffff\ue000-\uf8ff\ufdd0-\ufdef\U000f0000-\U0010ffff]"
)
"""Control characters, noncharacters and private ones: no voice knows them, and XML forbids some."""
INVISIBLE = re.compile("[\u200b\u2060-\u2064\ufeff\U000e0000-\U000e0fff]")
"""Marks within words that are for the eye alone."""
LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""Colours."""


@lru_cache(128)
def tidy(text: str) -> str:
    """The text as a voice should say it; "" where there is nothing to say."""
    said = _without_marks(text, CODE_LEFT_OUT)
    if not said and ("```" in text or "~~~" in text):
        said = _without_marks(text, CODE_KEPT)
    return said


def clean(text: str) -> str:
    """The text without what only machines read; nothing that could be heard is lost."""
    return UNSPEAKABLE.sub(" ", INVISIBLE.sub("", LINE_ENDS.sub("\n", text))).strip()


def speakable(text: str) -> bool:
    """Whether there is a letter or a digit in it, of any script; punctuation and emoji alone are not."""
    return bool(WORD.search(text))


def _without_marks(text: str, fences: "Rule") -> str:
    text = clean(TERMINAL.sub("", unescape(unescape(text)) if "&" in text else text))
    for pattern, said in (*UNSEEN, *HIDDEN, fences, *RULES):
        text = pattern.sub(said, text)
    return text if speakable(text) else ""


Rule = tuple[re.Pattern[str], str | Callable[[Match], str]]


def _rule(pattern: str, said: str | Callable[[Match], str] = "", flags: int = 0) -> Rule:
    return re.compile(pattern, flags), said


def _plain(m: Match) -> str:
    return unicodedata.normalize("NFKC", m[0])


# ---------------------------------------------------------------- code, links

PROSE = frozenset({"", "text", "txt", "md", "markdown", "plain", "plaintext"})
"""What is fenced in these is meant to be read."""


def _fence(m: Match) -> str:
    return f"\n{m[2]}\n" if m[1].strip().lower() in PROSE else "\n"


def _host(m: Match) -> str:
    address = m[0].rstrip(".,!?;:'\"*_~|")
    host = (m[1] or "").rstrip(".-").removeprefix("www.")
    return host + (m[0][len(address) :] if len(address) >= len(m[0]) - 3 else "")


# ---------------------------------------------------------------- stage directions, faces

FACE = (
    "smil(?:es|ing)|laugh(?:s|ing)|giggl(?:es|ing)|chuckl(?:es|ing)|grin(?:s|ning)|smirk(?:s|ing)|wink(?:s|ing)|"
    "nod(?:s|ding)|sigh(?:s|ing)|blush(?:es|ing)|shrug(?:s|ging)|gasp(?:s|ing)|yawn(?:s|ing)|sob(?:s|bing)|"
    "frown(?:s|ing)|pout(?:s|ing)|hum(?:s|ming)|whisper(?:s|ing)|clap(?:s|ping)|wav(?:es|ing)|blink(?:s|ing)|"
    "clears? (?:\\w+ )?throat|pauses|bows|hugs|snuggles|purrs|sniffles|shivers|beams|cheers|claps"
)
DEED = (
    "jump(?:s|ing)|danc(?:es|ing)|spin(?:s|ning)|run(?:s|ning)|walk(?:s|ing)|look(?:s|ing)|turn(?:s|ing)|point(?:s|ing)|"
    "tilt(?:s|ing)|lean(?:s|ing)|hold(?:s|ing)|reach(?:es|ing)|pat(?:s|ting)|rub(?:s|bing)|scratch(?:es|ing)|"
    "stretch(?:es|ing)|hug(?:s|ging)|cuddl(?:es|ing)|wag(?:s|ging)|bark(?:s|ing)|roar(?:s|ing)|growl(?:s|ing)|"
    "meow(?:s|ing)|sing(?:s|ing)|twirl(?:s|ing)|bounc(?:es|ing)|hop(?:s|ping)|think(?:s|ing)|rais(?:es|ing)|"
    "shak(?:es|ing)|tak(?:es|ing)|sits?|stands?|pull(?:s|ing)|kiss(?:es|ing)|cr(?:ies|ying)|points|"
    "gently \\w+s|ears|tail|eyes"
)
STAGE_ZH = (
    "微笑|大笑|偷笑|傻笑|苦笑|坏笑|轻笑|爆笑|笑嘻嘻|笑眯眯|笑|哭|泣|眨眼睛?|眨眨眼睛?|挥挥?手|招招?手|点点?头|摇摇?头|歪歪?头|歪着头|鼓掌|拍拍?手|"
    "拥抱|抱抱|抱住|叹口?气|脸红|害羞|撒娇|摊手|耸耸?肩|吐吐?舌头|捂嘴|惊讶|疑惑|思考|沉思|沉默|停顿|咳嗽|清清?嗓子|打哈欠|伸懒腰|转圈圈?|跳舞|蹦蹦跳跳|"
    "跳起来|摸摸?头|摸摸你的头|比心|敬礼|鞠躬|汗|开心|高兴|激动|兴奋|生气|难过|委屈|得意|小声|轻声|悄悄|温柔"
)
BY_ASTERISKS_EN = re.compile(rf"(?:(?:\w+ly|and|then)\s+)*(?:(?P<face>{FACE})|{DEED})\b(?!.*[.?!].)", re.IGNORECASE)
BY_BRACKETS_EN = re.compile(rf"(?:\w+ly\s+)*(?:{FACE})(?:\s+(?:\w+ly|again|and\s+(?:{FACE})))*", re.IGNORECASE)
BY_ASTERISKS_ZH = re.compile(rf"[^a-zA-Z0-9？?]{{0,8}}(?:{STAGE_ZH})[^a-zA-Z0-9？?]{{0,8}}")
BY_BRACKETS_ZH = re.compile(
    rf"(?:[\u4e00-\u9fff]{{1,4}}地|轻轻|微微|忍不住|突然|一边)?(?:(?:{STAGE_ZH})地?)+"
    r"(?:着|了|说|道|一下|起来|出声|一笑|状|脸|貌|中|[。！~～])*"
)


def _asterisks(m: Match) -> str:
    """What is between asterisks or underscores: a stage direction goes, what is only stressed stays."""
    inside = (m[1] or m[2]).strip(" *_")
    begins = m.string[max(0, m.start() - 2) : m.start()].strip(' "”」*_')[-1:] in (
        "",
        "\n",
        STOP,
        PAUSE,
        *MARKS,
        "~",
        "～",
        "）",
        ")",
    )
    stands_alone = begins or not m.string[m.end() : m.end() + 2].strip(f" *_\n{STOP}")
    if (found := BY_ASTERISKS_EN.match(inside)) and len(inside.split()) <= 10 and inside[-1:] not in "?":
        goes_on = m.string[m.end() : m.end() + 2].strip()[:1].islower()
        if stands_alone or (found["face"] and found.end() == len(inside) and not goes_on):
            return PAUSE
    if stands_alone and BY_ASTERISKS_ZH.fullmatch(inside):
        return PAUSE
    return inside


def _brackets(m: Match) -> str:
    inside = m[1].strip(" *_")
    return PAUSE if BY_BRACKETS_EN.fullmatch(inside) or BY_BRACKETS_ZH.fullmatch(inside) else m[0]


def _face(m: Match) -> str:
    """A face in brackets has no word in it, and a sign that no sentence has."""
    inside = m[1] or ""
    if A_WORD.search(inside.replace("益", "").replace("皿", "")):
        return m[0]
    return PAUSE if ODD.search(inside) or not WORD.search(inside) else m[0]


ODD = re.compile(r"[^\w\s,.;:?!+*/=、，。；：？！'\"“”‘’&%$€£¥@#-]|_")
ARMS = r"\\/ヽノﾉ╰╯╭╮っつづლᕙᕗ٩۶୧୨"
"""Of a face. One left over would be a letter, and may change the language of all that is said."""
A_WORD = re.compile(r"[^\W_]{2,}|[0-9\u4e00-\u9fff]")
WORD = re.compile(r"[^\W_]")

# ---------------------------------------------------------------- breaths


def _beside_cjk(m: Match) -> bool:
    return bool(re.match(f"[{CJK}]", m.string[max(0, m.start() - 1) : m.start()] or m.string[m.end() : m.end() + 1]))


def _breath(m: Match) -> str:
    """A comma or a full stop as the text before it has them; nothing beside other punctuation."""
    before, after = m.string[max(0, m.start() - 1) : m.start()], m.string[m.end() : m.end() + 1]
    if not before or not after:
        return ""
    cjk = bool(re.match(f"[{CJK}]", before))
    if after in ".,，。;；:：、!！?？…)）」』》”" or before in "(（「『《“":
        return ""
    if before in MARKS or not (before.isalnum() or before in "\"'”’」』》)）%℃°"):
        return "" if cjk else " "
    return ("。" if cjk else ". ") if STOP in m[0] or "\n" in m[0] else ("，" if cjk else ", ")


# ---------------------------------------------------------------- the tables

EMOJI = (
    "©®™℠\u2190-\u21ff\u2300-\u243f\u2500-\u27bf\u2800-\u28ff\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufe30-\ufe4f"
    "\U0001f000-\U0001f0ff\U0001f170-\U0001fbff"
)

UNSEEN = (
    _rule(
        "(?<![\u0600-\u0dff])[\u200c\u200d]|[\u200c\u200d](?![\u0600-\u0dff])"
    ),  # joiners, but where letters need them
    _rule("[\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\uffff\u20e3]"),
    _rule("[\ud800-\udfff]", " "),  # half an emoji
    _rule("[\u2460-\u2473]", lambda m: f"{_plain(m)}{PAUSE}"),  # ①
    _rule(
        "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06\u203c\u2047-\u2049\u3371-\u33df\U0001d400-\U0001d7ff]",
        _plain,
    ),
    _rule("[\u2795\u2796\u2797\u2716]", lambda m: {"➕": "+", "➖": "-", "➗": "÷"}.get(m[0], "×")),
    _rule(rf"{SPACED}+", " "),
    _rule(r" ?\n[ \n]*\n ?| ?\n ?", "\n"),
)
HIDDEN = (
    *((thought, STOP) for thought in WHOLE),
    (TAIL, ""),
    _rule(r"<([|｜])[^<>|｜\n]{1,40}\1>", STOP),  # a chat template's: <|im_end|>
    _rule(r"<!--(?:(?!<!--).)*?-->", "", re.DOTALL),
    _rule(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", "", re.DOTALL | re.IGNORECASE),
)
FENCE = r"(?<![`~])(?:```+|~~~+)([^\n`~]*)\n(.*?)(?:\n ?(?:```+|~~~+)|\Z)"
CODE_LEFT_OUT: Rule = re.compile(FENCE, re.DOTALL), _fence
CODE_KEPT: Rule = re.compile(FENCE, re.DOTALL), r"\n\2\n"

RULES = (
    _rule(r"(?m)^ ?\|?(?: ?:?-+:? ?\|)+(?: ?:?-+:?)? ?$", STOP),
    _rule(r"\\(?=[()\[\]](?![_^]))"),  # of a formula: \\( a + b \\)
    # what looks like a face, before its parts look like markdown
    _rule(r"¯\\?_[(（]ツ[)）]_\\?/¯", PAUSE),
    _rule(r"[(（]([^()（）\n]{0,24})[)）]", _face),
    _rule(r"ʕ[^ʕʔ\n]{1,12}ʔ", PAUSE),
    _rule(rf"(?<={PAUSE})[{ARMS}](?!\w)|(?<!\w)[{ARMS}](?={PAUSE})"),
    _rule(r"(?<![^\W_])([TOoQUu><^=;ಠ•°\-＾ˊˋ≧≦])[_.＿ωwvo▽∀﹏]{1,3}(?:\1|(?<=>.)<|(?<=≧.)≦)(?![^\W_])", PAUSE),
    _rule(r"(?<![\w/])(?:[:;=][-'^o]?[)(DPpO3*\\/|\]\[]|[xX]D|:'\(|orz|OwO|QAQ|QwQ|UwU)(?![\w/])", PAUSE),
    _rule(r"(?<![0-9] )(?<![\w.])<3+(?![0-9.])|</3", PAUSE),
    _rule(r"(?<![\w:]):[a-z+-][a-z0-9_+-]{1,30}:(?![\w:])"),  # :smile:
    # HTML and SSML
    _rule(r"<((?:https?|mailto):[^<>\s]*|[\w.+-]+@[\w.-]+)>", r" \1 "),
    _rule(r"</?(?:br|p|div|li|h[1-6]|tr|ul|ol|table|break|hr|s|speak)\b[^<>]*>", STOP, re.IGNORECASE),
    _rule(r"</?[A-Za-z][\w:.-]*(?:[\s/][^<>]*)?>|<[A-Za-z/!?][^<>\s]*(?: [\w:-]+=[^<>]*)?\Z|<[?!][^<>]*>"),
    # links and images
    _rule(r"!\[([^\[\]\n]*)\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)", r"\1"),
    _rule(r"\[(?![0-9]{1,3}\])([^\[\]\n]+)\]\[[^\[\]\n^]*\]", r"\1"),
    _rule(r"(?<=\S)\[[0-9]{1,3}\](?:\([^()\n]*\))?|\[\^[^\[\]\n]{1,30}\]:?"),  # citations, footnotes
    _rule(r"(?m)^ ?\[[^\[\]\n]+\]: ?\S.*$"),
    _rule(r"\[([^\[\]\n]*)\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)", r"\1"),
    _rule(r"(?<![A-Za-z0-9])(?:https?|ftps?|wss?|file)://(?:[^\s/@<>]*@)?([A-Za-z0-9.-]*)[^\s<>\"'`，。；！？、（）()「」『』《》“”"
          r"\u3000-\u303f\u4e00-\u9fff]*", _host),
    _rule(r"(?<![A-Za-z0-9.])www\.([A-Za-z0-9.-]+)(?:/[^\s<>\"'`，。；！？、（）()\u4e00-\u9fff]*)?", _host),
    _rule(r"(?<![A-Za-z])mailto:"),
    # lines
    _rule(r"(?m)^ ?(?:[-*_=] ?){3,}$", STOP),
    _rule(r"(?m)^ ?(?:> ?)+"),
    _rule(r"(?m)^ ?#{1,6} +(.+)$", rf"{STOP}\1{STOP}"),
    _rule(rf"(?m) #+ ?(?={STOP}|$)"),
    _rule(r"(?m)^ ?[-*+•‣▪●○◦·–—] +(?:\[[ xX]\] )?", STOP),
    _rule(r"(?m)^ ?([0-9]{1,3})[.)] +", rf"{STOP}\1{PAUSE}"),
    _rule(r" ?\|[ |]*", PAUSE),
    # spans
    _rule(r"`+"),
    _rule(r"(?<=[0-9]) ?\* ?(?=[0-9])", "×"),
    _rule(r"\\[*_~#|>\[\]]"),
    _rule(r"(?<=[0-9]) ?([<>]) ?(?=[0-9])", lambda m: {"<": "＜", ">": "＞"}[m[1]]),
    _rule(rf"\*{{1,3}}([^*\n]{{1,{MOST_STAGE}}})\*{{1,3}}|(?<!\w)_{{1,3}}([^_\n]{{1,{MOST_STAGE}}})_{{1,3}}(?!\w)",
          _asterisks),
    _rule(r"[(（【\[]([^()（）【】\[\]\n]{1,40})[)）】\]]", _brackets),
    _rule(r"~~+|\$\$+|\*+"),
    # signs
    _rule(r" ?(?:<?[-=]+>|<[-=]+|[→⇒➡←⇐↔]) ?", PAUSE),
    _rule(rf"[{EMOJI}]+(?: [{EMOJI}]+)*", " "),
    _rule(r"(?<=[0-9])[ ~～]*[~～][ ~～]*(?=[0-9¥￥$€£])", "~"),
    _rule(r"[~～]+(?![0-9])|(?<![0-9])[~～]+", PAUSE),
    _rule(r"(?<=\S)(?: [-–—]+ |-{2,})(?![0-9])|(?<!\S)[-–—_=]{2,}", PAUSE),
    _rule(r"[<>{}\[\]【】〖〗｛｝［］]", PAUSE),
    _rule(r"[_^\\]+", " "),
    _rule(r"={2,}|(?<![A-Za-z])#+(?![0-9])"),
    _rule(r"[(（]\s*[)）]"),
    _rule(r"([!！?？])(?:[\s!！?？]*[!！?？])+", lambda m: next((mark for mark in m[0] if mark in "?？"), m[1])),
    _rule(r"\.{2,}|…+|。{2,}|・{3,}", lambda m: "……" if _beside_cjk(m) else "..."),
    _rule(r"(?:\.{3}|……) ?(?=[!?！？])"),
    _rule(r"([,，、;；:：。])(?:\s?\1)+", r"\1"),
    # breaths, and the ends
    _rule(r"(?<=[a-z,]) ?\n ?(?=[a-z])", " "),
    _rule(rf"[ \n{PAUSE}{STOP}]*[\n{PAUSE}{STOP}][ \n{PAUSE}{STOP}]*", _breath),
    _rule(r" +", " "),
    _rule(rf"(?<=[{CJK}]) (?=[{MARKS}])|(?<=[\w{MARKS}]) (?=[，。；！？、])|(?<=\w) (?=[,;!?](?:\s|$|[{CJK}]))"),
    _rule(r"\A[\s,，。;；:：、!！?？)）」』》”’—–\-]*(?<!-)(?=[^-])|\A[-—–\s]+(?![0-9])|\A\.\s+|[\s,，、:：;；(（—–-]+\Z"),
)  # fmt: skip
