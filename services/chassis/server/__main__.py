"""`python -m chassis.server tts`: see `serve`; spawned workers import this module, so nothing else is in here."""

import signal
import sys

if __name__ == "__main__":
    # A container's first process ignores a signal for which it has no handler, and the rest takes a while to import.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from chassis.server.serve import main

    sys.exit(main())
