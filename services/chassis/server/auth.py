"""Check bearer keys, in constant time and before the body is looked at."""

import hmac
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic

from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.errors import TooBusy, Unauthorized
from chassis.server.guesses import Guesses
from chassis.server.headers import header
from chassis.settings import Options, SettingError

OPEN_PATHS = frozenset({"/healthz", "/metrics", "/openapi.json", "/v1/audio/voices", "/v1/audio/models"})
"""Paths that need no key: there is no secret in them, and Open WebUI asks for the last two without one."""
PARTLY_OPEN_PATHS = frozenset({"/readyz", "/privacy"})
"""Paths that show more to a caller with a key."""
LOOK_SECONDS = 1.0
"""Pause between two looks at the file of the keys."""
_CLIENT_HEADER = b"x-real-ip"
"""Address of the caller, as the proxy saw it; services are reached through the proxy alone."""

log = logging.getLogger("talkbox.keys")


class KeyOptions(Options, frozen=True, kw_only=True):
    """Keys of those who may call."""

    api_keys: tuple[str, ...] = ()
    """One key or several, separated by commas, with a name if you like (`kitchen:KEY`). Empty: anyone may call.
    The first `make up` makes one."""
    api_keys_file: Path | None = None
    """File with a key a line, instead of `API_KEYS`; what stands behind a `#` is a comment. A change counts within
    a second, without a restart."""

    def __post_init__(self) -> None:
        """Raises:
        SettingError: A key is empty, or two have one name.
        """
        if not all(key for _, key in self.named):
            raise SettingError("API_KEYS: a name has no key behind its colon. Write `name:key`.")
        if len(set(self.names)) < len(self.names):
            raise SettingError("API_KEYS: two keys have the same name. Give each a name of its own.")

    @property
    def named(self) -> list[tuple[str, bytes]]:
        """Name and key of each entry, in the order of API_KEYS."""
        return [_named(entry, number) for number, entry in enumerate(self.api_keys, start=1)]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the keys, in the order of API_KEYS."""
        return tuple(name for name, _ in self.named)


class Keys:
    """Let in callers who show a key; its name is `scope["state"]["key"]` from then on.

    Args:
        options: The keys at the start; if they are none, anyone may call for good.
        read_again: Reads the keys anew, when the file that they came from has changed.
    """

    def __init__(
        self,
        app: ASGIApp,
        options: KeyOptions,
        read_again: Callable[[], KeyOptions],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.app, self.named = app, options.named
        self._file, self._read_again, self._clock = options.api_keys_file, read_again, clock
        self._seen, self._next_look = _state(self._file), clock() + LOOK_SECONDS
        self._guesses = Guesses()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and self.named and scope["path"] not in OPEN_PATHS:
            shown, open_ = header(scope, b"authorization"), scope["path"] in PARTLY_OPEN_PATHS
            if shown or not open_:
                address = header(scope, _CLIENT_HEADER) or (scope.get("client") or ("",))[0]
                try:
                    scope["state"]["key"] = self.owner(shown, address)
                except (Unauthorized, TooBusy):
                    if not open_:
                        raise
        return self.app(scope, receive, send)

    def owner(self, authorization: str, address: str) -> str:
        """Return the name of the key.

        Raises:
            Unauthorized: There is no such key.
            TooBusy: Too many wrong keys came from this address.
        """
        self._look()
        scheme, _, shown = authorization.partition(" ")
        if scheme.lower() != "bearer" or not shown.strip():
            raise Unauthorized("No API key. Send `Authorization: Bearer KEY`, one of API_KEYS.")
        shown_bytes = shown.strip().encode("latin-1")
        matches = [name for name, key in self.named if hmac.compare_digest(shown_bytes, key)]
        owner = matches[0] if matches else None
        if not self._guesses.admits(address, shown_bytes, owner):
            raise TooBusy(
                "Too many wrong API keys came from this address. Try again in a moment.",
                reason="wrong_keys",
                retry_after=5,
            )
        if owner is None:
            raise Unauthorized("Wrong API key. Send one of API_KEYS, as `Authorization: Bearer KEY`.")
        return owner

    def _look(self) -> None:
        """Read the keys again if their file has changed; one that cannot be read changes nothing."""
        if self._file is None or self._clock() < self._next_look:
            return
        self._next_look = self._clock() + LOOK_SECONDS
        state = _state(self._file)
        if state == self._seen:
            return
        self._seen = state
        try:
            self.named = self._read_again().named or self.named
        except SettingError as exc:
            log.error("the keys that were read before go on: %s", exc)
        else:
            log.warning("the file of the keys has changed: there are %d now", len(self.named))


def _state(file: Path | None) -> tuple[int, int, int] | None:
    """Return what changes when a file is written or replaced; None without one."""
    try:
        stat = file.expanduser().stat() if file else None
    except OSError:
        return None
    return stat and (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _named(entry: str, number: int) -> tuple[str, bytes]:
    name, colon, key = entry.partition(":")
    return (name, key.encode()) if colon else (f"key{number}", entry.encode())
