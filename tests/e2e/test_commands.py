"""`make up` and its siblings, as somebody new to it would use and misuse them."""

import re
import shutil
import socket
from os import getpid

import httpx
from deploy.env_file import read_env

from e2e.installation import OFFLINE, Installation, free_port, until

TARGETS = (
    *("up", "down", "ps", "logs", "talk", "roles", "scale", "models", "doctor"),
    *("test", "test-stt", "e2e", "bench", "lint", "types", "pins", "build", "browser", "containers", "clean"),
)


def test_make_alone_lists_the_targets(empty: Installation) -> None:
    told = empty.make().stdout

    for target in TARGETS:
        assert re.search(rf"^  make {target}\b.* \w+", told, re.MULTILINE), target


def test_up_says_all_that_is_needed_next_and_down_leaves_nothing(empty: Installation) -> None:
    told = empty.make("up").stdout

    for service in ("stt", "llm", "tts"):
        assert f"{empty.base_of(service)} " in told
    assert f"OPENAI_WHISPER_API_BASE: {empty.base}" in told
    assert f"OPENAI_TTS_KEY: {OFFLINE['API_KEYS']}" in told
    assert "make talk" in told

    pids = empty.pids()
    again = empty.make("up").stdout
    assert empty.pids() == pids, "a second call restarts nothing"
    assert "Talkbox is up." in again

    empty.make("down")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", empty.port)) != 0
    assert "Nothing is up" in empty.make("ps").stdout
    assert "Nothing is up" in empty.make("down").stdout


def test_the_first_up_writes_a_key_of_its_own_and_no_later_one_touches_it(empty: Installation) -> None:
    (empty.folder / ".env").unlink()
    where = (f"TALKBOX_PORT={empty.port}", "TALKBOX_BIND=127.0.0.1")
    example = empty.folder / ".env.example"
    example.write_text(
        re.sub(r"^[A-Z]+_ENGINES=.*\n", "", example.read_text(), flags=re.MULTILINE)
        + "STT_ENGINES=sphinx\nLLM_ENGINES=companion\nTTS_ENGINES=espeak\n"
    )
    empty.make("up", *where)
    written = (empty.folder / ".env").read_bytes()
    key = read_env(empty.folder / ".env")["API_KEYS"]

    assert len(key) > 30
    assert (empty.folder / ".env").stat().st_mode & 0o077 == 0
    models = f"{empty.base}/models"
    assert httpx.get(models, headers={"authorization": f"Bearer {key}"}).status_code == 200

    empty.make("up", *where)
    assert (empty.folder / ".env").read_bytes() == written


def test_a_changed_setting_restarts_what_it_concerns_and_nothing_else(talkbox: Installation) -> None:
    before = talkbox.pids()

    talkbox.set(TTS_MAX_QUEUED="99")
    told = talkbox.make("up").stdout

    after = talkbox.pids()
    assert "replacing tts" in told
    assert after["tts"] != before["tts"]
    assert (after["stt"], after["llm"]) == (before["stt"], before["llm"])


def test_another_port_is_taken_up_without_a_break(empty: Installation) -> None:
    empty.make("up")
    old = empty.port
    empty.port = free_port()
    empty.set()
    empty.make("up")

    assert httpx.get(f"{empty.url}/status/tts").status_code == 200
    with socket.socket() as probe:
        until(lambda: probe.connect_ex(("127.0.0.1", old)) != 0)


def test_a_port_that_is_taken_is_named_with_what_to_change(empty: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", empty.port + 2))
        other.listen()
        done = empty.make("up", check=False)

    assert done.returncode != 0
    assert f"{empty.port + 2} (" in done.stdout
    assert f"process {getpid()})" in done.stdout
    assert "TALKBOX_PORT=" in done.stdout


def test_what_runs_is_found_though_its_folder_of_state_was_removed(empty: Installation) -> None:
    empty.make("up")
    shutil.rmtree(empty.folder / ".talkbox", ignore_errors=True)  # services may make files in it meanwhile

    assert "Nothing is up" not in empty.make("ps", "MODE=").stdout
    empty.make("down", "MODE=")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", empty.port)) != 0


def test_a_setting_that_cannot_be_used_is_said_in_its_own_words(empty: Installation) -> None:
    empty.set(TTS_MAX_QUEUED="many")
    done = empty.make("up", check=False)

    assert done.returncode != 0
    assert "TTS_MAX_QUEUED" in done.stdout

    empty.set(TTS_MAX_QUEUED="")
    empty.make("up")


def test_scale_and_mode_refuse_what_they_do_not_know(talkbox: Installation) -> None:
    assert "make scale stt=3" in talkbox.make("scale", check=False).stdout
    assert "make scale stt=3" in talkbox.make("scale", "stt=many", check=False).stdout
    assert "MODE=native" in talkbox.make("ps", "MODE=elsewhere", check=False).stdout


def test_ps_shows_workers_memory_and_engines(talkbox: Installation) -> None:
    told = talkbox.make("ps").stdout

    assert re.search(r"^tts +running +1 .* MB +flite ready", told, re.MULTILINE), told
    assert re.search(r"^proxy +running", told, re.MULTILINE), told


def test_the_doctor_takes_a_turn_and_tells_what_children_do_without(empty: Installation) -> None:
    empty.make("up")
    told = empty.make("doctor", check=False).stdout

    assert "Nothing is wrong." not in told
    assert re.search(r"LESS role Chinese: .*hears English only", told), told
    assert re.search(r"ok   role English: heard by sphinx after [\d.]+ s, .* pieces of mp3 that play [\d.]+ s", told), (
        told
    )
    assert "LESS role English: llm is done by companion (a rule talker)" in told
