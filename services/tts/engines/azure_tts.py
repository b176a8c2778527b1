"""Engine `azure-tts`: Azure Speech, with FoloToy's variables: style, role, dialect, prosody.

Source: learn.microsoft.com/azure/ai-services/speech-service/rest-text-to-speech, speech-synthesis-markup-voice.
"""

from typing import Self
from xml.sax.saxutils import escape, quoteattr

from chassis.chain.seat import Report
from chassis.errors import EngineUnavailable
from chassis.settings import Options, read
from chassis.upstream.vendor import Call, Vendor
from tts.sound_service import SoundService
from tts.text.clauses import Lengths
from tts.voices.choose import Voice, prefer
from tts.voices.names import microsoft, voice_traits

CHINA = "china"
_FORMAT = "raw-24khz-16bit-mono-pcm"


class AzureTtsOptions(Options, frozen=True, kw_only=True):
    """The engine `azure-tts`: Azure Speech."""

    prefix = "AZURE_TTS_"
    key: tuple[str, ...] = ()
    """Key of the Speech resource, or several."""
    service_region: str = ""
    """Region of the resource: `eastasia`, `chinaeast2`."""
    voice_name: str = ""
    """Voice that is preferred among those of its language: `zh-CN-YunyangNeural`."""
    style: str = ""
    """Manner of speaking, for voices that have it: `cheerful`."""
    styledegree: str = ""
    """Strength of the style, 0.01 to 2."""
    role: str = ""
    """Role that is played, for voices that have it: `Girl`."""
    dialect_name: str = ""
    """Language or dialect that a multilingual voice speaks: `zh-CN-sichuan`."""
    prosody_pitch: str = ""
    """Pitch: `high`, `+10%`, or 0.5 to 1.5 times the usual."""
    prosody_volume: str = ""
    """Loudness: `loud`, `+10%`, or 0 to 1.5 times the usual."""


class AzureTts(SoundService):
    """Azure's voices: `zh-CN-XiaoxiaoNeural`."""

    lengths = Lengths(first=400, most=1_200)  # it sends sound while it makes more, so that longer ones cost no time
    ahead = 2
    raw_rate = 24_000

    def __init__(self, options: AzureTtsOptions, vendor: Vendor) -> None:
        known = [Voice(name, *found, polyglot="Multilingual" in name) for name, found in microsoft().items()]
        super().__init__(vendor, known)
        self.options = options
        self.voices = prefer((options.voice_name,) if options.voice_name else (), known, self.voice)
        region = options.service_region
        host = f"{region}.tts.speech.azure.cn" if region.startswith(CHINA) else f"{region}.tts.speech.microsoft.com"
        self.url = f"https://{host}/cognitiveservices/v1"

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(AzureTtsOptions)
        if not options.service_region:
            raise EngineUnavailable("Set AZURE_TTS_SERVICE_REGION, e.g. eastasia.")
        return cls(options, Vendor(name, "TTS_AZURE_TTS_", options.key, "AZURE_TTS_KEY"))

    @property
    def likeness(self) -> str:
        options = self.options
        manner = (options.style, options.styledegree, options.role, options.dialect_name)
        return " ".join((*manner, options.prosody_pitch, options.prosody_volume))

    def voice(self, name: str) -> Voice | None:
        found = voice_traits(name) if name.endswith("Neural") else None
        return super().voice(name) or (Voice(name, *found, polyglot="Multilingual" in name) if found else None)

    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        headers = {
            "ocp-apim-subscription-key": key,
            "content-type": "application/ssml+xml",
            "x-microsoft-outputformat": _FORMAT,
        }
        return Call(self.url, headers, self.ssml(text, voice, speed).encode())

    def ssml(self, text: str, voice: Voice, speed: float) -> str:
        """Return the document that is sent: the text within prosody, manner and language, as far as they are set."""
        options, language = self.options, quoteattr(voice.language)
        prosody = {
            "rate": "" if speed == 1 else f"{round(100 * (speed - 1)):+d}%",
            "pitch": _percent(options.prosody_pitch),
            "volume": _percent(options.prosody_volume),
        }
        manner = {"style": options.style, "styledegree": options.styledegree, "role": options.role}
        spoken = _within("prosody", prosody, escape(text))
        spoken = _within("mstts:express-as", manner, spoken)
        spoken = _within("lang", {"xml:lang": options.dialect_name}, spoken)
        return (
            f"<speak version='1.0' xml:lang={language} xmlns='http://www.w3.org/2001/10/synthesis' "
            f"xmlns:mstts='https://www.w3.org/2001/mstts'><voice name={quoteattr(voice.name)}>{spoken}</voice></speak>"
        )


def _within(tag: str, attributes: dict[str, str], content: str) -> str:
    """Return `content` in an element; without one where no attribute is set."""
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items() if value)
    return f"<{tag}{written}>{content}</{tag}>" if written else content


def _percent(value: str) -> str:
    """Return FoloToy's factor `1.2` as `+20%`; words and percentages as they are."""
    try:
        return f"{round(100 * (float(value) - 1)):+d}%" if value else ""
    except ValueError:
        return value
