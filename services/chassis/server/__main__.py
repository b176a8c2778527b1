"""`python -m chassis.server tts`: see `serve`, which is apart since spawned workers cannot find what is in here."""

import sys

from chassis.server.serve import main

if __name__ == "__main__":
    sys.exit(main())
