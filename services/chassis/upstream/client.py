"""The client of an upstream: httpx's over a transport of our own, and a shorter way for the relay.

Neither follows redirects, keeps cookies, reads the environment or decodes without a limit.
"""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import httpx

from chassis.errors import EngineFailed
from chassis.upstream.addresses import address
from chassis.upstream.http.body import Body, Headers, Unbegun
from chassis.upstream.http.transport import Transport, header_lines
from chassis.upstream.reply import Reply, translated

PIECE_BYTES = 256 * 2**10
_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_MISDIRECTED_REST_SECONDS = 60.0


class Unusable(ValueError):
    """An address or a header that cannot be sent."""


@cache
def tls(ca_file: Path | None) -> ssl.SSLContext:
    """Return the certificates that are trusted: the public ones, and those of the file.

    Raises:
        Unusable: The file holds no certificates.
    """
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
        url: Address. A name and password in it become a header, and are never shown.
        headers: Headers of each request.
        connect_seconds: Limit for DNS, TCP and TLS together.
        proxy: `direct`, a proxy's address, or None for what the environment says.
        ca_file: Certificates that are trusted beside the public ones.
        setting: Name of the variable that holds the address, for messages.

    Raises:
        Unusable: The address is none, a header has characters that no header may hold, or the certificates are none.
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
            tls(ca_file)  # a file that holds no certificate is better named now
        self._transport = Transport(partial(tls, ca_file), _proxy(self.url, proxy))
        self._target = self._transport.target("POST", self.url, httpx.Headers(self.headers))
        self._client = httpx.AsyncClient(transport=self._transport, trust_env=False, cookies=_no_cookies())
        self._client.headers.clear()

    @staticmethod
    def check(headers: dict[str, str]) -> None:
        """Raise `Unusable` where a value has characters that no header may hold."""
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise Unusable("characters that cannot be sent")

    async def post(self, body: bytes, headers: dict[str, str], *, silence_seconds: float | None = None) -> "Reply":
        """Send `body`; return its answer, which has begun.

        A kept connection that turns out to be closed is replaced once: the request was never begun.

        Args:
            silence_seconds: The longest gap between two pieces of the answer.

        Raises:
            EngineFailed: The upstream cannot be reached, does not speak HTTP, or points elsewhere.
            EngineTimeout: There is no connection in time, or silence.
        """
        headers = self.headers | headers
        content = body if len(body) <= PIECE_BYTES else Pieces(body)
        return await self._send(
            "POST", self.url, headers | {"content-length": str(len(body))}, content, silence_seconds
        )

    async def post_at_once(
        self, body: bytes, headers: dict[str, str], *, silence_seconds: float | None = None
    ) -> "Reply":
        """Do what `post` does without the objects of httpx, which cost more than the exchange itself.

        Raises:
            EngineFailed, EngineTimeout: As `post`.
        """
        exchange = partial(
            self._transport.exchange,
            self._target,
            header_lines((self._shown_in(headers) | {"content-length": str(len(body))}).items()),
            body if len(body) <= PIECE_BYTES else Pieces(body),
            connect_seconds=self.connect_seconds,
            silence_seconds=silence_seconds,
        )
        return await self._begun(lambda fresh: exchange(fresh=fresh))

    async def get(self, url: str, headers: dict[str, str], *, silence_seconds: float | None = None) -> "Reply":
        """Return the answer to a GET of another address of the same host.

        Raises:
            EngineFailed, EngineTimeout: As `post`.
        """
        found, _ = _address(url)
        own = {name: value for name, value in self.headers.items() if name != "content-type"}
        return await self._send("GET", found, own | headers, b"", silence_seconds)

    async def request(
        self, method: str, url: str, body: bytes, headers: dict[str, str], *, silence_seconds: float | None = None
    ) -> "Reply":
        """Return the answer to a request of any method to another address of the same host.

        Raises:
            EngineFailed, EngineTimeout: As `post`.
        """
        found, _ = _address(url)
        length = {"content-length": str(len(body))} if body or method != "GET" else {}
        content = body if len(body) <= PIECE_BYTES else Pieces(body)
        return await self._send(method, found, self.headers | headers | length, content, silence_seconds)

    async def _send(
        self,
        method: str,
        url: httpx.URL,
        headers: dict[str, str],
        content: "bytes | Pieces",
        silence_seconds: float | None,
    ) -> "Reply":
        timeout = httpx.Timeout(None, connect=self.connect_seconds, read=silence_seconds)
        shown = self._shown_in(headers)

        async def ask(fresh: bool) -> tuple[int, Headers, Body]:
            request = httpx.Request(
                method, url, headers=shown, content=content, extensions={"timeout": timeout.as_dict(), "fresh": fresh}
            )
            response = await self._client.send(request, stream=True)
            return response.status_code, response.headers.raw, response.extensions["body"]

        return await self._begun(ask)

    async def _begun(self, ask: Callable[[bool], Awaitable[tuple[int, Headers, Body]]]) -> "Reply":
        try:
            try:
                reply = Reply(*await ask(False), self.shown)
            except Unbegun:
                reply = Reply(*await ask(True), self.shown)
        except httpx.TransportError as exc:
            raise translated(exc, self.shown) from exc
        if reply.status in _REDIRECTS:
            await reply.aclose()
            raise self._misdirected(reply)
        return reply

    def _shown_in(self, headers: dict[str, str]) -> dict[str, str]:
        """Return headers in which the name and password of the address stand in where they show no key."""
        return headers if "authorization" in headers else self._credentials | headers

    def _misdirected(self, reply: "Reply") -> EngineFailed:
        """Return the error for a redirect, which is never followed: the key would be shown to another host."""
        message = f"{self.shown} answered {reply.status}"
        if reply.location:
            with suppress(httpx.InvalidURL):
                there = self.url.join(reply.location).copy_with(username=None, password=None)
                message += f" and points to {address(str(there), '', None).base_url}"
        return EngineFailed(
            f"{message}. Set {self._setting} to the right address.", rest_seconds=_MISDIRECTED_REST_SECONDS
        )

    async def aclose(self) -> None:
        await self._client.aclose()


def _no_cookies() -> CookieJar:
    """Return a jar that takes none: an answer to one caller shall not follow another."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


class Pieces:
    """A large body piece by piece, so that other callers are served while it is sent."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), PIECE_BYTES):
            yield self._body[at : at + PIECE_BYTES]


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
    address = proxy_address(str(url), wanted)
    try:
        return httpx.Proxy(address) if address else None
    except (ValueError, httpx.InvalidURL) as exc:
        raise Unusable(_takes("its proxy")) from exc


def proxy_address(url: str, wanted: str | None) -> str | None:
    """Return the proxy that is wanted, else that of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; None: none.

    Raises:
        Unusable: It is none that can be used.
    """
    if wanted == "direct":
        return None
    source = "its proxy"
    if wanted is None:
        host, scheme = httpx.URL(url).host, httpx.URL(url).scheme
        if _is_near(host) or proxy_bypass(host):
            return None
        source, wanted = _proxy_around(scheme)
    if not wanted:
        return None
    wanted = wanted if "://" in wanted else f"http://{wanted}"
    if not wanted.lower().startswith(("http://", "https://")):  # of SOCKS the transport knows nothing
        raise Unusable(_takes(source))
    return wanted


def _takes(source: str) -> str:
    return f"{source} must be an http:// address" + ("" if source == "its proxy" else ", or the row's _PROXY `direct`")


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
