"""Names of voices: many follow a custom that says the language and the gender."""

import re
from functools import cache
from typing import Literal, NamedTuple

Gender = Literal["female", "male"]

OPENAI: dict[str, Gender | None] = {
    "alloy": None,
    "nova": "female",
    "shimmer": "female",
    "coral": "female",
    "sage": "female",
    "marin": "female",
    "fable": "male",
    "onyx": "male",
    "echo": "male",
    "ash": "male",
    "ballad": "male",
    "verse": "male",
    "cedar": "male",
}
"""OpenAI's names. `alloy` is the first voice an engine has for a language, whatever it is."""


class VoiceTraits(NamedTuple):
    """Language and gender of a voice, by its name."""

    language: str
    gender: Gender | None


KOKORO = re.compile(r"([abjzefhip])([fm])_\w+", re.IGNORECASE)
KOKORO_LANGUAGES = {
    "a": "en-US",
    "b": "en-GB",
    "j": "ja-JP",
    "z": "zh-CN",
    "e": "es-ES",
    "f": "fr-FR",
    "h": "hi-IN",
    "i": "it-IT",
    "p": "pt-BR",
}
_COSYVOICE = re.compile(r"(中文|英文|日语|粤语|韩语)([男女])")
_COSYVOICE_LANGUAGES = {"中文": "zh-CN", "英文": "en-US", "日语": "ja-JP", "粤语": "zh-HK", "韩语": "ko-KR"}
_GENDERS: dict[str, Gender] = {"f": "female", "m": "male", "女": "female", "男": "male"}


_NEURAL = re.compile(r"([a-z]{2,3})((?:-[a-z]{4,})?)-([a-z]{2})((?:-[a-z]{4,})?)-([a-z]+)neural", re.IGNORECASE)
"""`zh-CN-XiaoxiaoNeural`, `zh-CN-liaoning-XiaobeiNeural`, in any case."""
_MICROSOFT = """
zh-CN Xiaoxiao+ Xiaoyi+ Yunxi Yunjian Yunxia Yunyang
zh-CN-liaoning Xiaobei+
zh-CN-shaanxi Xiaoni+
zh-TW HsiaoChen+ HsiaoYu+ YunJhe
zh-HK HiuMaan+ HiuGaai+ WanLung
en-US EmmaMultilingual+ AvaMultilingual+ AndrewMultilingual BrianMultilingual Jenny+ Aria+ Guy Eric Michelle+ \
Christopher Ana+ Roger Steffan
en-GB Sonia+ Ryan Libby+ Thomas Maisie+
en-AU Natasha+ WilliamMultilingual
en-CA Clara+ Liam
en-IN Neerja+ Prabhat
en-IE Emily+ Connor
ja-JP Nanami+ Keita
ko-KR SunHi+ InJoon HyunsuMultilingual
de-DE SeraphinaMultilingual+ FlorianMultilingual Katja+ Conrad Amala+ Killian
fr-FR VivienneMultilingual+ RemyMultilingual Denise+ Henri Eloise+
fr-CA Sylvie+ Antoine
es-ES Elvira+ Alvaro Ximena+
es-MX Dalia+ Jorge
it-IT Elsa+ Diego Isabella+ GiuseppeMultilingual
pt-BR Francisca+ Antonio ThalitaMultilingual+
pt-PT Raquel+ Duarte
ru-RU Svetlana+ Dmitry
uk-UA Polina+ Ostap
ar-SA Zariyah+ Hamed
ar-EG Salma+ Shakir
fa-IR Dilara+ Farid
ur-PK Uzma+ Asad
he-IL Hila+ Avri
tr-TR Emel+ Ahmet
th-TH Premwadee+ Niwat
vi-VN HoaiMy+ NamMinh
id-ID Gadis+ Ardi
ms-MY Yasmin+ Osman
fil-PH Blessica+ Angelo
hi-IN Swara+ Madhur
bn-IN Tanishaa+ Bashkar
ta-IN Pallavi+ Valluvar
te-IN Shruti+ Mohan
kn-IN Sapna+ Gagan
ml-IN Sobhana+ Midhun
mr-IN Aarohi+ Manohar
gu-IN Dhwani+ Niranjan
ne-NP Hemkala+ Sagar
si-LK Thilini+ Sameera
my-MM Nilar+ Thiha
km-KH Sreymom+ Piseth
lo-LA Keomany+ Chanthavong
ka-GE Eka+ Giorgi
am-ET Mekdes+ Ameha
kk-KZ Aigul+ Daulet
mn-MN Yesui+ Bataa
uz-UZ Madina+ Sardor
el-GR Athina+ Nestoras
nl-NL Colette+ Maarten Fenna+
pl-PL Zofia+ Marek
cs-CZ Vlasta+ Antonin
sk-SK Viktoria+ Lukas
sl-SI Petra+ Rok
hu-HU Noemi+ Tamas
ro-RO Alina+ Emil
bg-BG Kalina+ Borislav
hr-HR Gabrijela+ Srecko
sr-RS Sophie+ Nicholas
mk-MK Marija+ Aleksandar
sv-SE Sofie+ Mattias
nb-NO Pernille+ Finn
da-DK Christel+ Jeppe
fi-FI Noora+ Harri
et-EE Anu+ Kert
lv-LV Everita+ Nils
lt-LT Ona+ Leonas
ca-ES Joana+ Enric
cy-GB Nia+ Aled
ga-IE Orla+ Colm
sw-KE Zuri+ Rafiki
zu-ZA Thando+ Themba
af-ZA Adri+ Willem
"""
"""Microsoft's voices, `+` a woman's; the preferred ones of a language first."""


@cache
def microsoft() -> dict[str, VoiceTraits]:
    """Return language and gender of `zh-CN-XiaoxiaoNeural` and the others."""
    voices: dict[str, VoiceTraits] = {}
    for line in _MICROSOFT.strip().splitlines():
        locale, *names = line.split()
        for name in names:
            gender: Gender = "female" if name.endswith("+") else "male"
            voices[f"{locale}-{name.removesuffix('+')}Neural"] = VoiceTraits(locale, gender)
    return voices


@cache
def _in_lower_case() -> dict[str, VoiceTraits]:
    return {name.lower(): voice for name, voice in microsoft().items()}


def voice_traits(name: str) -> VoiceTraits | None:
    """Return what the name of a voice says, in any case; None where it says nothing."""
    if match := KOKORO.fullmatch(name):
        return VoiceTraits(KOKORO_LANGUAGES[match[1].lower()], _GENDERS[match[2].lower()])
    if match := _COSYVOICE.fullmatch(name):
        return VoiceTraits(_COSYVOICE_LANGUAGES[match[1]], _GENDERS[match[2]])
    if match := _NEURAL.fullmatch(name):
        language, script, region, dialect, _ = match.groups()
        locale = f"{language.lower()}{script.title()}-{region.upper()}{dialect.lower()}"
        return _in_lower_case().get(name.lower(), VoiceTraits(locale, None))
    return None
