"""Bring what runs to the settings and the code there are now."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from xmlrpc.client import Fault

from deploy.installation import ROOT, SERVICES, Addresses
from deploy.native import layout, processes, render, users
from deploy.native.layout import PROGRAMS, RUN
from deploy.native.log_tail import last_lines, parse_line, tail
from deploy.native.supervision import DOWN_SECONDS, Trouble, is_running, state, supervisor, tell, until
from deploy.whole_file import write_whole
from supervisor.states import RUNNING_STATES, STOPPED_STATES, ProcessStates

_SETTLE_SECONDS = 15.0
"""Time after which a started program counts as running: longer than supervisor itself takes to say so."""
REPLACE_SECONDS = 300.0
"""Longest time for which a service is replaced: a new worker may load its model for two minutes before it takes over,
and the one before then finishes what it has."""


def outdated() -> list[str]:
    """Return the services that run with other settings or other code than there are now."""
    return [service for service in SERVICES if not layout.is_current(service)]


def check_settings() -> None:
    """Check that every service would start with the settings there are now; what runs goes on running.

    Raises:
        Trouble: One would not.
    """
    for service in outdated():
        command = [sys.executable, "-m", "deploy.native.service", service, "--check"]
        tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if tried.returncode:
            lines = [parse_line(line) for line in (tried.stdout + tried.stderr).strip().splitlines()[-6:]]
            said = "\n".join(f"  {line.message}" for line in lines)
            raise Trouble(f"Nothing was changed, since {service} would not start:\n{said}")


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
    write_whole(RUN / "nginx.conf", render.nginx_main(final, users.serving_user()))
    write_whole(RUN / "supervisord.conf", render.supervisor_config(addresses, users.serving_user()))
    return changed


def start() -> None:
    """Start supervisor, which starts all programs.

    Raises:
        Trouble: It does not come up.
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
    # One that was started a moment ago, by another `make up`, has read the settings of that moment.
    until(lambda: all(state(rpc, name) != ProcessStates.STARTING for name in PROGRAMS), _SETTLE_SECONDS)
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
    before = {service: _workers(service) for service in services}
    for service in services:
        supervisor().signalProcess(service, "HUP")
    for service in services:
        if not until(lambda: _is_replaced(service, before[service]), REPLACE_SECONDS):  # noqa: B023  (asked at once)
            raise Trouble(f"{service} goes on as before, since its new workers do not start:\n{tail(service)}")


def _workers(service: str) -> set[int]:
    """Return a service's workers, whatever process is their parent by now: one that has only begun dies of SIGHUP."""
    return set(processes.workers(int(supervisor().getProcessInfo(service)["pid"])))


def _is_replaced(service: str, before: set[int]) -> bool:
    now = _workers(service)
    return bool(now) and not now & before


def why_down(since: datetime) -> str | None:
    """Return the last log lines of a program that does not start; None: all is well.

    Args:
        since: When it was told to start.
    """
    try:
        infos = supervisor().getAllProcessInfo()
    except OSError:
        return f"supervisor is gone:\n{tail('supervisor')}"
    for info in infos:
        name = info["name"]
        # A service that refused its settings says so as critical: supervisor's trying again will not help.
        unusable = any(line.level == "critical" and line.time >= since for line in last_lines(name))
        if unusable or info["state"] in (ProcessStates.FATAL, ProcessStates.EXITED):
            return f"{name} does not start. The end of its log:\n{tail(name)}"
    return None
