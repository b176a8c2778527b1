"""Remember what callers heard last: the language, for pieces that do not tell their own (a sentence is cut around its
`25`), and the manner, for pieces that they have not asked for yet."""

from collections import OrderedDict
from time import monotonic

from msgspec.structs import replace

from tts.wire import CheckedRequest

_MOST_CALLERS = 4096
_MANNER_SECONDS = 900.0
"""Time after which nobody expects a caller to ask for the same voice again."""


class RecentLanguages:
    """Language of the last piece with letters, for each key and voice that spoke lately."""

    def __init__(self, most: int = _MOST_CALLERS) -> None:
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


class RecentManners:
    """Manner of the last piece of each key: its model, voice, codec and speed."""

    def __init__(self) -> None:
        self._manners: OrderedDict[str | None, tuple[float, CheckedRequest]] = OrderedDict()

    def note(self, key: str | None, wanted: CheckedRequest) -> None:
        """Remember the manner of a piece, and nothing of its words."""
        self._manners[key] = monotonic(), replace(wanted, text="")
        self._manners.move_to_end(key)
        if len(self._manners) > _MOST_CALLERS:
            self._manners.popitem(last=False)

    def expect(self, key: str | None, text: str) -> CheckedRequest | None:
        """Return the request that this key is expected to make for a text; None if nobody can tell."""
        noted, manner = self._manners.get(key, (0.0, None))
        if manner is None or monotonic() - noted > _MANNER_SECONDS:
            return None
        return replace(manner, text=text)
