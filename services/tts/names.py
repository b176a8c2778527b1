"""What a voice's name tells of it: many follow a custom that says whose voice it is and what it speaks."""

import re
from typing import Literal, NamedTuple

Gender = Literal["female", "male"]


class Told(NamedTuple):
    """What a name says."""

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
COSYVOICE = re.compile(r"(中文|英文|日语|粤语|韩语)([男女])")
COSYVOICE_LANGUAGES = {"中文": "zh-CN", "英文": "en-US", "日语": "ja-JP", "粤语": "zh-HK", "韩语": "ko-KR"}
GENDERS: dict[str, Gender] = {"f": "female", "m": "male", "女": "female", "男": "male"}


def told(name: str) -> Told | None:
    """What the name of a voice says, whoever's it is; None where it says nothing."""
    if match := KOKORO.fullmatch(name):
        return Told(KOKORO_LANGUAGES[match[1].lower()], GENDERS[match[2].lower()])
    if match := COSYVOICE.fullmatch(name):
        return Told(COSYVOICE_LANGUAGES[match[1]], GENDERS[match[2]])
    return None
