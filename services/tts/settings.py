"""TTS_*: what this service takes from the environment."""

from chassis.settings import Settings as ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """The service's own; an engine's options live in its file."""

    prefix = "TTS_"
    engines: tuple[str, ...] = ("edge", "espeak")
    language: str = "en"
    """Of a text whose letters do not tell, where the voice does not either: Latin ones, or digits alone."""
