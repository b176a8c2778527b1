"""The doctor as folotoy-server, against a server that answers as Talkbox does, and badly where it shall."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from deploy.diagnosis import Diagnosis
from deploy.folotoy_doctor import turns
from deploy.folotoy_turn import from_here
from deploy.installation import Addresses

from fixtures import sounds

MP3 = sounds.encoded("mp3", sounds.tone(0.5, 24_000), 24_000)
CHINESE = {"start_text": "你好", "prompt": "小熊", "stt_config": {"language": "zh"}}
ENGLISH = {"start_text": "Hello", "prompt": "A bear."}


class Talkbox(BaseHTTPRequestHandler):
    """Says what it is told to, and remembers what it is asked."""

    heard: ClassVar[str] = ""
    engines: ClassVar[dict[str, str]] = {}
    mp3: ClassVar[bytes] = MP3
    status: ClassVar[dict[str, int]] = {}
    silent: ClassVar[str] = ""
    only_stated: ClassVar[bool] = False
    lump: ClassVar[bool] = False
    speaking: ClassVar[int] = 0
    most_speaking: ClassVar[int] = 0
    seen: ClassVar[list[tuple[str, str, bytes]]] = []
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        kind = self.path.rpartition("/")[2]
        Talkbox.seen.append((self.path, self.headers.get("authorization", ""), body))
        if self.silent == kind:
            time.sleep(1.0)
        status = self.status.get(kind, 200)
        if kind == "transcriptions" and self.only_stated and b'name="language"' not in body:
            status = 400
        if status != 200 or not self.path.startswith("/v1/"):
            return self._answer(
                json.dumps({"error": {"message": "No."}}).encode(), kind, status if status != 200 else 404
            )
        if kind == "completions":
            return self._stream()
        if kind == "transcriptions":
            return self._answer(json.dumps({"text": self.heard}).encode(), kind)
        with self.lock:
            Talkbox.speaking += 1
            Talkbox.most_speaking = max(self.speaking, self.most_speaking)
        time.sleep(0.05)
        with self.lock:
            Talkbox.speaking -= 1
        self._answer(self.mp3 if json.loads(body)["response_format"] == "mp3" else b"RIFF", kind)

    def _answer(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-talkbox-engine", self.engines.get(kind, "good"))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        time.sleep(1.2 if self.lump else 0)
        self.send_response(200)
        self.send_header("x-talkbox-engine", self.engines.get("completions", "good"))
        self.send_header("openai-processing-ms", "20")
        self.end_headers()
        for word in ("One,", " two.", " Three!", " four?", " five.", " six."):
            chunk = {"choices": [{"index": 0, "delta": {"content": word}}]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Addresses]:
    fresh: dict[str, Any] = {
        "heard": "你好",
        "engines": {},
        "status": {},
        "silent": "",
        "lump": False,
        "mp3": MP3,
        "only_stated": False,
    }
    for name, value in {**fresh, "seen": [], "most_speaking": 0}.items():
        monkeypatch.setattr(Talkbox, name, value)
    with ThreadingHTTPServer(("127.0.0.1", 0), Talkbox) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Addresses(server.server_port, "127.0.0.1")
        server.shutdown()
        thread.join()


def environment(base: str, **more: str) -> dict[str, str]:
    names = ("OPENAI_WHISPER", "OPENAI_OPENAI", "OPENAI_TTS")
    said = {f"{name}_API_BASE": base for name in names} | {f"{name}_KEY": "key-7" for name in names}
    return {**said, "TTS_TYPE": "openai-tts", **more}


def found(addresses: Addresses, *roles: dict[str, Any], **more: str) -> list[Diagnosis]:
    base = more.pop("base", f"http://127.0.0.1:{addresses.port}/v1")
    named = ((str(number), role) for number, role in enumerate(roles, 1))
    return list(turns(named, environment(base, **more), addresses))


def test_a_turn_that_is_well_is_one_line_with_its_times(addresses: Addresses) -> None:
    [finding] = found(addresses, CHINESE)

    assert finding.good is True
    assert not finding.lesser
    assert "heard by good after" in finding.what
    assert "6 pieces of mp3" in finding.what
    assert {key for _, key, _ in Talkbox.seen} == {"Bearer key-7"}


def test_pieces_are_spoken_as_many_at_a_time_as_there(addresses: Addresses) -> None:
    found(addresses, CHINESE)
    assert Talkbox.most_speaking == 2

    Talkbox.most_speaking = 0
    found(addresses, CHINESE, VOICE_EXECUTOR_MAX_WORKERS="4")
    assert 2 < Talkbox.most_speaking <= 4


def test_an_answer_is_cut_at_its_separators(addresses: Addresses) -> None:
    [finding] = found(addresses, CHINESE, SENTENCE_SEPARATORS="!")

    assert "2 pieces of mp3" in finding.what


def test_roles_are_asked_as_they_say_in_the_older_form_too(addresses: Addresses) -> None:
    flat = {**CHINESE, "model": "my-model", "voice_name": "zh-CN-YunxiNeural", "temperature": 0.3}
    nested = {**CHINESE, "tts_config": {"voice_name": "nova", "speed": 0.8}, "llm_config": {"key": "other"}}
    found(addresses, flat, nested, CHINESE, CHINESE)

    chats = [(key, json.loads(body)) for path, key, body in Talkbox.seen if path.endswith("completions")]
    assert [(key, chat["model"]) for key, chat in chats] == [
        ("Bearer key-7", "my-model"),
        ("Bearer other", "gpt-3.5-turbo"),
        ("Bearer key-7", "gpt-3.5-turbo"),
    ]
    assert chats[0][1]["temperature"] == 0.3
    spoken = [json.loads(body) for path, _, body in Talkbox.seen if path.endswith("speech")]
    assert {each["voice"] for each in spoken} == {"zh-CN-YunxiNeural", "nova", "alloy"}
    assert {each.get("speed") for each in spoken if each["response_format"] == "mp3"} == {None, 0.8}


def test_ears_that_hear_no_chinese_are_a_fault(addresses: Addresses) -> None:
    Talkbox.heard = "the ah i see all"
    [finding] = found(addresses, CHINESE)

    assert finding.good is False
    assert "Chinese is not heard" in finding.what
    assert "make models" in finding.remedy
    Talkbox.status = {"transcriptions": 503}
    assert "make models" in found(addresses, CHINESE)[0].remedy
    Talkbox.status = {}
    [english] = found(addresses, ENGLISH)
    assert english.good is True


def test_english_that_is_refused_unless_it_is_stated_is_no_fault_and_told(addresses: Addresses) -> None:
    Talkbox.only_stated = True
    findings = found(addresses, ENGLISH)

    assert [finding.good for finding in findings if not finding.lesser] == [True]
    assert any("STT_LANGUAGE=en" in finding.remedy for finding in findings)


def test_a_last_resort_is_told(addresses: Addresses) -> None:
    Talkbox.engines = {"completions": "companion", "speech": "espeak"}
    findings = found(addresses, CHINESE)

    assert [finding.lesser for finding in findings] == [False, True, True]
    assert "a rule talker" in " ".join(finding.what for finding in findings)


@pytest.mark.parametrize(
    ("changes", "cause", "cure"),
    [
        ({"status": {"transcriptions": 401}}, "stt refuses the key", "API_KEYS"),
        ({"status": {"completions": 503}}, "llm answered 503: No.", "make ps"),
        ({"silent": "completions"}, "silent for 0.3 s", "HTTPX_TIMEOUT"),
        ({"mp3": MP3[:-20]}, "cannot play", "make logs"),
        ({"mp3": b"RIFF"}, "cannot play", "make logs"),
        ({"lump": True}, "held back", "proxy_buffering off"),
    ],
)
def test_a_fault_is_named_with_its_cure(addresses: Addresses, changes: dict[str, Any], cause: str, cure: str) -> None:
    for name, value in changes.items():
        setattr(Talkbox, name, value)
    findings = found(addresses, CHINESE, HTTPX_TIMEOUT="0.3" if "silent" in changes else "5")
    bad = [finding for finding in findings if finding.good is False]

    assert [cause in finding.what for finding in bad] == [True], findings
    assert cure in bad[0].remedy


def test_a_base_without_its_version_and_one_where_nobody_is(addresses: Addresses) -> None:
    [without] = found(addresses, CHINESE, base=f"http://127.0.0.1:{addresses.port}")
    assert (without.good, "/v1" in without.remedy) == (False, True)

    [nobody] = found(addresses, CHINESE, base="http://user:secret-pw@127.0.0.1:9/v1")
    assert (nobody.good, "nothing answers at http://127.0.0.1:9/v1" in nobody.what) == (False, True)
    assert str(addresses.port) in nobody.remedy


def test_a_role_that_goes_elsewhere_is_left_alone(addresses: Addresses) -> None:
    away = {"start_text": "Hi", "stt_type": "azure-stt", "llm_type": "dify", "tts_type": "edge-tts"}
    [finding] = found(addresses, away)

    assert finding.good is None
    assert Talkbox.seen == []


@pytest.mark.parametrize(
    ("base", "here"),
    [
        ("http://host.docker.internal:8090/v1", "http://127.0.0.1:8090/v1"),
        ("http://proxy:8082/v1", "http://127.0.0.1:18092/v1"),
        ("http://192.168.1.20:8090/v1", "http://192.168.1.20:8090/v1"),
        ("https://toys.example.com/v1", "https://toys.example.com/v1"),
    ],
)
def test_a_container_s_names_are_those_of_this_machine(base: str, here: str) -> None:
    assert from_here(base, Addresses(18090)) == here
