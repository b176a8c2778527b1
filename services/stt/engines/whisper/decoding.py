"""Whisper's decoder: from spectra to tokens, many utterances together, in steps short enough to break off between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from chassis.threads import Stop
from stt.engines.whisper.features import FRAME_SECONDS
from stt.hearing import Pcm
from stt.sound.speech import Speech

_TOKENS_AT_LEAST, TOKENS_PER_SECOND = 24, 16
"""Tokens that any answer may have, and more for each second of speech, which nobody exceeds: a model that is caught in
a loop writes on until it is stopped."""
_STEP_TOKENS = 40
"""Tokens written in one step, which takes base about half a second: for so long it still works for those who have left.
Fewer would cost more, since each step reads again what was written before; few utterances have as many."""
_TOKEN_SECONDS = 0.02
_LANGUAGE_DOUBT = 0.5
_OPENING, _CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"
"""Signs that belong to the word after them, and before them."""

Task: TypeAlias = Literal["transcribe", "translate"]
Key: TypeAlias = tuple[int, int, float]


class Utterance(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Something that was said to a toy, and what the caller knows of it."""

    pcm: Pcm
    language: str | None = None
    candidates: tuple[str, ...] = ()
    """Languages that may be detected; empty: those of the decoder."""
    prompt: str | None = None
    hotwords: str | None = None
    task: Task = "transcribe"
    temperature: float = 0.0
    words: bool = False


@dataclass
class Guess:
    """A text that the model wrote for an utterance."""

    tokens: list[int]
    text: str
    temperature: float
    avg_logprob: float
    no_speech_prob: float
    cut: bool
    """True where decoding was stopped before the end."""
    pieces: list[dict[str, Any]] = field(default_factory=list)
    """Texts between two timestamps, as faster-whisper's `add_word_timestamps` takes them."""


@dataclass(eq=False)
class Decoding:
    """One utterance while the model decodes it."""

    utterance: Utterance
    speech: Speech
    frames: int
    previous: list[int]
    """Tokens of the prompt and the hot words."""
    stop: Stop = field(default_factory=Stop)
    """Set when nobody waits for it any more."""
    features: NDArray[np.float32] | None = None
    memory: NDArray[np.float32] | None = None
    """The encoder's output, where that can be made ahead."""
    language: str | None = None
    sure_language: bool = True
    temperature: float = 0.0
    second_look: bool = False
    best: Guess | None = None
    """The best of earlier guesses, none of which was good."""

    @property
    def key(self) -> Key:
        """Properties that utterances must share to be decoded together."""
        return self.frames, len(self.previous), self.temperature


class Decoder:
    """The parts of a Whisper model that write. Every method blocks and may be called from several threads.

    Args:
        languages: Those that may be detected, ISO 639-1; empty: all that the model knows.
        beam_size: More is a little better and much slower.
    """

    def __init__(self, model: WhisperModel, languages: Sequence[str], beam_size: int) -> None:
        self._model, self._whisper = model, model.model
        self.languages, self._beam_size = tuple(languages), beam_size
        self._tokenizers: dict[tuple[str, str], Tokenizer] = {}
        tokenizer = self._tokenizer("en", "transcribe")
        self._suppressed = get_suppressed_tokens(tokenizer, [-1])
        self._begin = tokenizer.timestamp_begin
        # On processors a batch is encoded no faster than its members; on a GPU much faster, and the result stays there.
        self.encodes_ahead = self._whisper.device == "cpu" and "float16" not in self._whisper.compute_type

    def encode(self, decoding: Decoding) -> None:
        """Do ahead what costs the same alone as in a batch."""
        if self.encodes_ahead and decoding.features is not None:
            decoding.memory = np.array(self._whisper.encode(_storage(decoding.features[None])))
            decoding.features = None

    def memory(self, decodings: Sequence[Decoding]) -> StorageView:
        """Return the encoder's output, shape `(len(decodings), frames / 2, d_model)`."""
        if self.encodes_ahead:
            return _storage(np.stack([decoding.memory[0] for decoding in decodings if decoding.memory is not None]))
        return self._whisper.encode(_storage(np.stack([t.features for t in decodings if t.features is not None])))

    def detect(self, decodings: Sequence[Decoding], memory: StorageView) -> None:
        """Fill in the languages that nobody stated."""
        if all(decoding.language for decoding in decodings):
            return
        for decoding, odds in zip(decodings, self._whisper.detect_language(memory), strict=True):
            if not decoding.language:
                decoding.language, chance = self.likeliest(
                    [(token[2:-2], p) for token, p in odds], decoding.utterance.candidates
                )
                decoding.sure_language = chance >= _LANGUAGE_DOUBT

    def generate(self, decodings: Sequence[Decoding], memory: StorageView) -> list[Guess]:
        """Write a text for each utterance; in steps, between which those are dropped that nobody waits for."""
        room = self._room(decodings)
        step = _STEP_TOKENS if self.encodes_ahead else room
        texts = [_Text(self._prompt(decoding)) for decoding in decodings]
        writing, length = list(range(len(decodings))), 0
        while writing:
            length = min(room, length + step)
            self._write([texts[n] for n in writing], memory, length, decodings[0].temperature)
            writing = [n for n in writing if not decodings[n].stop and length <= len(texts[n].tokens) < room]
            if writing:
                memory = self.memory([decodings[n] for n in writing])
        return [self._guess(decoding, text, room) for decoding, text in zip(decodings, texts, strict=True)]

    def _write(self, texts: Sequence["_Text"], memory: StorageView, length: int, temperature: float) -> None:
        """Go on with each text until it has `length` tokens, or one more."""
        prompts = [[*text.prompt, *text.tokens] for text in texts]
        results = self._whisper.generate(
            memory,
            prompts,
            beam_size=1 if temperature else self._beam_size,
            sampling_topk=0 if temperature else 1,
            sampling_temperature=temperature or 1.0,
            max_length=max(2 * length, len(texts[0].prompt) + length),  # CTranslate2 uses half, for OpenAI did so
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
        )
        for text, result in zip(texts, results, strict=True):
            text.go_on(result)

    def _guess(self, decoding: Decoding, text: "_Text", room: int) -> Guess:
        tokens = text.tokens
        return Guess(
            tokens=tokens,
            text=self.decoded(decoding, tokens),
            temperature=decoding.temperature,
            avg_logprob=text.logprob / (len(tokens) + 1),
            no_speech_prob=text.no_speech_prob,
            cut=len(tokens) >= room,
            pieces=self._pieces(decoding, tokens),
        )

    def _room(self, decodings: Sequence[Decoding]) -> int:
        """Return how many tokens an answer may have: more than anybody can say, so that a loop ends soon."""
        said = max(_TOKENS_AT_LEAST + round(TOKENS_PER_SECOND * decoding.speech.seconds) for decoding in decodings)
        return min(said, int(self._model.max_length) // 2 - 4)

    def _prompt(self, decoding: Decoding) -> list[int]:
        tokenizer = self._tokenizer(decoding.language or "en", decoding.utterance.task)
        before = [tokenizer.sot_prev, *decoding.previous] if decoding.previous else []
        return [*before, *tokenizer.sot_sequence]

    def _pieces(self, decoding: Decoding, tokens: list[int]) -> list[dict[str, Any]]:
        """Return the texts between two timestamps, as far as they are said before the sound ends."""
        seconds = decoding.speech.seconds
        return [
            {"seek": 0, "start": start, "end": min(end, seconds), "tokens": part}
            for start, end, part in between_timestamps(tokens, self._begin, seconds)
            if start < seconds and self.decoded(decoding, part).strip()
        ]

    def add_words(self, guesses: Sequence[tuple[Decoding, Guess]]) -> None:
        """Put `words` into the pieces of those that are to have them."""
        by_language: dict[str, list[tuple[Decoding, Guess]]] = {}
        for decoding, guess in guesses:
            if decoding.utterance.words and guess.pieces:
                by_language.setdefault(decoding.language or "en", []).append((decoding, guess))
        for language, group in by_language.items():
            decodings = [decoding for decoding, _ in group]
            frames = [min(decoding.frames, int(decoding.speech.seconds / FRAME_SECONDS)) for decoding in decodings]
            pieces = [guess.pieces for _, guess in group]
            tokenizer = self._tokenizer(language, "transcribe")
            self._model.add_word_timestamps(pieces, tokenizer, self.memory(decodings), frames, _OPENING, _CLOSING, 0.0)

    def previous(self, prompt: str | None, hotwords: str | None) -> list[int]:
        """Return the tokens of both, hot words first: at most half of what fits."""
        tokenizer = self._tokenizer("en", "transcribe")
        room = int(self._model.max_length) // 2 - 1
        hot = tokenizer.encode(" " + hotwords.strip())[: room // 2] if hotwords else []
        said = tokenizer.encode(" " + prompt.strip()) if prompt else []
        return [*hot, *said[max(0, len(said) + len(hot) - room) :]]

    def known(self, language: str | None) -> str | None:
        """Return the language as far as it is known without listening."""
        return language if self._whisper.is_multilingual else "en"

    def likeliest(self, odds: Sequence[tuple[str, float]], candidates: Sequence[str] = ()) -> tuple[str, float]:
        """Return the likeliest of the languages that may be detected, and how likely it is among those."""
        among = candidates or self.languages
        allowed = [(language, p) for language, p in odds if not among or language in among]
        language, chance = max(allowed or odds, key=lambda each: each[1])
        return language, chance / (sum(p for _, p in allowed) or 1.0)

    def decoded(self, decoding: Decoding, tokens: Sequence[int]) -> str:
        """Return the text of the tokens, without timestamps."""
        return str(self._tokenizer(decoding.language or "en", decoding.utterance.task).decode(list(tokens)))

    def _tokenizer(self, language: str, task: str) -> Tokenizer:
        key = language, task
        if key not in self._tokenizers:
            multilingual = self._whisper.is_multilingual
            self._tokenizers[key] = Tokenizer(self._model.hf_tokenizer, multilingual, task=task, language=language)
        return self._tokenizers[key]


@dataclass
class _Text:
    """A text that is being written."""

    prompt: list[int]
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    no_speech_prob: float = 0.0

    def go_on(self, result: Any) -> None:
        """Take over what one step wrote; its score is of its own tokens, by the length of all."""
        if not self.tokens:
            self.no_speech_prob = result.no_speech_prob
        self.tokens = result.sequences_ids[0]
        self.logprob += result.scores[0] * len(self.tokens)


def between_timestamps(tokens: Sequence[int], begin: int, seconds: float) -> Iterator[tuple[float, float, list[int]]]:
    """Yield start, end and text tokens of each piece; `begin` is the token `<|0.00|>`."""
    start, piece = 0.0, list[int]()
    for token in tokens:
        if token < begin:
            piece.append(token)
            continue
        moment = (token - begin) * _TOKEN_SECONDS
        if piece:
            yield start, max(start, moment), piece
        start, piece = moment, []
    if piece:
        yield start, max(start, seconds), piece


def _storage(values: NDArray[np.float32]) -> StorageView:
    return StorageView.from_array(np.ascontiguousarray(values, np.float32))
