"""Whisper on short speech: a window just long enough for it, instead of thirty seconds.

faster-whisper pads every sound to 30 s. The model itself takes any window, and most of its time goes by the window's
length. What comes out is checked, and what looks wrong is heard again by faster-whisper, padded.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from stt.hearing import RATE, Heard, Pcm, Segment, Word
from stt.sound import speech
from stt.sound.speech import Speech
from stt.text.hallucinations import is_invented

HOP, FFT = 160, 400
"""Whisper's spectrum: a frame each 10 ms, over 25 ms."""
FRAME_SECONDS, TOKEN_SECONDS = 0.01, 0.02
BUCKETS = (600, 700, 800, 1000, 1250, 1500, 2000, 2500, 3000)
"""Frames of the windows: few, so that utterances of about the same length share one."""
MARGIN_SECONDS = 3.0
"""Silence the model sees after the speech. Whisper base, 60 short sentences in three voices, word errors: padded to
30 s 0.116; a margin of one second 0.186, and every twelfth utterance loops; of two 0.116, every fifteenth; of three
0.093, one of the sixty. Windows of 6 s and more: 0.09 to 0.11, and no loops."""
LONGEST_SECONDS = 25.0
"""What is longer than this is faster-whisper's, with its sliding window."""
LONGEST_PCM = 60 * RATE
"""Not even searched for speech here."""

LOOP_RATIO, DOUBT_LOGPROB, NO_SPEECH = 2.4, -1.0, 0.6
"""OpenAI's thresholds: above, below and above which something is wrong."""
INVENTED_LOGPROB, INVENTED_NO_SPEECH = -0.5, 0.3
"""A sentence that Whisper likes to invent is believed only when it is surer than this."""
TOKENS_AT_LEAST, TOKENS_PER_SECOND = 24, 25
HASTY = 12.0
"""Letters a second; a Chinese character is as long as two and a half."""
LANGUAGE_DOUBT = 0.5
RETRY_TEMPERATURES = (0.0, 0.4, 0.8)

Task: TypeAlias = Literal["transcribe", "translate"]
Key: TypeAlias = tuple[int, int, float]


class Utterance(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What somebody said to a toy, and what the caller knows of it."""

    pcm: Pcm
    language: str | None = None
    prompt: str | None = None
    hotwords: str | None = None
    task: Task = "transcribe"
    temperature: float = 0.0
    words: bool = False


@dataclass(eq=False)
class Take:
    """An utterance on its way through the model."""

    utterance: Utterance
    speech: Speech
    frames: int
    previous: list[int]
    """Tokens of the prompt and the hot words."""
    features: NDArray[np.float32] | None = None
    memory: NDArray[np.float32] | None = None
    """What the encoder made of it, where that can be done ahead."""
    language: str | None = None
    sure_language: bool = True

    @property
    def key(self) -> Key:
        """What takes must have in common to be decoded together."""
        return self.frames, len(self.previous), self.utterance.temperature


@dataclass(frozen=True)
class Again:
    """It came out wrong: it must be heard again, padded."""

    take: Take


@dataclass
class _Guess:
    tokens: list[int]
    text: str
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    cut: bool
    """It went on until it was stopped."""
    pieces: list[dict[str, Any]] = field(default_factory=list)


class Windows:
    """A Whisper model, asked in windows that fit. Every method blocks and may be called from several threads.

    Args:
        languages: Those that may be detected, ISO 639-1; none: all the model knows.
        beam_size: More is a little better and much slower.
        find: Where in a recording somebody speaks.
    """

    def __init__(
        self,
        model: WhisperModel,
        *,
        languages: Sequence[str] = (),
        beam_size: int = 1,
        find: Callable[[Pcm], Speech | None] = speech.find,
    ) -> None:
        self._find = find
        self._model = model
        self._whisper = model.model
        self._languages = tuple(languages)
        self._beam_size = beam_size
        self._tokenizers: dict[tuple[str, str], Tokenizer] = {}
        tokenizer = self._tokenizer("en", "transcribe")
        self._suppressed = get_suppressed_tokens(tokenizer, [-1])
        self._begin = tokenizer.timestamp_begin
        self._filters = np.ascontiguousarray(model.feature_extractor.mel_filters, np.float32)
        self._hann = np.hanning(FFT + 1)[:-1].astype(np.float32)
        # On processors a batch is encoded no faster than its members; on a GPU much faster, and the result stays there.
        self._ahead = self._whisper.device == "cpu" and "float16" not in self._whisper.compute_type

    @property
    def workers(self) -> int:
        """How many calls the model works on at a time."""
        return int(self._whisper.num_workers)

    @property
    def grows(self) -> bool:
        """Whether larger batches cost hardly more."""
        return bool(self._whisper.device == "cuda")

    # -- 1. one utterance ---------------------------------------------------------------------------------------------

    def prepare(self, utterance: Utterance) -> Take | Heard | None:
        """Find the speech; `Heard` where there is none, None where it is too long for a window."""
        if len(utterance.pcm) > LONGEST_PCM:
            return None
        spoken = self._find(utterance.pcm)
        if spoken is None:
            return Heard(language=self._unheard(utterance))
        if spoken.seconds > LONGEST_SECONDS:
            return None
        frames = fitting(spoken.seconds)
        take = Take(
            utterance,
            spoken,
            frames,
            self.previous(utterance.prompt, utterance.hotwords),
            language=self._known(utterance.language),
        )
        take.features = self.features(spoken.pcm, frames)
        if self._ahead:
            take.memory = np.array(self._whisper.encode(_storage(take.features[None])))
            take.features = None
        return take

    def features(self, pcm: Pcm, frames: int) -> NDArray[np.float32]:
        """Whisper's log-mel spectrum of the sound and the silence after it, shape `(n_mels, frames)`."""
        sound = pcm[: frames * HOP]
        half = FFT // 2
        edge = min(half, len(sound) - 1)
        count = min(frames, (len(sound) + half) // HOP + 1)  # those that hear anything of it
        padded = np.zeros(count * HOP + FFT, np.float32)
        padded[half : half + len(sound)] = sound[: count * HOP + half]
        padded[half - edge : half] = sound[edge:0:-1]  # mirrored, as the model was taught
        pieces = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:count]
        spectrum = np.fft.rfft(pieces * self._hann)
        power = spectrum.real**2 + spectrum.imag**2
        mel: NDArray[np.float32] = np.full((len(self._filters), frames), -10.0, np.float32)
        mel[:, :count] = np.log10(np.maximum(self._filters @ power.T, 1e-10))
        return np.asarray((np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0, np.float32)

    # -- 2. those that share a key ------------------------------------------------------------------------------------

    def decode(self, takes: Sequence[Take]) -> list[Heard | Again]:
        """What was said in each.

        Raises:
            RuntimeError: The model broke off, or memory does not suffice for so many.
        """
        memory = self._memory(takes)
        self._detect(takes, memory)
        guesses = self._generate(takes, memory)
        answers = [self._judged(take, guess) for take, guess in zip(takes, guesses, strict=True)]
        self._add_words([(t, g) for t, g, a in zip(takes, guesses, answers, strict=True) if a is None])
        return [
            self._heard(take, guess) if answer is None else answer
            for take, guess, answer in zip(takes, guesses, answers, strict=True)
        ]

    def _memory(self, takes: Sequence[Take]) -> StorageView:
        """The encoder's output, shape `(len(takes), frames / 2, d_model)`."""
        if self._ahead:
            return _storage(np.stack([take.memory[0] for take in takes if take.memory is not None]))
        return self._whisper.encode(_storage(np.stack([t.features for t in takes if t.features is not None])))

    def _detect(self, takes: Sequence[Take], memory: StorageView) -> None:
        """Fill in the languages nobody stated."""
        if all(take.language for take in takes):
            return
        for take, odds in zip(takes, self._whisper.detect_language(memory), strict=True):
            if not take.language:
                take.language, chance = self._likely([(token[2:-2], p) for token, p in odds])
                take.sure_language = chance >= LANGUAGE_DOUBT

    def _generate(self, takes: Sequence[Take], memory: StorageView) -> list[_Guess]:
        prompts = []
        for take in takes:
            tokenizer = self._tokenizer(take.language or "en", take.utterance.task)
            before = [tokenizer.sot_prev, *take.previous] if take.previous else []
            prompts.append([*before, *tokenizer.sot_sequence])
        room = self._room(takes)
        temperature = takes[0].utterance.temperature
        results = self._whisper.generate(
            memory,
            prompts,
            beam_size=1 if temperature else self._beam_size,
            sampling_topk=0 if temperature else 1,
            sampling_temperature=temperature or 1.0,
            max_length=max(2 * room, len(prompts[0]) + room),  # of which CTranslate2 uses half, for OpenAI did so
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
        )
        guesses = []
        for take, result in zip(takes, results, strict=True):
            tokens, score = result.sequences_ids[0], result.scores[0]
            text = self._decoded(take, tokens)
            guesses.append(
                _Guess(
                    tokens=tokens,
                    text=text,
                    avg_logprob=score * len(tokens) / (len(tokens) + 1),
                    compression_ratio=compression_ratio(text.strip()),
                    no_speech_prob=result.no_speech_prob,
                    cut=len(tokens) >= room,
                    pieces=self._pieces(take, tokens),
                )
            )
        return guesses

    def _room(self, takes: Sequence[Take]) -> int:
        """How many tokens an answer may have: more than anybody can say, so that a loop ends soon."""
        said = max(TOKENS_AT_LEAST + round(TOKENS_PER_SECOND * take.speech.seconds) for take in takes)
        return min(said, int(self._model.max_length) // 2 - 4)

    def _pieces(self, take: Take, tokens: list[int]) -> list[dict[str, Any]]:
        """What lies between two timestamps, as long as it is said before the sound ends."""
        seconds = take.speech.seconds
        return [
            {"seek": 0, "start": start, "end": min(end, seconds), "tokens": part}
            for start, end, part in between_timestamps(tokens, self._begin, seconds)
            if start < seconds and self._decoded(take, part).strip()
        ]

    def _judged(self, take: Take, guess: _Guess) -> Heard | Again | None:
        """None: it can be believed."""
        low = guess.avg_logprob < DOUBT_LOGPROB
        if low and guess.no_speech_prob > NO_SPEECH:
            return Heard(language=take.language or "en")
        text = "".join(self._decoded(take, piece["tokens"]) for piece in guess.pieces)
        lost = bool(guess.text.strip()) and not guess.pieces
        looped = guess.compression_ratio > LOOP_RATIO or is_hasty(text, take.speech.seconds)
        if lost or looped or guess.cut:
            return Again(take)
        if take.utterance.temperature == 0 and (low or not take.sure_language):
            return Again(take)
        return None

    def _add_words(self, believed: Sequence[tuple[Take, _Guess]]) -> None:
        """Put `words` into the pieces of those who want them."""
        by_language: dict[str, list[tuple[Take, _Guess]]] = {}
        for take, guess in believed:
            if take.utterance.words and guess.pieces:
                by_language.setdefault(take.language or "en", []).append((take, guess))
        for language, group in by_language.items():
            takes = [take for take, _ in group]
            tokenizer = self._tokenizer(language, "transcribe")
            frames = [min(take.frames, int(take.speech.seconds / FRAME_SECONDS)) for take in takes]
            pieces = [guess.pieces for _, guess in group]
            self._model.add_word_timestamps(
                pieces, tokenizer, self._memory(takes), frames, "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、", 0.0
            )

    def _heard(self, take: Take, guess: _Guess) -> Heard:
        segments = (
            Segment(
                start=take.speech.when(piece["start"]),
                end=take.speech.when(piece["end"], ends=True),
                text=self._decoded(take, piece["tokens"]).rstrip(),
                tokens=tuple(piece["tokens"]),
                temperature=take.utterance.temperature,
                avg_logprob=guess.avg_logprob,
                compression_ratio=guess.compression_ratio,
                no_speech_prob=guess.no_speech_prob,
                words=tuple(_word(take.speech, w["word"], w["start"], w["end"]) for w in piece.get("words", ())),
            )
            for piece in guess.pieces
        )
        return Heard(language=take.language or "en", segments=tuple(self._believed(take, segments)))

    # -- 3. what came out wrong ---------------------------------------------------------------------------------------

    def retry(self, take: Take) -> Heard:
        """The same by faster-whisper: padded to 30 s, warmer when it fails.

        Raises:
            RuntimeError: The model broke off.
        """
        asked = take.utterance
        if not take.language or not take.sure_language:
            take.language = self.language_of(take.speech.pcm)
        parts, _ = self._model.transcribe(
            take.speech.pcm,
            language=take.language,
            task=asked.task,
            beam_size=self._beam_size,
            best_of=1,
            temperature=RETRY_TEMPERATURES if asked.temperature == 0 else asked.temperature,
            initial_prompt=take.previous or None,
            condition_on_previous_text=False,
            max_new_tokens=min(2 * self._room([take]), self._model.max_length - len(take.previous) - 4),
            word_timestamps=asked.words,
        )
        segments = (
            Segment(
                start=take.speech.when(part.start),
                end=take.speech.when(min(part.end, take.speech.seconds), ends=True),
                text=part.text.rstrip(),
                tokens=tuple(part.tokens),
                temperature=part.temperature or 0.0,
                avg_logprob=part.avg_logprob,
                compression_ratio=part.compression_ratio,
                no_speech_prob=part.no_speech_prob,
                words=tuple(_word(take.speech, w.word, w.start, w.end) for w in part.words or ()),
            )
            for part in parts
            if part.start < take.speech.seconds
        )
        return Heard(language=take.language, segments=tuple(self._believed(take, segments)))

    def language_of(self, pcm: Pcm) -> str:
        """The language of the first thirty seconds, of those that may be detected."""
        if not self._whisper.is_multilingual:
            return "en"
        _, _, odds = self._model.detect_language(pcm)
        return self._likely(odds)[0]

    # -- what all of them use -----------------------------------------------------------------------------------------

    def _believed(self, take: Take, segments: Iterator[Segment]) -> Iterator[Segment]:
        """Without what the model made up."""
        for segment in segments:
            doubtful = not take.speech.sure
            if doubtful and (segment.avg_logprob < DOUBT_LOGPROB or segment.compression_ratio > LOOP_RATIO):
                continue
            doubtful |= segment.avg_logprob < INVENTED_LOGPROB or segment.no_speech_prob > INVENTED_NO_SPEECH
            if doubtful and is_invented(segment.text):
                continue
            yield segment

    def previous(self, prompt: str | None, hotwords: str | None) -> list[int]:
        """The tokens of both, hot words first: at most half of what fits."""
        tokenizer = self._tokenizer("en", "transcribe")
        room = int(self._model.max_length) // 2 - 1
        hot = tokenizer.encode(" " + hotwords.strip())[: room // 2] if hotwords else []
        said = tokenizer.encode(" " + prompt.strip()) if prompt else []
        return [*hot, *said[max(0, len(said) + len(hot) - room) :]]

    def _known(self, language: str | None) -> str | None:
        return language if self._whisper.is_multilingual else "en"

    def _unheard(self, utterance: Utterance) -> str:
        return self._known(utterance.language) or (self._languages[0] if self._languages else "en")

    def _likely(self, odds: Sequence[tuple[str, float]]) -> tuple[str, float]:
        """The likeliest of the languages that may be detected, and how likely among those."""
        allowed = [(language, p) for language, p in odds if not self._languages or language in self._languages]
        language, chance = max(allowed or odds, key=lambda each: each[1])
        return language, chance / (sum(p for _, p in allowed) or 1.0)

    def _decoded(self, take: Take, tokens: Sequence[int]) -> str:
        return str(self._tokenizer(take.language or "en", take.utterance.task).decode(list(tokens)))

    def _tokenizer(self, language: str, task: str) -> Tokenizer:
        key = language, task
        if key not in self._tokenizers:
            multilingual = self._whisper.is_multilingual
            self._tokenizers[key] = Tokenizer(self._model.hf_tokenizer, multilingual, task=task, language=language)
        return self._tokenizers[key]


def fitting(seconds: float) -> int:
    """Frames of the window for speech this long."""
    wanted = (seconds + MARGIN_SECONDS) / FRAME_SECONDS
    return next((frames for frames in BUCKETS if frames >= wanted), BUCKETS[-1])


def between_timestamps(tokens: Sequence[int], begin: int, seconds: float) -> Iterator[tuple[float, float, list[int]]]:
    """Start, end and text tokens of each piece; `begin` is the token `<|0.00|>`."""
    start, piece = 0.0, list[int]()
    for token in tokens:
        if token < begin:
            piece.append(token)
            continue
        moment = (token - begin) * TOKEN_SECONDS
        if piece:
            yield start, max(start, moment), piece
        start, piece = moment, []
    if piece:
        yield start, max(start, seconds), piece


def compression_ratio(text: str) -> float:
    """How much smaller the text can be written: what repeats itself, much."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def is_hasty(text: str, seconds: float) -> bool:
    """Whether it says one thing twice or more, and nothing else, faster than anybody repeats himself."""
    plain = "".join(c for c in text.casefold() if c.isalnum())
    if (plain + plain).find(plain, 1) in (-1, len(plain)):
        return False
    return sum(1.0 if c.isascii() else 2.5 for c in plain) > HASTY * seconds


def _storage(values: NDArray[np.float32]) -> StorageView:
    return StorageView.from_array(np.ascontiguousarray(values, np.float32))


def _word(spoken: Speech, word: str, start: float, end: float) -> Word:
    return Word(word.strip(), spoken.when(float(start)), spoken.when(float(end), ends=True))
