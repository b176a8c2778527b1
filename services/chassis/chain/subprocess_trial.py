"""Try risky native code in a throw-away process."""

import subprocess
import sys

_CHARACTERS = 300


def failure(script: str, *arguments: str, seconds: float) -> str | None:
    """Run a Python script; return the reason of its failure in one line, or None. Blocks."""
    command = [sys.executable, "-c", script, *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"not done within {seconds:g} s"
    if done.returncode == 0:
        return None
    last = " ".join(done.stderr.decode(errors="replace").strip().splitlines()[-1:])
    return last[:_CHARACTERS] or f"status {done.returncode}"
