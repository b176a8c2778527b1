"""`python -m chassis.server.probe`: exit 0 if the service of this container is alive; `--loaded`: if it can answer."""

import json
import sys
from http.client import HTTPConnection, HTTPException

PORT = 8000
SECONDS = 3.0


def alive(port: int = PORT, seconds: float = SECONDS) -> bool:
    """Return True if `/healthz` answers 200."""
    return _get("/healthz", port, seconds)[0] == 200


def loaded(port: int = PORT, seconds: float = SECONDS) -> bool:
    """Return True once the best engine that can be had is there."""
    status, body = _get("/readyz", port, seconds)
    if status != 200:
        return False
    states: list[str] = [engine["state"] for engine in json.loads(body)["engines"] if engine["state"] != "unavailable"]
    return states[0] != "loading"


def _get(path: str, port: int, seconds: float) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if (loaded() if "--loaded" in sys.argv else alive()) else 1)
