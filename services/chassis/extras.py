"""Libraries that a service has only where an engine of its chain needs them."""

from importlib import invalidate_caches
from importlib.util import find_spec

from chassis.errors import EngineUnavailable

RETRY_SECONDS = 15.0


def require(engine: str, *modules: str) -> None:
    """Make sure that the libraries of an engine are installed; looks again later, since they may yet arrive.

    Raises:
        EngineUnavailable: One is not; the message says what installs it.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        invalidate_caches()
        raise EngineUnavailable(
            f"{engine} needs {', '.join(missing)}, which is not installed: `make up` installs what the chain in .env names.",
            retry_seconds=RETRY_SECONDS,
        )
