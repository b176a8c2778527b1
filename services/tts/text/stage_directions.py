"""Stage directions and faces: `*smiles*`, `（微笑）`, `(^_^)`, `:-)`. A listener should not hear them spelt."""

import re

from tts.text.rules import Match, rule
from tts.text.tidy_rules import MARKS, PAUSE, STOP, WORD

MOST_STAGE = 60
"""Characters of a stage direction; a longer one is a story."""
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
MANNER_EN = (
    r"(?:in|with) an? (?:[\w-]+,? ){0,3}(?:voice|tone|whisper|smile|grin|laugh|giggle|chuckle|sigh|accent|wink|nod|hug)"
)
"""How something is said: (in a deep voice), *with a big smile*."""
HEARD_EN = (
    "laughter|(?:soft |loud )?applause|(?:soft |gentle |happy |upbeat )?music(?: plays| playing| fades(?: in| out)?)?|"
    "(?:short |long )?pause|silence|(?:deep )?breath|inhales|exhales|coughs?|sniffs?|groans?|moans?|yawn|sigh|giggle|"
    "chuckle|laugh|gasp|whisper|sound effects?|singing|humming|crying|sobbing|excited|happy|sad|angry|sarcastic|"
    "curious|cheerful|(?:soft|quiet|gent|cheerful|happi|sad|excited|slow|warm|playful|whispering|sarcastical|mischievous)l?ly"
)
"""Sounds and moods in brackets: [laughter], [excited]."""
HEARD_ZH = (
    r"(?:背景)?音乐(?:声)?(?:响起|渐起|渐弱|停止|起|停)?|音效|[^，。！？]{0,4}(?<![第一二三四轻])(?:笑|掌|歌|哭|鼓|铃|钟|雨|风|雷|水|浪|"
    r"叫|步|门|呼|琴|鸣|啼)声(?:响起|渐弱|渐起|停止|起|停)?|此处(?:应有|应该有|有)[^，。！？]{1,6}"
)
MANNER_ZH = (
    r"(?:用|以|带着)[^，。！？]{1,10}(?:声音|语气|口吻|语调|嗓音|声调|声线|表情|微笑|眼神)[地说道唱讲]{0,2}|"
    r"(?:学|模仿)[^，。！？]{1,6}(?:叫|叫声|的声音|说话|的样子)|模仿[^，。！？]{1,6}"
)
DEED_ZH = (
    r"(?:(?:轻轻|慢慢|悄悄|高兴|开心|兴奋|害羞|偷偷|用力|忍不住|突然|一边|开始)地?|[^，。！？]{1,4}地)?"
    r"(?:摇|晃|跳|蹦|蹭|扑|抱|拍|摸|挥|举|扭|伸|蹲|坐下|站起|躺|趴|靠|凑|眨|盯|歪|低头|抬头|捂|牵|递|竖|甩|踮|翘|嘟|舔|吐舌|"
    r"转身|转圈|跑来|跑过|飞来|飞过|走来|走过|爬|鼓起|张开|闭上|握)[^，。！？：:]{0,10}"
)
LABEL = (
    r"(?:emotions?|mood|tone|voice|style|speed|pitch|volume|pause|actions?|expression|gesture|effect|sound|speaker|"
    r"情感|情绪|语气|表情|动作|语速|音量|声音|语调|声调|心情|神态|音效|场景|画面)\s?[:：=]\s?[^\n]{1,30}"
)
"""Pattern of a note that a model makes of its manner: [emotion: happy], （语气：温柔）."""
TOKEN = r"(?:uv_break|lbreak|break|laugh|oral|speed|pause)(?:_\d{1,2})?|S[1-9]|[a-z]+(?:_[a-z0-9]+)+"
"""Pattern of an order to voices such as ChatTTS and Dia: [uv_break], [S1]."""
BY_ASTERISKS_EN = re.compile(
    rf"(?:(?:\w+ly|and|then)\s+)*(?:(?P<face>{FACE})|{DEED}|{MANNER_EN})\b(?!.*[.?!].)", re.IGNORECASE
)
BY_BRACKETS_EN = re.compile(
    rf"(?:\w+ly\s+)*(?:{FACE})(?:\s+(?:\w+ly|again|{MANNER_EN}|and\s+(?:{FACE})))*|(?:(?:says?|saying)\s+)?{MANNER_EN}|{LABEL}",
    re.IGNORECASE,
)
BY_SQUARE_BRACKETS = re.compile(rf"(?:{HEARD_EN})(?:,? (?:and )?(?:{HEARD_EN}))?|{TOKEN}", re.IGNORECASE)
BY_ASTERISKS_ZH = re.compile(rf"[^a-zA-Z0-9？?]{{0,8}}(?:{STAGE_ZH})[^a-zA-Z0-9？?]{{0,8}}")
BY_ONE_ASTERISK_ZH = re.compile(rf"{DEED_ZH}|{MANNER_ZH}")
BY_BRACKETS_ZH = re.compile(
    rf"(?:[\u4e00-\u9fff]{{1,4}}地|轻轻|微微|忍不住|突然|一边)?(?:(?:{STAGE_ZH})地?)+"
    r"(?:着|了|说|道|一下|起来|出声|一笑|状|脸|貌|中|[。！~～])*"
    rf"|{HEARD_ZH}|{MANNER_ZH}"
)


def asterisks(m: Match) -> str:
    """Leave out a stage direction between asterisks or underscores; what is only stressed stays."""
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
    once = begins and m[0][0] == "*" != m[0][1] and m.string[m.end() : m.end() + 1] not in tuple("是也的和就有很能会")
    if once and BY_ONE_ASTERISK_ZH.fullmatch(inside):
        return PAUSE
    return inside


def brackets(m: Match) -> str:
    """Leave out a stage direction in brackets, and what is meant for another voice."""
    inside = m[1].strip(" *_")
    kinds = (BY_BRACKETS_EN, BY_BRACKETS_ZH, *([BY_SQUARE_BRACKETS] if m[0][0] in "[【{" else []))
    return PAUSE if any(kind.fullmatch(inside) for kind in kinds) else m[0]


def _face(m: Match) -> str:
    """Leave out a face in brackets: it has no word in it, and a sign that no sentence has."""
    inside = m[1] or ""
    if A_WORD.search(inside.replace("益", "").replace("皿", "")):
        return m[0]
    return PAUSE if ODD.search(inside) or not WORD.search(inside) else m[0]


ODD = re.compile(r"[^\w\s,.;:?!+*/=、，。；：？！'\"“”‘’&%$€£¥@#＜＞≤≥≠×÷±√−²³-]|_")
ARMS = r"\\/＼／ヽノﾉ╰╯╭╮っつづლᕙᕗ٩۶୧୨وงฅΣ"
"""Arms of a face. One left over would be a letter, and may change the language of all that is said."""
A_WORD = re.compile(r"[^\W_]{2,}|[0-9\u4e00-\u9fff]")
A_WORD_IN_A_FACE = re.compile(r"[A-Za-z]{3,}|[\u4e00-\u9fff]{2,}|[\u3041-\u3096]{2,}|[0-9]{2,}")
FACE_SIGNS = re.compile(r"[≧≦▽∀ωдДﾟ◕‿｡•ᴗ╥﹏￣︶ಠ益皿ಥಡ´`^＾；▔ε◡◠☆★♪°□⊙_]")
OPTION = re.compile(r"(?:answer|option|choice|question|选项?|选择|答案|题)\s?\Z", re.IGNORECASE)


def _wide_face(m: Match) -> str:
    """Leave out a face with digits or kana in it: (づ￣3￣)づ."""
    return PAUSE if len(FACE_SIGNS.findall(m[1])) > 1 and not A_WORD_IN_A_FACE.search(m[1]) else m[0]


def _smiley(m: Match) -> str:
    """Leave out `:D`, unless it is the letter of an answer."""
    return m[0] if m[0][-1].isalpha() and OPTION.search(m.string[max(0, m.start() - 10) : m.start()]) else PAUSE


FACES = (
    rule(r"¯\\?_[(（]ツ[)）]_\\?/¯", PAUSE),
    rule(
        rf"(?:[{ARMS}]|(?<![A-Za-z])[oO])?[(（]([^()（）\n]{{2,24}})[)）](?:[{ARMS}ブシ][\"ﾞ゛]?|[oO](?![A-Za-z]))?(?:╭❤)?",
        _wide_face,
    ),
    rule(rf"(?:(?<![A-Za-z])[oO])?[(（]([^()（）\n]{{0,24}})[)）](?:[{ARMS}][\"ﾞ゛])?", _face),
    rule(r"ʕ[^ʕʔ\n]{1,12}ʔ", PAUSE),
    rule(
        rf"(?<={PAUSE})[*～~]?[oO](?![A-Za-z])|(?<={PAUSE})[{ARMS}](?!\w)|(?<![A-Za-z0-9\u3041-\u30ff\u0600-\u065f])[{ARMS}](?={PAUSE})"
    ),
    rule(rf"(?<=[\u4e00-\u9fff])[ツシッヅヾノﾉ](?![\u3040-\u30ff])(?=[{PAUSE}，。！？~～\s]|\Z)"),
    rule(rf"[ヽヾ╰╭](?={PAUSE})"),
    rule(
        r"(?<![A-Za-z0-9])([TOoQUu><^=;ಠ•°\-＾ˊˋ≧≦])[_.＿ωwvo▽∀﹏^]{1,3}(?:\1|(?<=>.)<|(?<=≧.)≦)(?![A-Za-z0-9])", PAUSE
    ),
    rule(
        r"(?<![A-Za-z0-9_/])(?:[:;][-'^o]?[)(*\\/|\]\[]|(?<![0-9] )=[-'^o]?[)(\]\[]|(?<![0-9] )[:;=][-'^o]?[DPpO]"
        r"|[xX]D|:'\(|[oO]rz|OwO|QAQ|QwQ|UwU|TAT|[oO][_.][oO])(?![A-Za-z0-9_/])",
        _smiley,
    ),
    rule(r"(?<![\w:]):[a-z+-][a-z0-9_+-]{1,30}:(?![\w:])"),  # :smile:
)
"""Faces, which go before their parts look like markdown."""
