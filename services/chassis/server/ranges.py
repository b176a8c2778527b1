"""A body that is known whole: its length is told, and a part of it can be asked for."""

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def whole(body: bytes, request: Request, *, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return `body`, or the one part of it that the header `Range` names.

    A header that cannot be read, or that names several parts, is passed over, as RFC 9110 allows.
    """
    headers = {**headers, "accept-ranges": "bytes"}
    part = _part(request.headers.get("range", ""), len(body))
    if part is None:
        return Response(body, media_type=media_type, headers=headers)
    if not part:
        headers["content-range"] = f"bytes */{len(body)}"
        return Response(status_code=416, headers=headers)
    headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{len(body)}"
    return Response(body[part.start : part.stop], 206, media_type=media_type, headers=headers)


def _part(header: str, length: int) -> range | None:
    """Return the bytes that the header names; empty if there are none such, None if it names no part."""
    found = RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, length - int(last)), length)
    return range(int(first), min(int(last) + 1 if last else length, length))
