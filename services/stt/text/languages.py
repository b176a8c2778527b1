"""Languages by their code and by their name, in every form that callers write."""

import re
import unicodedata

from chassis.script_language import detect

TABLE = """
en eng english|zh zho chi cmn chinese mandarin|de deu ger german|es spa spanish castilian|ru rus russian|ko kor korean
fr fra fre french|ja jpn japanese|pt por portuguese|tr tur turkish|pl pol polish|ca cat catalan valencian
nl nld dut dutch flemish|ar ara arabic|sv swe swedish|it ita italian|id ind indonesian|hi hin hindi|fi fin finnish
vi vie vietnamese|he heb iw hebrew|uk ukr ukrainian|el ell gre greek|ms msa may malay|cs ces cze czech
ro ron rum romanian moldavian moldovan|da dan danish|hu hun hungarian|ta tam tamil|no nor nob nb norwegian|th tha thai
ur urd urdu|hr hrv croatian|bg bul bulgarian|lt lit lithuanian|la lat latin|mi mri mao maori|ml mal malayalam
cy cym wel welsh|sk slk slo slovak|te tel telugu|fa fas per persian|lv lav latvian|bn ben bengali|sr srp serbian
az aze azerbaijani|sl slv slovenian|kn kan kannada|et est estonian|mk mkd mac macedonian|br bre breton
eu eus baq basque|is isl ice icelandic|hy hye arm armenian|ne nep nepali|mn mon mongolian|bs bos bosnian|kk kaz kazakh
sq sqi alb albanian|sw swa swahili|gl glg galician|mr mar marathi|pa pan punjabi panjabi|si sin sinhala sinhalese
km khm khmer|sn sna shona|yo yor yoruba|so som somali|af afr afrikaans|oc oci occitan|ka kat geo georgian
be bel belarusian|tg tgk tajik|sd snd sindhi|gu guj gujarati|am amh amharic|yi yid yiddish|lo lao lao|uz uzb uzbek
fo fao faroese|ht hat haitian_creole haitian|ps pus pashto pushto|tk tuk turkmen|nn nno nynorsk|mt mlt maltese
sa san sanskrit|lb ltz luxembourgish letzeburgesch|my mya bur myanmar burmese|bo bod tib tibetan|tl tgl fil tagalog
mg mlg malagasy|as asm assamese|tt tat tatar|haw hawaiian|ln lin lingala|ha hau hausa|ba bak bashkir|jw jv jav javanese
su sun sundanese|yue cantonese
"""
"""Words for each language, the code first; the first of more than three letters is its name."""

_UNSTATED = frozenset(
    (
        *(
            "",
            "auto",
            "und",
            "mul",
            "null",
            "none",
            "undefined",
            "unknown",
            "nan",
            "n/a",
            "default",
            "any",
            "all",
            "mixed",
        ),
        *("detect", "autodetect", "auto_detect", "detect_language", "language_detection", "automatic", "multi"),
        *("multilingual", "multilanguage", "自动", "自动检测", "自动识别", "自動", "自動偵測", "多语言", "未知"),
    )
)
"""Words that clients send where no language was chosen."""

_QUOTES = "\"' \t\r\n"
"""Signs around a name that a client wrote as JSON or for a shell."""

_OWN_NAMES = """
zh 中文 汉语 漢語 华语 華語 国语 國語 普通话 普通話 官话 中国话 简体 簡體 简体中文 簡體中文 繁体 繁體 繁体中文 繁體中文
yue 粤语 粵語 广东话 廣東話 广州话 白话|en 英语 英文 英語|ja 日语 日文 日語 日本語|ko 韩语 韩文 韓語 韓文 朝鲜语 한국어
fr 法语 法文 法語 français francais|de 德语 德文 德語 deutsch|es 西班牙语 西班牙文 西班牙語 español espanol
ru 俄语 俄文 俄語 русский|pt 葡萄牙语 葡萄牙文 葡萄牙語 português portugues|it 意大利语 意大利文 義大利文 italiano
nl 荷兰语 nederlands|tr 土耳其语 türkçe|pl 波兰语 polski|ar 阿拉伯语 العربية|hi 印地语 हिन्दी|th 泰语 泰文 ไทย
vi 越南语 越南文 tiếng_việt|id 印尼语 印度尼西亚语 bahasa_indonesia|ms 马来语 bahasa_melayu|uk 乌克兰语 українська
sv 瑞典语 svenska|da 丹麦语 dansk|no 挪威语 norsk|fi 芬兰语 suomi|cs 捷克语 čeština|el 希腊语 ελληνικά|he 希伯来语 עברית
"""
"""Languages by the names that their speakers and Chinese callers give them."""


def _rows(table: str) -> list[list[str]]:
    return [row.split() for line in table.split("\n") if line for row in line.split("|")]


_ROWS = _rows(TABLE)
_CODES = {word: row[0] for row in [*_ROWS, *_rows(_OWN_NAMES)] for word in row}
_NAMES = {row[0]: next((word for word in row[1:] if len(word) > 3), row[-1]).replace("_", " ") for row in _ROWS}


class UnknownLanguage(ValueError):
    """No language has such a name; the message says so."""


def code_of(name: str) -> str | None:
    """Return `en` for `en-US`, `eng`, `English` or `英语（美国）`; None where no language is stated.

    Raises:
        UnknownLanguage: The name is none that is known.
    """
    word = "_".join(unicodedata.normalize("NFKC", name).lower().strip(_QUOTES).split())
    if word.replace("-", "_") in _UNSTATED:
        return None
    parts = [part for part in re.split("[-_().·]", word) if part]
    if any(_CODES.get(part) == "yue" for part in parts):  # `zh-yue`, `中文（粤语）`
        return "yue"
    code = _CODES.get(word) or (_CODES.get(parts[0]) if parts else None)
    if code is None:
        raise UnknownLanguage(f"Invalid language {name.strip()[:40]!r}. Send an ISO 639-1 code, such as 'en' or 'zh'.")
    return code


def known_code(name: str | None) -> str | None:
    """Return `zh` for `zh` or `chinese`; None for what is no language."""
    try:
        return code_of(name) if name else None
    except UnknownLanguage:
        return None


def guessed(text: str) -> str:
    """Return the language of a text by its letters alone; English for Latin ones."""
    return detect(text) or "en"


def name_of(code: str) -> str:
    """Return `english` for `en`."""
    return _NAMES.get(code, code)
