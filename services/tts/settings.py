"""Define the settings `TTS_…` that the service reads from the environment."""

from functools import cached_property
from typing import Literal

from chassis.settings import ServiceSettings, SettingError
from tts.audio.encoders import MP3_KBITS, Mp3
from tts.audio.loudness import Wish

Mp3Rate = Literal[8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
_MP3_KBITS_UP_TO = {
    12_000: (8, 16, 24, 32, 40, 48, 56, 64),
    24_000: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    48_000: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
"""Bit rates of mp3 in kbit/s, by the highest sample rate for which they exist."""


class Settings(ServiceSettings, frozen=True, kw_only=True, dict=True):
    """Settings of the service itself."""

    prefix = "TTS_"
    engines: tuple[str, ...] = ("edge", "espeak")
    key_characters: str = ""
    """Characters that each key may have spoken: `20000/day`; by names as `TTS_KEY_REQUESTS`. Kept answers count too.
    Empty: no limit."""
    speakable: bool = True
    """`on`: markdown, emoji, links, stage directions and `<think>` are left out, and figures are read as words; `off`:
    the text as it is. A request may choose for itself."""
    voices: tuple[str, ...] = ()
    """Names of your own for voices: `guodegang=zh-CN-YunjianNeural,bunny=zh-CN-XiaoyiNeural`."""
    language: str = "en"
    """Language of a text whose letters do not decide (Latin letters, or digits alone), if the voice does not either."""
    loudness: Wish = "auto"
    """Loudness in LUFS, from -40 to -10, for everything; `auto`: -18 for all but Edge's own mp3; `off`: as it comes."""
    speak_ahead: Literal["off", "own", "all"] = "own"
    """Pieces of an answer that nobody has asked for yet, of which llm tells (`LLM_SPEAK_AHEAD_URL`). `own`: spoken by
    engines that cost nothing, those on this machine and Edge; `all`: by providers too, which may bill them; `off`: not
    spoken."""
    mp3_kbits: int | None = None
    """Bit rate of mp3, in kbit/s; 32 for toys with little memory. Unset: 64."""
    mp3_rate: Mp3Rate = 24_000
    """Samples a second of mp3, the same for every engine; 16000 for toys with little memory."""

    def __post_init__(self) -> None:
        """Check values that depend on one another.

        Raises:
            SettingError: An entry of `voices` is not NAME=VOICE, or mp3 has no such bit rate.
        """
        for entry in self.voices:
            if not all(part.strip() for part in entry.partition("=")):
                raise SettingError(f"TTS_VOICES: {entry!r} is not NAME=VOICE, e.g. bunny=zh-CN-XiaoyiNeural.")
        kbits, rate = self.mp3_kbits or MP3_KBITS, self.mp3_rate
        listed = next(listed for most, listed in _MP3_KBITS_UP_TO.items() if rate <= most)
        if kbits not in listed:
            there_are = ", ".join(map(str, listed))
            raise SettingError(f"TTS_MP3_KBITS: at {rate} samples a second there is no {kbits}, only {there_are}.")

    @property
    def mp3(self) -> Mp3:
        """Form of the mp3 that callers get."""
        return Mp3(self.mp3_kbits, self.mp3_rate)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Voices by the operator's own names for them."""
        return {name.strip(): voice.strip() for name, _, voice in (entry.partition("=") for entry in self.voices)}

    def meant(self, voice: str) -> str:
        """Return the voice behind one of the operator's names, in any case; other names are returned unchanged."""
        return next((of for name, of in self.aliases.items() if name.lower() == voice.lower()), voice)
