"""`make load TOYS=200`: how many toys this Talkbox, or any other base, carries, and what gives way first.

The number of toys is doubled, up to TOYS or until they are too many; then numbers between are tried. BASE and KEYS
(separated by commas) name another installation; THINK is a child's mean pause in seconds, SECONDS the length of a step,
FILE a recording, FRESH=1 has all speech made anew.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.installation import Addresses, all_keys, url, wanted
from deploy.native import processes
from deploy.native.layout import PROGRAMS
from deploy.native.supervision import is_running, supervisor

from bench.stack import cpu_seconds, quantile
from bench.toys import HOPS, TOY_SECONDS, Failed, Seen, question_of, talking

QUESTION = "Hello! What is your name?"
MOST_FAILED = 0.01
"""Part of the turns that may fail where toys are said to be carried."""
NEAR = 0.25
"""The knee is found where the fewest toys that are too many are at most so much more than those that are carried."""
LATE_SECONDS = 0.05
"""The toys themselves wake up so late at most, or what they measure is partly their own slowness."""


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
    here: bool
    """The base is the installation in this checkout, whose programs are watched too."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Wish":
        """Raises:
        ValueError: A value is no number.
        OSError: The recording cannot be read.
        """
        base, keys = environ.get("BASE", "").rstrip("/"), environ.get("KEYS", "").split(",")
        if here := not base:
            addresses = Addresses.current()
            base, keys = url(addresses.local, addresses.port), all_keys(wanted()) or [""]
        return cls(
            toys=int(environ.get("TOYS") or 50),
            base=base,
            keys=keys,
            think_seconds=float(environ.get("THINK") or 10),
            seconds=float(environ.get("SECONDS") or 30),
            fresh=bool(environ.get("FRESH")),
            recording=Path(file).read_bytes() if (file := environ.get("FILE", "")) else b"",
            here=here,
        )


@dataclass(frozen=True)
class Cost:
    """Processor seconds so far and bytes of memory of one program, with all the processes that came from it."""

    cpu: float
    memory: float


def costs(*, here: bool) -> dict[str, Cost]:
    """Return what each program of this checkout costs, and these toys; containers and other bases cannot be seen."""
    found = {"these toys": Cost(time.process_time(), processes.memory_bytes([os.getpid()]))}
    for info in supervisor().getAllProcessInfo() if here and is_running() else ():
        if info["name"] in PROGRAMS and info["pid"]:
            family = processes.family(info["pid"])
            found[info["name"]] = Cost(cpu_seconds(family), processes.memory_bytes(family))
    return found


def carried(seen: Seen) -> bool:
    """Tell whether all but very few turns were answered, each hop in a toy's time."""
    in_time = all(seen.took[hop] and quantile(seen.took[hop], 0.95) <= TOY_SECONDS for hop in HOPS[:3])
    return in_time and sum(seen.failed.values()) <= MOST_FAILED * seen.turns


def report(toys: int, seconds: float, seen: Seen, before: Mapping[str, Cost], after: Mapping[str, Cost]) -> None:
    verdict = "carried" if carried(seen) else "NOT carried"
    print(f"\n{toys} toys: {seen.whole} whole turns, {60 * seen.whole / seconds:.0f} a minute; {verdict}", flush=True)
    for hop in HOPS:
        if took := seen.took[hop]:
            cells = "  ".join(f"p{round(100 * part)} {quantile(took, part):6.3f} s" for part in (0.5, 0.95, 0.99))
            print(f"  {hop:<12} {cells}")
    for reason, number in seen.failed.most_common():
        print(f"  failed       {number} × {reason}")
    for program, cost in after.items():
        spent = cost.cpu - before[program].cpu if program in before else 0.0
        each = f", {1000 * spent / seen.whole:.0f} ms a turn" if seen.whole else ""
        print(f"  {program:<12} {spent / seconds:.2f} cores{each}, {cost.memory / 2**20:.0f} MB")
    if (late := quantile(seen.late or [0.0], 0.95)) > LATE_SECONDS:
        print(
            f"  These toys have no time themselves (late by {late:.2f} s): try them from another machine.", flush=True
        )


async def step(wish: Wish, toys: int, question: bytes) -> bool:
    """Let so many toys talk, and tell whether they are carried."""
    before = costs(here=wish.here)
    seen = await talking(toys, wish.seconds, wish.base, wish.keys, question, wish.think_seconds, fresh=wish.fresh)
    report(toys, wish.seconds, seen, before, costs(here=wish.here))
    return carried(seen)


def following(most: int, knee: int, too_many: int | None) -> int | None:
    """Return the number of toys to try next; None: it is known how many are carried.

    Args:
        knee: The most that were carried; 0: none were yet.
        too_many: The fewest that were not.
    """
    if too_many is None:
        doubled = sorted({most >> shift for shift in range(most.bit_length())})
        return next((toys for toys in doubled if toys > knee), None)
    between = (knee + too_many) // 2
    return between if between > knee and too_many > (1 + NEAR) * knee else None


async def main(wish: Wish) -> int:
    question = wish.recording or await question_of(wish.base, wish.keys[0], QUESTION)
    print(f"{wish.base}: a child's pause {wish.think_seconds:g} s, each step {wish.seconds:g} s, {len(wish.keys)} keys")
    knee, too_many = 0, None
    while toys := following(wish.toys, knee, too_many):
        if await step(wish, toys, question):
            knee = toys
        else:
            too_many = toys
    told = f"{knee} toys were carried" if knee else "Not even one toy was carried"
    print(f"\n{told}; {f'{too_many} were too many' if too_many else 'more were not tried'}.")
    return 0 if knee else 1


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(Wish.of(os.environ))))
    except (Failed, OSError, ValueError) as exc:
        print(exc, file=sys.stderr)
        sys.exit(2)
