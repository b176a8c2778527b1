"""Parts of the current request's work, noted where its trace is exported; elsewhere each costs a look."""

from contextvars import Token
from time import monotonic
from types import TracebackType
from urllib.parse import urlsplit

from chassis import trace
from chassis.errors import ApiError
from chassis.trace import Span


class _Part:
    """Context manager: its block is a span of the current request, if its trace is exported."""

    __slots__ = ("_token", "span")

    span: Span | None
    _token: Token[Span | None]

    def _begin(self, name: str, *, is_engine: bool) -> Span | None:
        current = trace.current()
        if current is None or current.spans is None:
            self.span = None
            return None
        around = trace.within.get()
        self.span = Span(name, current.span_id if around is None else around.span_id, is_engine=is_engine)
        current.spans.append(self.span)
        self._token = trace.within.set(self.span)
        return self.span

    def _end(self, raised: BaseException | None) -> None:
        if self.span is not None:
            trace.within.reset(self._token)
            self.span.ended = monotonic()
            if raised is not None:
                self.span.error = raised.counted_as if isinstance(raised, ApiError) else type(raised).__name__


class asking(_Part):
    """Context manager: an engine is asked. Its span ends with the request, or here where it gave no answer."""

    __slots__ = ("_engine",)

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        self._begin(self._engine, is_engine=True)

    def __exit__(self, kind: object, raised: BaseException | None, traceback: TracebackType | None) -> None:
        self._end(raised)
        if raised is None and self.span is not None:
            self.span.ended = None


class calling(_Part):
    """Context manager: a server is called. Its span ends when the answer has begun.

    Args:
        server: Scheme, host and port, as in `https://api.example.com:8443`.
    """

    __slots__ = ("_method", "_server")

    def __init__(self, method: str, server: str) -> None:
        self._method, self._server = method, server

    def __enter__(self) -> "calling":
        if (span := self._begin(self._method, is_engine=False)) is not None:
            parts = urlsplit(self._server)
            span.attributes |= {"http.request.method": self._method, "server.address": parts.hostname or ""}
            span.attributes["server.port"] = parts.port or (443 if parts.scheme == "https" else 80)
        return self

    def answered(self, status: int) -> None:
        """Note the status of the answer."""
        if self.span is not None:
            self.span.attributes["http.response.status_code"] = status
            if status >= 400:
                self.span.error = str(status)

    def __exit__(self, kind: object, raised: BaseException | None, traceback: TracebackType | None) -> None:
        self._end(raised)


def describe(attribute: str, value: str | int) -> None:
    """Add an attribute to the span of the engine that is being asked, or else of the one that answers."""
    current = trace.current()
    if current is None or not current.spans:
        return
    around = trace.within.get()
    if around is not None and around.is_engine:
        around.attributes[attribute] = value
        return
    for span in reversed(current.spans):
        if span.is_engine and span.ended is None:
            span.attributes[attribute] = value
            return
