"""One utterance that somebody waits for, on its way through the model."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from chassis.threads import Stop
from stt.admission import Place
from stt.engines.whisper.decoding import Decoding, Utterance
from stt.hearing import Heard


@dataclass(eq=False)
class Job:
    """One utterance while Whisper hears it: its place among the callers, and its outcome; the first outcome counts."""

    utterance: Utterance
    place: Place
    came: float
    until: float
    """When it is too late to write a doubtful text again: then the best one is the answer."""
    stop: Stop = field(default_factory=Stop)
    future: Future[Heard] = field(default_factory=Future)
    prepared_seconds: float = 0.0
    best: Callable[[], Heard] | None = None
    """Returns the best text so far; None: there is none."""
    _decoding: Decoding | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    @property
    def decoding(self) -> Decoding:
        assert self._decoding is not None, "it has been prepared"
        return self._decoding

    @decoding.setter
    def decoding(self, decoding: Decoding) -> None:
        self._decoding = decoding

    def finish(self, heard: Heard) -> None:
        if self._ends():
            self.future.set_result(heard)

    def fail(self, error: BaseException) -> None:
        if self._ends():
            self.future.set_exception(error)

    def settle(self) -> None:
        """Answer with the best text so far. Blocks."""
        assert self.best is not None, "there is one"
        try:
            self.finish(self.best())
        except Exception as error:
            self.fail(error)

    def _ends(self) -> bool:
        """Return True for the first who has an outcome, if somebody waits for it."""
        with self._lock:
            first, self._ended = not self._ended, True
        return first and self.future.set_running_or_notify_cancel()
