"""Legal forms of multipart bodies that the parser does not know, made into those that it does."""

import re
from collections.abc import AsyncGenerator, Iterator

from starlette.formparsers import MultiPartException

_MOST_HEADERS = 2**15
"""Bytes that the headers of a part may have; the parser's own limit is smaller."""
_AT_A_TIME = 2**16
"""Bytes that are copied at a time: memory for more would have to be found anew each time, which takes longer."""
_FOLD = re.compile(rb"\r\n[ \t]+")


async def tidied(body: AsyncGenerator[bytes, None], boundary: bytes) -> AsyncGenerator[bytes, None]:
    """Pass a body on without what stands before its first boundary, and with each header of a part on one line.

    Raises:
        MultiPartException: The headers of a part do not end, or no part begins.
    """
    tidier = _Tidier(boundary)
    async for piece in body:
        for begin in range(0, len(piece), _AT_A_TIME):
            for passed in tidier.push(piece[begin : begin + _AT_A_TIME]):
                yield passed
    if not tidier.begun:
        raise MultiPartException("Invalid multipart data.")
    yield tidier.held


class _Tidier:
    """Tidies a body that comes in pieces; holds no more of it than a part's headers."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        self.held = b"\r\n"  # the first boundary need not follow a line
        self.begun = False
        self._in_headers = self._ended = False

    def push(self, piece: bytes) -> Iterator[bytes]:
        """Yield what can be passed on now."""
        self.held += piece
        while (step := self._headers() if self._in_headers else self._data()) is not None:
            if step:
                yield step

    def _headers(self) -> bytes | None:
        """Return the boundary and the headers after it; None where they go on."""
        end = self.held.find(b"\r\n\r\n")
        if end < 0:
            if len(self.held) > _MOST_HEADERS:
                raise MultiPartException(
                    "The headers of a part are too long, or no empty line follows them, each ended by CRLF"
                )
            return None
        headers = self.held[len(self._delimiter) : end].lstrip(b" \t")
        self.held, self._in_headers = self.held[end + 4 :], False
        return self._delimiter + _FOLD.sub(b" ", headers) + b"\r\n\r\n"

    def _data(self) -> bytes | None:
        """Return what comes before the next boundary, or looks like one; None where more must come to tell."""
        at = -1 if self._ended else self.held.find(self._delimiter)
        if at == 0:
            following = self.held[len(self._delimiter) :][:2]
            if len(following) < 2:
                return None
            if following[:1] in b"\r \t":
                self.begun = self._in_headers = True
                return b""
            self._ended = following == b"--"
            self.begun = self.begun or self._ended
            at = 1
        elif at < 0:
            at = len(self.held) if self._ended else max(0, len(self.held) - len(self._delimiter))
        passed, self.held = self.held[:at], self.held[at:]
        return (passed if self.begun else b"") if passed else None
