"""Define the tree of errors, and answer all of them alike: `{"error": {message, type, param, code}}`."""

import math
from collections.abc import Awaitable, Mapping
from typing import ClassVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.unknown_paths import hint


class ApiError(Exception):
    """Raise it anywhere; `respond` answers it.

    Args:
        message: What went wrong and what to do about it; ends up before the caller's eyes.
        param: The field at fault, e.g. `messages[0].role`.
        code: OpenAI's word for it, e.g. `model_not_found`.
        retry_after: Seconds until another try makes sense.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str | None] = None
    heals: bool = True
    """False where asking again cannot help; OpenAI's clients, which retry any 5xx by themselves, are then told so."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.body = {"message": message, "type": self.type, "param": param, "code": code or self.code}

    @property
    def envelope(self) -> dict[str, dict[str, str | None]]:
        """The body of an answer, or of the event that ends a stream."""
        return {"error": self.body}

    @property
    def counted_as(self) -> str:
        """One of a few words for the kind of refusal, as `/metrics` counts it."""
        return type(self).code or self.type

    @property
    def headers(self) -> dict[str, str]:
        if not self.heals:
            return {"x-should-retry": "false"}
        if self.retry_after is None or not math.isfinite(self.retry_after):
            return {}
        return {"retry-after": str(min(60, max(1, math.ceil(self.retry_after))))}


class BadRequest(ApiError):
    """The caller's mistake; no other engine is asked."""

    status = 400
    type = "invalid_request_error"


class Unauthorized(BadRequest):
    status = 401
    code = "invalid_api_key"

    @property
    def headers(self) -> dict[str, str]:
        return {"www-authenticate": "Bearer"}


class NotFound(BadRequest):
    status = 404


class TooLarge(BadRequest):
    status = 413


class TooBusy(ApiError):
    """Every place is taken, or the caller's own limit is reached.

    Args:
        reason: What there is too little of, in a word or two.
    """

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, reason: str = "places", retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self._reason = reason

    @property
    def counted_as(self) -> str:
        return self._reason


class NotReady(ApiError):
    """No engine can be asked yet, or any more."""

    status = 503


class Declined(BadRequest):
    """An engine will not serve this well (another language, say): no failure, the next one is asked."""


class EngineFailed(ApiError):
    """An engine did not do its work: the next one is asked, and after a few in a row it rests.

    Args:
        rest_seconds: Rest at once, and this long (a key refused, a quota used up, a rate limit).
    """

    status = 502
    code = "upstream_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retry_after: float | None = None,
        rest_seconds: float | None = None,
    ) -> None:
        super().__init__(message, code=code, retry_after=retry_after)
        self.rest_seconds = rest_seconds


class EngineTimeout(EngineFailed):
    """An engine stayed silent for too long."""

    status = 504
    code = "upstream_timeout"


class EngineBusy(EngineFailed):
    """An engine's own limit is reached."""

    status = 429
    type = "rate_limit_error"
    code = "upstream_rate_limited"


class EngineRefused(EngineFailed):
    """An upstream does not accept the key it was shown: wrong, expired, or not allowed to do this."""

    code = "upstream_auth"
    heals = False


class EngineUnpaid(EngineFailed):
    """An engine's account has no quota or balance left."""

    status = 503
    code = "upstream_quota"
    heals = False


class EngineMisconfigured(EngineFailed):
    """An upstream does not take what a setting or a default chose: a model, a field, an address."""

    code = "upstream_misconfigured"
    heals = False


class EngineWithoutModel(EngineMisconfigured):
    """An upstream does not have the model that its row asks for."""


class EngineUnavailable(Exception):
    """An engine cannot be loaded; the message says why and what to do.

    Args:
        retry_seconds: When loading it again may help; None: never, something must be changed first.
    """

    def __init__(self, message: str, *, retry_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


def respond(request: Request, exc: Exception) -> Response:
    """Answer any exception in one shape; of an unknown one, say nothing but that it was."""
    error, status, headers = _shaped(request, exc)
    return JSONResponse(error.envelope, status, headers)


def _shaped(request: Request, exc: Exception) -> tuple[ApiError, int, Mapping[str, str] | None]:
    match exc:
        case ApiError(status=status, headers=headers):
            return exc, status, headers
        case HTTPException(status_code=404):
            message = hint(request.url.path) or f"Unknown path: {request.method} {request.url.path}."
            return NotFound(message, code="unknown_url"), 404, None
        case HTTPException(status_code=405, headers=headers):
            allowed = (headers or {}).get("Allow", "another method")
            return BadRequest(f"{request.method} does not go with {request.url.path}. Send {allowed}."), 405, headers
        case HTTPException(detail=detail, status_code=status, headers=headers):
            return BadRequest(detail), status, headers
        case _:
            return ApiError("Internal error; the log has the details."), 500, None


class Errors:
    """Answer what was raised before the answer began; what comes later breaks the answer off.

    Either way it is `scope["state"]["error"]` for the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        def send_noting(message: Message) -> Awaitable[None]:
            nonlocal began
            began = True
            return send(message)

        try:
            await self.app(scope, receive, send_noting)
        except ClientDisconnect:  # in the middle of an upload: nobody is left to be answered
            pass
        except Exception as exc:
            if scope["type"] != "http":
                raise
            if not isinstance(exc, HTTPException):  # an address or a method that there is not
                scope["state"]["error"] = exc
            if not began:
                await respond(Request(scope), exc)(scope, receive, send)
