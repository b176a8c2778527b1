"""A Talkbox on a network that loses packets, or takes its time; in a network namespace of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.bad_network import TURNS

FILTER = ("-A", "INPUT", "-m", "statistic", "--mode", "random", "--probability", "0.03", "-j", "DROP")
WORSE = {
    "3 % of all packets are lost": ("iptables", *FILTER),
    "each packet takes 100 ms": ("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "100ms"),
}
TOLERATED = 2
"""Turns that may fail: a packet that is lost again and again takes longer than a toy waits."""


def can(*command: str) -> bool:
    """Tell whether a command does its work in a network namespace of its own."""
    try:
        return subprocess.run(["unshare", "--net", *command], capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("worsen", WORSE.values(), ids=WORSE)
def test_toys_are_answered_in_time_though(worsen: tuple[str, ...], tmp_path: Path) -> None:
    if not can(*worsen):
        pytest.skip(f"no rights to a network namespace, or the kernel cannot do this: {' '.join(worsen)}")
    command = ["unshare", "--net", sys.executable, "-m", "e2e.bad_network", str(tmp_path), *worsen]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr

    wrong = json.loads(done.stdout.splitlines()[-1])
    assert len(wrong) == TURNS
    assert len([each for each in wrong if each]) <= TOLERATED, wrong
