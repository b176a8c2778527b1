"""Stage directions: `*wags tail*`, `（微笑）`, `[laughs softly]`. A listener should not hear them as words.

One table for llm, which takes them out while an answer still has its marks, and for tts, which is asked by anybody.
"""

import re

_MOST_STAGE = 60
"""Characters of a stage direction; a longer one is a story."""
IN_ASTERISKS = (
    rf"\*{{1,3}}([^*\n]{{1,{_MOST_STAGE}}})\*{{1,3}}|(?<!\w)_{{1,3}}([^_\n]{{1,{_MOST_STAGE}}})_{{1,3}}(?!\w)"
)
"""Pattern of a text between asterisks or underscores."""
IN_BRACKETS = r"[(（【\[{]([^()（）【】\[\]{}\n]{1,40})[)）】\]}]"
AROUND = 2
"""Characters beside such a text by which it is judged."""
_ENDS = (",", "，", ".", "。", ";", "；", ":", "：", "、", "!", "！", "?", "？", "…", "~", "～", "）", ")")
_NO_DEED = tuple("是也的和就有很能会")
"""Characters that go on with a sentence whose word was only stressed."""
_FACE = (
    "smil(?:es|ing)|laugh(?:s|ing)|giggl(?:es|ing)|chuckl(?:es|ing)|grin(?:s|ning)|smirk(?:s|ing)|wink(?:s|ing)|"
    "nod(?:s|ding)|sigh(?:s|ing)|blush(?:es|ing)|shrug(?:s|ging)|gasp(?:s|ing)|yawn(?:s|ing)|sob(?:s|bing)|"
    "frown(?:s|ing)|pout(?:s|ing)|hum(?:s|ming)|whisper(?:s|ing)|clap(?:s|ping)|wav(?:es|ing)|blink(?:s|ing)|"
    "clears? (?:\\w+ )?throat|pauses|bows|hugs|snuggles|purrs|sniffles|shivers|beams|cheers|claps"
)
_DEED = (
    "jump(?:s|ing)|danc(?:es|ing)|spin(?:s|ning)|run(?:s|ning)|walk(?:s|ing)|look(?:s|ing)|turn(?:s|ing)|point(?:s|ing)|"
    "tilt(?:s|ing)|lean(?:s|ing)|hold(?:s|ing)|reach(?:es|ing)|pat(?:s|ting)|rub(?:s|bing)|scratch(?:es|ing)|"
    "stretch(?:es|ing)|hug(?:s|ging)|cuddl(?:es|ing)|wag(?:s|ging)|bark(?:s|ing)|roar(?:s|ing)|growl(?:s|ing)|"
    "meow(?:s|ing)|sing(?:s|ing)|twirl(?:s|ing)|bounc(?:es|ing)|hop(?:s|ping)|think(?:s|ing)|rais(?:es|ing)|"
    "shak(?:es|ing)|tak(?:es|ing)|sits?|stands?|pull(?:s|ing)|kiss(?:es|ing)|cr(?:ies|ying)|points|"
    "gently \\w+s|ears|tail|eyes"
)
_STAGE_ZH = (
    "微笑|大笑|偷笑|傻笑|苦笑|坏笑|轻笑|爆笑|笑嘻嘻|笑眯眯|笑|哭|泣|眨眼睛?|眨眨眼睛?|挥挥?手|招招?手|点点?头|摇摇?头|歪歪?头|歪着头|鼓掌|拍拍?手|"
    "拥抱|抱抱|抱住|叹口?气|脸红|害羞|撒娇|摊手|耸耸?肩|吐吐?舌头|捂嘴|惊讶|疑惑|思考|沉思|沉默|停顿|咳嗽|清清?嗓子|打哈欠|伸懒腰|转圈圈?|跳舞|蹦蹦跳跳|"
    "跳起来|摸摸?头|摸摸你的头|比心|敬礼|鞠躬|汗|开心|高兴|激动|兴奋|生气|难过|委屈|得意|小声|轻声|悄悄|温柔"
)
_MANNER_EN = (
    r"(?:in|with) an? (?:[\w-]+,? ){0,3}(?:voice|tone|whisper|smile|grin|laugh|giggle|chuckle|sigh|accent|wink|nod|hug)"
)
"""How something is said: (in a deep voice), *with a big smile*."""
_HEARD_EN = (
    "laughter|(?:soft |loud )?applause|(?:soft |gentle |happy |upbeat )?music(?: plays| playing| fades(?: in| out)?)?|"
    "(?:short |long )?pause|silence|(?:deep )?breath|inhales|exhales|coughs?|sniffs?|groans?|moans?|yawn|sigh|giggle|"
    "chuckle|laugh|gasp|whisper|sound effects?|singing|humming|crying|sobbing|excited|happy|sad|angry|sarcastic|"
    "curious|cheerful|(?:soft|quiet|gent|cheerful|happi|sad|excited|slow|warm|playful|whispering|sarcastical|mischievous)l?ly"
)
"""Sounds and moods in brackets: [laughter], [excited]."""
_HEARD_ZH = (
    r"(?:背景)?音乐(?:声)?(?:响起|渐起|渐弱|停止|起|停)?|音效|[^，。！？]{0,4}(?<![第一二三四轻])(?:笑|掌|歌|哭|鼓|铃|钟|雨|风|雷|水|浪|"
    r"叫|步|门|呼|琴|鸣|啼)声(?:响起|渐弱|渐起|停止|起|停)?|此处(?:应有|应该有|有)[^，。！？]{1,6}"
)
_MANNER_ZH = (
    r"(?:用|以|带着)[^，。！？]{1,10}(?:声音|语气|口吻|语调|嗓音|声调|声线|表情|微笑|眼神)[地说道唱讲]{0,2}|"
    r"(?:学|模仿)[^，。！？]{1,6}(?:叫|叫声|的声音|说话|的样子)|模仿[^，。！？]{1,6}"
)
_DEED_ZH = (
    r"(?:(?:轻轻|慢慢|悄悄|高兴|开心|兴奋|害羞|偷偷|用力|忍不住|突然|一边|开始)地?|[^，。！？]{1,4}地)?"
    r"(?:摇|晃|跳|蹦|蹭|扑|抱|拍|摸|挥|举|扭|伸|蹲|坐下|站起|躺|趴|靠|凑|眨|盯|歪|低头|抬头|捂|牵|递|竖|甩|踮|翘|嘟|舔|吐舌|"
    r"转身|转圈|跑来|跑过|飞来|飞过|走来|走过|爬|鼓起|张开|闭上|握)[^，。！？：:]{0,10}"
)
_LABEL = (
    r"(?:emotions?|mood|tone|voice|style|speed|pitch|volume|pause|actions?|expression|gesture|effect|sound|speaker|"
    r"情感|情绪|语气|表情|动作|语速|音量|声音|语调|声调|心情|神态|音效|场景|画面)\s?[:：=]\s?[^\n]{1,30}"
)
"""Pattern of a note that a model makes of its manner: [emotion: happy], （语气：温柔）."""
_TOKEN = r"(?:uv_break|lbreak|break|laugh|oral|speed|pause)(?:_\d{1,2})?|S[1-9]|[a-z]+(?:_[a-z0-9]+)+"
"""Pattern of an order to voices such as ChatTTS and Dia: [uv_break], [S1]."""
_BY_ASTERISKS_EN = re.compile(
    rf"(?:(?:\w+ly|and|then)\s+)*(?:(?P<face>{_FACE})|{_DEED}|{_MANNER_EN})\b(?!.*[.?!].)", re.IGNORECASE
)
_BY_BRACKETS_EN = re.compile(
    rf"(?:\w+ly\s+)*(?:{_FACE})(?:\s+(?:\w+ly|again|{_MANNER_EN}|and\s+(?:{_FACE})))*|(?:(?:says?|saying)\s+)?{_MANNER_EN}|{_LABEL}",
    re.IGNORECASE,
)
_BY_SQUARE_BRACKETS = re.compile(rf"(?:{_HEARD_EN})(?:,? (?:and )?(?:{_HEARD_EN}))?|{_TOKEN}", re.IGNORECASE)
_BY_ASTERISKS_ZH = re.compile(rf"[^a-zA-Z0-9？?]{{0,8}}(?:{_STAGE_ZH})[^a-zA-Z0-9？?]{{0,8}}")
_BY_ONE_ASTERISK_ZH = re.compile(rf"{_DEED_ZH}|{_MANNER_ZH}")
_BY_BRACKETS_ZH = re.compile(
    rf"(?:[\u4e00-\u9fff]{{1,4}}地|轻轻|微微|忍不住|突然|一边)?(?:(?:{_STAGE_ZH})地?)+"
    r"(?:着|了|说|道|一下|起来|出声|一笑|状|脸|貌|中|[。！~～])*"
    rf"|{_HEARD_ZH}|{_MANNER_ZH}"
)

_BODILY_EN = re.compile(
    r"(?:\w+ly )*(?:wag|bark|jump|danc|spin|twirl|bounc|tilt|lean|hug|cuddl|stretch|growl|roar|meow|wiggl|hop)"
    r"(?:e?s|ging|ping|ning|ing)(?: [\w']+){0,5}"
)
_BODILY_ZH = re.compile(
    rf"{_DEED_ZH}(?:(?<=[手头脚圈嘴你臂])|(?<=尾巴|耳朵|眼睛|身子|身体|肚子|脑袋|胳膊|爪子|翅膀|舌头|鼻子|起来|过来|下来|过去))[。！~～]*"
)
"""Patterns of deeds in brackets: of the body, or they might be a remark."""
_COMMA = re.compile(r"[，,、]\s*")


def is_between_asterisks(found: re.Match[str], before: str, after: str) -> bool:
    """Return whether what `IN_ASTERISKS` found is a stage direction, and no word that is only stressed.

    Args:
        before: The `AROUND` characters before it, or as many as there are.
        after: Those behind it.
    """
    inside = (found[1] or found[2]).strip(" *_")
    begins = _begins(before)
    stands_alone = begins or not after.strip(" *_\n")
    if (deed := _BY_ASTERISKS_EN.match(inside)) and len(inside.split()) <= 10 and inside[-1:] not in "?":
        goes_on = after.strip()[:1].islower()
        if stands_alone or (deed["face"] and deed.end() == len(inside) and not goes_on):
            return True
    if stands_alone and _BY_ASTERISKS_ZH.fullmatch(inside):
        return True
    once = begins and found[0][0] == "*" != found[0][1] and after[:1] not in _NO_DEED
    return once and all(_BY_ONE_ASTERISK_ZH.fullmatch(part) for part in _COMMA.split(inside))


def is_in_brackets(found: re.Match[str], before: str) -> bool:
    """Return whether what `IN_BRACKETS` found is a stage direction, or meant for another voice.

    Args:
        before: The `AROUND` characters before it, or as many as there are.
    """
    inside = found[1].strip(" *_")
    kinds = [_BY_BRACKETS_EN, _BY_BRACKETS_ZH, *([_BY_SQUARE_BRACKETS] if found[0][0] in "[【{" else [])]
    if any(kind.fullmatch(inside) for kind in kinds):
        return True
    if _begins(before):
        kinds += [_BODILY_EN, _BODILY_ZH]
    return all(any(kind.fullmatch(part) for kind in kinds) for part in _COMMA.split(inside))


def _begins(before: str) -> bool:
    """Return whether a sentence or a clause begins after these characters."""
    return before.strip(' "”」*_')[-1:] in ("", "\n", *_ENDS)
