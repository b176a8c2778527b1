"""Show what runs, with its workers, memory and engines: `make ps`."""

from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width

from deploy import ready
from deploy.env_file import UnreadableEnv
from deploy.installation import SERVICES, Addresses, first_key, get, wanted
from deploy.native import processes
from deploy.native.layout import PROGRAMS
from deploy.native.supervision import is_running, supervisor
from deploy.phrases import phrase, state_name

_COLUMNS = ("service", "state", "workers", "pids", "memory", "engines")


def ps() -> int:
    if lost := processes.orphans():
        print(phrase("orphans", count=len(lost), pids=" ".join(map(str, lost))))
    if not is_running():
        print(phrase("nothing_up"))
        return 0
    addresses, key = Addresses.current(), _key()
    engines = {service: _engines(service, addresses, key) for service in SERVICES}
    rows: list[tuple[str, ...]] = [tuple(map(phrase, _COLUMNS))]
    infos = {info["name"]: info for info in supervisor().getAllProcessInfo()}
    rows += [_row(infos[name], engines.get(name)) for name in PROGRAMS if name in infos]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())
    for service, states in engines.items():
        for engine in states or ():
            if ready.brief(engine) != ready.describe(engine):
                state = ready.describe(engine, state_name)
                print("\n" + phrase("detail", service=service, engine=engine["name"], state=state))
    return 0


def _key() -> str | None:
    try:
        return first_key(wanted())
    except UnreadableEnv:  # what is up has read its settings before
        return None


def _engines(service: str, addresses: Addresses, key: str | None) -> list[Any] | None:
    """Return the engines as /readyz shows them; None: there is no answer."""
    _, body = get("127.0.0.1", addresses.own_port(service), "/readyz", key=key)
    return body.get("engines") if isinstance(body, dict) else None


def _row(info: dict[str, Any], engines: list[Any] | None) -> tuple[str, ...]:
    name, pid, label = info["name"], info["pid"], state_name(info["statename"].lower())
    if not pid:
        return name, label, "", "", "", phrase("see_logs", name=name)
    memory = f"{processes.memory_bytes(processes.family(pid)) / 2**20:.0f} MB"
    children = processes.workers(pid) if name in SERVICES else processes.children(pid)
    states = "; ".join(f"{engine['name']} {ready.brief(engine, state_name)}" for engine in engines or ())
    if name in SERVICES and engines is None:
        states = phrase("no_answer")
    return name, label, str(len(children)), _pids(pid, children), memory, states


def _pids(parent: int, children: Sequence[int]) -> str:
    return f"{parent} ({' '.join(map(str, children))})"


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes; a Chinese character takes two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
