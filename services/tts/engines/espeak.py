"""Speak with eSpeak NG from its wheel: no key, no download, no network, more than a hundred languages.

The library's state is global, and two threads in it crash the process: a lock lets in one at a time.
"""

import ctypes
import re
import tempfile
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any, Self

from chassis.chain.seat import Report
from chassis.errors import Declined, EngineFailed, EngineUnavailable
from chassis.script_language import holds_han
from chassis.settings import Options, read
from chassis.threads import Stop, handed_over
from tts.audio.pcm import WIDTH, pcm
from tts.engines import Engine
from tts.text.clauses import Lengths
from tts.voices.choose import Voice, prefer
from tts.voices.language_tags import normal

RATE = 22_050
_WORDS_PER_MINUTE = 175
_FEMALE = "+f3"
"""Suffix that makes a woman's voice of any voice."""
_FIRST = ("cmn", "en-us", "fr-fr")
"""Voices that come first in their language; in other languages the plain one does (`es` before `es-419`)."""
LONGEST_DATA_PATH = 150
"""Longest path of data, in bytes; the library cuts a longer one off, and then looks elsewhere."""

_SYNCHRONOUS, _BUFFER_MILLISECONDS, _DO_NOT_EXIT = 2, 200, 0x8000
_UTF8, _PHONEMES = 0x01, 0x100
_IPA = 0x02
_SWITCH = re.compile(r"\([a-z-]+\)")
"""Mark in phonemes with which the library announces another language."""
_SPEED_PARAMETER = 1

_IONG = {
    "x1": "兄凶胸匈汹洶兇恟芎",
    "x2": "熊雄",
    "x4": "诇夐",
    "q2": "穷窮琼瓊穹邛茕煢蛩筇跫銎",
    "j1": "扃坰駉",
    "j3": "窘炯迥囧炅冏泂煚",
}
"""Characters whose syllable ends in -iong, by initial and tone: the library spells them in English letters instead."""
_CONSONANTS = {"x": "S;", "q": "tS;h", "j": "tS;"}
TONES = {"1": "55", "2": "35", "3": "214", "4": "51"}
_AS_PHONEMES = {
    ord(char): f"[[{_CONSONANTS[syllable[0]]}jong{TONES[syllable[1]]}]]"
    for syllable, chars in _IONG.items()
    for char in chars
}

_one_at_a_time = Lock()
_set: list[str] = []
"""Name of the voice that is set in the library; setting another one takes as long as a word or two."""
_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakOptions(Options, frozen=True, kw_only=True):
    """The engine `espeak`: eSpeak NG."""

    prefix = "ESPEAK_"
    voices: tuple[str, ...] = ()
    """Voices that are preferred among those of their language: `en-gb,yue`."""


class _ListedVoice(ctypes.Structure):
    """Beginning of the library's structure `espeak_VOICE`."""

    _fields_ = (("name", ctypes.c_char_p), ("languages", ctypes.c_char_p), ("identifier", ctypes.c_char_p))


class Espeak(Engine):
    """Engine whose voices are called `cmn`, `en-us`, `de` …; each has variants: `en-us+f3`, `cmn+whisper`."""

    first_byte_seconds = 0.3
    stands_in = True
    works_here = True
    sound = pcm(RATE)
    speeds = (0.5, 2.0)
    lengths = Lengths()
    ahead = 1
    reads_figures = False

    def __init__(self, options: EspeakOptions | None = None) -> None:
        options = options or read(EspeakOptions)
        self._library, data = _library()
        self._variants = frozenset(path.name for path in (data / "voices" / "!v").iterdir())
        self._only_thread = ThreadPoolExecutor(1, "espeak")
        plain = _listed(self._library)
        self._plain = {voice.name.lower(): voice for voice in plain}
        female = [Voice(voice.name + _FEMALE, voice.language, "female") for voice in plain]
        both = [voice for pair in zip(plain, female, strict=True) for voice in pair]
        self.voices = prefer(options.voices, both, self.voice)

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls()

    def voice(self, name: str) -> Voice | None:
        plain_name, _, variant = name.partition("+")
        plain = self._plain.get(plain_name.lower())
        if plain is None or not variant:
            return plain
        known = {other.lower(): other for other in self._variants}.get(variant.lower())
        return Voice(f"{plain.name}+{known}", plain.language, "female" if known[0] == "f" else None) if known else None

    async def refresh_voices(self) -> None:
        """Do nothing: all voices are in the wheel."""

    def accept(self, text: str, voice: Voice) -> None:
        if voice.language.startswith("ja") and holds_han(text):
            raise Declined("espeak reads Japanese in kana only, and this text holds kanji.", param="input")

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        """Yield the first buffer at once, then the rest in one piece: the whole clause takes milliseconds."""
        async with aclosing(handed_over(self._only_thread, partial(self._say, text, voice, speed))) as buffers:
            async for samples in buffers:
                yield samples

    async def aclose(self) -> None:
        self._only_thread.shutdown(wait=False, cancel_futures=True)

    def _say(self, text: str, voice: Voice, speed: float, put: Callable[[bytes], None], stop: Stop) -> None:
        """Speak one clause; runs in the only thread."""
        rest: list[bytes] | None = None

        def sounded(samples: Any, count: int, events: Any) -> int:
            nonlocal rest
            if count and rest is None:
                put(ctypes.string_at(samples, WIDTH * count))
                rest = []
            elif count and rest is not None:
                rest.append(ctypes.string_at(samples, WIDTH * count))
            return int(bool(stop))  # any value but 0 ends the synthesis

        callback = _SynthCallback(sounded)
        said, flags = words(text, voice)
        with _one_at_a_time:
            self._library.espeak_SetSynthCallback(callback)
            _set_voice(self._library, voice.name)
            self._library.espeak_SetParameter(_SPEED_PARAMETER, round(_WORDS_PER_MINUTE * speed), 0)
            status = self._library.espeak_Synth(said, len(said) + 1, 0, 1, 0, flags, None, None)
        if status != 0:
            raise EngineFailed(f"espeak broke off (status {status}).")
        if rest:
            put(b"".join(rest))


def phonemes(text: str, voice_name: str) -> list[str]:
    """Return the pronunciation in IPA, a string for each clause; for models that take phonemes.

    Raises:
        EngineFailed: The library has no such voice.
    """
    library, _ = _library()
    rest, found = ctypes.c_char_p(text.encode()), []
    with _one_at_a_time:
        _set_voice(library, voice_name)
        while rest:
            clause = library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA)
            if clause:
                found.append(_SWITCH.sub("", clause.decode()))
    return found


def _set_voice(library: ctypes.CDLL, name: str) -> None:
    """Set the voice of the library; the caller must hold the lock.

    Raises:
        EngineFailed: The voice is missing or damaged.
    """
    if _set == [name]:
        return
    _set.clear()
    plain, plus, variant = name.partition("+")
    if library.espeak_SetVoiceByName(f"{_files(library).get(plain, plain)}{plus}{variant}".encode()) != 0:
        raise EngineFailed(f"espeak cannot load a voice {name!r}.")
    _set.append(name)


def words(text: str, voice: Voice) -> tuple[bytes, int]:
    """Return the text for the library, and the flags with which it reads that."""
    if not voice.name.startswith("cmn"):
        return text.encode(), _UTF8
    without_marks = re.sub(r"\[(?=\[)", "[ ", text)  # a caller's "[[" is no mark of phonemes
    return without_marks.translate(_AS_PHONEMES).encode(), _UTF8 | _PHONEMES


@cache
def _library() -> tuple[ctypes.CDLL, Path]:
    """Return the library, set up once for this process, and the folder of its data.

    Raises:
        EngineUnavailable: The library is missing, or does not work.
    """
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = Path(espeakng_loader.get_data_path())
    except (ImportError, OSError, RuntimeError) as exc:
        raise EngineUnavailable(f"eSpeak NG is missing; `pip install espeakng-loader` ({exc}).") from exc
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_ListedVoice))
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    near = _near(data)
    if library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MILLISECONDS, str(near).encode(), _DO_NOT_EXIT) != RATE:
        raise EngineUnavailable("eSpeak NG does not start: its data are missing or damaged. Install it anew.")
    return library, data


def _near(data: Path) -> Path:
    """Return a path to the data that is short enough for the library."""
    if len(str(data).encode()) <= LONGEST_DATA_PATH:
        return data
    link = Path(tempfile.mkdtemp(prefix="espeak-")) / "data"
    link.symlink_to(data)
    return link


def _listed(library: ctypes.CDLL) -> list[Voice]:
    """Return the plain voices of the library, in order of preference."""
    ordered = sorted(_files(library), key=lambda name: (name not in _FIRST, name.count("-")))
    return [Voice(name, normal(name), "male") for name in ordered]


@cache
def _files(library: ctypes.CDLL) -> dict[str, str]:
    """Return the file of each plain voice: by name, the library misses some that it lists, such as `en-gb`."""
    files: dict[str, str] = {}
    for each in library.espeak_ListVoices(None):
        if not each:  # the end of the list
            break
        voice = each.contents
        files.setdefault(voice.languages[1:].decode(), voice.identifier.decode())  # the first byte is a priority
    return files
