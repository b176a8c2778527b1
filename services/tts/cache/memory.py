"""Keep the latest answers in memory."""

import time
from collections import OrderedDict

from tts.cache.entry import Kept

_OVERHEAD_BYTES = 512
"""Memory that an entry takes beside its sound."""


class Memory:
    """Latest answers, up to a size in bytes and an age in seconds."""

    def __init__(self, most_bytes: int, lasts_seconds: float) -> None:
        self._most, self._lasts = most_bytes, lasts_seconds
        self._entries: OrderedDict[bytes, Kept] = OrderedDict()
        self.bytes = 0

    def get(self, key: bytes) -> Kept | None:
        kept = self._entries.get(key)
        if kept is None:
            return None
        if time.time() - kept.made > self._lasts:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return kept

    def keep(self, key: bytes, kept: Kept) -> None:
        if _size(kept) > self._most:
            return
        if key in self._entries:
            self._drop(key)
        self._entries[key] = kept
        self.bytes += _size(kept)
        while self.bytes > self._most:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        self.bytes -= _size(self._entries.pop(key))


def _size(kept: Kept) -> int:
    return len(kept.sound) + _OVERHEAD_BYTES
