"""`python -m deploy.native.control up|down|ps|scale|write`: the native half of the commands behind make."""

import argparse
import errno
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from deploy import ready
from deploy.env_file import UnreadableEnv
from deploy.installation import STATE, Addresses, wanted
from deploy.native import processes, render, users
from deploy.native.changes import apply_changes, check_settings, start, why_down, write_configs
from deploy.native.layout import LOGS, MODELS, RUN
from deploy.native.open_files import LEAST_FILES, most_open_files
from deploy.native.scaling import scale
from deploy.native.status import ps
from deploy.native.supervision import DOWN_SECONDS, Trouble, alone, heal, is_running, supervisor, until
from deploy.phrases import phrase
from deploy.ports import UnusablePort, check_ports, ports
from supervisor.states import STOPPED_STATES

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def _found() -> tuple[dict[str, str], Addresses, str]:
    """Return the settings, the addresses and the path of nginx.

    Raises:
        Trouble: A port cannot be used, too few files may be open, or nginx is missing.
    """
    try:
        settings = wanted()
        addresses = Addresses.of(settings)
    except ValueError as exc:
        raise Trouble(str(exc)) from exc
    if (files := most_open_files()) < LEAST_FILES:
        raise Trouble(phrase("few_files", files=files, least=LEAST_FILES))
    nginx = render.find_nginx()
    if nginx is None:
        raise Trouble("nginx is missing. Install it (`sudo apt-get install nginx`), then try again.")
    return settings, addresses, nginx


def up() -> int:
    began = datetime.now(UTC)
    settings, addresses, nginx = _found()
    with alone():
        _make_folders()
        heal()
        running = is_running()
        if running:
            check_settings()
        check_ports(addresses, ports(addresses) - (ports(Addresses.current()) if running else frozenset()))
        proxy_changed = write_configs(nginx, addresses, settings)
        addresses.remember()
        if running:
            apply_changes(proxy_changed)
        else:
            start()
    return ready.show(addresses, lambda: why_down(began))


def _make_folders() -> None:
    """Make the folders, and where root starts Talkbox the user that serves."""
    for folder in (RUN / "temp", LOGS, MODELS):
        folder.mkdir(parents=True, exist_ok=True)
    if reason := users.prepare():
        print(f"The services run as root: {reason}.", flush=True)


def write() -> int:
    """Write what supervisor and nginx read; systemd starts them."""
    settings, addresses, nginx = _found()
    with alone():
        heal()
        _make_folders()
        write_configs(nginx, addresses, settings)
        addresses.remember()
    return 0


def down() -> int:
    with alone():
        heal()
        if not is_running():
            print("Nothing is up here.")
            return 0
        print("Stopping: what is being said is finished first (20 s at most) …", flush=True)
        rpc = supervisor()
        pid = rpc.getPID()
        rpc.stopAllProcesses(False)
        until(lambda: all(info["state"] in STOPPED_STATES for info in rpc.getAllProcessInfo()), DOWN_SECONDS)
        rpc.shutdown()
        if not until(lambda: not processes.exists(pid), DOWN_SECONDS):
            raise Trouble(f"supervisor (process {pid}) does not end.")
        (STATE / "addresses.json").unlink(missing_ok=True)
    print("Talkbox is down. `make up` starts it again.")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.native.control")
    parser.add_argument("command", choices=["up", "down", "ps", "scale", "write"])
    parser.add_argument("wishes", nargs="*")
    wanted_command = parser.parse_args()
    commands: dict[str, Callable[[], int]] = {
        "up": up,
        "down": down,
        "ps": ps,
        "write": write,
        "scale": lambda: scale(wanted_command.wishes),
    }
    try:
        return commands[wanted_command.command]()
    except (Trouble, UnreadableEnv, UnusablePort) as exc:
        print(f"\n{exc}", file=sys.stderr)
        return 1
    except OSError as exc:
        if exc.errno not in _NO_ROOM:
            raise
        print(f"\n{exc.strerror}: {phrase('no_room', folder=STATE)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped waiting; what runs goes on running. `make ps` shows it, `make down` stops it.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
