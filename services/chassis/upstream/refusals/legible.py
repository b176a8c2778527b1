"""Read the body of a refusal in whatever letters and wrapping it comes."""

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_LE
from typing import Any

_DECODER = json.JSONDecoder(strict=False)
_WIDE = {BOM_UTF32_LE: "utf-32", BOM_UTF16_LE: "utf-16", BOM_UTF16_BE: "utf-16"}


def legible(body: bytes) -> str:
    """Return the text of `body`: UTF-8, wider letters with a byte order mark, or those of Chinese servers."""
    letters = next((letters for mark, letters in _WIDE.items() if body.startswith(mark)), "utf-8-sig")
    for each in (letters, "gb18030"):
        try:
            return body.decode(each).strip().strip('"')
        except UnicodeDecodeError:
            continue
    return ""


def first_object(text: str) -> Any:
    """Return the first JSON object in `text`, which may stand in an event, in a string, or after a prefix.

    None where there is none.
    """
    for unwrapped in (text, text.replace('\\"', '"')):
        if (start := unwrapped.find("{")) >= 0:
            try:
                return _DECODER.raw_decode(unwrapped, start)[0]
            except (ValueError, RecursionError):
                continue
    return None
