"""Whisper on short speech: a window that fits it; a text that looks wrong is written again, in a wider one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from faster_whisper import WhisperModel

from chassis.threads import Stop
from stt.engines.whisper.decoding import Decoder, Guess, Take, Utterance
from stt.engines.whisper.features import Spectrum, fitting, wider
from stt.engines.whisper.judging import believed, compression_ratio, judge
from stt.hearing import RATE, Heard, Pcm, Segment, Word
from stt.sound import speech
from stt.sound.speech import Speech

RETRY_TEMPERATURES = (0.0, 0.4, 0.8)
"""Tried one after the other in the wider window."""


@dataclass(frozen=True)
class Again:
    """A take whose text cannot be believed: `retry` it."""

    take: Take


class Windows:
    """A Whisper model, asked in windows that fit. Every method blocks and may be called from several threads.

    Args:
        languages: Those that may be detected, ISO 639-1; empty: all that the model knows.
        beam_size: More is a little better and much slower.
        find: Finds the speech in a recording.
    """

    def __init__(
        self,
        model: WhisperModel,
        *,
        languages: Sequence[str] = (),
        beam_size: int = 1,
        find: Callable[[Pcm, Stop], Speech | None] = speech.find,
    ) -> None:
        self._find, self._whisper = find, model.model
        self._decoder = Decoder(model, languages, beam_size)
        self._spectrum = Spectrum(model.feature_extractor.mel_filters)

    def warm_up(self) -> None:
        """Make the first caller's answer as quick as the others, and show that the model works at all."""
        noise = np.random.default_rng(0).normal(0, 0.01, RATE).astype(np.float32)
        speech.warm_up()
        take = Take(Utterance(pcm=noise), Speech(noise, ((0, RATE),)), fitting(1.0), [], language="en")
        self._encode(take)
        self.decode([take])

    @property
    def workers(self) -> int:
        """Calls that the model works on at a time."""
        return int(self._whisper.num_workers)

    @property
    def grows(self) -> bool:
        """True: larger batches cost hardly more."""
        return bool(self._whisper.device == "cuda")

    def prepare(self, utterance: Utterance, stop: Stop | None = None) -> Take | Heard:
        """Find the speech and encode it; `Heard` where there is none.

        Args:
            stop: Set when nobody waits for it any more.
        """
        stop = stop or Stop()
        spoken = self._find(utterance.pcm, stop)
        if spoken is None:
            return Heard(language=self._unheard(utterance))
        take = Take(
            utterance,
            spoken,
            fitting(spoken.seconds),
            self._decoder.previous(utterance.prompt, utterance.hotwords),
            stop,
            language=self._decoder.known(utterance.language),
            temperature=utterance.temperature,
        )
        self._encode(take)
        return Heard(language=self._unheard(utterance)) if stop else take

    def decode(self, takes: Sequence[Take]) -> list[Heard | Again]:
        """Write a text for each of several takes that share a key.

        Raises:
            RuntimeError: The model broke off, or memory does not suffice for so many.
        """
        memory = self._decoder.memory(takes)
        self._decoder.detect(takes, memory)
        guesses = self._decoder.generate(takes, memory)
        judged = [(take, guess, judge(take, guess)) for take, guess in zip(takes, guesses, strict=True)]
        self._decoder.add_words([(take, guess) for take, guess, verdict in judged if verdict == "good"])
        return [self._answer(*each) for each in judged]

    def retry(self, takes: Sequence[Take]) -> list[Heard | Again]:
        """Write them again: in a wider window, and each time warmer. After the last time the best text is kept.

        Raises:
            RuntimeError: The model broke off, or memory does not suffice for so many.
        """
        for take in takes:
            if take.features is None and take.memory is None and not take.stop:
                self._encode(take)
        waited_for = [take for take in takes if not take.stop]
        answers = iter(self.decode(waited_for) if waited_for else ())
        return [Heard(language="en") if take not in waited_for else next(answers) for take in takes]

    def _encode(self, take: Take) -> None:
        take.features = self._spectrum.of(take.speech.pcm, take.frames)
        if not take.stop:
            self._decoder.encode(take)

    def _answer(self, take: Take, guess: Guess, verdict: str) -> Heard | Again:
        if verdict == "silence":
            return Heard(language=take.language or "en")
        if verdict == "good":
            return self._heard(take, guess)
        best = guess if take.best is None else max(take.best, guess, key=_rank)
        if (following := self._following(take, best)) is not None:
            return Again(following)
        self._decoder.add_words([(take, best)])
        return self._heard(take, best)

    def _following(self, take: Take, best: Guess) -> Take | None:
        """Return how to look again; None: there is no other way left."""
        if not take.second_look:
            language = take.language if take.sure_language else self._decoder.known(take.utterance.language)
            frames = wider(take.frames)
            return replace(
                take, frames=frames, second_look=True, language=language, features=None, memory=None, best=best
            )
        warmer = next((each for each in RETRY_TEMPERATURES if each > take.temperature), None)
        return None if warmer is None or take.utterance.temperature else replace(take, temperature=warmer, best=best)

    def _heard(self, take: Take, guess: Guess) -> Heard:
        segments = (
            Segment(
                start=take.speech.when(piece["start"]),
                end=take.speech.when(piece["end"], ends=True),
                text=self._decoder.decoded(take, piece["tokens"]).rstrip(),
                tokens=tuple(piece["tokens"]),
                temperature=guess.temperature,
                avg_logprob=guess.avg_logprob,
                compression_ratio=compression_ratio(guess.text.strip()),
                no_speech_prob=guess.no_speech_prob,
                words=tuple(_word(take.speech, w["word"], w["start"], w["end"]) for w in piece.get("words", ())),
            )
            for piece in guess.pieces
        )
        return Heard(language=take.language or "en", segments=tuple(believed(take, segments)))

    def _unheard(self, utterance: Utterance) -> str:
        return self._decoder.known(utterance.language) or next(iter(self._decoder.languages), "en")


def _rank(guess: Guess) -> tuple[bool, float]:
    return not guess.cut, guess.avg_logprob


def _word(spoken: Speech, word: str, start: float, end: float) -> Word:
    return Word(word.strip(), spoken.when(float(start)), spoken.when(float(end), ends=True))
