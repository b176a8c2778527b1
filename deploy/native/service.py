"""`python -m deploy.native.service stt --port 8091`: what supervisor starts; becomes the service itself.

Between the two so that each start reads `.env` and the number of workers afresh, and sees nothing else of the shell.
`models`, and perhaps a model's name, in a service's place fetches weights, seeing the same.
"""

import argparse
import os
import sys

from deploy.installation import ROOT, SERVICES
from deploy.native.layout import service_environment, workers


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.native.service")
    parser.add_argument("service", choices=[*SERVICES, "models"])
    parser.add_argument("model", nargs="?", default="")
    parser.add_argument("--port")
    wanted = parser.parse_args()
    if wanted.service == "models":
        fetch = [sys.executable, str(ROOT / "deploy" / "models.py"), wanted.model]
        os.execve(sys.executable, fetch, service_environment(os.environ))
    command = [
        *(sys.executable, "-m", "chassis.server", wanted.service),
        *("--host", "127.0.0.1", "--port", wanted.port, "--workers", str(workers()[wanted.service])),
    ]
    os.execve(sys.executable, command, service_environment(os.environ))


if __name__ == "__main__":
    main()
