"""`make load TOYS=200`: how many toys this Talkbox, or any other base, carries, and what gives way first.

The number of toys is doubled up to TOYS. BASE and KEYS (separated by commas) name another installation; THINK is a
child's mean pause in seconds, SECONDS the length of a step, FILE a recording, FRESH=1 has all speech made anew.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from deploy.installation import SERVICES, Addresses, all_keys, url, wanted
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from bench.stack import quantile
from bench.toys import HOPS, TOY_SECONDS, Failed, Seen, question_of, talking

QUESTION = "Hello! What is your name?"
STEPS = 4
MOST_FAILED = 0.01
"""Part of the turns that may fail where toys are said to be carried."""


@dataclass(frozen=True)
class Wish:
    """What the environment asks for."""

    toys: int
    base: str
    keys: list[str]
    think_seconds: float
    seconds: float
    fresh: bool
    recording: bytes
    local: Addresses | None
    """The installation in this checkout, whose services are watched too; None: another base."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Wish":
        """Raises:
        ValueError: A value is no number.
        OSError: The recording cannot be read.
        """
        base, keys, local = environ.get("BASE", "").rstrip("/"), environ.get("KEYS", "").split(","), None
        if not base:
            local = Addresses.current()
            base, keys = url(local.local, local.port), all_keys(wanted()) or [""]
        return cls(
            toys=int(environ.get("TOYS") or 50),
            base=base,
            keys=keys,
            think_seconds=float(environ.get("THINK") or 10),
            seconds=float(environ.get("SECONDS") or 30),
            fresh=bool(environ.get("FRESH")),
            recording=Path(file).read_bytes() if (file := environ.get("FILE", "")) else b"",
            local=local,
        )

    @property
    def steps(self) -> list[int]:
        """Numbers of toys, each about twice the one before."""
        return sorted({max(1, self.toys >> shift) for shift in range(STEPS)})


@dataclass(frozen=True)
class Cost:
    """Processor seconds and bytes of memory of one service so far."""

    cpu: float
    memory: float


async def costs(local: Addresses | None) -> dict[str, Cost]:
    """Ask each service's own port; those of containers and of other bases are out of reach, and left out."""
    found: dict[str, Cost] = {}
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        for service in SERVICES if local else ():
            assert local is not None
            try:
                text = (await client.get(f"http://127.0.0.1:{local.own_port(service)}/metrics")).text
            except httpx.HTTPError:
                continue
            figures = {family.name: family.samples[0].value for family in _processes(text)}
            found[service] = Cost(figures["process_cpu_seconds"], figures["process_resident_memory_bytes"])
    return found


def _processes(text: str) -> list[Metric]:
    return [each for each in text_string_to_metric_families(text) if each.name.startswith("process_")]


def carried(seen: Seen) -> bool:
    """Tell whether all but very few turns were answered, each hop in a toy's time."""
    in_time = all(seen.took[hop] and quantile(seen.took[hop], 0.95) <= TOY_SECONDS for hop in HOPS[:3])
    return in_time and sum(seen.failed.values()) <= MOST_FAILED * seen.turns


def report(toys: int, seconds: float, seen: Seen, before: Mapping[str, Cost], after: Mapping[str, Cost]) -> None:
    verdict = "carried" if carried(seen) else "NOT carried"
    print(f"\n{toys} toys: {seen.whole} whole turns, {60 * seen.whole / seconds:.0f} a minute; {verdict}")
    for hop in HOPS:
        if took := seen.took[hop]:
            cells = "  ".join(f"p{round(100 * part)} {quantile(took, part):6.3f} s" for part in (0.5, 0.95, 0.99))
            print(f"  {hop:<12} {cells}")
    for reason, number in seen.failed.most_common():
        print(f"  failed       {number} × {reason}")
    for service, cost in after.items():
        cores = (cost.cpu - before[service].cpu) / seconds if service in before else 0.0
        each = f", {1000 * cores * seconds / seen.whole:.0f} ms a turn" if seen.whole else ""
        print(f"  {service:<12} {cores:.2f} cores{each}, {cost.memory / 2**20:.0f} MB")


async def main(wish: Wish) -> int:
    question = wish.recording or await question_of(wish.base, wish.keys[0], QUESTION)
    print(f"{wish.base}: a child's pause {wish.think_seconds:g} s, each step {wish.seconds:g} s, {len(wish.keys)} keys")
    knee = 0
    for toys in wish.steps:
        before = await costs(wish.local)
        seen = await talking(toys, wish.seconds, wish.base, wish.keys, question, wish.think_seconds, fresh=wish.fresh)
        report(toys, wish.seconds, seen, before, await costs(wish.local))
        if not carried(seen):
            break
        knee = toys
    told = f"{knee} toys were carried" if knee else "Not even the fewest toys were carried"
    print(f"\n{told}; {f'{toys} were too many' if toys > knee else 'more were not tried'}.")
    return 0 if knee else 1


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(Wish.of(os.environ))))
    except (Failed, OSError, ValueError) as exc:
        print(exc, file=sys.stderr)
        sys.exit(2)
