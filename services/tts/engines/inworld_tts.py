"""Engine `inworld-tts`: one JSON object a line, each with a piece of sound.

Source: docs.inworld.ai (voice:stream), and open implementations that ask it.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self

import msgspec

from chassis.chain.seat import Report
from chassis.settings import Options, read
from chassis.upstream.reply import Reply
from chassis.upstream.vendor import Call, Vendor
from tts.sound_service import SoundService, voices_in
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

_VOICES = """
en-US female: Ashley Deborah Olivia Sarah Wendy Julia Elizabeth
en-US male: Alex Dennis Craig Edward Mark Ronald Shaun Theodore Timothy
zh-CN female: Xiaoyin Xinyi Jing
zh-CN male: Yichen
ja-JP female: Asuka
ja-JP male: Satoshi
ko-KR female: Minji Yoona
ko-KR male: Hyunwoo Seojun
de-DE female: Johanna
de-DE male: Josef
fr-FR male: Alain Mathieu
es-ES female: Lupita
es-ES male: Diego Miguel Rafael
it-IT female: Orietta
it-IT male: Gianni
nl-NL female: Katrien Lore
nl-NL male: Erik Lennart
pl-PL male: Szymon Wojciech
pt-BR male: Heitor
"""


class InworldTtsOptions(Options, frozen=True, kw_only=True):
    """The engine `inworld-tts`: Inworld's voices."""

    prefix = "INWORLD_TTS_"
    key: tuple[str, ...] = ()
    """Key of the workspace (the Base64 one), or several."""
    api_base: str = "https://api.inworld.ai/v1"
    """Address of the API."""
    model_id: str = "inworld-tts-1.5-mini"
    """Model: `inworld-tts-1.5-mini` is the fastest, `inworld-tts-1.5-max` the finest."""
    voice_id: str = ""
    """Voice that is preferred among those of its language; one of your own speaks whatever voice is asked for."""


class _Result(msgspec.Struct):
    sound: bytes = msgspec.field(name="audioContent", default=b"")


class _Line(msgspec.Struct):
    """A piece of sound; an error has no result."""

    result: _Result


class InworldTts(SoundService):
    """Inworld's voices: `Ashley`."""

    speeds = (0.5, 1.5)
    lengths = Lengths(first=400, most=1_200)  # it sends sound while it makes more
    raw_rate = 24_000

    def __init__(self, options: InworldTtsOptions, vendor: Vendor) -> None:
        super().__init__(vendor, voices_in(_VOICES), options.voice_id)
        self._model = options.model_id
        self.url = f"{options.api_base.rstrip('/').removesuffix('/v1')}/tts/v1/voice:stream"

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(InworldTtsOptions)
        variables = "INWORLD_TTS_MODEL_ID or INWORLD_TTS_VOICE_ID"
        return cls(options, Vendor(name, "TTS_INWORLD_TTS_", options.key, "INWORLD_TTS_KEY", model_variable=variables))

    @property
    def likeness(self) -> str:
        return self._model

    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        audio = {"audioEncoding": "LINEAR16", "sampleRateHertz": 24_000, "speakingRate": round(speed, 2)}
        body = {"text": text, "voiceId": voice.name, "modelId": self._model, "audioConfig": audio}
        headers = {"authorization": f"Basic {key}", "content-type": "application/json"}
        return Call(self.url, headers, msgspec.json.encode(body))

    async def unwrapped(self, reply: Reply) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.messages(reply, _Line)) as lines:
            async for line in lines:
                yield _samples(line.result.sound)


def _samples(piece: bytes) -> bytes:
    """Return a piece without the header of a WAV, which may be in front of each."""
    return piece.partition(b"data")[2][4:] if piece.startswith(b"RIFF") else piece
