"""Who may call: bearer keys, compared in constant time, before the body is looked at."""

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.errors import Unauthorized
from chassis.settings import Options

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class KeyOptions(Options, frozen=True, kw_only=True):
    """Keys of those who may call."""

    api_keys: tuple[str, ...] = ()
    """One key or several, separated by commas, with a name if you like (`kitchen:KEY`). Empty: anyone may call.
    The first `make up` makes one."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the keys, in their order."""
        return tuple(_named(entry, number)[0] for number, entry in enumerate(self.api_keys, start=1))


class Keys:
    """Let in who shows one of `api_keys`; its name is `scope["state"]["key"]` from then on."""

    def __init__(self, app: ASGIApp, api_keys: tuple[str, ...]) -> None:
        self.app = app
        self.keys = [_named(entry, number) for number, entry in enumerate(api_keys, start=1)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.keys and scope["path"] not in OPEN_PATHS:
            scope["state"]["key"] = self.owner(Headers(scope=scope).get("authorization", ""))
        await self.app(scope, receive, send)

    def owner(self, authorization: str) -> str:
        """The name of the key's owner.

        Raises:
            Unauthorized: No such key.
        """
        scheme, _, shown = authorization.partition(" ")
        if scheme.lower() != "bearer" or not shown.strip():
            raise Unauthorized("No API key. Send `Authorization: Bearer KEY`, one of API_KEYS.")
        shown_bytes = shown.strip().encode("latin-1")
        matches = [name for name, key in self.keys if hmac.compare_digest(shown_bytes, key)]
        if not matches:
            raise Unauthorized("Wrong API key. Send one of API_KEYS, as `Authorization: Bearer KEY`.")
        return matches[0]


def _named(entry: str, number: int) -> tuple[str, bytes]:
    name, colon, key = entry.partition(":")
    return (name, key.encode()) if colon else (f"key{number}", entry.encode())
