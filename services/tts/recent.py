"""Languages that callers heard last, for pieces that do not tell their own: a sentence is cut around its `25`."""

from collections import OrderedDict

MOST_CALLERS = 4096


class RecentLanguages:
    """Language of the last piece with letters, for each key and voice that spoke lately."""

    def __init__(self, most: int = MOST_CALLERS) -> None:
        self._most = most
        self._languages: OrderedDict[tuple[str | None, str], str] = OrderedDict()

    def get(self, key: str | None, voice: str) -> str | None:
        """Return the language that this key heard last from this voice, e.g. `zh`."""
        return self._languages.get((key, voice))

    def note(self, key: str | None, voice: str, language: str) -> None:
        """Remember the language of a piece."""
        self._languages[key, voice] = language
        self._languages.move_to_end((key, voice))
        if len(self._languages) > self._most:
            self._languages.popitem(last=False)
