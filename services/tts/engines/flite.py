"""Speak English with the system library flite: far clearer than eSpeak, and as independent of any network."""

import asyncio
import ctypes
import unicodedata
from collections.abc import AsyncGenerator
from functools import cache
from threading import Lock
from typing import Self

from chassis.chain.seat import Report
from chassis.errors import Declined, EngineFailed, EngineUnavailable
from chassis.script_language import scripts
from chassis.settings import Options, read
from tts.audio.pcm import pcm
from tts.engines import Engine
from tts.text.clauses import Lengths
from tts.voices.choose import Voice, prefer
from tts.voices.names import Gender

RATE = 16_000
VOICES: dict[str, Gender] = {"slt": "female", "rms": "male", "awb": "male", "kal16": "male"}
_AS_ASCII = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": " - ", "…": "...", "ß": "ss", "æ": "ae"}
)
STRETCH = b"duration_stretch"


class FliteOptions(Options, frozen=True, kw_only=True):
    """The engine `flite`: English, offline."""

    prefix = "FLITE_"
    voices: tuple[str, ...] = ()
    """Voices that are preferred: `rms`."""


class _Wave(ctypes.Structure):
    """Layout of the library's structure `cst_wave`."""

    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class Person(ctypes.Structure):
    """Beginning of the library's structure `cst_voice`."""

    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


class Flite(Engine):
    """Engine with the installed ones of `slt` (a woman's voice, the clearest), `rms`, `awb` (Scottish) and `kal16`."""

    first_byte_seconds = 0.3
    stands_in = True
    works_here = True
    sound = pcm(RATE)
    speeds = (0.5, 2.0)
    lengths = Lengths()
    ahead = 1
    reads_figures = False

    def __init__(self, options: FliteOptions | None = None) -> None:
        options = options or read(FliteOptions)
        self._library, self._people = _library()
        self._locks = {name: Lock() for name in self._people}  # speed is a feature of the voice, not of the call
        known = [Voice(name, "en-US", VOICES[name]) for name in self._people]
        self.voices = known
        self.voices = prefer(options.voices, known, self.voice)

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls()

    def voice(self, name: str) -> Voice | None:
        return next((voice for voice in self.voices if voice.name == name.lower()), None)

    async def refresh_voices(self) -> None:
        """Do nothing: all voices are in the library."""

    def accept(self, text: str, voice: Voice) -> None:
        if set(scripts(text)) - {""}:
            raise Declined("flite reads English only, and this text holds other letters.", param="input")

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        if spoken := await asyncio.to_thread(self._say, text, voice, speed):
            yield spoken

    async def aclose(self) -> None:
        """Do nothing: no resource is open."""

    def _say(self, text: str, voice: Voice, speed: float) -> bytes:
        """Return the sound of one clause; runs in a worker thread."""
        said = unicodedata.normalize("NFKD", text.translate(_AS_ASCII)).encode("ascii", "ignore")
        if not any(chr(byte).isalnum() for byte in said):
            return b""
        person = self._people[voice.name]
        with self._locks[voice.name]:
            self._library.feat_set_float(person.contents.features, STRETCH, ctypes.c_float(1 / speed))
            wave = self._library.flite_text_to_wave(said, person)
        if not wave:
            raise EngineFailed("flite broke off.")
        try:
            if wave.contents.sample_rate != RATE:
                raise EngineFailed(f"flite's voice {voice.name!r} has {wave.contents.sample_rate} samples a second.")
            return ctypes.string_at(wave.contents.samples, 2 * wave.contents.num_samples)
        finally:
            self._library.delete_wave(wave)


@cache
def _library() -> tuple[ctypes.CDLL, dict[str, "ctypes._Pointer[Person]"]]:
    """Return the library, and the voices that are installed beside it.

    Raises:
        EngineUnavailable: The library or its voices are missing.
    """
    try:
        library = ctypes.CDLL("libflite.so.1")
    except OSError as exc:
        raise EngineUnavailable("flite is not installed: `apt-get install libflite1`.", retry_seconds=600) from exc
    library.flite_text_to_wave.restype = ctypes.POINTER(_Wave)
    library.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.POINTER(Person)]
    library.delete_wave.argtypes = [ctypes.POINTER(_Wave)]
    library.feat_set_float.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float]
    library.flite_init()
    people = {}
    for name in VOICES:
        try:
            register = getattr(ctypes.CDLL(f"libflite_cmu_us_{name}.so.1"), f"register_cmu_us_{name}")
        except (OSError, AttributeError):
            continue  # a package may come with fewer voices
        register.restype, register.argtypes = ctypes.POINTER(Person), [ctypes.c_char_p]
        people[name] = register(None)
    if not people:
        raise EngineUnavailable("flite is installed without a voice: `apt-get install libflite1`.")
    return library, people
