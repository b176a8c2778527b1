"""Known transcription servers: what an operator need not look up. A row of one's own needs no line here."""

from chassis.upstream.provider import Provider
from chassis.upstream.settings import Rows
from stt.sound.audio_file import Format

SENSEVOICE = ("zh", "yue", "en", "ja", "ko")


class HearingProvider(Provider, frozen=True):
    """A provider of transcription.

    Args:
        format: Encoding of the sound that it is sent: the smallest that it surely reads.
        languages: Languages that it hears; empty: any.
    """

    format: Format = "flac"
    languages: tuple[str, ...] = ()


PROVIDERS: dict[str, HearingProvider] = {
    "openai": HearingProvider(
        "https://api.openai.com/v1",
        "gpt-transcribe",
        preferred=("gpt-transcribe", "gpt-4o-mini-transcribe", "whisper-1"),
        format="opus",
    ),
    "groq": HearingProvider(
        "https://api.groq.com/openai/v1",
        "whisper-large-v3-turbo",
        preferred=("whisper-large-v3-turbo", "whisper-large-v3"),
        format="opus",
    ),
    "siliconflow": HearingProvider(
        "https://api.siliconflow.cn/v1", "FunAudioLLM/SenseVoiceSmall", format="mp3", languages=SENSEVOICE
    ),
    "speaches": HearingProvider("http://localhost:8000/v1", "Systran/faster-whisper-small", needs_key=False),
    "faster-whisper": HearingProvider("http://localhost:8000/v1", "whisper-1", needs_key=False),
    "sensevoice-server": HearingProvider(
        "http://localhost:8000/v1", "whisper-1", needs_key=False, format="wav", languages=SENSEVOICE
    ),
}

UPSTREAMS = Rows(
    "STT",
    "/audio/transcriptions",
    PROVIDERS,
    HearingProvider(None, needs_key=False),
    spellings={"openaiwhisper": "openai"},
)
