"""An answer of an upstream on its way in, and what an error of the transport means to the chain."""

import asyncio
import errno
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from math import isfinite
from time import time

import httpx

from chassis.errors import ApiError, EngineFailed, EngineTimeout, TooBusy
from chassis.patience import Patience
from chassis.sse import close
from chassis.upstream.http.body import Body, Headers
from chassis.upstream.http.compression import decoded, encodings
from chassis.upstream.http.transport import ProxyRefused
from chassis.upstream.refusals.complaints import Complaint

_MAX_REFUSAL_BYTES = 64 * 2**10
_REFUSAL_SECONDS = 4.0

log = logging.getLogger("talkbox.upstream")


class Reply(AsyncIterator[bytes]):
    """An answer on its way in, piece by piece as it arrives. Close it: that ends the work upstream."""

    def __init__(self, status: int, headers: Headers, body: Body, shown: str) -> None:
        self.status, self._body, self._shown = status, body, shown
        self.key = ""
        """The key that it was asked with."""
        self.heed: Callable[[Complaint], None] | None = None
        """Called with an error inside this answer, so that the next question is another one."""
        self._headers = {name.lower(): value for name, value in headers}
        self._put_back = b""
        self._closed: Callable[[bool], None] = _unheeded
        self._pieces: AsyncIterator[bytes] = body
        if names := encodings(self._header(b"content-encoding")):
            self._pieces = decoded(body, names, shown)

    @property
    def media_type(self) -> str:
        return self._header(b"content-type").partition(";")[0].strip().lower()

    @property
    def location(self) -> str:
        return self._header(b"location")

    @property
    def retry_after(self) -> float | None:
        """Seconds for which the upstream asks to be left alone."""
        return _seconds(self._header(b"retry-after-ms"), 0.001) or _seconds(self._header(b"retry-after"), 1.0)

    @property
    def clock_ahead_seconds(self) -> float:
        """Seconds by which the upstream's clock is ahead of ours, as far as it tells; 0 where it does not."""
        try:
            return parsedate_to_datetime(self._header(b"date")).timestamp() - time()
        except (ValueError, OverflowError):
            return 0.0

    def header(self, name: str) -> str:
        """Return the value of a header, whose name is in small letters; empty where there is none."""
        return self._header(name.encode())

    def _header(self, name: bytes) -> str:
        return self._headers.get(name, b"").decode("latin-1")

    def put_back(self, piece: bytes) -> None:
        """Let `piece` be what comes next; it was read to look at it."""
        self._put_back = piece + self._put_back

    def follow(self, closed: Callable[[bool], None]) -> None:
        """Have `closed` called when this answer is closed, with whether it had come to its end."""
        self._closed = closed

    async def __anext__(self) -> bytes:
        if self._put_back:
            piece, self._put_back = self._put_back, b""
            return piece
        try:
            return await anext(self._pieces)
        except httpx.TransportError as exc:
            raise translated(exc, self._shown) from exc

    async def in_time(
        self, first_seconds: float | None, gap_seconds: float, *, least_bytes: int = 1
    ) -> AsyncIterator[bytes]:
        """Yield the answer as it comes, with no longer silences than these; the time that its reader takes is none.

        Args:
            least_bytes: Bytes by which a silence is over; fewer are a drip.

        Raises:
            EngineTimeout: There was one.
            EngineFailed: It broke off.
        """
        now = asyncio.get_running_loop().time
        patience = left = first_seconds
        fresh = 0
        while True:
            began = now()
            try:
                with Patience(left):
                    piece = await anext(self)
            except StopAsyncIteration:
                return
            except TimeoutError as exc:
                raise EngineTimeout(f"{self._shown} was silent for {patience or 0:g} s") from exc
            fresh += len(piece)
            if fresh >= least_bytes:
                patience = left = gap_seconds
                fresh = 0
            elif left is not None:
                left = max(0.0, left - (now() - began))
            yield piece

    async def read(self, most: int) -> bytes:
        """Return the whole body.

        Raises:
            EngineFailed: It is more than `most` bytes, or breaks off.
        """
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            pieces.append(piece)
            if (size := size + len(piece)) > most:
                raise EngineFailed(f"answered more than {most} bytes")
        return b"".join(pieces)

    def ended(self) -> None:
        """Let the rest pass instead of closing, since all that matters has come."""
        self._body.let_pass()

    async def refusal_body(self) -> bytes:
        """Return the body of a refusal, and close it; empty where it is too long in coming, or too large."""
        try:
            async with asyncio.timeout(_REFUSAL_SECONDS):
                return await self.read(_MAX_REFUSAL_BYTES)
        except (EngineFailed, TimeoutError):
            return b""  # the status says enough
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection, unless the answer has come to its end."""
        closed, self._closed = self._closed, _unheeded
        closed(self._body.is_over)
        await self._body.aclose()
        if self._pieces is not self._body:
            await close(self._pieces)


def _unheeded(whole: bool) -> None:
    """Do nothing: nobody waits for the end of this answer."""


def translated(exc: httpx.RequestError, shown: str) -> ApiError:
    """Return what an error of the transport means to the chain."""
    match exc:
        case httpx.WriteTimeout():
            return EngineTimeout(f"{shown} does not take what it is sent")
        case httpx.ConnectError(__cause__=OSError(errno=errno.EMFILE | errno.ENFILE)):
            missing = "there is no file descriptor left for a connection"  # our own limit, and no failure of an engine
            log.error("EMFILE: %s to %s; raise the limit of open files (`ulimit -n`)", missing, shown)
            return TooBusy(
                f"Too many connections are open: {missing}. Try again in a moment.",
                reason="connections",
                retry_after=1.0,
            )
        case httpx.ConnectTimeout():
            return EngineTimeout(f"no connection to {shown} in time")
        case httpx.ReadTimeout():
            return EngineTimeout(f"{shown} fell silent")
        case ProxyRefused(status=status):
            return EngineFailed(f"the proxy in front of {shown} answered {status}", code="upstream_unreachable")
        case httpx.ProxyError():
            return EngineFailed(f"cannot reach the proxy in front of {shown}", code="upstream_unreachable")
        case httpx.ConnectError(__cause__=ssl.SSLError()):
            return EngineFailed(
                f"{shown} has no certificate to be trusted; the row's CA_FILE may name one", code="upstream_unreachable"
            )
        case httpx.ConnectError():
            return EngineFailed(f"cannot reach {shown}", code="upstream_unreachable")
        case httpx.RemoteProtocolError():
            return EngineFailed(f"{shown} does not speak HTTP")
        case _:
            return EngineFailed(f"{shown} broke off")


def _seconds(text: str, unit: float) -> float | None:
    """Return the seconds in a Retry-After, a number or a date; None where it holds neither, or no time to come."""
    try:
        seconds = float(text) * unit
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time()
        except (ValueError, OverflowError):
            return None
    return seconds if isfinite(seconds) and seconds > 0 else None
