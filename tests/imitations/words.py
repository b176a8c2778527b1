"""What the imitations of services that write speech down share: the words, and the manners that each of them has."""

from typing import ClassVar

from imitations.vendor import Manner, VendorServer

WORDS = "Hello little bear."


def hearing(key: str, answer: bytes, empty: bytes, claims: str = "application/json") -> dict[str, Manner]:
    """Return the usual manners by the key that picks one.

    Args:
        answer: A good answer, which holds `WORDS`.
        empty: An answer to a recording without words.
    """
    return {
        key: Manner(body=answer, claims=claims),
        "no-words": Manner(body=empty, claims=claims),
        "mislabelled": Manner(body=answer, claims="text/plain"),
        "drip": Manner(body=answer, claims=claims, slice_bytes=7, slice_seconds=0.01),
        "hangs": Manner(before_headers_seconds=30.0),
        "stall": Manner(body=answer, claims=claims, stall_after=10),
        "cut": Manner(body=answer, claims=claims, cut_after=10),
        "broken": Manner(status=500, body=b"<html>oops</html>", claims="text/html"),
        "away": Manner(status=502, body=b""),
        "page": Manner(body=b"<html>Welcome</html>", claims="text/html"),
        "nothing": Manner(body=b"", claims=claims),
        "list": Manner(body=b"[]", claims=claims),
        "busy": Manner(status=429, headers=(("retry-after", "3"),), body=b""),
    }


class HearingServer(VendorServer):
    """A service that writes speech down."""

    no_words: ClassVar[frozenset[str]] = frozenset({"no-words"})
    """Manners of answers to a recording without words."""
