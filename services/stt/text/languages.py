"""Languages by their code and by their name, in every form that callers write."""

import re

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
"""A language's words, the code first; the first of more than three letters is its name."""

UNSTATED = frozenset({"", "auto", "und"})

_ROWS = [row.split() for line in TABLE.split("\n") if line for row in line.split("|")]
_CODES = {word: row[0] for row in _ROWS for word in row} | {
    "中文": "zh",
    "简体": "zh",
    "简体中文": "zh",
    "繁體": "zh",
    "繁體中文": "zh",
    "汉语": "zh",
    "粤语": "yue",
    "粵語": "yue",
}
_NAMES = {row[0]: next((word for word in row[1:] if len(word) > 3), row[-1]).replace("_", " ") for row in _ROWS}


class UnknownLanguage(ValueError):
    """No language is called that; the message says so."""


def code_of(name: str) -> str | None:
    """`en` for `en-US`, `eng` or `English`; None where none is stated.

    Raises:
        UnknownLanguage: Nothing that is known.
    """
    word = "_".join(name.strip().lower().split())
    if word in UNSTATED:
        return None
    code = _CODES.get(word) or _CODES.get(re.split("[-_(]", word)[0])
    if code is None:
        raise UnknownLanguage(f"Invalid language {name.strip()[:40]!r}. Send an ISO 639-1 code, such as 'en' or 'zh'.")
    return code


def name_of(code: str) -> str:
    """`english` for `en`."""
    return _NAMES.get(code, code)
