"""The way to an upstream: httpx's requests and answers over a transport of our own.

The transport is asked directly: httpx's client adds redirects and cookies, which no upstream should use here. Whoever
has an upstream of OpenAI's dialect talks to it through this, and needs httpx and aiohappyeyeballs.
"""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import cache, partial
from ipaddress import ip_address
from pathlib import Path
from time import time
from urllib.request import getproxies, proxy_bypass

import httpx

from chassis.errors import EngineFailed, EngineTimeout
from chassis.sse import close
from chassis.upstream.addresses import address
from chassis.upstream.connection import Body, Headers, Unbegun
from chassis.upstream.transport import ProxyRefused, Target, Transport, header_lines

PIECE_BYTES = 256 * 2**10
REDIRECTS = frozenset([301, 302, 303, 307, 308])
MISDIRECTED_REST_SECONDS = 60.0


class Unusable(ValueError):
    """An address or a header that cannot be sent."""


@cache
def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise Unusable(f"CA_FILE: {str(ca_file)!r} holds no certificates that can be read") from exc
    return context


class Upstream:
    """One address that is posted to, and its pool of connections.

    Args:
        url: Where to. A name and password in it become a header, and are never shown.
        headers: Sent with each request.
        connect_seconds: For name, connection and TLS together with nothing else.
        proxy: `direct`, a proxy's address, or None for what the environment says.

    Raises:
        Unusable: The address is none, or a header has characters that no header may hold.
    """

    def __init__(
        self,
        url: str,
        headers: dict[str, str],
        *,
        connect_seconds: float = 3.0,
        proxy: str | None = None,
        ca_file: Path | None = None,
        setting: str = "BASE_URL",
    ) -> None:
        Upstream.check(headers)
        self.url, self._credentials = _address(url)
        self.headers, self._setting = headers, setting
        self.shown = f"{self.url.scheme}://{self.url.netloc.decode('ascii')}"
        """The address as it may appear in a message: no path, no credentials."""
        self.connect_seconds = connect_seconds
        if ca_file is not None:
            _tls(ca_file)  # a file that holds no certificate is better named now
        self._transport = Transport(partial(_tls, ca_file), _proxy(self.url, proxy))
        self._target = self._transport.target("POST", self.url, httpx.Headers(self.headers))

    @staticmethod
    def check(headers: dict[str, str]) -> None:
        """Whether these can be sent with a request.

        Raises:
            Unusable: They have characters that no header may hold.
        """
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise Unusable("characters that cannot be sent")

    async def post(self, body: bytes, headers: dict[str, str], *, silence_seconds: float | None = None) -> "Reply":
        """Send `body`; its answer has begun.

        A kept connection that turns out to be closed is replaced once: the request was never begun.

        Args:
            silence_seconds: The longest gap between two pieces of the answer.

        Raises:
            EngineFailed: Unreachable, or no HTTP.
            EngineTimeout: No connection in time, or silent.
        """
        lines = self._lines(headers | {"content-length": str(len(body))})
        sent = body if len(body) <= PIECE_BYTES else Pieces(body)
        return await self._begun(self._target, lines, sent, silence_seconds)

    async def get(self, url: str, headers: dict[str, str], *, silence_seconds: float | None = None) -> "Reply":
        """Return the answer to a GET of another address of the same host.

        Raises:
            EngineFailed, EngineTimeout: As `post`.
        """
        found, _ = _address(url)
        own = {name: value for name, value in self.headers.items() if name != "content-type"}
        target = self._transport.target("GET", found, httpx.Headers(own))
        return await self._begun(target, self._lines(headers), b"", silence_seconds)

    async def _begun(
        self, target: Target, lines: bytes, body: "bytes | Pieces", silence_seconds: float | None
    ) -> "Reply":
        exchange = partial(
            self._transport.exchange,
            target,
            lines,
            connect_seconds=self.connect_seconds,
            silence_seconds=silence_seconds,
        )
        try:
            try:
                reply = Reply(*await exchange(body), self.shown)
            except Unbegun:
                reply = Reply(*await exchange(body, fresh=True), self.shown)
        except httpx.TransportError as exc:
            raise _translated(exc, self.shown) from exc
        if reply.status in REDIRECTS:
            await reply.aclose()
            raise self._misdirected(reply, target.url)
        return reply

    def _lines(self, headers: dict[str, str]) -> bytes:
        """Return header lines; the name and password of the address stand in where `headers` show no key."""
        return _lines(headers if "authorization" in headers else self._credentials | headers)

    def _misdirected(self, reply: "Reply", url: httpx.URL) -> EngineFailed:
        """Return the error for a redirect, which is never followed: the key may be read by whoever is there."""
        message = f"{self.shown} answered {reply.status}"
        if reply.location:
            with suppress(httpx.InvalidURL):
                there = url.join(reply.location).copy_with(username=None, password=None)
                message += f" and points to {address(str(there), '', None).base_url}"
        return EngineFailed(
            f"{message}. Set {self._setting} to the right address.", rest_seconds=MISDIRECTED_REST_SECONDS
        )

    async def aclose(self) -> None:
        await self._transport.aclose()


class Pieces:
    """A large body piece by piece, so that sending it holds up nobody."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), PIECE_BYTES):
            yield self._body[at : at + PIECE_BYTES]


class Reply(AsyncIterator[bytes]):
    """An answer on its way in, piece by piece as it arrives. Close it: that ends the work upstream."""

    def __init__(self, status: int, headers: Headers, body: Body, shown: str) -> None:
        self.status, self._body, self._shown = status, body, shown
        self._headers = {name.lower(): value for name, value in headers}
        self._pieces: AsyncIterator[bytes] = body
        if b"content-encoding" in self._headers:
            self._pieces = httpx.Response(status, headers=headers, stream=body).aiter_bytes()

    @property
    def media_type(self) -> str:
        return self._header(b"content-type").partition(";")[0].strip().lower()

    @property
    def location(self) -> str:
        return self._header(b"location")

    @property
    def retry_after(self) -> float | None:
        """Seconds the upstream asks to be left alone."""
        return _seconds(self._header(b"retry-after-ms"), 0.001) or _seconds(self._header(b"retry-after"), 1.0)

    def _header(self, name: bytes) -> str:
        return self._headers.get(name, b"").decode("latin-1")

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except (httpx.TransportError, httpx.DecodingError) as exc:
            raise _translated(exc, self._shown) from exc

    async def read(self, most: int) -> bytes:
        """All of it.

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
        """All that matters has come: instead of closing, let the rest pass."""
        self._body.let_pass()

    async def aclose(self) -> None:
        """Close the connection, unless the answer has come to its end."""
        await self._body.aclose()
        if self._pieces is not self._body:
            await close(self._pieces)


def _lines(headers: dict[str, str]) -> bytes:
    return header_lines((name.encode("ascii"), value.encode("ascii")) for name, value in headers.items())


def _address(text: str) -> tuple[httpx.URL, dict[str, str]]:
    """Return an address without name and password, and the header that shows these."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as exc:
        raise Unusable("characters that cannot be sent") from exc
    if url.scheme not in ("http", "https") or not url.host:
        raise Unusable("it must begin with http:// or https://, and name a host")
    if not url.userinfo:
        return url, {}
    basic = b64encode(f"{url.username}:{url.password}".encode()).decode()
    return url.copy_with(username=None, password=None), {"authorization": f"Basic {basic}"}


def _proxy(url: httpx.URL, wanted: str | None) -> httpx.Proxy | None:
    """Return the proxy that is wanted, else that of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; None: none."""
    if wanted == "direct":
        return None
    source = "its proxy"
    if wanted is None:
        if _is_near(url.host) or proxy_bypass(url.host):
            return None
        source, wanted = _proxy_around(url.scheme)
    if not wanted:
        return None
    wanted = wanted if "://" in wanted else f"http://{wanted}"
    takes = f"{source} must be an http:// address" + ("" if source == "its proxy" else ", or the row's _PROXY `direct`")
    if not wanted.lower().startswith(("http://", "https://")):  # of SOCKS the transport knows nothing
        raise Unusable(takes)
    try:
        return httpx.Proxy(wanted)
    except (ValueError, httpx.InvalidURL) as exc:
        raise Unusable(takes) from exc


def _proxy_around(scheme: str) -> tuple[str, str | None]:
    """Return the environment's variable for `scheme`, and its value."""
    proxies = getproxies()
    name = scheme if proxies.get(scheme) else "all"
    return f"{name.upper()}_PROXY", proxies.get(name)


def _is_near(host: str) -> bool:
    """Tell whether a host is this machine, or a name that only this network knows."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))


def _translated(exc: httpx.RequestError, shown: str) -> EngineFailed:
    """In terms of the chain."""
    match exc:
        case httpx.ConnectTimeout():
            return EngineTimeout(f"no connection to {shown} in time")
        case httpx.ReadTimeout():
            return EngineTimeout(f"{shown} fell silent")
        case ProxyRefused(status=status):
            return EngineFailed(f"the proxy in front of {shown} answered {status}", code="upstream_unreachable")
        case httpx.ProxyError():
            return EngineFailed(f"cannot reach the proxy in front of {shown}", code="upstream_unreachable")
        case httpx.ConnectError(__cause__=ssl.SSLError()):
            return EngineFailed(f"{shown} has no certificate to be trusted", code="upstream_unreachable")
        case httpx.ConnectError():
            return EngineFailed(f"cannot reach {shown}", code="upstream_unreachable")
        case httpx.RemoteProtocolError():
            return EngineFailed(f"{shown} does not speak HTTP")
        case _:
            return EngineFailed(f"{shown} broke off")


def _seconds(text: str, unit: float) -> float | None:
    if not text:
        return None
    try:
        return max(0.0, float(text) * unit)
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return None
