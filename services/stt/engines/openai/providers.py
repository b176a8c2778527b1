"""Known transcription servers: what an operator need not look up. A row of one's own needs no place here."""

from typing import Literal

from chassis.upstream.settings import Provider, Rows

Format = Literal["wav", "flac", "mp3", "opus"]

SENSEVOICE = ("zh", "yue", "en", "ja", "ko")


class HearingProvider(Provider, frozen=True):
    """One row.

    Args:
        format: What it is sent: the smallest that it surely reads.
        languages: What it hears; none named: any.
    """

    format: Format = "flac"
    languages: tuple[str, ...] = ()


PROVIDERS: dict[str, HearingProvider] = {
    "openai": HearingProvider("https://api.openai.com/v1", "whisper-1", format="opus"),
    "groq": HearingProvider("https://api.groq.com/openai/v1", "whisper-large-v3-turbo", format="opus"),
    "siliconflow": HearingProvider(
        "https://api.siliconflow.cn/v1", "FunAudioLLM/SenseVoiceSmall", format="mp3", languages=SENSEVOICE
    ),
    "speaches": HearingProvider("http://localhost:8000/v1", "Systran/faster-whisper-small", needs_key=False),
    "faster-whisper": HearingProvider("http://localhost:8000/v1", "whisper-1", needs_key=False),
    "sensevoice-server": HearingProvider(
        "http://localhost:8000/v1", "whisper-1", needs_key=False, format="wav", languages=SENSEVOICE
    ),
}

UPSTREAMS = Rows("STT", "/audio/transcriptions", PROVIDERS, HearingProvider(None, needs_key=False))
