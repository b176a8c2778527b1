"""`python -m deploy.edge_word`: has Edge's service say one word; prints as JSON how long it took, or what is wrong.

It runs with the libraries of tts, for `make doctor`: a service that is reached may still refuse this machine.
"""

import asyncio
import json
import sys
import time

from chassis.errors import ApiError
from tts.engines.edge.engine import Edge


async def spoken() -> dict[str, float | str]:
    """Return `seconds`, or the `trouble`."""
    edge, began = Edge(), time.monotonic()
    try:
        await edge.canary()
    except ApiError as exc:
        return {"trouble": str(exc)}
    else:
        return {"seconds": round(time.monotonic() - began, 2)}
    finally:
        await edge.aclose()


def main() -> int:
    """Print what came of it."""
    print(json.dumps(asyncio.run(spoken())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
