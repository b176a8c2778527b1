"""Ask Whisper in a window that fits the speech; where the text looks wrong, in a wider one and without the prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from faster_whisper import WhisperModel

from chassis.threads import Stop
from stt.engines.whisper.decoding import Decoder, Decoding, Guess, Utterance
from stt.engines.whisper.features import Spectrum, fitting, wider
from stt.engines.whisper.judging import believed, compression_ratio, is_loop, judge, plain, unrepeated
from stt.hearing import RATE, Heard, Pcm, Segment, Word
from stt.sound import speech
from stt.sound.speech import Speech

_SIGNS = frozenset("。？！.?!")
"""Signs that end a sentence: they belong to the words before them."""
_RETRY_TEMPERATURES = (0.0, 0.4, 0.8)
"""Temperatures of the tries in the wider window, one after the other."""


@dataclass(frozen=True)
class Again:
    """Decoding whose text cannot be believed: `retry` it.

    Args:
        best: Returns the best text so far, for a caller for whom there is no time left.
    """

    decoding: Decoding
    best: Callable[[], Heard]


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
        decoding = Decoding(Utterance(pcm=noise), Speech(noise, ((0, RATE),)), fitting(1.0), [], language="en")
        self._encode(decoding)
        self.decode([decoding])

    @property
    def workers(self) -> int:
        """Calls that the model works on at the same time."""
        return int(self._whisper.num_workers)

    @property
    def grows(self) -> bool:
        """True where larger batches cost hardly more."""
        return bool(self._whisper.device == "cuda")

    def prepare(self, utterance: Utterance, stop: Stop | None = None) -> Decoding | Heard:
        """Find the speech and encode it; `Heard` where there is none.

        Args:
            stop: Set when nobody waits for it any more.
        """
        stop = stop or Stop()
        spoken = self._find(utterance.pcm, stop)
        if spoken is None:
            return Heard(language=self._unheard(utterance))
        previous = self._decoder.previous(utterance.prompt, utterance.hotwords)
        decoding = Decoding(
            utterance,
            spoken,
            fitting(spoken.seconds, prompted=bool(previous)),
            previous,
            stop,
            language=self._decoder.known(utterance.language),
            temperature=utterance.temperature,
        )
        self._encode(decoding)
        return Heard(language=self._unheard(utterance)) if stop else decoding

    def decode(self, decodings: Sequence[Decoding]) -> list[Heard | Again]:
        """Write a text for each of several utterances that share a key.

        Raises:
            RuntimeError: The model broke off, or memory does not suffice for so many.
        """
        memory = self._decoder.memory(decodings)
        self._decoder.detect(decodings, memory)
        guesses = self._decoder.generate(decodings, memory)
        judged = [(decoding, guess, judge(decoding, guess)) for decoding, guess in zip(decodings, guesses, strict=True)]
        self._decoder.add_words([(decoding, guess) for decoding, guess, verdict in judged if verdict == "good"])
        return [self._answer(*each) for each in judged]

    def retry(self, decodings: Sequence[Decoding]) -> list[Heard | Again]:
        """Write the texts again: in a wider window, and each time warmer. After the last time the best text is kept.

        Raises:
            RuntimeError: The model broke off, or memory does not suffice for so many.
        """
        for decoding in decodings:
            if decoding.features is None and decoding.memory is None and not decoding.stop:
                self._encode(decoding)
        waited_for = [decoding for decoding in decodings if not decoding.stop]
        answers = iter(self.decode(waited_for) if waited_for else ())
        return [Heard(language="en") if decoding not in waited_for else next(answers) for decoding in decodings]

    def _encode(self, decoding: Decoding) -> None:
        decoding.features = self._spectrum.of(decoding.speech.pcm, decoding.frames)
        if not decoding.stop:
            self._decoder.encode(decoding)

    def _answer(self, decoding: Decoding, guess: Guess, verdict: str) -> Heard | Again:
        if verdict == "silence":
            return Heard(language=decoding.language or "en")
        if verdict == "good":
            return self._heard(decoding, guess)
        best = guess if decoding.best is None else max(decoding.best, guess, key=partial(_rank, decoding))
        if (following := self._following(decoding, best)) is not None:
            return Again(following, partial(self._settled, decoding, best))
        return self._settled(decoding, best)

    def _settled(self, decoding: Decoding, best: Guess) -> Heard:
        if is_loop(best.text, decoding.speech.seconds):
            best = replace(best, pieces=self._said_once(decoding, best))
        self._decoder.add_words([(decoding, best)])
        return self._heard(decoding, best)

    def _said_once(self, decoding: Decoding, loop: Guess) -> list[dict[str, Any]]:
        """Return the pieces of a text up to where it only repeats itself."""
        left, pieces = unrepeated(loop.text), []
        for piece in loop.pieces:
            tokens = piece["tokens"]
            said = [plain(self._decoder.decoded(decoding, tokens[: count + 1])) for count in range(len(tokens))]
            kept = next((count for count, text in enumerate(said, 1) if len(text) >= left), len(tokens))
            while kept < len(tokens) and self._decoder.decoded(decoding, tokens[kept : kept + 1]) in _SIGNS:
                kept += 1
            pieces.append({**piece, "tokens": tokens[:kept]})
            left -= len(said[kept - 1])
            if left <= 0:
                break
        return pieces

    def _following(self, decoding: Decoding, best: Guess) -> Decoding | None:
        """Return how to look again; None: there is no other way left."""
        if not decoding.second_look:
            language = decoding.language if decoding.sure_language else self._decoder.known(decoding.utterance.language)
            frames = wider(decoding.frames)
            return replace(
                decoding,
                frames=frames,
                previous=[],  # a prompt may be what makes a model repeat itself
                second_look=True,
                language=language,
                features=None,
                memory=None,
                best=best,
            )
        warmer = next((each for each in _RETRY_TEMPERATURES if each > decoding.temperature), None)
        return (
            None
            if warmer is None or decoding.utterance.temperature
            else replace(decoding, temperature=warmer, best=best)
        )

    def _heard(self, decoding: Decoding, guess: Guess) -> Heard:
        segments = (
            Segment(
                start=decoding.speech.when(piece["start"]),
                end=decoding.speech.when(piece["end"], ends=True),
                text=self._decoder.decoded(decoding, piece["tokens"]).rstrip(),
                tokens=tuple(piece["tokens"]),
                temperature=guess.temperature,
                avg_logprob=guess.avg_logprob,
                compression_ratio=compression_ratio(guess.text.strip()),
                no_speech_prob=guess.no_speech_prob,
                words=tuple(_word(decoding.speech, w["word"], w["start"], w["end"]) for w in piece.get("words", ())),
            )
            for piece in guess.pieces
        )
        return Heard(language=decoding.language or "en", segments=tuple(believed(decoding, segments)))

    def _unheard(self, utterance: Utterance) -> str:
        return self._decoder.known(utterance.language) or next(iter(self._decoder.languages), "en")


def _rank(decoding: Decoding, guess: Guess) -> tuple[bool, bool, float]:
    """Order guesses; one that repeats itself is surer with each time, and worse."""
    return not guess.cut, not is_loop(guess.text, decoding.speech.seconds), guess.avg_logprob


def _word(spoken: Speech, word: str, start: float, end: float) -> Word:
    return Word(word.strip(), spoken.when(float(start)), spoken.when(float(end), ends=True))
