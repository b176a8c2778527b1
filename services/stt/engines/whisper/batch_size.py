"""Choose how many utterances are decoded together."""

_OUT_OF_MEMORY = (
    "out of memory",  # CTranslate2, src/cuda/utils.h: "CUDA failed with error out of memory"
    "failed to allocate memory",  # CTranslate2, src/cpu/allocator.cc
)
"""Words in a RuntimeError; CTranslate2 has no class for it. Python's own is MemoryError, std::bad_alloc becomes one."""


class Limit:
    """The number of utterances decoded together: it grows where that is cheap, and yields where memory runs out."""

    def __init__(self, first: int, largest: int) -> None:
        self.now = first
        self._largest = self._ceiling = largest
        self._patience = 0

    def served(self, count: int) -> None:
        """Count a batch that fitted."""
        if count < self.now:
            return
        self._patience += 1
        if self._patience % 256 == 0:  # whoever took the memory may have given it back
            self._ceiling = min(self._largest, self._ceiling * 2)
        self.now = min(self._ceiling, self.now * 2)

    def exceeded(self, count: int) -> None:
        """Shrink after a batch that did not fit."""
        self._patience = 0
        self.now = self._ceiling = max(1, count // 2)


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory does not suffice."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY)
