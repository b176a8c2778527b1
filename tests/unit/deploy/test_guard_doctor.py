"""What `make doctor` says of the guard and of what is kept."""

from typing import Any

from deploy.diagnosis import Diagnosis
from deploy.guard_doctor import of_guard, of_privacy

ON = {
    "mode": "kids",
    "profile": "6-8",
    "profiles": {"kitchen": "3-5"},
    "engines": ["rules", "azure"],
    "minutes": "60",
    "hours": "",
    "stopped": {"violence": 2},
}
SPEECH = {"what": "speech", "where": "disk", "words": True, "setting": "TTS_CACHE_DIR", "address": "/kept"}
LINE = {"what": "a line about each request", "where": "log", "words": False, "setting": "LOG_LEVEL=info"}


def of(*kept: dict[str, Any], to: str = "") -> dict[str, Any]:
    return {"kept": list(kept), "sent": [{"what": "words", "to": to}] if to else []}


def test_without_a_guard_it_says_how_to_have_one() -> None:
    assert list(of_guard({"stt": None, "llm": None, "tts": None})) == [
        Diagnosis(None, "no guard for children", "If children talk to it: GUARD=kids in .env, then `make up`.")
    ]
    assert list(of_guard({})) == []


def test_it_says_what_is_on_and_what_was_stopped() -> None:
    assert [(each.good, each.what) for each in of_guard({"stt": ON, "llm": ON, "tts": ON})] == [
        (True, "guard: profile 6-8 (kitchen: 3-5); by rules, azure; minutes 60"),
        (None, "guard: 6 clauses did not pass since the start (violence 6)"),
    ]


def test_a_service_without_it_is_to_be_mended_and_shadow_is_no_guard() -> None:
    shadow = ON | {"mode": "shadow", "stopped": {}}
    first, missing = of_guard({"stt": None, "llm": shadow, "tts": shadow})

    assert first.good is None
    assert "only watches" in first.what
    assert missing == Diagnosis(False, "no guard in stt, though others have it", "`make up` starts it anew.")


def test_it_says_whether_words_are_kept_or_leave() -> None:
    quiet = {"stt": of(LINE), "llm": of(LINE), "tts": of(LINE), "proxy": {"kept": [LINE]}}
    loud = quiet | {"llm": of(to="moonshot"), "tts": of(SPEECH, to="edge")}

    assert list(of_privacy(quiet)) == [Diagnosis(True, "privacy: no word on a disk; no word leaves for another server")]
    assert [each.what for each in of_privacy(loud)] == [
        "privacy: on a disk: tts: speech in /kept (TTS_CACHE_DIR); words go to edge, moonshot"
    ]
    assert list(of_privacy({"stt": {"error": {}}})) == []
