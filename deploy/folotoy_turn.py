"""Take a turn of each role as folotoy-server would: its addresses, keys, models, voices, separators and patience.

Plain Python without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from deploy.diagnosis import Diagnosis, finding
from deploy.folotoy_facts import INSIDE, INSIDE_PORT
from deploy.folotoy_names import is_loopback
from deploy.folotoy_roles import Hop, hop, mouths, timeout_seconds
from deploy.installation import SERVICES, Addresses
from deploy.mp3 import NoMp3, seconds_of
from deploy.phrases import finding_sentences, phrase
from deploy.talk import SEPARATORS, TurnFailed, events, multipart, pieces

HAN = re.compile(r"[\u4e00-\u9fff]")
QUESTIONS = {True: "你好！你叫什么名字？", False: "Hello! What is your name?"}
"""The question of the child, for a role that speaks Chinese and for one that does not."""
_LUMP_SECONDS, _LUMP_EVENTS, _HELD_SECONDS = 0.05, 5, 1.0
"""An answer was held back on the way where so many events came within so short a time, so long after it began."""


class StepFailed(Exception):
    """A step of the turn failed; the message says what went wrong, `cure` what to do about it.

    Args:
        code: Key of its sentences in `phrases.json`.
        values: Values that the sentences are filled in with; `status` is that of the answer that says so.
    """

    def __init__(self, code: str, **values: object) -> None:
        what, self.cure = finding_sentences(code, **values)
        super().__init__(what)
        self.status = values.get("status", 0)


class DeafToChinese(StepFailed):
    """A question in Chinese was refused, or came out as something else."""


@dataclass
class RoleTurn:
    """The turn of one role, taken as folotoy-server takes it.

    Args:
        role: As roles.json holds it.
        settings: folotoy-server's environment.
    """

    role: Mapping[str, Any]
    settings: Mapping[str, str]
    addresses: Addresses
    engines: dict[str, str] = field(default_factory=dict)
    """Names of the engines that answered, by service."""
    lesser: list[Diagnosis] = field(default_factory=list)
    """Things that work, but not as they should."""

    def __post_init__(self) -> None:
        self.hops = {service: hop(self.role, service, self.settings) for service in SERVICES}
        self.patience = timeout_seconds(self.settings)
        told = f"{self.role.get('start_text', '')}{self.hops['stt'].text('language')}"
        self.is_chinese = bool(HAN.search(told)) or self.hops["stt"].text("language").startswith("zh")

    @property
    def likeness(self) -> tuple[Any, ...]:
        """The settings that two roles must share to have the same turn."""
        said = ("voice_name", "speed", "language")
        return (self.is_chinese, *((each.kind, each.base, each.key, each.model, *(each.text(name) for name in said))
                                   for each in self.hops.values()))  # fmt: skip

    def take(self) -> str:
        """Take the turn, and return a line that says what came when.

        Raises:
            StepFailed: One of the steps did, after all before it.
        """
        told = []
        began = time.monotonic()
        heard = QUESTIONS[self.is_chinese]
        if self.is_reached("stt"):
            recording = self._recording(heard)
            began = time.monotonic()
            heard = self._hear(recording) or heard
            seconds = f"{time.monotonic() - began:.2f}"
            told.append(phrase("turn_heard", engine=self.engines["stt"], seconds=seconds))
        texts = iter([heard])
        if self.is_reached("llm"):
            texts = self._think(heard)
        told += self._speak(texts, began) if self.is_reached("tts") else [phrase("turn_text", text="".join(texts)[:60])]
        return ", ".join(told)

    def is_reached(self, service: str) -> bool:
        """Tell whether the step is one of OpenAI's dialect that has an address; another is folotoy-server's own."""
        return self.hops[service].is_ours and bool(self.hops[service].base)

    def _recording(self, question: str) -> bytes:
        mouth = self.hops["tts"] if self.is_reached("tts") else self.hops["stt"]
        wanted = {"model": mouth.model if mouth.service == "tts" else "tts-1", "input": question}
        wanted |= {"voice": mouth.text("voice_name", "alloy"), "response_format": "wav"}
        base = mouth.base if mouth.service == "tts" else self._everything()
        return self._read(self._post(mouth, "/audio/speech", json.dumps(wanted).encode(), base=base), mouth)

    def _everything(self) -> str:
        return f"http://{self.addresses.local}:{self.addresses.port}/v1"

    def _hear(self, recording: bytes) -> str:
        ear = self.hops["stt"]
        fields = {name: ear.text(name) for name in ("language", "prompt") if ear.text(name)}
        try:
            response = self._upload(recording, fields)
        except StepFailed as exc:
            if self.is_chinese and exc.status in (400, 503):  # only who hears no Chinese refuses this
                raise DeafToChinese("deaf", reason=exc) from exc
            if self.is_chinese or exc.status != 400 or "language" in fields:
                raise
            response = self._upload(recording, {**fields, "language": "en"})
            self.lesser.append(finding(None, "state_english", lesser=True))
        heard = str(self._json(self._read(response, ear), ear).get("text", "")).strip()
        if self.is_chinese and not HAN.search(heard):
            said, by = QUESTIONS[True], self.engines["stt"]
            raise DeafToChinese("chinese_unheard", said=said, heard=heard, engine=by)
        if not heard:
            self.lesser.append(finding(None, "no_words", lesser=True, engine=self.engines["stt"]))
        return heard

    def _upload(self, recording: bytes, fields: Mapping[str, str]) -> HTTPResponse:
        ear = self.hops["stt"]
        body, kind = multipart({"model": ear.model, **fields}, "question.wav", recording)
        return self._post(ear, "/audio/transcriptions", body, kind)

    def _think(self, heard: str) -> Iterator[str]:
        mind = self.hops["llm"]
        prompt = {"role": "system", "content": str(self.role.get("prompt") or self.role.get("system_prompt") or "")}
        asked: dict[str, Any] = {"model": mind.model, "stream": True, "messages": [prompt]}
        asked["messages"] += [{"role": "user", "content": heard}]
        asked |= {name: mind.config[name] for name in ("max_tokens", "temperature", "top_p") if name in mind.config}
        began = time.monotonic()
        response = self._post(mind, "/chat/completions", json.dumps(asked).encode())
        came: list[float] = []
        try:
            for event in events(response):
                if "error" in event:
                    raise StepFailed("mind_broke_off", reason=event["error"].get("message"))
                text = "".join(choice.get("delta", {}).get("content") or "" for choice in event.get("choices", []))
                if text:
                    came.append(time.monotonic() - began)
                    yield text
        except TurnFailed as exc:
            response.close()
            raise StepFailed("mind_failed", reason=exc) from exc
        if not came:
            raise StepFailed("mind_silent")
        self._look_for_a_lump(came, response)

    def _look_for_a_lump(self, came: list[float], response: HTTPResponse) -> None:
        """Tell whether something on the way holds the stream back, and passes it on as a whole."""
        begun = float(response.headers.get("openai-processing-ms") or "inf") / 1000
        if len(came) >= _LUMP_EVENTS and came[-1] - came[0] < _LUMP_SECONDS and came[0] - begun > _HELD_SECONDS:
            self.lesser.append(finding(False, "held_back", count=len(came), seconds=f"{came[0]:.1f}"))

    def _speak(self, texts: Iterator[str], began: float) -> list[str]:
        """Have each piece spoken as soon as it is there, as many at a time as folotoy-server does."""
        separators = self.settings.get("SENTENCE_SEPARATORS") or SEPARATORS
        with ThreadPoolExecutor(mouths(self.settings)) as lanes:
            jobs = [lanes.submit(self._say, piece) for piece in pieces(texts, separators)]
            spoken = [job.result() for job in jobs]
        if not spoken:
            raise StepFailed("unsaid")
        by = [phrase("turn_thought", engine=self.engines["llm"])] if "llm" in self.engines else []
        first, length = spoken[0][0] - began, sum(seconds for _, seconds in spoken)
        sound = phrase("turn_sound", engine=self.engines["tts"], seconds=f"{first:.2f}")
        return [*by, sound, phrase("turn_pieces", count=len(spoken), seconds=f"{length:.1f}")]

    def _say(self, piece: str) -> tuple[float, float]:
        """Return when the first byte came, and how long the mp3 plays."""
        mouth = self.hops["tts"]
        wanted: dict[str, Any] = {"model": mouth.model, "input": piece, "response_format": "mp3"}
        wanted["voice"] = mouth.text("voice_name", self.settings.get("OPENAI_TTS_VOICE_NAME") or "alloy")
        if "speed" in mouth.config:
            wanted["speed"] = mouth.config["speed"]
        response = self._post(mouth, "/audio/speech", json.dumps(wanted).encode())
        first = response.read(1)
        at = time.monotonic()
        try:
            return at, seconds_of(first + self._read(response, mouth))
        except NoMp3 as exc:
            raise StepFailed("no_mp3", piece=piece.strip(), reason=exc) from exc

    def _post(
        self, step: Hop, path: str, body: bytes, kind: str = "application/json", base: str | None = None
    ) -> HTTPResponse:
        base = step.base if base is None else base
        try:
            url = urlsplit(from_here(base, self.addresses))
            port = url.port
        except ValueError as exc:
            raise StepFailed("no_address", base=_shown(base)) from exc
        connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
        headers = {"Content-Type": kind, "Authorization": f"Bearer {step.key}", "Connection": "close"}
        connection = connect(url.hostname or "", port, timeout=self.patience)
        try:
            connection.request("POST", url.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
        except TimeoutError as exc:
            connection.close()
            raise self._silent(step) from exc
        except (OSError, HTTPException) as exc:
            connection.close()
            ports = {"first": self.addresses.port, "last": self.addresses.port + 3}
            raise StepFailed("base_silent", base=_shown(base), **ports) from exc
        if response.status != 200:
            raise _refused(step, response, base)
        self.engines[step.service if path != "/audio/speech" else "tts"] = response.headers.get("x-talkbox-engine", "?")
        return response

    def _read(self, response: HTTPResponse, step: Hop) -> bytes:
        try:
            with response:
                return response.read()
        except TimeoutError as exc:
            raise self._silent(step) from exc
        except (OSError, HTTPException) as exc:
            raise StepFailed("hop_broke_off", service=step.service) from exc

    def _silent(self, step: Hop) -> StepFailed:
        return StepFailed("hop_silent", service=step.service, seconds=f"{self.patience:g}")

    def _json(self, body: bytes, step: Hop) -> dict[str, Any]:
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise StepFailed("no_json", service=step.service, base=_shown(step.base))
        return found


def from_here(base: str, addresses: Addresses) -> str:
    """Return a base as this machine reaches it: names that only containers know mean Talkbox's proxy here."""
    url = urlsplit(base)
    if url.hostname == INSIDE:
        return f"http://{addresses.local}:{(url.port or 80) - INSIDE_PORT + addresses.port}{url.path}"
    if url.hostname == "host.docker.internal" or is_loopback(url.hostname):
        return f"{url.scheme}://{addresses.local}:{url.port or 80}{url.path}"
    return base


def _shown(base: str) -> str:
    """Return a base without a name and password in it."""
    return re.sub(r"(?<=//)[^/@]*@", "", base)


def _refused(step: Hop, response: HTTPResponse, base: str) -> StepFailed:
    body = response.read(2000)
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = ""
    values = {"service": step.service, "status": response.status, "base": _shown(base)}
    if response.status in (401, 403):
        return StepFailed("key_refused", **values)
    if response.status == 404 and not urlsplit(base).path.rstrip("/").endswith("/v1"):
        return StepFailed("no_base", **values)
    return StepFailed("hop_refused", **values, message=message and f": {message}")
