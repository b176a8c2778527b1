"""Processes in which PocketSphinx listens, as the service sees them: started, asked, kept for the next utterance."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from chassis.errors import EngineFailed, EngineUnavailable
from stt.hearing import Pcm

PROGRAM = Path(__file__).with_name("process.py")
RawWord: TypeAlias = tuple[str, float, float]


class ProcessPool:
    """Processes that are lent, one to a thread, and started when none is idle.

    Args:
        task: Argument of `process.py`, as JSON.
    """

    def __init__(self, task: str) -> None:
        self._task = task
        self._idle: list[SphinxProcess] = []
        self._all: set[SphinxProcess] = set()
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def lent(self) -> Iterator["SphinxProcess"]:
        """Lend a process until the block ends. Blocks while it starts.

        Raises:
            EngineFailed: The process died at once.
            EngineUnavailable: The grammar or the keywords cannot be used.
        """
        process = self._take()
        try:
            yield process
        finally:
            self._give_back(process)

    def close(self) -> None:
        """End all processes, those that are lent included. Blocks."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for process in self._all:
                process.kill()
        for process in idle:
            self._give_back(process)

    def _take(self) -> "SphinxProcess":
        with self._lock:
            process = self._idle.pop() if self._idle else None
        if process is not None and process.alive:
            return process
        if process is not None:
            self._give_back(process)
        process = SphinxProcess(self._task)
        with self._lock:
            self._all.add(process)
            if self._closed:
                process.kill()
        return process

    def _give_back(self, process: "SphinxProcess") -> None:
        with self._lock:
            if process.alive and not self._closed:
                self._idle.append(process)
                return
            self._all.discard(process)
        process.end()


class SphinxProcess:
    """One run of `process.py`, used by one thread at a time.

    Args:
        task: Argument of `process.py`, as JSON.

    Raises:
        EngineFailed: The process died, now or in any of the methods.
        EngineUnavailable: The grammar or the keywords cannot be used.
    """

    def __init__(self, task: str) -> None:
        command = [sys.executable, "-P", str(PROGRAM), task]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self.cpu_seconds = 0.0
        """Processor time that the last utterance took."""
        self.likelihood = 0.0
        """Likelihood of the last utterance, as `process.likelihood` returns it."""
        self._killed = False
        try:
            refused = self._read()
        except EngineFailed:
            self.end()
            raise
        if refused:
            self.end()
            raise EngineUnavailable(f"Check SPHINX_GRAMMAR and SPHINX_KEYWORDS: {refused[0]}.")

    @property
    def alive(self) -> bool:
        return not self._killed and self._process.poll() is None

    def hear(self, pcm: Pcm) -> list[RawWord]:
        """Return the words, with the seconds in which they begin and end."""
        samples = (pcm * 32767).astype("<i2").tobytes()
        try:
            self._stdin.write(len(samples).to_bytes(4, "little") + samples)
            self._stdin.flush()
        except OSError as exc:
            raise EngineFailed("the PocketSphinx process died") from exc
        self.cpu_seconds, self.likelihood, words = self._read()
        return [(word, start, end) for word, start, end in words]

    def _read(self) -> list[Any]:
        size = self._stdout.read(4)
        text = self._stdout.read(int.from_bytes(size, "little"))
        if not text:
            raise EngineFailed("the PocketSphinx process died")
        values: list[Any] = json.loads(text)
        return values

    def kill(self) -> None:
        """End the process at once; from any thread, and without waiting."""
        self._killed = True
        self._process.kill()

    def end(self) -> None:
        """Kill the process, wait for it, and close its pipes."""
        self.kill()
        self._process.wait()
        for pipe in (self._stdin, self._stdout):
            with suppress(OSError):  # what was not sent any more
                pipe.close()
