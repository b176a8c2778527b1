"""Tags of languages as voices and engines write them: `cmn`, `en_us`, `zh-CN-YunjianNeural`."""

import re

TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{2}|\d{3})(?:[-_+].*)?|\+.*)?", re.IGNORECASE)
"""`zh-CN-YunjianNeural`, `en_us`, `de`, `ko+f3`; not `my-voice`."""
_SAME_LANGUAGE = {"cmn": "zh-CN", "yue": "zh-HK", "no": "nb", "iw": "he", "in": "id", "tl": "fil"}


def normal(tag: str) -> str:
    """Return a tag in the form of BCP 47, with one name for each language: `cmn` → `zh-CN`, `en_us` → `en-US`."""
    language, _, rest = tag.replace("_", "-").partition("-")
    own = _SAME_LANGUAGE.get(language.lower(), language.lower())
    parts = [part.upper() if len(part) == 2 else part for part in rest.split("-") if part]
    return own if "-" in own else "-".join([own, *parts])
