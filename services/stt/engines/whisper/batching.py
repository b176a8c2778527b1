"""Utterances of different callers, heard together.

Nothing waits for company: a worker that becomes free takes whatever has come meanwhile. Alone, an utterance passes
straight through; under load the batches grow by themselves.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Protocol

from chassis.threads import step_back
from stt.admission import Pace, Place
from stt.engines.whisper.windows import Again, Take, Utterance
from stt.hearing import Heard

LARGEST = 64
"""No batch is larger, whatever the memory."""


class Model(Protocol):
    """What `stt.windows.Windows` is; tests bring their own."""

    @property
    def workers(self) -> int: ...
    @property
    def grows(self) -> bool: ...
    def prepare(self, utterance: Utterance) -> Take | Heard | None: ...
    def decode(self, takes: Sequence[Take]) -> list[Heard | Again]: ...
    def retry(self, take: Take) -> Heard: ...


@dataclass(eq=False)
class _Job:
    utterance: Utterance
    place: Place
    future: Future[Heard | None] = field(default_factory=Future)
    _take: Take | None = None

    @property
    def take(self) -> Take:
        assert self._take is not None, "it has been prepared"
        return self._take

    @take.setter
    def take(self, take: Take) -> None:
        self._take = take

    def finish(self, heard: Heard | None) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(heard)

    def fail(self, error: BaseException) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


class Limit:
    """How many are decoded together: it grows where that is cheap, and yields where memory runs out."""

    def __init__(self, first: int, largest: int) -> None:
        self.now = first
        self._largest = self._ceiling = largest
        self._patience = 0

    def served(self, count: int) -> None:
        if count < self.now:
            return
        self._patience += 1
        if self._patience % 256 == 0:  # whoever took the memory may have given it back
            self._ceiling = min(self._largest, self._ceiling * 2)
        self.now = min(self._ceiling, self.now * 2)

    def exceeded(self, count: int) -> None:
        self._patience = 0
        self.now = self._ceiling = max(1, count // 2)


class Batching:
    """A model that many ask at once. Its threads end with `close`.

    Args:
        batch: How many to decode together; where larger batches are cheap, how many to begin with.
        queued: How many may be in hand.
        patience_seconds: How long the last of them may take; whom that would not suffice is refused at once.
        pace_seconds: What each of many takes, until that is known.
    """

    def __init__(
        self,
        model: Model,
        *,
        batch: int = 8,
        queued: int = 256,
        patience_seconds: float = 3.0,
        pace_seconds: float = 0.0,
        threads: int | None = None,
    ) -> None:
        self._model = model
        self.limit = Limit(batch, LARGEST if model.grows else batch)
        self._patience_seconds = patience_seconds
        self.pace = Pace(most=queued, seconds=pace_seconds)
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._ready: deque[_Job] = deque()
        self._again: deque[_Job] = deque()
        self._decoding = 0
        self._retrying = 0
        self._idle = 0
        self._closed = False
        count = threads or max(2 if model.grows else 1, model.workers)
        self._threads = [threading.Thread(target=self._work, name=f"hear-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    async def hear(self, utterance: Utterance) -> Heard | None:
        """What was said; None: it is too long to be heard in one window. Cancelling it takes it out of the queue.

        Raises:
            Full: Too many are in hand to be heard in time.
            RuntimeError: The model broke off.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("the model is closed")
            place = self.pace.enter(patience_seconds=self._patience_seconds)
            job = _Job(utterance, place)
            self._waiting.append(job)
            self._changed.notify()
        # It knows its place and not its job: in a circle, the sound would stay until somebody looks for garbage.
        job.future.add_done_callback(lambda future: self._left(place, cancelled=future.cancelled()))
        return await asyncio.wrap_future(job.future)

    def close(self) -> None:
        """Give up what has not begun, wait for what has."""
        with self._changed:
            self._closed = True
            left = [*self._waiting, *self._ready, *self._again]
            for queue in (self._waiting, self._ready, self._again):
                queue.clear()
            self._changed.notify_all()
        for job in left:
            job.fail(RuntimeError("the model is closed"))
        for thread in self._threads:
            thread.join()

    def _left(self, place: Place, *, cancelled: bool) -> None:
        self.pace.leave(place)
        if place.before and not cancelled:  # a lone one says nothing of how fast many are heard
            self.pace.learn((monotonic() - place.since) / (place.before + place.work))

    # -- in the threads -----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        step_back()
        while step := self._next():
            step()
            del step  # and the sounds in it, before it waits for the next

    def _next(self) -> Callable[[], None] | None:
        """What to do next; waits until there is something; None: never again."""
        with self._changed:
            while not self._closed:
                if step := self._step():
                    return step
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
        return None

    def _step(self) -> Callable[[], None] | None:
        """The oldest first; but while somebody waits to be prepared, the batch may grow up to its limit."""
        for queue in (self._waiting, self._ready, self._again):
            while queue and queue[0].future.cancelled():
                queue.popleft()
        if self._again and self._retrying < max(1, len(self._threads) - 1):  # slow: one thread is left to the others
            self._retrying += 1
            return partial(self._retry, self._again.popleft())
        may_decode = bool(self._ready) and self._decoding < self._model.workers
        if may_decode and (not self._waiting or len(self._ready) >= self.limit.now):
            free = min(1 + self._idle, self._model.workers - self._decoding)
            self._decoding += 1
            return partial(self._decode, self._batch(-(-len(self._ready) // free)))
        if self._waiting and len(self._ready) < 2 * self.limit.now:  # each holds memory
            return partial(self._prepare, self._waiting.popleft())
        return None

    def _batch(self, share: int) -> list[_Job]:
        """The oldest that is ready and those behind it that can be decoded with it; others are left to who is free."""
        key = self._ready[0].take.key
        most = min(self.limit.now, share)
        batch: list[_Job] = []
        rest: deque[_Job] = deque()
        for job in self._ready:
            fits = len(batch) < most and job.take.key == key and not job.future.cancelled()
            (batch if fits else rest).append(job)
        self._ready = rest
        if rest:
            self._changed.notify()
        return batch

    def _prepare(self, job: _Job) -> None:
        try:
            prepared = self._model.prepare(job.utterance)
        except Exception as error:
            job.fail(error)
            return
        if isinstance(prepared, Take):
            job.take = prepared
            self._enqueue(job, self._ready)
        else:
            job.finish(prepared)

    def _decode(self, jobs: list[_Job]) -> None:
        self._decode_all(jobs)
        with self._changed:
            self._decoding -= 1
            self._changed.notify_all()

    def _decode_all(self, jobs: list[_Job]) -> None:
        """Together; where that fails in halves, so that nobody pays for another's sound."""
        try:
            answers = self._model.decode([job.take for job in jobs])
        except Exception as error:
            if "out of memory" in str(error):  # CTranslate2 has no class of its own for it
                self.limit.exceeded(len(jobs))
            if len(jobs) == 1:
                jobs[0].fail(error)
                return
            middle = len(jobs) // 2
            self._decode_all(jobs[:middle])
            self._decode_all(jobs[middle:])
            return
        self.limit.served(len(jobs))
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, Again):
                self._enqueue(job, self._again)
            else:
                job.finish(answer)

    def _retry(self, job: _Job) -> None:
        try:
            job.finish(self._model.retry(job.take))
        except Exception as error:
            job.fail(error)
        with self._changed:
            self._retrying -= 1
            self._changed.notify_all()

    def _enqueue(self, job: _Job, queue: "deque[_Job]") -> None:
        with self._changed:
            if not self._closed:
                queue.append(job)
                self._changed.notify()
                return
        job.fail(RuntimeError("the model is closed"))
