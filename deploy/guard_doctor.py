"""Report on the guard for children and on what is kept, as the running services tell it, for `make doctor`.

Plain Python without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.diagnosis import Diagnosis
from deploy.env_file import read_env
from deploy.installation import ROOT, SERVICES, STATE, Addresses, first_key, get

_MOST_KINDS = 5
"""Kinds of risk that are named with their counts."""


def guard() -> Iterator[Diagnosis]:
    """Look at the guard and at what is kept, where Talkbox is up."""
    try:
        addresses = Addresses.current()
    except ValueError:  # the look at the settings names it
        return
    if not (STATE / "mode").exists():
        return
    key = first_key(read_env(ROOT / ".env"))

    def ask(path: str) -> Any:
        return get(addresses.local, addresses.port, path, key=key)[1]

    states = {service: body for service in SERVICES if isinstance(body := ask(f"/status/{service}"), dict)}
    yield from of_guard({service: body.get("guard") for service, body in states.items() if "engines" in body})
    sheet = ask("/status/privacy")
    if isinstance(sheet, dict):
        yield from of_privacy(sheet)


def of_guard(guards: Mapping[str, dict[str, Any] | None]) -> Iterator[Diagnosis]:
    """Say whether the guard is on, for which keys, and what it stopped."""
    on = {service: found for service, found in guards.items() if found}
    if not on:
        if guards:
            yield Diagnosis(
                None, "no guard for children", "If children talk to it: GUARD=kids in .env, then `make up`."
            )
        return
    first = next(iter(on.values()))
    of_keys = ", ".join(f"{name}: {profile}" for name, profile in first.get("profiles", {}).items())
    about = [f"profile {first['profile']}" + (f" ({of_keys})" if of_keys else ""), f"by {', '.join(first['engines'])}"]
    about += [f"{name} {first[name]}" for name in ("minutes", "hours") if first.get(name)]
    if first["mode"] == "shadow":
        yield Diagnosis(None, f"guard: only watches, {'; '.join(about)}", "GUARD=kids stops what does not pass.")
    else:
        yield Diagnosis(True, f"guard: {'; '.join(about)}")
    if missing := [service for service in guards if service not in on]:
        yield Diagnosis(False, f"no guard in {', '.join(missing)}, though others have it", "`make up` starts it anew.")
    counts: Counter[str] = Counter()
    for found in on.values():
        counts.update(found["stopped"])
    if counts:
        most = ", ".join(f"{kind} {number}" for kind, number in counts.most_common(_MOST_KINDS))
        yield Diagnosis(None, f"guard: {sum(counts.values())} clauses did not pass since the start ({most})")


def of_privacy(sheet: Mapping[str, Any]) -> Iterator[Diagnosis]:
    """Say whether words are on a disk, and who gets them."""
    told = {service: sheet[service] for service in SERVICES if "kept" in sheet.get(service, {})}
    if not told:
        return
    on_disk = [
        f"{service}: {each['what']} in {each.get('address', 'a folder')} ({each['setting']})"
        for service, found in told.items()
        for each in found["kept"]
        if each["words"] and each["where"] == "disk"
    ]
    servers = sorted({each["to"] for found in told.values() for each in found["sent"] if each["what"] != "notices"})
    disk = f"on a disk: {'; '.join(on_disk)}" if on_disk else "no word on a disk"
    sent = f"words go to {', '.join(servers)}" if servers else "no word leaves for another server"
    yield Diagnosis(None if on_disk or servers else True, f"privacy: {disk}; {sent}")
