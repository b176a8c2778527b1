"""`python -m deploy.doctor`: finds what is wrong, and says what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from deploy.diagnosis import Diagnosis
from deploy.ears import limits
from deploy.env_file import UnreadableLine, read_env
from deploy.folotoy_doctor import folotoy
from deploy.folotoy_names import LAST_RESORTS
from deploy.guard_doctor import guard
from deploy.installation import ROOT, SERVICES, STATE, Addresses, first_key, get, wanted
from deploy.native import processes
from deploy.ready import describe

SBIN = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/sbin"))
_EDGE_HOST = "speech.platform.bing.com"
_HUB = "https://huggingface.co"
_EDGE_REMEDY = (
    "Other engines answer. Set the clock; take a newer Talkbox, for a newer edge-tts; where the address of a VPS is "
    "refused (403), set EDGE_PROXY to a line at home, or another engine first in TTS_ENGINES."
)
CONNECT_SECONDS = 3.0
_SKEW_SECONDS = 120
_FREE_BYTES = 3 * 2**30


def python() -> Iterator[Diagnosis]:
    version = ".".join(map(str, sys.version_info[:3]))
    native = sys.version_info >= (3, 11)
    remedy = "" if native else "Running natively needs 3.11: `make up PYTHON=/path/to/python3.12`, or MODE=containers."
    yield Diagnosis(native or None, f"Python {version}", remedy)


def nginx() -> Iterator[Diagnosis]:
    found = shutil.which("nginx") or shutil.which("nginx", path=SBIN)
    if found is None:
        yield Diagnosis(None, "no nginx", "`make up` fetches it as root or with sudo; or `sudo apt install nginx`.")
        return
    version = subprocess.run([found, "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2]
    numbers = tuple(int(part) for part in version.split()[0].split(".")[:2]) if version[:1].isdigit() else (0, 0)
    yield Diagnosis(numbers >= (1, 22), f"nginx {version}", "" if numbers >= (1, 22) else "It takes 1.22 or newer.")


def docker() -> Iterator[Diagnosis]:
    if shutil.which("docker") is None:
        yield Diagnosis(None, "no Docker", "Not needed: without it everything runs natively.")
        return
    for command, what in (
        (["docker", "compose", "version", "--short"], "Docker Compose"),
        (["docker", "version", "--format", "{{.Server.Version}}"], "Docker engine"),
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10)
        except subprocess.TimeoutExpired:
            yield Diagnosis(None, f"{what}: no answer in 10 s", "Without it everything runs natively.")
            return
        if done.returncode:
            yield Diagnosis(None, f"{what} does not answer", "Is it running, and may you use it (group docker)?")
        else:
            yield Diagnosis(True, f"{what} {done.stdout.strip()}")


def settings() -> Iterator[Diagnosis]:
    if not (ROOT / ".env").exists():
        yield Diagnosis(None, "no .env yet", "`make up` writes it, with an API key of its own.")
        return
    try:
        values = read_env(ROOT / ".env")
    except UnreadableLine as exc:
        yield Diagnosis(False, str(exc), "Until then nothing starts: an unread line may be the one with the keys.")
        return
    if first_key(values) is None:
        yield Diagnosis(False, "API_KEYS is empty: anyone who reaches the port may call", "Write a key into .env.")
    elif len(first_key(values) or "") < 12:
        yield Diagnosis(False, "the first of API_KEYS is short enough to be guessed", "Write a longer one into .env.")
    else:
        yield Diagnosis(True, ".env with an API key")
    if (ROOT / ".env").stat().st_mode & 0o007:
        yield Diagnosis(False, "everybody on this machine may read .env", "`chmod 600 .env`")
    try:
        Addresses.of(wanted())
    except ValueError as exc:
        yield Diagnosis(False, str(exc), "Correct it in .env.")


def running() -> Iterator[Diagnosis]:
    """Look at the engines of what is up, or else at the ports."""
    try:
        addresses = Addresses.current()
    except ValueError:
        return
    mode = (STATE / "mode").read_text().strip() if (STATE / "mode").exists() else ""
    if not mode:
        yield from _ports(addresses)
        return
    yield Diagnosis(True, f"up, MODE={mode}, port {addresses.port}")
    key = first_key(read_env(ROOT / ".env"))
    for service in SERVICES:
        status, body = get(addresses.local, addresses.port, f"/status/{service}", key=key)
        if not isinstance(body, dict) or "engines" not in body:
            yield Diagnosis(False, f"{service} does not answer", f"`make logs S={service}`, then `make up`.")
            continue
        if deaths := body.get("worker_deaths"):
            remedy = f"`make logs S={service}` says of what: SIGKILL is often a lack of memory, SIGBUS a full disk."
            yield Diagnosis(False, f"{service}: {deaths} of its workers died since it was started", remedy)
        states = "; ".join(f"{engine['name']} {describe(engine)}" for engine in body["engines"])
        first = body["engines"][0]
        answering = next((engine["name"] for engine in body["engines"] if engine["state"] == "ready"), "")
        remedy = "" if status == 200 else "No engine is ready: the words after `unavailable` say what to do."
        if status == 200 and first["state"] == "unavailable":
            remedy = f"Others answer. If {first['name']} is not wanted, take it out of {service.upper()}_ENGINES."
        yield Diagnosis(status == 200 or False, f"{service}: {states}", remedy)
        if answering in LAST_RESORTS and len(body["engines"]) > 1:
            what = f"{service} answers with {answering} only ({LAST_RESORTS[answering]})"
            yield Diagnosis(None, what, "The words after the others say what keeps them.", lesser=True)
        if service == "stt" and (limited := limits(body["engines"])):
            what, _, remedy = limited.partition("\n")
            yield Diagnosis(None, what, remedy.replace("\n", " "), lesser=True)
        for engine in body["engines"]:
            if engine["state"] == "ready" and engine.get("detail"):
                yield Diagnosis(None, f"{service}: {engine['name']}: {engine['detail']}")


def lost() -> Iterator[Diagnosis]:
    """Look for processes that nobody looks after."""
    if pids := processes.orphans():
        shown = " ".join(map(str, pids))
        yield Diagnosis(
            False, f"{len(pids)} processes are left of a supervisor or master that was killed: {shown}", "`make up`"
        )


def _ports(addresses: Addresses) -> Iterator[Diagnosis]:
    ports = [addresses.port, *map(addresses.base_port, SERVICES), *map(addresses.own_port, SERVICES)]
    taken = []
    for port in ports:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                taken.append(str(port))
    if taken:
        yield Diagnosis(False, f"another program has port {', '.join(taken)}", "Set another TALKBOX_PORT in .env.")
    else:
        yield Diagnosis(True, f"not up; ports {addresses.port} and what goes with it are free")


def room() -> Iterator[Diagnosis]:
    free = shutil.disk_usage(ROOT).free
    remedy = "" if free > _FREE_BYTES else "Libraries and a model take about 2 GB; make room."
    yield Diagnosis(free > _FREE_BYTES, f"{free / 2**30:.0f} GB of disk free", remedy)


def provider_variables() -> Iterator[Diagnosis]:
    """Say which of FoloToy's variables of providers are understood, and which are not."""
    done = _asked("deploy.provider_variables")
    if done is None or done.returncode:
        return
    told = json.loads(done.stdout)
    understood = [f"{variable} ({owner})" for variable, owner, _ in told if owner]
    if understood:
        yield Diagnosis(True, f"understood: {', '.join(understood)}")
    for variable, owner, remedy in told:
        if not owner:
            yield Diagnosis(None, f"{variable} is not used", remedy)


def _asked(module: str) -> subprocess.CompletedProcess[str] | None:
    """Run a module with the libraries of the services and the settings in `.env`; None where there are none."""
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        return None
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT / "services"), **read_env(ROOT / ".env")}
    return subprocess.run([python, "-m", module], cwd=ROOT, env=environment, capture_output=True, text=True)


def upstreams() -> Iterator[Diagnosis]:
    """Look for upstreams without a key or an address, by the tables of the services."""
    done = _asked("deploy.upstreams")
    if done is None:
        return
    if done.returncode:
        yield Diagnosis(None, "the chains cannot be read", done.stderr.strip().splitlines()[-1])
        return
    for service, engine, lacks in json.loads(done.stdout):
        yield Diagnosis(None, f"{service}: {engine} cannot be asked", f"{lacks} Until then the next engine answers.")


def network() -> Iterator[Diagnosis]:
    values = read_env(ROOT / ".env")
    hosts = {_EDGE_HOST: "edge's voices", _host(values.get("HF_ENDPOINT") or _HUB): "Whisper's weights"}
    for name, value in values.items():
        if name.endswith("_BASE_URL") and value:
            hosts[_host(value)] = name
    with ThreadPoolExecutor(8) as pool:
        jobs = {host: pool.submit(_reached, host) for host in hosts}
    for host, purpose in hosts.items():
        if jobs[host].result():
            yield Diagnosis(True, f"{host} ({purpose}) answers")
        else:
            remedy = "Other engines answer without it. Behind a filter, a mirror or a proxy helps."
            yield Diagnosis(None, f"{host} ({purpose}) is not reached", remedy)


def edge() -> Iterator[Diagnosis]:
    """Have Edge's service say one word, if it is asked at all: it may refuse a machine that reaches it."""
    if "edge" not in wanted().get("TTS_ENGINES", "edge").split(","):
        return
    done = _asked("deploy.edge_word")
    if done is None or done.returncode:
        return
    told = json.loads(done.stdout)
    if "seconds" in told:
        yield Diagnosis(True, f"edge said a word in {told['seconds']} s")
    else:
        yield Diagnosis(None, f"edge does not speak: {told['trouble']}", _EDGE_REMEDY, lesser=True)


def _host(address: str) -> str:
    return urlsplit(address if "//" in address else f"//{address}").netloc.rpartition("@")[2]


def _reached(host: str) -> bool:
    name, _, port = host.partition(":")
    try:
        socket.create_connection((name, int(port or 443)), CONNECT_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True


def clock() -> Iterator[Diagnosis]:
    """Compare the clock with a server's; edge's voices refuse callers with a wrong one."""
    connection = HTTPSConnection(_EDGE_HOST, timeout=CONNECT_SECONDS)
    try:
        connection.request("HEAD", "/")
        date = connection.getresponse().headers.get("date", "")
        skew = abs(time.time() - parsedate_to_datetime(date).timestamp())
    except (OSError, HTTPException, ValueError, TypeError):
        return
    finally:
        connection.close()
    remedy = (
        "" if skew < _SKEW_SECONDS else "Set it (`sudo timedatectl set-ntp true`): edge's voices refuse a wrong one."
    )
    yield Diagnosis(skew < _SKEW_SECONDS, f"the clock is {skew:.0f} s off", remedy)


CHECKS: tuple[Callable[[], Iterator[Diagnosis]], ...] = (
    *(python, nginx, docker, settings, upstreams, provider_variables, running, guard, lost, room),
    *(network, clock, edge, folotoy),
)


def _diagnoses(check: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    with suppress(UnreadableLine):  # `settings` names it
        yield from check()


def main() -> int:
    signs = {True: "ok  ", None: "    ", False: "BAD "}
    bad = less = 0
    for check in CHECKS:
        for diagnosis in _diagnoses(check):
            bad += diagnosis.good is False
            less += diagnosis.lesser
            print(f"{'LESS' if diagnosis.lesser else signs[diagnosis.good]} {diagnosis.what}", flush=True)
            if diagnosis.remedy:
                print(f"        → {diagnosis.remedy}")
    print(f"\n{_verdict(bad, less)}")
    return 1 if bad else 0


def _verdict(bad: int, less: int) -> str:
    if bad:
        return f"{bad} to mend, marked BAD."
    if less:
        return "Nothing is broken. What children do without is marked LESS."
    return "Nothing is wrong."


if __name__ == "__main__":
    sys.exit(main())
