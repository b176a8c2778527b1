"""TTS_*: what this service takes from the environment."""

from chassis.settings import Settings as ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """The service's own; an engine's options live in its file."""

    prefix = "TTS_"
    engines: tuple[str, ...] = ("edge", "espeak")
    speakable: bool = True
    """Leave out what is meant for the eye (markdown, emoji, stage directions); a request may say otherwise."""
    language: str = "en"
    """Of a text whose letters do not tell, where the voice does not either: Latin ones, or digits alone."""
