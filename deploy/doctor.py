"""`python -m deploy.doctor`: finds what is wrong, and says what to do about it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from deploy.diagnosis import Diagnosis, finding
from deploy.ears import limits
from deploy.engine_details import detail_in_words
from deploy.env_file import UnreadableEnv, read_env
from deploy.folotoy_doctor import folotoy
from deploy.folotoy_names import LAST_RESORTS
from deploy.guard_doctor import guard
from deploy.installation import ROOT, SERVICES, STATE, Addresses, first_key, get, wanted
from deploy.machine_doctor import clock, docker, network, nginx, python, room
from deploy.native import processes
from deploy.phrases import LOCALE, finding_sentences, phrase, state_name
from deploy.ports import described
from deploy.ready import describe


def settings() -> Iterator[Diagnosis]:
    if not (ROOT / ".env").exists():
        yield finding(None, "no_env")
        return
    try:
        values = read_env(ROOT / ".env")
    except UnreadableEnv as exc:
        yield finding(False, "unread_line", reason=exc)
        return
    if first_key(values) is None:
        yield finding(False, "anyone")
    elif len(first_key(values) or "") < 12:
        yield finding(False, "short_key")
    else:
        yield Diagnosis(True, phrase("env_with_key"))
    if (ROOT / ".env").stat().st_mode & 0o007:
        yield finding(False, "open_env")
    try:
        Addresses.of(wanted())
    except ValueError as exc:
        yield finding(False, "wrong_setting", reason=exc)


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
    yield Diagnosis(True, phrase("up_in", mode=mode, port=addresses.port))
    key = first_key(read_env(ROOT / ".env"))
    for service in SERVICES:
        status, body = get(addresses.local, addresses.port, f"/status/{service}", key=key)
        if not isinstance(body, dict) or "engines" not in body:
            yield finding(False, "no_service", service=service)
            continue
        if deaths := body.get("worker_deaths"):
            yield finding(False, "deaths", service=service, count=deaths)
        yield from _engines(service, body["engines"], is_ready=status == 200)


def _engines(service: str, engines: Sequence[Mapping[str, Any]], *, is_ready: bool) -> Iterator[Diagnosis]:
    """Say what each engine of a service does, and what children do without."""
    states = "; ".join(f"{engine['name']} {describe(engine, state_name)}" for engine in engines)
    first = engines[0]
    answering = next((engine["name"] for engine in engines if engine["state"] == "ready"), "")
    code = "engines" if is_ready else "no_engine"
    if is_ready and first["state"] == "unavailable":
        code = "first_missing"
    told = finding_sentences(
        code, service=service, states=states, engine=first["name"], variable=f"{service.upper()}_ENGINES"
    )
    yield Diagnosis(is_ready, *told)
    if answering in LAST_RESORTS and len(engines) > 1:
        kind = phrase(answering)
        yield finding(None, "last_resort", lesser=True, service=service, engine=answering, kind=kind)
    if service == "stt" and (limited := limits(engines)):
        what, _, remedy = limited.partition("\n")
        yield Diagnosis(None, what, remedy.replace("\n", " "), lesser=True)
    for engine in engines:
        if engine["state"] == "ready" and engine.get("detail"):
            yield Diagnosis(None, f"{service}: {engine['name']}: {detail_in_words(engine['detail'])}")


def lost() -> Iterator[Diagnosis]:
    """Look for processes that nobody looks after."""
    if pids := processes.orphans():
        yield finding(False, "lost", count=len(pids), pids=" ".join(map(str, pids)))


def _ports(addresses: Addresses) -> Iterator[Diagnosis]:
    ports = [addresses.port, *map(addresses.base_port, SERVICES), *map(addresses.own_port, SERVICES)]
    taken = []
    for port in ports:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                taken.append(described(port))
    if taken:
        yield finding(False, "port_taken", ports=", ".join(taken))
    else:
        yield Diagnosis(True, phrase("free_ports", port=addresses.port))


def provider_variables() -> Iterator[Diagnosis]:
    """Say which of FoloToy's variables of providers are understood, and which are not."""
    done = _asked("deploy.provider_variables")
    if done is None or done.returncode:
        return
    told = json.loads(done.stdout)
    understood = [f"{variable} ({owner})" for variable, owner, _ in told if owner]
    if understood:
        yield Diagnosis(True, phrase("understood", names=", ".join(understood)))
    for variable, owner, remedy in told:
        if not owner:
            yield finding(None, "not_used", variable=variable, remedy=remedy)


def _asked(module: str) -> subprocess.CompletedProcess[str] | None:
    """Run a module with the libraries of the services and the settings in `.env`; None where there are none."""
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        return None
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT / "services"), **read_env(ROOT / ".env")}
    environment.update((name, os.environ[name]) for name in LOCALE if name in os.environ)
    return subprocess.run([python, "-m", module], cwd=ROOT, env=environment, capture_output=True, text=True)


def upstreams() -> Iterator[Diagnosis]:
    """Look for upstreams without a key or an address, by the tables of the services."""
    done = _asked("deploy.upstreams")
    if done is None:
        return
    if done.returncode:
        yield finding(None, "no_chains", reason=done.stderr.strip().splitlines()[-1])
        return
    for service, engine, lacks in json.loads(done.stdout):
        yield finding(None, "lacking", service=service, engine=engine, lacks=lacks)


def edge() -> Iterator[Diagnosis]:
    """Have Edge's service say one word, if it is asked at all: it may refuse a machine that reaches it."""
    if "edge" not in wanted().get("TTS_ENGINES", "edge").split(","):
        return
    done = _asked("deploy.edge_word")
    if done is None or done.returncode:
        return
    told = json.loads(done.stdout)
    if "seconds" in told:
        yield Diagnosis(True, phrase("edge_speaks", seconds=told["seconds"]))
    else:
        yield finding(None, "no_edge", lesser=True, trouble=told["trouble"])


CHECKS: tuple[Callable[[], Iterator[Diagnosis]], ...] = (
    *(python, nginx, docker, settings, upstreams, provider_variables, running, guard, lost, room),
    *(network, clock, edge, folotoy),
)


def _diagnoses(check: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    with suppress(UnreadableEnv):  # `settings` names it
        yield from check()


def main() -> int:
    signs = {True: phrase("sign_good"), None: "    ", False: phrase("sign_bad")}
    bad = less = 0
    for check in CHECKS:
        for diagnosis in _diagnoses(check):
            bad += diagnosis.good is False
            less += diagnosis.lesser
            print(
                f"{phrase('sign_lesser') if diagnosis.lesser else signs[diagnosis.good]} {diagnosis.what}", flush=True
            )
            if diagnosis.remedy:
                print(f"        → {diagnosis.remedy}")
    print(f"\n{_verdict(bad, less)}")
    return 1 if bad else 0


def _verdict(bad: int, less: int) -> str:
    if bad:
        return phrase("bad", bad=bad)
    return phrase("less" if less else "well")


if __name__ == "__main__":
    sys.exit(main())
