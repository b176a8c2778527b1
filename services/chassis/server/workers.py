"""Keep workers alive behind one socket: the parent of `python -m chassis.server --workers`, which serves nobody itself.

- SIGTERM closes the socket, so that callers are refused at once, and lets every worker finish what it has.
- SIGHUP replaces everything on the same socket: the parent becomes a new one, with the settings, code and libraries of
  that moment, and its workers take over one by one; each former one goes when its successor can answer.
- SIGTTIN adds a worker, SIGTTOU lets one go.
- A worker that died, or whose event loop has been silent for `_HANG_SECONDS`, is replaced, with a line in the log.
"""

import logging
import os
import shlex
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from pathlib import Path
from time import monotonic

from chassis.server.worker import GRACE_SECONDS, STARTUP_FAILURE, Orders, serve

_HANG_SECONDS = 8.0
"""Longest silence of a worker's event loop, which reports once a second."""
_START_SECONDS = 180.0
"""Longest time a worker may take to begin; one beside others first loads its engines."""
_WARM_SECONDS = 120.0
_LEAVE_SECONDS = GRACE_SECONDS + 5
_TICK_SECONDS = 0.2
RETRY_SECONDS = 5.0
_MOST_FAILED_STARTS = 3
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU)

_spawn = get_context("spawn")
log = logging.getLogger("talkbox.workers")


@dataclass(frozen=True)
class Duty:
    """The task of the parent: which service it keeps up, and how.

    Args:
        service: `stt`, `llm` or `tts`.
        count: Number of workers.
        start_command: Command that SIGHUP starts in this process's place; empty: the command that started it.
        former: Processes that a parent before this one has left behind.
        deaths: Workers that died under the parents before.
        counts: Folder where several workers keep their counts.
    """

    service: str
    count: int
    start_command: str = ""
    former: tuple[int, ...] = ()
    deaths: int = 0
    counts: Path | None = None


class Worker:
    """A worker process, as its parent sees it."""

    def __init__(
        self, duty: Duty, listener: socket.socket, *, beside_others: bool, together: bool, deaths: int
    ) -> None:
        self._reports, reports = _spawn.Pipe(duplex=False)
        orders = Orders(
            duty.service,
            os.getpid(),
            warm_seconds=_WARM_SECONDS if beside_others else 0.0,
            deaths=deaths,
            counts=duty.counts if together else None,
        )
        self.process = _spawn.Process(target=serve, args=(orders, listener, reports))
        self.process.start()
        reports.close()
        self.pid = self.process.pid or 0
        self.ready = self.leaving = False
        self.last_report = monotonic()

    def wake(self) -> list[connection.Connection | int]:
        """Return what has something to read when this worker reports or ends."""
        return [self.process.sentinel] if self._reports.closed else [self._reports, self.process.sentinel]

    def hear(self) -> None:
        """Take in what the worker has reported."""
        try:
            while not self._reports.closed and self._reports.poll():
                self.leaving |= self._reports.recv_bytes() == b"leaving"
                self.ready, self.last_report = True, monotonic()
        except (EOFError, OSError):
            self._reports.close()

    @property
    def hangs(self) -> bool:
        """True where the worker has been silent for too long."""
        return monotonic() - self.last_report > (_HANG_SECONDS if self.ready else _START_SECONDS)


@dataclass
class Workers:
    """The parent, which starts, watches, replaces and ends the workers."""

    duty: Duty
    listener: socket.socket
    workers: list[Worker] = field(default_factory=list)
    """The workers that are to stay."""
    going: dict[int, float] = field(default_factory=dict)
    """Processes that got SIGTERM, each with its deadline."""

    def __post_init__(self) -> None:
        self.count, self.deaths = self.duty.count, self.duty.deaths
        self.former = list(self.duty.former)
        self._first_former = len(self.former)
        self._signals: list[int] = []
        self._failed_starts = 0
        self._next_start = 0.0
        self._exit: int | None = None
        self._together = self.count > 1

    def run(self) -> int:
        """Keep the workers up until SIGTERM.

        Returns:
            The exit code: 0 after SIGTERM, 3 if no worker could start.
        """
        for number in _SIGNALS:
            signal.signal(number, lambda number, _: self._signals.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)  # a parent before this one may have held them back
        while self._exit is None:
            self._obey()
            self._look_after()
            self._start_what_is_missing()
            if self._exit is None:
                connection.wait([each for worker in self.workers for each in worker.wake()], _TICK_SECONDS)
        self._end()
        return self._exit

    def _obey(self) -> None:
        while self._signals:
            match self._signals.pop(0):
                case signal.SIGHUP:
                    self._renew()
                case signal.SIGTTIN:
                    self.count += 1
                    if not self._together:  # the one there is counts for itself; its successor counts with the others
                        self._together = True
                        self.former += [worker.pid for worker in self.workers]
                        self._first_former = len(self.former)
                        self.workers.clear()
                case signal.SIGTTOU:
                    self.count = max(1, self.count - 1)
                case _:
                    self._exit = 0

    def _renew(self) -> None:
        """Become a new parent on the same socket."""
        self.listener.set_inheritable(True)
        command = shlex.split(self.duty.start_command) or [sys.executable, *_without_handover(sys.orig_argv[1:])]
        pids = ",".join(map(str, [*self.former, *(worker.pid for worker in self.workers), *self.going]))
        handover = ["--listener", str(self.listener.fileno()), "--former", pids, "--deaths", str(self.deaths)]
        log.info("%s: SIGHUP; new workers take over one by one", self.duty.service)
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until the next parent listens to them
        os.execv(command[0], [*command, *handover])

    def _look_after(self) -> None:
        for worker in tuple(self.workers):
            worker.hear()
            if worker.hangs:
                log.error("%s: worker %d has been silent for too long and is killed", self.duty.service, worker.pid)
                worker.process.kill()
                worker.process.join()
            if worker.leaving:  # somebody else told it to end
                self.workers.remove(worker)
                self.going[worker.pid] = monotonic() + _LEAVE_SECONDS
            elif not worker.process.is_alive():
                self.workers.remove(worker)
                self._ended(worker)
        for pid in _ended_children({worker.pid for worker in self.workers}):
            self.going.pop(pid, None)
            if pid in self.former:
                self.former.remove(pid)
        for pid, deadline in tuple(self.going.items()):
            if monotonic() > deadline:
                _send(signal.SIGKILL, [pid])

    def _ended(self, worker: Worker) -> None:
        """Say why a worker is gone, and whether it makes sense to start another."""
        code = worker.process.exitcode or 0
        if worker.ready:
            self.deaths += 1
            event = {"service": self.duty.service, "worker": worker.pid, "exit_code": code, "deaths": self.deaths}
            log.error("worker %d died (%s); another takes its place", worker.pid, _why(code), extra={"event": event})
            return
        self._failed_starts += 1
        self._next_start = monotonic() + RETRY_SECONDS
        if any(other.ready for other in self.workers) or self.former:
            log.critical("%s: a new worker could not start (%s); those before go on", self.duty.service, _why(code))
        elif code == STARTUP_FAILURE or self._failed_starts >= _MOST_FAILED_STARTS:
            log.critical("%s: no worker could start (%s)", self.duty.service, _why(code))
            self._exit = STARTUP_FAILURE
        else:
            self._next_start = 0.0

    def _start_what_is_missing(self) -> None:
        """Start workers, one at a time beside others; let the former and the superfluous go when all are ready."""
        starting = [worker for worker in self.workers if not worker.ready]
        others = bool(self.former) or len(self.workers) > len(starting)
        if len(self.workers) < self.count and monotonic() >= self._next_start and not (others and starting):
            started = Worker(
                self.duty, self.listener, beside_others=others, together=self._together, deaths=self.deaths
            )
            self.workers.append(started)
        ready = [worker.pid for worker in self.workers if worker.ready]
        if ready:
            self._failed_starts = 0
        while self.former and (len(ready) >= self.count or len(ready) + len(self.former) > self._first_former):
            self._let_go(self.former.pop(0))
        while len(self.workers) > self.count:
            self._let_go(self.workers.pop().pid)

    def _let_go(self, pid: int) -> None:
        self.going[pid] = monotonic() + _LEAVE_SECONDS
        _send(signal.SIGTERM, [pid])

    def _end(self) -> None:
        """Refuse new callers at once, and let everybody who is being served be served to the end."""
        self.listener.close()
        pids = [*(worker.pid for worker in self.workers), *self.former, *self.going]
        _send(signal.SIGTERM, pids)
        deadline = monotonic() + _LEAVE_SECONDS
        while monotonic() < deadline and any(map(_is_child, pids)):
            connection.wait([], _TICK_SECONDS / 2)
        _send(signal.SIGKILL, filter(_is_child, pids))


def _send(number: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_child(pid: int) -> bool:
    """Return True while the process runs; its end is taken note of."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


def _ended_children(known: set[int]) -> list[int]:
    """Take note of children that ended, other than the `known`, of which multiprocessing takes note."""
    ended = []
    with suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and found.si_pid not in known:
            os.waitpid(found.si_pid, 0)
            ended.append(found.si_pid)
    return ended


def _why(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _without_handover(arguments: Sequence[str]) -> list[str]:
    """Return a parent's own arguments without those that its predecessor added."""
    first = next((place for place, word in enumerate(arguments) if word == "--listener"), len(arguments))
    return list(arguments[:first])
