"""`python -m deploy.native.service stt --port 8091`: what supervisor starts; becomes the service itself.

Between the two so that each start reads `.env` and the number of workers afresh, and sees nothing else of the shell.
"""

import argparse
import os
import sys

from deploy.installation import SERVICES
from deploy.native.layout import service_environment, workers


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.native.service")
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("--port", required=True)
    wanted = parser.parse_args()
    command = [
        *(sys.executable, "-m", "chassis.serve", wanted.service),
        *("--host", "127.0.0.1", "--port", wanted.port, "--workers", str(workers()[wanted.service])),
    ]
    os.execve(sys.executable, command, service_environment(os.environ))


if __name__ == "__main__":
    main()
