"""TTS_*: what this service takes from the environment."""

from functools import cached_property

from chassis.settings import SettingError
from chassis.settings import Settings as ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True, dict=True):
    """The service's own; an engine's options live in its file."""

    prefix = "TTS_"
    engines: tuple[str, ...] = ("edge", "espeak")
    speakable: bool = True
    """Leave out what is meant for the eye (markdown, emoji, stage directions); a request may say otherwise."""
    voices: tuple[str, ...] = ()
    """Names of one's own: `guodegang=zh-CN-YunjianNeural`."""
    language: str = "en"
    """Of a text whose letters do not tell, where the voice does not either: Latin ones, or digits alone."""

    def __post_init__(self) -> None:
        """Raises:
        SettingError: A name in `voices` stands for nothing.
        """
        for entry in self.voices:
            if not all(part.strip() for part in entry.partition("=")):
                raise SettingError(f"TTS_VOICES: {entry!r} is not NAME=VOICE, e.g. bunny=zh-CN-XiaoyiNeural.")

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Name of the operator's own → voice."""
        return {name.strip(): voice.strip() for name, _, voice in (entry.partition("=") for entry in self.voices)}

    def meant(self, voice: str) -> str:
        """The voice behind a name, whatever its case; any other is as it was written."""
        return next((of for name, of in self.aliases.items() if name.lower() == voice.lower()), voice)
