"""Report on the guard for children and on what is kept, as the running services tell it, for `make doctor`.

Plain Python without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.diagnosis import Diagnosis, finding
from deploy.env_file import read_env
from deploy.installation import ROOT, SERVICES, STATE, Addresses, first_key, get
from deploy.phrases import phrase

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
            yield finding(None, "no_guard")
        return
    first = next(iter(on.values()))
    of_keys = ", ".join(f"{name}: {profile}" for name, profile in first.get("profiles", {}).items())
    said = [phrase("guard_keys" if of_keys else "guard_profile", profile=first["profile"], keys=of_keys)]
    said.append(phrase("guard_by", engines=", ".join(first["engines"])))
    said += [phrase(f"guard_{name}", value=first[name]) for name in ("minutes", "hours", "clock") if first.get(name)]
    about = "; ".join(said)
    if first["mode"] == "shadow":
        yield finding(None, "guard_watches", about=about)
    else:
        yield Diagnosis(True, phrase("guard", about=about))
    if missing := [service for service in guards if service not in on]:
        yield finding(False, "guard_missing", services=", ".join(missing))
    counts: Counter[str] = Counter()
    for found in on.values():
        counts.update(found["stopped"])
    if counts:
        most = ", ".join(f"{kind} {number}" for kind, number in counts.most_common(_MOST_KINDS))
        yield Diagnosis(None, phrase("guard_stopped", count=sum(counts.values()), most=most))


def of_privacy(sheet: Mapping[str, Any]) -> Iterator[Diagnosis]:
    """Say whether words are on a disk, and who gets them."""
    told = {service: sheet[service] for service in SERVICES if "kept" in sheet.get(service, {})}
    if not told:
        return
    on_disk = [
        phrase("kept", **each, service=service, folder=each.get("address") or phrase("a_folder"))
        for service, found in told.items()
        for each in found["kept"]
        if each["words"] and each["where"] == "disk"
    ]
    servers = sorted({each["to"] for found in told.values() for each in found["sent"] if each["what"] != "notices"})
    disk = phrase("on_disk", kept="; ".join(on_disk)) if on_disk else phrase("not_on_disk")
    sent = phrase("sent_to", servers=", ".join(servers)) if servers else phrase("sent_nowhere")
    yield Diagnosis(None if on_disk or servers else True, phrase("privacy", disk=disk, sent=sent))
