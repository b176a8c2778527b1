"""Speak with Microsoft Edge's read-aloud voices, online, through edge-tts.

This module makes up for three gaps of edge-tts: a dropped connection ends its stream as if all had been said, nothing
limits a silence after the handshake, and Chinese text is not cut to the size that the service takes (`lengths` does).
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Container
from contextlib import aclosing
from functools import cache
from time import monotonic
from typing import Any, Self

import aiohttp
import edge_tts
import edge_tts.communicate
import edge_tts.voices
from edge_tts import constants
from edge_tts.exceptions import EdgeTTSException, NoAudioReceived

from chassis.chain.seat import Report
from chassis.errors import Declined, EngineBusy, EngineFailed, EngineTimeout
from chassis.script_language import detect
from chassis.settings import Options, Seconds, read
from tts.audio.pcm import Sound
from tts.engines import Engine
from tts.engines.edge.connections import Handshakes
from tts.text.clauses import Lengths
from tts.voices.choose import Voice, prefer
from tts.voices.names import Gender, microsoft, voice_traits

_CONNECT_SECONDS = 2
_VOICES_SECONDS = 2.5
_VOICES_LAST_SECONDS = 24 * 3600.0
_VOICES_RETRY_SECONDS = 60.0
_REST_SECONDS = 30.0
"""Pause after the service could not be reached or refused us: another try so soon would only cost the caller time."""
_CANARY = "1"
"""Text of the trial, which every voice can say."""
_MOST_WAITING = 64
"""Number of messages read ahead of a slow caller."""
OWN_URL = "wss://speech.platform.bing.com"


class EdgeOptions(Options, frozen=True, kw_only=True):
    """The engine `edge`: Microsoft Edge's voices, online."""

    prefix = "EDGE_"
    url: str = OWN_URL
    """Address of the service, or of an imitation of it: `http://127.0.0.1:9000`."""
    proxy: str | None = None
    """Proxy on the way there: `http://host:port`; unset: `HTTPS_PROXY` of the environment."""
    voices: tuple[str, ...] = ()
    """Voices that are preferred among those of their language: `zh-CN-YunxiNeural,en-US-AnaNeural`."""
    first_audio_seconds: Seconds = 4.0
    """Longest silence before its first sound, if the chain's budget does not end sooner."""
    gap_seconds: Seconds = 4.0
    """Longest silence in the middle of a sentence."""


class FoloToyEdgeOptions(Options, frozen=True, kw_only=True):
    """FoloToy's name for the voice of `edge`."""

    prefix = "EDGE_TTS_"
    voice_name: str = ""
    """Voice that is preferred among those of its language, after those of `EDGE_VOICES`: `zh-CN-YunyangNeural`."""


class Edge(Engine):
    """Engine of Edge's voices, under Microsoft's names: `zh-CN-XiaoxiaoNeural`."""

    first_byte_seconds = 1.0
    sound = Sound("mp3", 24_000, 48_000 // 8)
    speeds = (0.5, 2.0)
    lengths = Lengths(first=400, most=1_200)  # it sends sound while it makes more, so that longer ones cost no time
    ahead = 2
    reads_figures = True

    def __init__(self, options: EdgeOptions | None = None) -> None:
        self._options = options or read(EdgeOptions)
        url = self._options.url.rstrip("/")
        # edge-tts reads its addresses from these two names, and has no parameter for others
        edge_tts.communicate.WSS_URL = constants.WSS_URL.replace(OWN_URL, url)  # type: ignore[attr-defined]
        listed_at = constants.VOICE_LIST.replace(OWN_URL.replace("wss", "https"), re.sub("^ws", "http", url))
        edge_tts.voices.VOICE_LIST = listed_at  # type: ignore[attr-defined]
        theirs = read(FoloToyEdgeOptions).voice_name
        preferred = (*self._options.voices, theirs) if theirs else self._options.voices
        self.voices = prefer(preferred, _known(), self._well_formed)
        self._steady = frozenset(voice.name for voice in self.voices)
        self._complete = False
        self._asked_until = 0.0
        self._asking = asyncio.Lock()
        self._talks: set[asyncio.Task[None]] = set()
        self._handshakes = Handshakes()
        self._heard = False

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls()

    @property
    def sends_to(self) -> str:
        """The server to which texts are sent."""
        return self._options.url

    def voice(self, name: str) -> Voice | None:
        for voice in self.voices:
            if voice.name.lower() == name.lower():
                return voice
        return None if self._complete else self._well_formed(name)

    @staticmethod
    def _well_formed(name: str) -> Voice | None:
        """Return the voice that a well-formed name describes, though it may not exist."""
        said = voice_traits(name) if name.endswith("Neural") else None
        return Voice(name, *said, polyglot="Multilingual" in name) if said else None

    def accept(self, text: str, voice: Voice) -> None:
        """Accept any text: the service itself says what a voice cannot read."""

    async def refresh_voices(self) -> None:
        async with self._asking:
            if monotonic() < self._asked_until:
                return
            try:
                async with asyncio.timeout(_VOICES_SECONDS):
                    found = await edge_tts.list_voices(proxy=self._options.proxy)
                listed = [_listed(voice, self._steady) for voice in found]
            except (aiohttp.ClientError, EdgeTTSException, OSError, ValueError, LookupError, TypeError):
                self._asked_until = monotonic() + _VOICES_RETRY_SECONDS
                return
            ranks = {voice.name: rank for rank, voice in enumerate(self.voices)}
            self.voices = sorted(listed, key=lambda voice: ranks.get(voice.name, len(ranks)))
            self._complete = True
            self._asked_until = monotonic() + _VOICES_LAST_SECONDS

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        """Yield the sound as the service sends it.

        A task of its own talks to the service: to close a connection takes edge-tts up to ten seconds, and neither a
        caller who left nor the next engine shall wait for that.
        """
        heard: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(_MOST_WAITING)
        talk = asyncio.create_task(self._talk(text, voice, speed, heard))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        patience = self._options.first_audio_seconds
        try:
            while True:
                if heard.empty():
                    async with asyncio.timeout(patience):
                        item = await heard.get()
                else:
                    item = heard.get_nowait()
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                self._heard = True
                yield item
                patience = self._options.gap_seconds
        except TimeoutError as exc:
            raise EngineTimeout(f"Edge's service was silent for {patience:g} s.") from exc
        finally:
            talk.cancel()

    async def _talk(
        self, text: str, voice: Voice, speed: float, heard: asyncio.Queue[bytes | Exception | None]
    ) -> None:
        """Put the sound into `heard`, then None, or the exception that ended it."""
        try:
            await self._listen(text, voice, speed, heard)
        except Exception as exc:
            failure = _translated(exc, text, voice)
            failure.__cause__ = exc
            await heard.put(failure)
        else:
            await heard.put(None)

    async def _listen(
        self, text: str, voice: Voice, speed: float, heard: asyncio.Queue[bytes | Exception | None]
    ) -> None:
        """Put the sound into `heard`; replace a connection that was opened ahead and is dead, if no sound came yet."""
        for new in (False, True):
            spoken, received = self._communicate(text, voice, speed), 0
            with self._handshakes.lent(new=new) as borrower:
                try:
                    async for message in spoken.stream():
                        if message["type"] == "audio":
                            received += len(message["data"])
                            await heard.put(message["data"])
                except (EdgeTTSException, aiohttp.ClientError, OSError):
                    if received or not borrower.borrowed:
                        raise
                    continue
            if spoken.state["cumulative_audio_bytes"] != received:  # edge-tts sets it when the service reports the end
                raise EngineFailed("Edge's service hung up in the middle of a sentence.")
            return

    def _communicate(self, text: str, voice: Voice, speed: float) -> edge_tts.Communicate:
        return edge_tts.Communicate(
            text,
            voice.name,
            rate=f"{round(100 * (speed - 1)):+d}%",
            proxy=self._options.proxy,
            connect_timeout=_CONNECT_SECONDS,
        )

    @property
    def connections_ahead(self) -> int:
        """Number of connections that are open for the next sentences."""
        return self._handshakes.ready

    @property
    def detail(self) -> str | None:
        """Text beside "ready" in /readyz: nothing is known of the service before its first answer."""
        return None if self._heard else "not tried yet"

    async def canary(self) -> None:
        """Have one word spoken, to see that the service works.

        Raises:
            EngineFailed: The service did not speak in time.
        """
        async with aclosing(self.speak(_CANARY, self.voices[0], 1.0)) as pieces:
            async for _ in pieces:
                return

    async def aclose(self) -> None:
        for _ in range(
            2
        ):  # the first cancel closes the connections, the second ends the wait for the service's farewell
            for talk in list(self._talks):
                talk.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._handshakes.aclose()


def _translated(exc: Exception, text: str, voice: Voice) -> Exception:
    """Return the chain's exception for one of edge-tts or its transport."""
    match exc:
        case EngineFailed():
            return exc
        case aiohttp.WSServerHandshakeError(status=429):
            return EngineBusy("Edge's service wants fewer requests (429).", rest_seconds=_REST_SECONDS)
        case aiohttp.WSServerHandshakeError(status=403):
            told = (
                "Edge's service refuses us (403); is this machine's clock right, and edge-tts up to date? "
                "Some addresses of data centres (a VPS) are refused whatever you do."
            )
            return EngineFailed(told, rest_seconds=_REST_SECONDS)
        case aiohttp.ClientResponseError(status=status):
            return EngineFailed(f"Edge's service answered {status}.")
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError() | aiohttp.ClientProxyConnectionError():
            told = "Edge's service cannot be reached; is there a network, or a proxy for EDGE_PROXY?"
            return EngineFailed(told, rest_seconds=_REST_SECONDS)
        case NoAudioReceived() if (language := detect(text)) and not voice.language.startswith(language):
            return Declined(f"Edge's voice {voice.name} is silent on this text.", param="voice")
        case NoAudioReceived():
            return EngineFailed("Edge's service sent no audio.")
        case EdgeTTSException() | aiohttp.ClientError() | OSError():
            return EngineFailed(f"Edge's service broke off ({type(exc).__name__}).")
        case _:
            return exc


@cache
def _known() -> tuple[Voice, ...]:
    """Return Microsoft's voices, the preferred ones of a language first."""
    return tuple(Voice(name, *said, polyglot="Multilingual" in name) for name, said in microsoft().items())


def _listed(voice: Any, steady: Container[str]) -> Voice:
    """Return the voice of an entry in the service's list.

    Args:
        steady: Names of the voices known before the service was asked.
    """
    gender: dict[str, Gender] = {"Female": "female", "Male": "male"}
    name = str(voice["ShortName"])
    locale = said.language if (said := voice_traits(name)) else str(voice["Locale"])
    return Voice(name, locale, gender.get(voice.get("Gender", "")), "Multilingual" in name, late=name not in steady)
