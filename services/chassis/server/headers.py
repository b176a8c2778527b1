"""Read single headers of a request: each layer looks at one or two, and they are put in order once."""

from starlette.types import Scope

_VALUES = "talkbox.headers"
"""Field of the scope for the first value of each header, which are found once for all layers."""


def header(scope: Scope, name: bytes, default: str = "") -> str:
    """Return the value of the first header with this `name`, which is in small letters."""
    values: dict[bytes, bytes] | None = scope.get(_VALUES)
    if values is None:
        values = scope[_VALUES] = dict(reversed(scope["headers"]))
    value = values.get(name)
    return default if value is None else value.decode("latin-1")
