"""`python -m chassis.server.probe`: exit 0 if the service of this container is alive."""

import sys
from http.client import HTTPConnection, HTTPException


def alive(port: int = 8000, seconds: float = 3.0) -> bool:
    """Whether `/healthz` answers 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if alive() else 1)
