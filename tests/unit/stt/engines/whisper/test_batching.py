"""Many callers at once: each gets its own answer, in order, together where that helps."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

import numpy as np
import pytest

from chassis.threads import Stop
from fixtures.whisper_model import tone
from stt.admission import Full
from stt.engines.whisper.batching import Batching
from stt.engines.whisper.decoding import Decoding, Utterance
from stt.engines.whisper.windows import Again, Windows
from stt.hearing import RATE, Heard, Segment
from stt.sound.speech import Speech
from unit.stt.engines.whisper.test_windows import TONES, everything, model

LIMIT = 60.0


class Parrot:
    """A model that repeats the prompt; tests hold it at any of its steps, and look at its batches."""

    def __init__(self, *, workers: int = 1, grows: bool = False, fits: int = 1000) -> None:
        self.workers, self.grows, self.fits = workers, grows, fits
        self.batches: list[list[str]] = []
        self.retried: list[str] = []
        self.entered, self.go = threading.Semaphore(0), threading.Event()
        self.go.set()
        self.retry_go = threading.Event()
        self.retry_go.set()

    def prepare(self, utterance: Utterance, stop: Stop) -> Decoding | Heard:
        text = utterance.prompt or ""
        if text == "silence":
            return Heard(language="en")
        if text == "unprepared":
            raise RuntimeError("cannot be prepared")
        return Decoding(
            utterance, Speech(utterance.pcm, ((0, 1),)), len(utterance.pcm), [0] * len(utterance.hotwords or ""), stop
        )

    def decode(self, decodings: Sequence[Decoding]) -> list[Heard | Again]:
        texts = [decoding.utterance.prompt or "" for decoding in decodings]
        self.batches.append(texts)
        self.entered.release()
        assert self.go.wait(LIMIT)
        if len(decodings) > self.fits:
            raise RuntimeError("CUDA failed with error out of memory")
        if "poison" in texts:
            raise RuntimeError("it broke off")
        return [
            Again(decoding, lambda: said("doubtful")) if text == "mumble" else said(text)
            for decoding, text in zip(decodings, texts, strict=True)
        ]

    def retry(self, decodings: Sequence[Decoding]) -> list[Heard | Again]:
        assert self.retry_go.wait(LIMIT)
        self.retried += [decoding.utterance.prompt or "" for decoding in decodings]
        return [said("clear") for _ in decodings]


def said(text: str) -> Heard:
    return Heard(language="en", segments=(Segment(start=0, end=1, text=text),))


def utterance(text: str, *, samples: int = 1, hotwords: str = "") -> Utterance:
    return Utterance(pcm=np.zeros(samples, np.float32), prompt=text, hotwords=hotwords)


def text_of(heard: Heard) -> str:
    return "".join(part.text for part in heard.segments)


@contextmanager
def shared(parrot: Parrot, **options: Any) -> Iterator[Batching]:
    batching = Batching(parrot, **options)
    try:
        yield batching
    finally:
        parrot.go.set()
        parrot.retry_go.set()
        batching.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0)


async def test_a_sound_that_was_heard_takes_no_memory_even_if_nobody_looks_for_garbage() -> None:
    asked = utterance("a", samples=10)
    sound = weakref.ref(asked.pcm)
    gc.disable()
    try:
        with shared(Parrot()) as batching:
            assert text_of(await batching.hear(asked)) == "a"
            del asked
            await until(lambda: sound() is None)
    finally:
        gc.enable()


async def held(batching: Batching, parrot: Parrot) -> asyncio.Task[Heard]:
    """An utterance that keeps the only decoder busy until `go` is set."""
    parrot.go.clear()
    first = asyncio.create_task(batching.hear(utterance("first")))
    await asyncio.to_thread(parrot.entered.acquire)
    return first


async def test_a_lone_utterance_is_heard_at_once_and_alone() -> None:
    with shared(parrot := Parrot()) as batching:
        assert text_of(await batching.hear(utterance("alone"))) == "alone"

    assert parrot.batches == [["alone"]]


async def test_those_that_came_meanwhile_are_heard_together_in_the_order_they_came() -> None:
    with shared(parrot := Parrot(), threads=2) as batching:
        first = await held(batching, parrot)
        others = [asyncio.create_task(batching.hear(utterance(str(n)))) for n in range(5)]
        await until(lambda: len(batching._ready) == 5)
        parrot.go.set()

        assert [text_of(heard) for heard in await asyncio.gather(first, *others)] == ["first", *"01234"]
    assert parrot.batches == [["first"], list("01234")]


async def test_a_batch_has_a_limit_and_the_oldest_go_first() -> None:
    with shared(parrot := Parrot(), threads=2, batch=3) as batching:
        first = await held(batching, parrot)
        others = [asyncio.create_task(batching.hear(utterance(str(n)))) for n in range(5)]
        await until(lambda: len(batching._ready) == 5)
        parrot.go.set()
        await asyncio.gather(first, *others)

    assert parrot.batches[1:] == [["0", "1", "2"], ["3", "4"]]


async def test_those_who_wait_are_shared_among_the_workers_that_are_free() -> None:
    with shared(parrot := Parrot(workers=2), threads=3) as batching:
        parrot.go.clear()
        busy = [asyncio.create_task(batching.hear(utterance(text))) for text in ("first", "second")]
        for _ in busy:
            await asyncio.to_thread(parrot.entered.acquire)
        others = [asyncio.create_task(batching.hear(utterance(str(n)))) for n in range(6)]
        await until(lambda: len(batching._ready) == 6)
        parrot.go.set()
        await asyncio.gather(*busy, *others)

    assert sorted(text for batch in parrot.batches for text in batch) == [*"012345", "first", "second"]
    assert max(map(len, parrot.batches)) <= 6


async def test_windows_and_prompts_of_different_length_stay_apart() -> None:
    with shared(parrot := Parrot(), threads=2) as batching:
        first = await held(batching, parrot)
        others = [
            asyncio.create_task(batching.hear(each))
            for each in (
                utterance("a", samples=1),
                utterance("b", samples=2),
                utterance("c", samples=1),
                utterance("d", samples=2, hotwords="momo"),
            )
        ]
        await until(lambda: len(batching._ready) == 4)
        parrot.go.set()
        await asyncio.gather(first, *others)

    assert parrot.batches[1:] == [["a", "c"], ["b"], ["d"]]


async def test_a_caller_who_leaves_drops_out_of_the_queue() -> None:
    with shared(parrot := Parrot(), threads=2, queued=4) as batching:
        first = await held(batching, parrot)
        others = [asyncio.create_task(batching.hear(utterance(str(n)))) for n in range(3)]
        await until(lambda: len(batching._ready) == 3)
        others[1].cancel()
        await asyncio.gather(others[1], return_exceptions=True)
        again = asyncio.create_task(batching.hear(utterance("late")))  # the place is free again
        await until(lambda: len(batching._ready) == 4)
        parrot.go.set()

        answers = await asyncio.gather(first, others[0], others[2], again)
        assert [text_of(heard) for heard in answers] == ["first", "0", "2", "late"]
    assert parrot.batches[1:] == [["0", "2", "late"]]


async def test_a_caller_who_leaves_in_the_middle_of_it_disturbs_nobody() -> None:
    with shared(parrot := Parrot(), threads=2) as batching:
        first = await held(batching, parrot)
        first.cancel()
        other = asyncio.create_task(batching.hear(utterance("other")))
        parrot.go.set()

        assert text_of(await other) == "other"
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_no_more_are_taken_than_may_wait() -> None:
    with shared(parrot := Parrot(), queued=2) as batching:
        first = await held(batching, parrot)
        second = asyncio.create_task(batching.hear(utterance("second")))
        await until(lambda: len(batching.pace) == 2)
        with pytest.raises(Full):
            await batching.hear(utterance("third"))
        parrot.go.set()
        await asyncio.gather(first, second)

        assert text_of(await batching.hear(utterance("later"))) == "later"


async def test_who_could_not_be_heard_in_time_is_refused_at_once() -> None:
    with shared(parrot := Parrot(), patience_seconds=0.0) as batching:
        await batching.hear(utterance("the pace is known now"))
        first = await held(batching, parrot)
        with pytest.raises(Full) as refusal:
            await batching.hear(utterance("second"))
        parrot.go.set()
        await first

        assert refusal.value.seconds > 0
        assert text_of(await batching.hear(utterance("alone"))) == "alone"


async def test_what_came_out_wrong_is_heard_again() -> None:
    with shared(parrot := Parrot()) as batching:
        answers = await asyncio.gather(*(batching.hear(utterance(text)) for text in ("a", "mumble", "b")))

    assert [text_of(heard) for heard in answers] == ["a", "clear", "b"]
    assert parrot.retried == ["mumble"]


async def test_for_whom_there_is_no_time_left_gets_the_best_text_so_far() -> None:
    now = 0.0

    class Slow(Parrot):
        def retry(self, decodings: Sequence[Decoding]) -> list[Heard | Again]:
            nonlocal now
            now += 1.5
            return self.decode(decodings)

    with shared(parrot := Slow(), clock=lambda: now) as batching:
        assert text_of(await batching.hear(utterance("mumble"))) == "doubtful"
        assert len(parrot.batches) == 3, "with a third look it would be later than 3.5 s"


async def test_one_that_breaks_the_model_takes_nobody_along() -> None:
    with shared(parrot := Parrot(), threads=2) as batching:
        first = await held(batching, parrot)
        texts = ["a", "poison", "b", "unprepared", "c"]
        others = [asyncio.create_task(batching.hear(utterance(text))) for text in texts]
        await until(lambda: len(batching._ready) == 4)
        parrot.go.set()
        heard = await asyncio.gather(first, others[0], others[2], others[4])
        with pytest.raises(RuntimeError, match="it broke off"):
            await others[1]
        with pytest.raises(RuntimeError, match="cannot be prepared"):
            await others[3]

    assert [text_of(each) for each in heard] == ["first", "a", "b", "c"]


async def test_silence_never_reaches_the_decoder() -> None:
    with shared(parrot := Parrot()) as batching:
        assert await batching.hear(utterance("silence")) == Heard(language="en")

    assert parrot.batches == []


async def test_where_memory_runs_out_the_batch_is_halved_and_everybody_is_heard() -> None:
    with shared(parrot := Parrot(grows=True, fits=3), threads=2, batch=16) as batching:
        first = await held(batching, parrot)
        others = [asyncio.create_task(batching.hear(utterance(str(n)))) for n in range(10)]
        await until(lambda: len(batching._ready) == 10)
        parrot.go.set()

        assert [text_of(heard) for heard in await asyncio.gather(first, *others)] == ["first", *"0123456789"]
        assert batching.limit.now <= 3


async def test_closing_ends_the_threads_and_those_who_wait() -> None:
    batching = Batching(parrot := Parrot(), threads=2)
    first = await held(batching, parrot)
    second = asyncio.create_task(batching.hear(utterance("second")))
    await until(lambda: len(batching._ready) == 1)
    closing = asyncio.create_task(asyncio.to_thread(batching.close))
    with pytest.raises(RuntimeError, match="closed"):
        await second
    parrot.go.set()
    await closing

    assert text_of(await first) == "first"
    with pytest.raises(RuntimeError, match="closed"):
        await batching.hear(utterance("late"))


async def test_sixty_callers_of_a_real_model_each_hear_their_own_tone() -> None:
    """A model that says which tone it heard: swapped, mixed or lost results would show."""
    random = np.random.default_rng(0)
    languages = ("en", "zh", "de", None)
    asked = [
        (int(band), float(seconds), languages[n % 4], ("", "a", "b", "a b c")[n % 3])
        for n, (band, seconds) in enumerate(zip(random.integers(0, 8, 60), random.uniform(0.4, 5.0, 60), strict=True))
    ]
    batching = Batching(Windows(model(), find=everything), batch=8, patience_seconds=inf)
    try:
        answers = await asyncio.gather(
            *(
                batching.hear(
                    Utterance(pcm=tone(band, seconds), language=language, prompt=prompt or None, words=n % 5 == 0)
                )
                for n, (band, seconds, language, prompt) in enumerate(asked)
            )
        )
    finally:
        batching.close()

    for (band, seconds, language, _), heard in zip(asked, answers, strict=True):
        assert text_of(heard).strip() == TONES[band]
        assert heard.language == (language or "en")
        assert heard.segments[-1].end <= round(seconds * RATE) / RATE + 0.01


async def test_a_text_that_is_doubted_is_the_answer_where_a_better_one_does_not_come_in_time() -> None:
    with shared(parrot := Parrot()) as batching:
        parrot.retry_go.clear()

        assert text_of(await batching.hear(utterance("mumble"), within_seconds=1.0)) == "doubtful"

    assert parrot.retried == ["mumble"]  # it had been begun


async def test_of_two_texts_for_one_caller_the_first_counts() -> None:
    with shared(parrot := Parrot(), threads=2) as batching:
        parrot.retry_go.clear()
        assert text_of(await batching.hear(utterance("mumble"), within_seconds=1.0)) == "doubtful"
        parrot.retry_go.set()

        assert text_of(await batching.hear(utterance("next"))) == "next"


async def test_who_waits_on_is_given_the_better_text() -> None:
    with shared(Parrot()) as batching:
        assert text_of(await batching.hear(utterance("mumble"))) == "clear"


async def test_who_waits_on_in_the_middle_of_a_recording_has_the_doubtful_text_when_time_is_up() -> None:
    with shared(parrot := Parrot()) as batching:
        parrot.retry_go.clear()

        assert text_of(await batching.hear(utterance("mumble"), patient=True, within_seconds=1.0)) == "doubtful"


async def test_it_is_active_as_long_as_one_of_its_threads_takes_up_work() -> None:
    with shared(parrot := Parrot(workers=2), threads=2) as batching:
        assert batching.active_at == -inf
        parrot.go.clear()
        for count in (1, 2):
            before = batching.active_at
            hearing = asyncio.create_task(batching.hear(utterance("stuck"), patient=True))
            await until(lambda: sum(map(len, parrot.batches)) == count)  # noqa: B023  # it is awaited here
            assert batching.active_at > before
        stuck_at = batching.active_at

        third = asyncio.create_task(batching.hear(utterance("third"), patient=True))
        await until(lambda: len(batching._waiting) == 1)
        assert batching.active_at == stuck_at
        parrot.go.set()
        await third
        assert batching.active_at > stuck_at
        await hearing
