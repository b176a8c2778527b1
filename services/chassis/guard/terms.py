"""Terms of a list: how they are separated, and in which forms each is looked for."""

import re
from collections.abc import Iterator

from chassis.guard.normal import HAN, as_written

_FIRST_HAN, _LAST_HAN = re.compile(f"[{HAN}]"), re.compile(f"[{HAN}]$")


def terms_of(text: str) -> list[str]:
    """Return the terms of a list, which commas of either language or ends of lines separate."""
    return [term for part in re.split(r"[,\n，、]", text) if (term := part.strip())]


def keys_of(term: str) -> Iterator[str]:
    """Yield what is looked for: words between blanks in each of their usual forms, Chinese anywhere."""
    is_start, is_exact = term.endswith("*"), term.startswith("=")
    plain = as_written(term.strip("*="))
    words = plain.split()
    if len(words) == 1 and plain.isascii() and not is_start and not is_exact:
        yield from (f" {form} " for form in _inflected(words[0]))
        return
    if _FIRST_HAN.match(plain.strip()):
        plain = plain.lstrip()
    if is_start or _LAST_HAN.search(plain.strip()):
        plain = plain.rstrip()
    yield plain


def _inflected(word: str) -> set[str]:
    """Return an English word with its regular endings; those that do not exist harm nobody."""
    stem = word[:-1] if word.endswith("e") else word
    endings = {f"{word}s", f"{word}es", f"{stem}ed", f"{stem}ing", f"{word}{word[-1]}ing", f"{word}{word[-1]}ed"}
    if word.endswith("y"):
        endings |= {f"{word[:-1]}ies", f"{word[:-1]}ied"}
    return {word, *endings} if len(word) > 2 else {word}
