"""What may end its whole process is tried first in one that nobody needs."""

import subprocess
import sys

CHARACTERS = 300


def failure(script: str, *arguments: str, seconds: float) -> str | None:
    """Why a Python script does not come to a good end, in one line; None: it does. Blocks."""
    command = [sys.executable, "-c", script, *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"not done within {seconds:g} s"
    if done.returncode == 0:
        return None
    last = " ".join(done.stderr.decode(errors="replace").strip().splitlines()[-1:])
    return last[:CHARACTERS] or f"status {done.returncode}"
