"""List known speech servers, so that an operator need not look them up; any other server is a row of settings."""

from typing import Literal

from chassis.upstream.provider import Provider
from chassis.upstream.settings import Rows

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

CLASSIC = ("alloy", "nova", "onyx", "shimmer", "fable", "echo")
"""OpenAI's voices that every server of the dialect knows."""
KOKORO = (
    *("af_heart", "am_michael", "af_bella", "am_fenrir", "bf_emma", "bm_george"),
    *("zf_xiaobei", "zm_yunxi", "zf_xiaoxiao", "zm_yunjian", "jf_alpha", "jm_kumo"),
    *("ef_dora", "em_alex", "ff_siwis", "hf_alpha", "hm_omega", "if_sara", "im_nicola", "pf_dora", "pm_alex"),
)
_COSYVOICE2 = tuple(
    f"mul/{gender}=FunAudioLLM/CosyVoice2-0.5B:{name}"
    for gender, name in (("female", "anna"), ("male", "alex"), ("female", "bella"), ("male", "benjamin"))
)


class SpeechProvider(Provider, frozen=True):
    """Provider of speech.

    Args:
        voices: Voices of the provider, as `TTS_<NAME>_VOICES` takes them.
        format: Encoding to ask for: PCM where it comes soonest, mp3 where anything else is a risk.
    """

    voices: tuple[str, ...] = CLASSIC
    format: Format = "mp3"


PROVIDERS: dict[str, SpeechProvider] = {
    "openai": SpeechProvider(
        "https://api.openai.com/v1",
        "tts-1",  # ends in January 2027, as all of OpenAI's speech does; no other name is served
        preferred=("tts-1", "gpt-4o-mini-tts"),
        voices=(*CLASSIC, "ash", "coral", "sage"),
        format="pcm",
        folotoy="OPENAI_TTS_",
    ),
    "azure-openai-tts": SpeechProvider(
        None,
        "tts-1",
        voices=CLASSIC,
        headers={"api-key": "{key}"},
        hint="It is the address of your resource, https://NAME.openai.azure.com, as AZURE_OPENAI_TTS_API_BASE is.",
        folotoy="AZURE_OPENAI_TTS_",
        api_version="2024-02-15-preview",
    ),
    "siliconflow": SpeechProvider(
        "https://api.siliconflow.cn/v1",
        "FunAudioLLM/CosyVoice2-0.5B",
        voices=_COSYVOICE2,
        folotoy="SILICONFLOW_TTS_",
    ),
    "kokoro": SpeechProvider("http://localhost:8880/v1", "kokoro", needs_key=False, voices=KOKORO, format="pcm"),
    "speaches": SpeechProvider(
        "http://localhost:8000/v1", "speaches-ai/Kokoro-82M-v1.0-ONNX", needs_key=False, voices=KOKORO
    ),
    "emotivoice": SpeechProvider("http://localhost:8000/v1", "emoti-voice", needs_key=False, voices=("mul=8051",)),
}

UPSTREAMS = Rows(
    "TTS",
    "/audio/speech",
    PROVIDERS,
    SpeechProvider(None, needs_key=False),
    spellings={"openaitts": "openai", "siliconflowtts": "siliconflow"},
)
