"""An order: the text of one request, how to speak it, and the plan of each engine that might."""

import math
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple, Self

from chassis.chain.chain import Chain
from chassis.errors import BadRequest, Declined
from chassis.script_language import DENSE, language_of, scripts, wide
from tts.audio.encode import Encoding
from tts.audio.pcm import Sound
from tts.cache.entry import key_of
from tts.engines import Engine
from tts.settings import Settings
from tts.text.aside import LONG
from tts.text.figures import in_words
from tts.text.speakable import clean, tidy
from tts.voices.choose import Voice, choose
from tts.wire import CheckedRequest

_LETTERS_PER_TOKEN = 4
TOKENS_PER_SECOND = 20


class Plan(NamedTuple):
    """The text that one engine is given, and how it is to speak it."""

    engine: Engine
    """The engine, with the model that the caller picked."""
    voice: Voice
    speed: float
    """A speed within the engine's own range; the rest is done by stretching the sound."""
    text: str


class Order:
    """A request for speech. Any engine may serve it: `plan` says what that engine would be given."""

    def __init__(self, wanted: CheckedRequest, settings: Settings, language_hint: str | None = None) -> None:
        """Args:
        language_hint: Language of the same caller's last piece, for a text that does not tell its own.
        """
        self.wanted, self.language = wanted, settings.language
        self._mp3, self._loudness = settings.mp3, settings.loudness
        self._voice_name = settings.meant(wanted.voice)
        self._as_written = not (settings.speakable if wanted.speakable is None else wanted.speakable)
        self.text = clean(wanted.text) if self._as_written else tidy(wanted.text)
        written_wide = not self._as_written and wide(wanted.text)  # `２５`, of which `tidy` makes 25
        self._letters = scripts(self.text)
        self._language_hint = None if self._letters else "zh" if written_wide else language_hint
        self._plans: dict[Engine, Plan | Declined] = {}

    @classmethod
    def planned(
        cls, wanted: CheckedRequest, settings: Settings, language_hint: str | None, chain: Chain[Engine]
    ) -> Self:
        """Return an order with the plans of all engines that might serve it; of a long text, that is most of the work.

        May be called in a thread.
        """
        order = cls(wanted, settings, language_hint)
        if len(wanted.text) > LONG:
            seats, submodel = chain.pick(wanted.model)
            for seat in seats:
                if seat.engine is not None:
                    with suppress(BadRequest):  # raised again when the engine is asked
                        order.plan(seat.engine, submodel)
            _ = order.language_told  # kept for the handler
        return order

    @property
    def shared_key(self) -> bytes:
        """The key that is equal for requests which one answer can serve at the same moment."""
        wanted = self.wanted
        how = (self._as_written, wanted.speed, wanted.codec, wanted.instructions, self._language_hint)
        return key_of(wanted.model, self._voice_name, self.text, *how)

    def keys(self, chain: Chain[Engine]) -> Iterator[bytes]:
        """Yield the keys under which the answer may have been kept, up to that of the first engine that could answer
        now.

        Those before it are of engines ahead of it that are resting.
        """
        seats, submodel = chain.pick(self.wanted.model)
        for seat in seats:
            if seat.engine is None:
                continue
            try:
                yield self.key(seat.name, self.plan(seat.engine, submodel))
            except BadRequest:  # declined, most likely; else the chain will say it
                continue
            if seat.standing == "ready":
                return

    def key(self, engine_name: str, plan: Plan) -> bytes:
        """Return the key under which the answer of that engine is kept: a digest of all that decides how it sounds."""
        form = (self._loudness, self._mp3 if self.wanted.codec == "mp3" else None)
        how = (plan.speed, self.wanted.speed, self.wanted.codec, form)
        return key_of(engine_name, plan.engine.likeness, plan.voice.name, plan.text, *how)

    def plan(self, engine: Engine, submodel: str | None) -> Plan:
        """Decide what `engine` is to say, and how.

        Raises:
            Declined: It cannot read this text, or has no voice for it.
            NotFound: It has no such model.
        """
        known = self._plans.get(engine)
        if known is None:
            try:
                known = self._planned(engine, submodel)
            except Declined as exc:
                known = exc
            self._plans[engine] = known
        if isinstance(known, Declined):
            raise known.with_traceback(None)
        return known

    def _planned(self, engine: Engine, submodel: str | None) -> Plan:
        picked = engine if submodel is None else engine.model(submodel)
        native, hint = picked.voice(self._voice_name), self._language_hint
        voice = choose(picked.voices, native, self._voice_name, self.text, self.language, hint)
        if self.wanted.instructions:
            picked = picked.instructed(self.wanted.instructions)
        slowest, fastest = picked.speeds
        text = self.text if self._as_written or picked.reads_figures else in_words(self.text, voice.language)
        picked.accept(text, voice)
        return Plan(picked, voice, min(max(self.wanted.speed, slowest), fastest), text)

    @cached_property
    def language_told(self) -> str | None:
        """Language of the text where its letters or punctuation tell; `en` for Latin letters that a voice reads so."""
        if (language := language_of(self.text)) is not None or not self._letters:
            return language
        plans = (plan for plan in self._plans.values() if isinstance(plan, Plan))
        return next((plan.voice.language.partition("-")[0] for plan in plans), None)

    def encoding(self, sound: Sound, stretch: float = 1.0) -> Encoding:
        """Return a new encoder from `sound` to the codec asked for."""
        return Encoding(sound, self.wanted.codec, stretch, self._mp3)

    def usage(self, seconds: float) -> dict[str, int]:
        """Estimate tokens: one for a Chinese, Japanese or Korean letter or four others, 20 for a second of sound."""
        dense = sum(count for language, count in self._letters.items() if language in DENSE)
        words = dense + math.ceil((len(self.text) - dense) / _LETTERS_PER_TOKEN)
        sound = math.ceil(seconds * TOKENS_PER_SECOND)
        return {"input_tokens": words, "output_tokens": sound, "total_tokens": words + sound}
