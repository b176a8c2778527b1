"""Engines that hear one language, and recordings whose language is unknown: such an engine guesses only when alone."""

from collections.abc import Sequence

from chassis.chain.seat import Seat
from chassis.errors import Declined
from stt.engines import Engine
from stt.text.languages import name_of

ASSUMED_HEADER = "x-talkbox-assumed-language"
"""Header of an answer whose language nobody stated, by an engine that hears that one only."""


class Suitability:
    """The engines that may answer one recording.

    Where its language is unknown, an engine that hears one language would turn any other into nonsense. So it declines
    while another engine is ready, loading, busy or slow; it assumes its own language where all others are unavailable,
    resting, or have failed just now.

    Args:
        seats: The engines that the request's model names.
        language: Language that the caller or the operator stated.
    """

    def __init__(self, seats: Sequence[Seat[Engine]], language: str | None) -> None:
        self._seats, self._language = seats, language
        self._failed: list[Engine] = []

    def failed(self, engine: Engine) -> None:
        """Note that an engine did not do its work: it does not hold back the others any more."""
        self._failed.append(engine)

    def assumed_by(self, engine: Engine) -> str | None:
        """Return the language that this engine takes for granted, if nobody has stated one."""
        return engine.only if self._language is None else None

    def suits(self, engine: Engine) -> bool:
        assumed = self.assumed_by(engine)
        return engine.hears(self._language) if assumed is None else not self._better(engine)

    def check(self, engine: Engine) -> None:
        """Raise for an engine that would have to guess.

        Raises:
            Declined: Another engine would know the language.
        """
        assumed = self.assumed_by(engine)
        if assumed is not None and (better := self._better(engine)):
            name = name_of(assumed).title()
            raise Declined(
                f"An engine that hears {name} only does not guess while {better} would know. "
                f"Send language={assumed} if it is {name}, or try again in a moment.",
                param="language",
            )

    def _better(self, engine: Engine) -> str | None:
        """Return the name of an engine that hears several languages and can be had."""
        for seat in self._seats:
            if seat.engine is engine or any(seat.engine is other for other in self._failed):
                continue
            if seat.engine is not None and seat.engine.only is not None:
                continue
            if seat.standing in ("ready", "loading"):
                return seat.name
        return None
