"""`python -m deploy.native.service stt --port 8091`: what supervisor starts; becomes the service itself.

It stands between them so that each start reads `.env` and the number of workers afresh, and sees nothing else of the
shell.
`proxy` in a service's place becomes nginx; `models`, and perhaps a model's name, fetches weights.
"""

import argparse
import json
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from deploy.env_file import UnreadableEnv
from deploy.installation import ROOT, SERVICES
from deploy.native import layout, processes, render

_UNUSABLE = 3
"""Exit code of a service that would not start however often it is tried."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.native.service")
    parser.add_argument("program", choices=[*SERVICES, "models", "proxy"])
    parser.add_argument("--port", default="0")
    arguments, rest = parser.parse_known_args()
    try:
        match arguments.program:
            case "proxy":
                _become_nginx()
            case "models":
                fetch = [sys.executable, str(ROOT / "deploy" / "models.py"), *(rest or [""])]
                os.execve(sys.executable, fetch, layout.service_environment(os.environ))
            case service:
                _become_service(service, arguments.port, rest)
    except UnreadableEnv as exc:
        line = {"time": datetime.now(UTC).isoformat(), "level": "critical", "logger": "talkbox", "message": str(exc)}
        print(json.dumps(line), flush=True)
    return _UNUSABLE


def _become_nginx() -> None:
    """End what a master that was killed has left behind, which would hold the ports, and become the next master."""
    for pid in processes.orphaned_proxies():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)  # it takes nothing new, and finishes what it has
    nginx = render.find_nginx() or "nginx"
    command = render.nginx_command(nginx, layout.RUN / "nginx.conf")
    os.execv(nginx, command)


def _become_service(service: str, port: str, rest: Sequence[str]) -> None:
    environment = layout.service_environment(os.environ)
    command = [sys.executable, "-m", "chassis.server", service, "--host", "127.0.0.1", "--port", port]
    if "--check" not in rest:
        layout.remember_fingerprint(service)
        again = [sys.executable, "-m", "deploy.native.service", service, "--port", port]
        command += ["--workers", str(layout.workers()[service]), "--start-command", shlex.join(again)]
        command += ["--counts", str(layout.COUNTS / service)]
    os.execve(sys.executable, [*command, *rest], environment)


if __name__ == "__main__":
    sys.exit(main())
