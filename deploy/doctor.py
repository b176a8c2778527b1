"""`python -m deploy.doctor`: finds what is wrong, and says what to do about it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

from deploy.diagnosis import Diagnosis
from deploy.ears import limits
from deploy.env_file import UnreadableLine, read_env
from deploy.folotoy_doctor import folotoy
from deploy.folotoy_names import LAST_RESORTS
from deploy.guard_doctor import guard
from deploy.installation import ROOT, SERVICES, STATE, Addresses, first_key, get, wanted
from deploy.machine_doctor import clock, docker, network, nginx, python, room
from deploy.native import processes
from deploy.ready import describe

_EDGE_REMEDY = (
    "Other engines answer. Set the clock; take a newer Talkbox, for a newer edge-tts; where the address of a VPS is "
    "refused (403), set EDGE_PROXY to a line at home, or another engine first in TTS_ENGINES."
)


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
