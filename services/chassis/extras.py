"""Libraries that a service has only where an engine of its chain needs them: extras."""

from importlib import invalidate_caches
from importlib.util import find_spec

from chassis.errors import EngineUnavailable

RETRY_SECONDS = 60.0
"""`make up` may bring the library while the service runs."""


def require(engine: str, *modules: str) -> None:
    """Make sure that the libraries of an engine are installed; looks again later, since they may yet arrive.

    Raises:
        EngineUnavailable: One is not; the message says what installs it.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        invalidate_caches()
        message = (
            f"{engine} needs {', '.join(missing)}, and `make up` installs it for a chain in .env that names {engine}."
        )
        raise EngineUnavailable(message, retry_seconds=RETRY_SECONDS)
