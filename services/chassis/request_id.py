"""The id of the request that is being served, which every log line carries and every upstream gets."""

from contextvars import ContextVar

REQUEST_ID = "x-request-id"
"""Name of the header, in requests, answers and questions to an upstream alike."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request being served; empty outside a request."""
