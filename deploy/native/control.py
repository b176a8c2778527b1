"""`python -m deploy.native.control up|down|ps|scale`: the native half of the commands behind make."""

import argparse
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from xmlrpc.client import Fault, ServerProxy

from deploy import ready
from deploy.env_file import UnreadableLine
from deploy.installation import ROOT, SERVICES, STATE, Addresses, first_key, get, wanted
from deploy.native import layout, processes, render, users
from deploy.native.layout import LOGS, MODELS, PROGRAMS, RUN
from supervisor.states import RUNNING_STATES, STOPPED_STATES, ProcessStates
from supervisor.xmlrpc import Faults, SupervisorTransport

DOWN_SECONDS = render.STOP_SECONDS + 8
REPLACE_SECONDS = 300.0
"""A new worker may load its model before it takes over, for two minutes; the one before then finishes what it has."""
MAX_WORKERS = 64
SIGNAL_SECONDS = 0.3
"""Pause between two signals to one process, which would otherwise arrive as one."""
SETTLED_SECONDS = 1.0


class Trouble(Exception):
    """A message for the person at the keyboard, instead of a trace."""


def supervisor() -> Any:
    """Return supervisor's methods, over its socket; they raise OSError where none is running."""
    transport = SupervisorTransport(None, None, f"unix://{layout.socket_path()}")
    return ServerProxy("http://127.0.0.1", transport).supervisor


def is_running() -> bool:
    try:
        supervisor().getPID()
    except OSError:
        return False
    return True


def until(done: Callable[[], bool], seconds: float) -> bool:
    """Return True as soon as `done` does; False if it does not in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def alone() -> Generator[None, None, None]:
    """Let one command at a time change things."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# up


def up() -> int:
    try:
        settings = wanted()
        addresses = Addresses.of(settings)
    except ValueError as exc:
        raise Trouble(str(exc)) from exc
    nginx = render.find_nginx()
    if nginx is None:
        raise Trouble("nginx is missing. Install it (`sudo apt-get install nginx`), then `make up` again.")
    with alone():
        make_folders()
        heal()
        running = is_running()
        if running:
            check_settings()
        check_ports(addresses, held=ports(Addresses.current()) if running else frozenset())
        proxy_changed = write_configs(nginx, addresses, settings)
        addresses.remember()
        if running:
            apply_changes(proxy_changed)
        else:
            start()
    return ready.show(addresses, why_down)


def make_folders() -> None:
    """Make the folders, and where root starts Talkbox the user that serves."""
    for folder in (RUN / "temp", LOGS, MODELS):
        folder.mkdir(parents=True, exist_ok=True)
    if reason := users.prepare():
        print(f"The services run as root: {reason}.", flush=True)


def write() -> int:
    """Write what supervisor and nginx read; systemd starts them."""
    settings = wanted()
    try:
        addresses = Addresses.of(settings)
    except ValueError as exc:
        raise Trouble(str(exc)) from exc
    nginx = render.find_nginx()
    if nginx is None:
        raise Trouble("nginx is missing. Install it (`sudo apt-get install nginx`).")
    with alone():
        heal()
        make_folders()
        write_configs(nginx, addresses, settings)
        addresses.remember()
    return 0


def heal() -> None:
    """End processes that nobody looks after any more; they hold the ports, and never read a setting again."""
    if lost := processes.orphans():
        print(f"Ending {len(lost)} processes whose supervisor or master was killed …", flush=True)
        processes.end(lost, until, DOWN_SECONDS)


def outdated() -> list[str]:
    """Services that run with other settings or other code than there are now."""
    return [service for service in SERVICES if not layout.is_current(service)]


def check_settings() -> None:
    """Raises:
    Trouble: A service would not start with the settings there are now; what runs goes on running.
    """
    for service in outdated():
        command = [sys.executable, "-m", "deploy.native.service", service, "--check"]
        tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if tried.returncode:
            lines = [parse_line(line) for line in (tried.stdout + tried.stderr).strip().splitlines()[-6:]]
            said = "\n".join(f"  {line.message}" for line in lines)
            raise Trouble(f"Nothing was changed, since {service} would not start:\n{said}")


def ports(addresses: Addresses) -> frozenset[int]:
    own = {addresses.own_port(service) for service in SERVICES}
    return frozenset(own | {addresses.port} | {addresses.base_port(service) for service in SERVICES})


def check_ports(addresses: Addresses, held: frozenset[int]) -> None:
    """Raises:
    Trouble: Another program has one of them.
    """
    taken = [port for port in sorted(ports(addresses) - held) if is_taken(addresses, port)]
    if taken:
        numbers = ", ".join(map(str, taken))
        first = next(port for port in range(18080, 65000, 100) if not blocked(addresses.bind, port))
        raise Trouble(
            f"Another program listens on port {numbers} already.\n"
            f"Write another number into .env, e.g. TALKBOX_PORT={first}: all of Talkbox's ports move with it "
            f"(the number itself, +1 to +3 and +11 to +13). Then `make up` again."
        )


def is_taken(addresses: Addresses, port: int) -> bool:
    host = "127.0.0.1" if port >= addresses.own_port("stt") else addresses.bind or "0.0.0.0"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as exc:
            raise Trouble(f"Port {port} takes root's rights. Choose a TALKBOX_PORT above 1023 in .env.") from exc
        except OSError as exc:
            if isinstance(exc, socket.gaierror) or exc.errno in (99, 19):  # no such address or device here
                raise Trouble(f"TALKBOX_BIND={host} is no address of this machine; leave it empty for all.") from exc
            return True
    return False


def blocked(bind: str, port: int) -> bool:
    addresses = Addresses(port, bind)
    return any(is_taken(addresses, number) for number in ports(addresses))


def write_configs(nginx: str, addresses: Addresses, settings: dict[str, str]) -> bool:
    """Write what supervisor and nginx read.

    Returns:
        Whether nginx would read something new.

    Raises:
        Trouble: nginx will not have it; the former files are still there.
    """
    template = render.TEMPLATE.read_text(encoding="utf-8")
    try:
        proxy = render.proxy_config(template, addresses, settings)
    except ValueError as exc:
        raise Trouble(str(exc)) from exc
    draft, final = RUN / "proxy.conf.new", RUN / "proxy.conf"
    draft.write_text(proxy, encoding="utf-8")
    (RUN / "nginx.conf.new").write_text(render.nginx_main(draft, users.serving_user()), encoding="utf-8")
    tried = subprocess.run(
        [*render.nginx_command(nginx, RUN / "nginx.conf.new"), "-t", "-q"], capture_output=True, text=True
    )
    if tried.returncode:
        raise Trouble(f"nginx does not accept its configuration:\n{tried.stderr.strip()}")
    (RUN / "nginx.conf.new").unlink()
    changed = not final.exists() or final.read_text(encoding="utf-8") != proxy
    draft.replace(final)
    (RUN / "nginx.conf").write_text(render.nginx_main(final, users.serving_user()), encoding="utf-8")
    (RUN / "supervisord.conf").write_text(render.supervisor_config(addresses, users.serving_user()), encoding="utf-8")
    return changed


def start() -> None:
    """Raises:
    Trouble: supervisor does not come up.
    """
    print("Starting the three services and the proxy …", flush=True)
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(RUN / "supervisord.conf")]
    started = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if started.returncode or not until(is_running, 15):
        raise Trouble(f"supervisor does not start:\n{(started.stdout + started.stderr).strip() or tail('supervisor')}")


def apply_changes(proxy_changed: bool) -> None:
    """Replace or restart what differs from what runs, and start what has given up; leave the rest alone."""
    rpc = supervisor()
    try:
        ((added, changed, removed),) = rpc.reloadConfig()
    except Fault as exc:
        raise Trouble(f"supervisor does not accept its configuration: {exc.faultString}") from exc
    if changed:
        print(f"Addresses changed: restarting {', '.join(changed)} …", flush=True)
    gone = [*changed, *removed]
    for name in gone:
        tell(rpc.stopProcess, name)
    if not until(lambda: all(state(rpc, name) in STOPPED_STATES for name in gone), DOWN_SECONDS):
        raise Trouble("A service does not stop. `make down`, then `make up`.")
    for name in gone:
        rpc.removeProcessGroup(name)
    for name in [*changed, *added]:
        rpc.addProcessGroup(name)
    replace([name for name in outdated() if state(rpc, name) == ProcessStates.RUNNING])
    for name in PROGRAMS:
        if state(rpc, name) not in RUNNING_STATES:
            tell(rpc.startProcess, name)
    if proxy_changed and "proxy" not in changed and state(rpc, "proxy") == ProcessStates.RUNNING:
        print("Settings changed: the proxy reads them without a break.", flush=True)
        rpc.signalProcess("proxy", "HUP")


def replace(services: Sequence[str]) -> None:
    """Let each service's workers be followed by new ones, which take over when they can answer."""
    if not services:
        return
    print(f"Settings or code changed: replacing {', '.join(services)}, new before old …", flush=True)
    parents = {service: int(supervisor().getProcessInfo(service)["pid"]) for service in services}
    before = {service: set(processes.workers(parent)) for service, parent in parents.items()}
    for service in services:
        supervisor().signalProcess(service, "HUP")
    for service, parent in parents.items():
        if not until(lambda: _is_replaced(parent, before[service]), REPLACE_SECONDS):  # noqa: B023  (asked at once)
            raise Trouble(f"{service} goes on as before, since its new workers do not start:\n{tail(service)}")


def _is_replaced(parent: int, before: set[int]) -> bool:
    now = set(processes.workers(parent))
    return bool(now) and not now & before


def tell(method: Callable[[str, bool], object], name: str) -> None:
    """Start or stop a program without waiting for it, if it is not so already."""
    try:
        method(name, False)
    except Fault as exc:
        if exc.faultCode not in (Faults.ALREADY_STARTED, Faults.NOT_RUNNING):
            raise


def state(rpc: Any, name: str) -> int:
    return int(rpc.getProcessInfo(name)["state"])


def why_down() -> str | None:
    """Return the last log lines of a program that supervisor has given up; None: all is well."""
    try:
        infos = supervisor().getAllProcessInfo()
    except OSError:
        return f"supervisor is gone:\n{tail('supervisor')}"
    for info in infos:
        name, last = info["name"], _last_lines(info["name"])
        # A service that refused its settings says so as critical: trying again will not help.
        unusable = info["state"] == ProcessStates.BACKOFF and any(line.level == "critical" for line in last)
        if unusable or info["state"] in (ProcessStates.FATAL, ProcessStates.EXITED):
            return f"{name} does not start. The end of its log:\n{tail(name)}"
    return None


class LogLine(NamedTuple):
    """A line of a log; `level` is empty where it is no JSON of a service."""

    level: str
    message: str


def tail(name: str) -> str:
    """Return the end of a program's log, as it is shown to a person."""
    return "\n".join(
        f"  {line.level}: {line.message}" if line.level else f"  {line.message}" for line in _last_lines(name)
    )


def _last_lines(name: str, lines: int = 6) -> list[LogLine]:
    path = LOGS / f"{name}.log"
    if not path.exists():
        return []
    return [parse_line(line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]]


def parse_line(line: str) -> LogLine:
    """Read a line of a service's JSON log, or one of another program."""
    try:
        read = json.loads(line)
        return LogLine(str(read["level"]), str(read["message"]))
    except (ValueError, TypeError, KeyError):
        return LogLine("", line)


# down


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


# ps


def ps() -> int:
    if lost := processes.orphans():
        shown = " ".join(map(str, lost))
        print(f"Nobody looks after {len(lost)} processes ({shown}): `make up` or `make down` ends them.")
    if not is_running():
        print("Nothing is up here. `make up` starts it.")
        return 0
    addresses, key = Addresses.current(), _key()
    engines = {service: _engines(service, addresses, key) for service in SERVICES}
    rows: list[tuple[str, ...]] = [("service", "state", "workers", "pids", "memory", "engines")]
    infos = {info["name"]: info for info in supervisor().getAllProcessInfo()}
    rows += [_row(infos[name], engines.get(name)) for name in PROGRAMS if name in infos]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip())
    for service, states in engines.items():
        for engine in states or ():
            if ready.brief(engine) != (state_ := ready.describe(engine)):
                print(f"\n{service}, {engine['name']}: {state_}")
    return 0


def _key() -> str | None:
    try:
        return first_key(wanted())
    except UnreadableLine:  # what is up has read its settings before
        return None


def _engines(service: str, addresses: Addresses, key: str | None) -> list[Any] | None:
    """Return the engines as /readyz shows them; None: there is no answer."""
    _, body = get("127.0.0.1", addresses.own_port(service), "/readyz", key=key)
    return body.get("engines") if isinstance(body, dict) else None


def _row(info: dict[str, Any], engines: list[Any] | None) -> tuple[str, ...]:
    name, pid, label = info["name"], info["pid"], info["statename"].lower()
    if not pid:
        return name, label, "", "", "", f"see `make logs S={name}`"
    memory = f"{processes.memory_bytes(processes.family(pid)) / 2**20:.0f} MB"
    children = processes.workers(pid) if name in SERVICES else processes.children(pid)
    states = "; ".join(f"{engine['name']} {ready.brief(engine)}" for engine in engines or ())
    if name in SERVICES and engines is None:
        states = "does not answer"
    return name, label, str(len(children)), _pids(pid, children), memory, states


def _pids(parent: int, children: Sequence[int]) -> str:
    return f"{parent} ({' '.join(map(str, children))})"


# scale


def scale(wishes: Sequence[str]) -> int:
    """Change the numbers of workers (`stt=3 …`); one that goes first finishes what it does."""
    numbers = [_wish(wish) for wish in wishes]
    if not numbers:
        raise Trouble("Say which service and how many: `make scale stt=3`.")
    with alone():
        for service, number in numbers:
            before = layout.workers()[service]
            layout.remember_workers(service, number)
            if not is_running() or state(supervisor(), service) != ProcessStates.RUNNING:
                print(f"{service} is not up; it starts with {_workers(number)}.")
                continue
            _scale(service, before, number)
    return 0


def _wish(wish: str) -> tuple[str, int]:
    service, _, number = wish.partition("=")
    if service not in SERVICES or not number.isdigit() or not 1 <= int(number) <= MAX_WORKERS:
        raise Trouble(f"Cannot scale {wish!r}. Like this: `make scale stt=3` (stt, llm or tts; 1 to {MAX_WORKERS}).")
    return service, int(number)


def _scale(service: str, before: int, number: int) -> None:
    parent = supervisor().getProcessInfo(service)["pid"]
    for _ in range(abs(number - before)):
        os.kill(parent, signal.SIGTTIN if number > before else signal.SIGTTOU)
        time.sleep(SIGNAL_SECONDS)
    if not until(lambda: _has_settled(parent, number), REPLACE_SECONDS):
        raise Trouble(f"{service} does not change its number of workers; `make logs S={service}` may say why.")
    print(f"{service} has {_workers(number)} now, and keeps that number when it is started again.")


def _has_settled(parent: int, number: int) -> bool:
    """Return True if there are so many workers, and still are a moment later."""
    if len(processes.workers(parent)) != number:
        return False
    time.sleep(SETTLED_SECONDS)
    return len(processes.workers(parent)) == number


def _workers(number: int) -> str:
    return "1 worker" if number == 1 else f"{number} workers"


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
    except (Trouble, UnreadableLine) as exc:
        print(f"\n{exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped waiting; what runs goes on running. `make ps` shows it, `make down` stops it.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
