"""Figures that name something, in Chinese: telephone numbers, rooms, codes, versions, keys of music."""

from collections.abc import Sequence

from tts.text import forms_zh as say
from tts.text import words_zh as words
from tts.text.figure_rules import A_SENTENCE, A_VERSION, HAN, HEAD, LINES_OF_SCREEN, SCREEN, TAIL, VERSIONED, N
from tts.text.numbers_zh import cardinal, digits, number
from tts.text.rules import Rule, rule

NAMES: Sequence[Rule] = (
    rule(rf"{HEAD}(?:\+?86[- ]?)?1[3-9][0-9](?:[- ]?[0-9]{{4}}){{2}}{TAIL}", say.telephone),
    rule(rf"[(（](0[0-9]{{2,3}})[)）][- ]?([0-9]{{3,4}}[- ]?[0-9]{{4}}){TAIL}", say.telephone),
    rule(
        rf"(?<![0-9.,-])(?:0[0-9]{{2,3}}[- ]?[0-9]{{3,4}}[- ]?[0-9]{{4}}|(?:400"
        rf"|800)[- ]?[0-9]{{3,4}}[- ]?[0-9]{{3,4}}){TAIL}",
        say.telephone,
    ),
    rule(A_SENTENCE, say.emergency),
    rule(
        rf"{HEAD}(?<![A-Za-z])(?:12306|12315|12345|12123|10086|10010|955[0-9]{{2}}){TAIL}(?!\s?(?:{words.COUNTED})|[.,年月日])",
        say.telephone,
    ),
    rule(r"(?<![0-9.,])114(?=查号|台)", say.telephone),
    rule(r"(?<![0-9.,])12345(?=[，,]?\s?上山)", lambda m: digits(m[0])),
    rule(
        rf"{HEAD}((?:19|20)[0-9]{{2}})(?=奥运|冬奥|亚运|世博|世界杯|欧洲杯|春晚|高考|中考|款|新年)",
        lambda m: digits(m[0]),
    ),
    rule(r"(血压[^0-9，。]{0,4}[0-9]{2,3})/([0-9]{2,3})", r"\1，\2"),
    rule(r"(?<![0-9/])([0-9]{2,3})/([0-9]{2,3})(?=\s?(?:mmHg|毫米汞柱))", r"\1，\2"),
    rule(
        rf"(?:[南北]纬|[东西]经)?{HEAD}([0-9]{{1,3}})°\s?([0-9]{{1,2}})['’′](?:\s?({N})[\"”″])?\s?([NSEW])(?![A-Za-z])",
        lambda m: words.HEAVENLY[m[4]] + say.arc(m),
    ),
    rule(rf"{HEAD}([0-9]{{1,3}})°\s?([0-9]{{1,2}})['’′](?:\s?({N})[\"”″])?", say.arc),
    rule(r"(?<![0-9.])([1-9]|1[24568])\+\s?岁", r"\1岁以上"),
    rule(r"(?<![A-Za-z])[Uu]nder[- ]([1-9][0-9]?)s(?![A-Za-z])", r"\1岁以下"),
    rule(r"(?<![A-Za-z])[Oo]ver[- ]([1-9][0-9]?)s(?![A-Za-z])", r"\1岁以上"),
    rule("和/或", "和或"),
    rule(
        r"((?:评分|得分|打分|分数|评价|评级)[是为了：: ]{0,3})([0-9]{1,3}(?:\.[0-9])?)分?/(5|10|20)分?(?![0-9/])",
        say.rated,
    ),
    rule(
        rf"(?<=[{HAN}])([0-9]{{1,3}})-([0-9]{{1,3}})(?=[{HAN}]{{2}})(?!{words.COUNTED}|[月日号级路线版折])",
        say.final_score,
    ),
    rule(r"(?<![A-Za-z])(UTC|GMT)\s?[-−–](?=[0-9])", r"\1减"),
    rule(
        r"(?<![A-Za-z])((?:GB|GB/T|DB|QB|YY|ISO|IEC|EN|JGJ)(?:/T)?)\s?([0-9.]{2,8})[-—–]((?:19|20)[0-9]{2})(?![0-9])",
        say.standard,
    ),
    rule(r"(?<![0-9/])24/7(?![0-9/])", "七乘二十四小时"),
    rule(r"(步骤|进度|任务|关卡)([0-9]{1,3})/([0-9]{1,3})(?![0-9/])", r"\1\2，共\3"),
    rule(r"((?:用时|耗时|时长|成绩)[是为：: ]?)([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])(?![0-9:])", say.lasted),
    rule(r"(?<![0-9.-])400[0-9]-[0-9]{3}-[0-9]{3}(?![0-9-])", say.telephone),
    rule(r"(?<![0-9.])6{3,5}(?=[啊呀哇]|[！!~～])", lambda m: digits(m[0])),
    rule(r"(?<![0-9.])5{3,6}(?=[我~～…])", "呜呜呜"),
    rule(r"(?<![0-9.])88(?=[啦咯~～])", "拜拜"),
    rule(r"(?<![A-Za-z/])([A-Z])/([A-Z])(?![A-Za-z/])", r"\1 \2"),
    rule(r"(?<![A-Za-z])[Ss]0?([0-9]{1,2})[Ee]0?([0-9]{1,2})(?![0-9A-Za-z])", r"第\1季第\2集"),
    rule(r"(?<![A-Za-z])(?:EP|[Ee]p)\.?\s?([0-9]{1,3})(?![0-9])", r"第\1集"),
    rule(r"(?<=[零幺二三四五六七八九])(转|分机)([0-9]{1,6})(?![0-9.]|[圈下个])", say.spelt_aloud),
    rule(rf"{HEAD}()([0-9]{{3,4}})(?={words.NAMED})", say.spelt),
    rule(rf"((?:{words.DIAGRAMS})\s?)([0-9]{{1,2}})[-–—]([0-9]{{1,2}})(?![0-9]|\s?=)", r"\1\2杠\3"),
    rule(rf"{HEAD}([0-9]+(?:\.[0-9]+)?)[wW](?=\+|\s?(?:{words.COUNTED_ONLINE}))", r"\1万"),
    rule(rf"{HEAD}([0-9]+(?:\.[0-9]+)?)[kK](?=\+|\s?(?:{words.COUNTED_ONLINE}))", lambda m: f"{number(m[1])}千"),
    rule(r"(?<![A-Za-z])[pP]\.\s?([0-9]{1,4})(?![0-9A-Za-z])", r"第\1页"),
    rule(
        r"((?:周|星期|礼拜)[一二三四五六日天]\s?[(（])([0-9]{1,2})/([0-9]{1,2})(?=[)）])",
        say.labelled_date,
    ),
    rule(r"(?<![\w.,-])()([0-9]+(?:-[0-9]+){3,})(?![\w-])", say.spelt),
    rule(r"(?<![\w.,-])[0-9]{1,2}(?:-[0-9]{1,2}){2}(?![\w-])", lambda m: m[0].replace("-", "，")),
    rule(
        rf"((?:{words.LINES})(?:号码?)?[是为：: ]{{0,2}})\+?([0-9](?:[- ]?[0-9]){{2,15}}){TAIL}(?![.年月日点%]|\s?"
        rf"(?:{words.COUNTED}))",
        say.spelt_aloud,
    ),
    rule(rf"((?:{words.ACCOUNTS})[是为：: ]{{0,2}})([A-Za-z]{{0,3}}[0-9]{{3,15}}){TAIL}", say.spelt_aloud),
    rule(r"((?:微信|QQ|qq|账|帐)号?[是为：: ]{0,2}[A-Za-z][A-Za-z_ ]{0,24})([0-9]{2,15})", say.spelt_aloud),
    rule(rf"([{words.PLATES}][A-Z][·• ]?)([A-Z0-9]{{5,6}})(?![A-Za-z0-9])", say.spelt_aloud),
    rule(
        rf"((?:{words.CODES})[是为：:号码# ]{{0,3}})([A-Za-z]{{0,3}}[0-9]{{3,20}}|[0-9]+(?:-[0-9]+){{1,4}})"
        rf"{TAIL}(?!\.[0-9]|\s?[元万亿%])",
        say.spelt,
    ),
    rule(rf"{HEAD}()([0-9]{{3,4}})(?=(?:{words.ROOMS}))", say.spelt),
    rule(
        r"(?<![\w.,-])(?:\+|00(?=[1-9][0-9]{0,2}[ -]))(?=(?:[^0-9]{0,2}[0-9]){8})[0-9]{1,3}"
        r"(?:[ -]?\(?[0-9]{1,6}\)?){2,6}(?![0-9-])",
        say.telephone,
    ),
    rule(rf"(?<![0-9.,])(?:{SCREEN}|{LINES_OF_SCREEN}(?=[pP](?![A-Za-z])))", say.screen),
    rule(rf"((?:{VERSIONED}|版本|版|系统)\s?v?){A_VERSION}", lambda m: f"{m[1]}{cardinal(m[2])}点{cardinal(m[3])}"),
    rule(r"(?:(?<=[去在到家的个是])|(?<=^))7-11(?=便利店|超市|店|买|吃|[，。！？]|$)", "七十一"),
    rule(r"(?<![A-Za-z0-9])([A-G])([#b])(?=[大小]?调|和弦|音)", lambda m: ("升" if m[2] == "#" else "降") + m[1]),
    rule(r"(?<![A-Za-z0-9])([CF])#(?![A-Za-z0-9#])", r"\1 sharp"),
    rule(r"(?<![0-9/])([2-9]|12)/([248]|16)(?=拍)", lambda m: digits(m[2]) + digits(m[1])),
    rule(r"(?<![0-9.])([1-9])\.([1-9])(?=折)", lambda m: digits(m[0])),
    rule(r"(?<![0-9/])([0-9]{1,3}(?:\.[0-9])?)/(5|10|100|120|150)分(?!之)", r"\1分，满分\2分"),
    rule(rf"{HEAD}()([0-9]{{3}})(?=[国省县]道)", say.spelt_aloud),
    rule(rf"{HEAD}()([0-9]{{3}})(?=路(?:公交|车|汽车|电车|站|$|[，。！？、到的]))", say.spelt_aloud),
)
"""Figures that name something: they are read one by one."""
