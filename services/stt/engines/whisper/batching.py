"""Utterances of different callers, heard together.

Nothing waits for company: a worker that becomes free takes whatever has come meanwhile. Alone, an utterance passes
straight through; under load the batches grow by themselves.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from math import inf, isinf
from time import monotonic
from typing import Protocol

from chassis.threads import Stop, step_back
from stt.admission import Full, HearingPace, Place
from stt.engines.whisper.batch_size import Limit, is_out_of_memory
from stt.engines.whisper.decoding import Decoding, Utterance
from stt.engines.whisper.job import Job
from stt.engines.whisper.windows import Again
from stt.hearing import Heard

_RETRY_SECONDS = 3.5
"""Longest time for which a text that cannot be believed is written again; a toy waits for five."""
_SETTLING_SECONDS = 0.3
"""Time before the caller's deadline at which the best text so far must do."""
_COMPANY_SECONDS = 1.0
"""Longest time for which utterances that are ready to be decoded wait for others that are not."""
_LARGEST = 64
"""Utterances of the largest batch, whatever the memory."""


class UtteranceDecoder(Protocol):
    """The part of `Windows` that is used here; tests bring their own."""

    @property
    def workers(self) -> int: ...
    @property
    def grows(self) -> bool: ...
    def prepare(self, utterance: Utterance, stop: Stop) -> Decoding | Heard: ...
    def decode(self, decodings: Sequence[Decoding]) -> list[Heard | Again]: ...
    def retry(self, decodings: Sequence[Decoding]) -> list[Heard | Again]: ...


class Batching:
    """A model that many ask at once. Its threads end with `close`.

    Args:
        batch: How many to decode together; where larger batches are cheap, how many to begin with.
        queued: How many may be in hand.
        patience_seconds: How long the last of them may take; a caller for whom that would not suffice is refused.
        pace_seconds: Time that each of many takes, until that is known.
    """

    def __init__(
        self,
        model: UtteranceDecoder,
        *,
        batch: int = 8,
        queued: int = 256,
        patience_seconds: float = 3.0,
        pace_seconds: float = 0.0,
        threads: int | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._model, self._clock = model, clock
        self._patience_seconds = patience_seconds
        self.pace = HearingPace(most=queued, seconds=pace_seconds, clock=clock)
        self._changed = threading.Condition()
        """Guards everything below; `_step` and `_batch` are called with it held."""
        self.limit = Limit(batch, _LARGEST if model.grows else batch)
        self._waiting: deque[Job] = deque()
        self._ready: deque[Job] = deque()
        self._again: deque[Job] = deque()
        self._decoding = 0
        self._retrying = 0
        self._idle = 0
        self._closed = False
        self.active_at = -inf
        """When a thread last took up work, by `clock`."""
        count = threads or max(2 if model.grows else 1, model.workers)
        self._threads = [threading.Thread(target=self._work, name=f"hear-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    async def hear(self, utterance: Utterance, *, patient: bool = False, within_seconds: float = inf) -> Heard:
        """Return what was said. Cancelling it ends the work.

        Args:
            patient: True: it may be late, but is not refused.
            within_seconds: Time after which nobody waits for it; a doubtful text is better than none by then.

        Raises:
            Full: Too many are in hand to be heard in time.
            RuntimeError: The model broke off.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("the model is closed")
            place = self.pace.enter(patience_seconds=inf if patient else self._patience_seconds)
            retry_seconds = min(inf if patient else _RETRY_SECONDS, within_seconds - _SETTLING_SECONDS)
            job = Job(utterance, place, came := self._clock(), came + retry_seconds)
            self._waiting.append(job)
            self._changed.notify()
        # It knows its place and not its job: in a circle, the sound would stay until somebody looks for garbage.
        job.future.add_done_callback(partial(self._left, place, job.stop))
        loop = asyncio.get_running_loop()
        deadlines = ((self.pace.left(place), self._give_up), (retry_seconds, self._hurry))
        timers = [loop.call_later(seconds, do, job) for seconds, do in deadlines if not isinf(seconds)]
        try:
            return await asyncio.wrap_future(job.future)
        finally:
            for timer in timers:
                timer.cancel()

    def _give_up(self, job: Job) -> None:
        """Refuse a caller whose turn has not come in time."""
        with self._changed:
            if job not in self._waiting:
                return
            self._waiting.remove(job)
        job.fail(Full(self.pace.done()))

    def _hurry(self, job: Job) -> None:
        """Answer with the best text so far, where a better one has not come in time."""
        with self._changed:
            if job.best is None:
                return  # the first text will be the answer
            if job in self._again:
                self._again.remove(job)
        job.stop.set()
        asyncio.get_running_loop().run_in_executor(None, job.settle)

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

    def _left(self, place: Place, stop: Stop, future: "Future[Heard]") -> None:
        self.pace.leave(place)
        if future.cancelled():
            stop.set()

    def _work(self) -> None:
        step_back()
        while step := self._next():
            step()
            del step  # and the sounds in it, before it waits for the next

    def _next(self) -> Callable[[], None] | None:
        """Return what to do next; wait until there is something; None: never again."""
        with self._changed:
            while not self._closed:
                if step := self._step():
                    self.active_at = self._clock()
                    return step
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
        return None

    def _step(self) -> Callable[[], None] | None:
        """Take the oldest first; but while somebody waits to be prepared, the batch may grow up to its limit."""
        for queue in (self._waiting, self._ready, self._again):
            while queue and queue[0].future.cancelled():
                queue.popleft()
        fast = bool(self._waiting or self._ready)
        if self._again and (not fast or self._retrying < max(1, len(self._threads) - 1)):  # slow: one is left to others
            self._retrying += 1
            return partial(self._retry, self._batch(self._again))
        may_decode = bool(self._ready) and self._decoding < self._model.workers
        late = may_decode and self._clock() - self._ready[0].came > _COMPANY_SECONDS
        if may_decode and (late or not self._waiting or len(self._ready) >= self.limit.now):
            batch = self._batch(self._ready)
            self._decoding += 1
            return partial(self._decode, batch)
        if self._waiting and len(self._ready) < 2 * self.limit.now:  # each holds memory
            return partial(self._prepare, self._waiting.popleft())
        return None

    def _batch(self, queue: "deque[Job]") -> list[Job]:
        """Take the oldest and those behind it that can be decoded with it; others are left to whoever is free."""
        free = min(1 + self._idle, max(1, self._model.workers - self._decoding))
        most = min(self.limit.now, -(-len(queue) // free))
        key = queue[0].decoding.key
        batch: list[Job] = []
        rest: list[Job] = []
        for job in queue:
            fits = len(batch) < most and job.decoding.key == key and not job.future.cancelled()
            (batch if fits else rest).append(job)
        queue.clear()
        queue.extend(rest)
        if rest:
            self._changed.notify()
        return batch

    def _prepare(self, job: Job) -> None:
        began = self._clock()
        if self.pace.left(job.place) < 0:
            job.fail(Full(self.pace.done()))
            return
        self.pace.begin(job.place)
        try:
            with self.pace.step(len(self._threads)):
                prepared = self._model.prepare(job.utterance, job.stop)
        except Exception as error:
            job.fail(error)
            return
        if isinstance(prepared, Decoding):
            job.decoding = prepared
            job.prepared_seconds = self._clock() - began
            self._enqueue(job, self._ready)
        else:
            job.finish(prepared)

    def _decode(self, jobs: list[Job]) -> None:
        prepared_seconds = sum(job.prepared_seconds for job in jobs) / len(jobs)

        def decode(decodings: Sequence[Decoding]) -> list[Heard | Again]:
            began, threads = self._clock(), len(self._threads)
            with self.pace.step(max(len(decodings), self.limit.now // 2) * threads):  # a few more take hardly longer
                answers = self._model.decode(decodings)
            each = prepared_seconds + (self._clock() - began) / len(decodings)
            self.pace.learn(each / threads, at_least=any(decoding.stop for decoding in decodings))
            return answers

        self._all_of(jobs, decode)
        with self._changed:
            self._decoding -= 1
            self._changed.notify_all()

    def _retry(self, jobs: list[Job]) -> None:
        self._all_of(jobs, self._model.retry)
        with self._changed:
            self._retrying -= 1
            self._changed.notify_all()

    def _all_of(self, jobs: list[Job], how: Callable[[Sequence[Decoding]], list[Heard | Again]]) -> None:
        """Hear several together; where that fails, in halves, so that nobody pays for another's sound."""
        began = self._clock()
        try:
            answers = list(zip(jobs, how([job.decoding for job in jobs]), strict=True))
        except Exception as error:
            if is_out_of_memory(error):
                with self._changed:
                    self.limit.exceeded(len(jobs))
            if len(jobs) == 1:
                jobs[0].fail(error)
                return
            middle = len(jobs) // 2
            self._all_of(jobs[:middle], how)
            self._all_of(jobs[middle:], how)
            return
        with self._changed:
            self.limit.served(len(jobs))
        now = self._clock()
        for job, answer in answers:
            if isinstance(answer, Again):
                job.best = answer.best
            if isinstance(answer, Again) and now + (now - began) > job.until:
                job.settle()
            elif isinstance(answer, Again):
                job.decoding = answer.decoding
                self._enqueue(job, self._again)
            else:
                job.finish(answer)

    def _enqueue(self, job: Job, queue: "deque[Job]") -> None:
        with self._changed:
            if not self._closed:
                queue.append(job)
                self._changed.notify()
                return
        job.fail(RuntimeError("the model is closed"))
