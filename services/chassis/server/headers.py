"""Read single headers of a request: each layer looks at one or two, and an object for all of them costs more."""

from starlette.types import Scope


def header(scope: Scope, name: bytes, default: str = "") -> str:
    """Return the value of the first header with this `name`, which is in small letters."""
    for each, value in scope["headers"]:
        if each == name:
            text: str = value.decode("latin-1")
            return text
    return default
