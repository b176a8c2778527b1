import json
from pathlib import Path
from typing import Any

import pytest
from deploy import doctor, folotoy_doctor
from deploy.diagnosis import Diagnosis
from deploy.folotoy_doctor import firmware, folotoy
from deploy.installation import Addresses


@pytest.fixture(autouse=True)
def nothing_is_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installation of its own: no `.env`, and no state."""
    monkeypatch.setattr(folotoy_doctor, "STATE", tmp_path / "state")
    monkeypatch.setattr(folotoy_doctor, "wanted", dict)
    monkeypatch.setattr(Addresses, "current", lambda: Addresses(18080, "127.0.0.1"))
    monkeypatch.setattr(folotoy_doctor, "_log_of", lambda service: "")
    for name in ("ROLES", "COMPOSE", "FOLOTOY_HOST"):
        monkeypatch.delenv(name, raising=False)


def roles(path: Path, base: str) -> Path:
    config: dict[str, Any] = {"api_base": base, "key": "k1"}
    role = {
        "start_text": "Hi.",
        "prompt": "Bear.",
        "max_message_count": 5,
        "tts_type": "openai-tts",
        "tts_config": config,
    }
    (path / "roles.json").write_text(json.dumps({str(number): role for number in range(1, 8)}, indent=1))
    return path / "roles.json"


@pytest.mark.parametrize(
    ("base", "cause"),
    [
        ("http://127.0.0.1:18080/v1", "folotoy-server's own container"),
        ("http://192.168.1.20:18080", "does not end in /v1"),
        ("http://host.docker.internal:18080/v1", "does not let host.docker.internal be found"),
    ],
)
def test_the_classic_faults_are_found_in_the_files(
    base: str, cause: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "docker-compose.yml").write_text("services:\n  folotoy:\n    image: x\n")
    monkeypatch.setenv("ROLES", str(roles(tmp_path, base)))
    bad = [finding for finding in folotoy() if finding.good is False]

    assert len(bad) == 7
    assert all(cause in finding.what and finding.remedy for finding in bad)


def test_a_file_that_is_broken_is_one_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "roles.json").write_text("{“1”: {}}", encoding="utf-8")
    monkeypatch.setenv("ROLES", str(tmp_path / "roles.json"))
    [bad] = [finding for finding in folotoy() if finding.good is False]

    assert "roles.json:1: JSON wants straight quotes" in bad.what
    assert bad.remedy


def test_an_installation_without_folotoy_server_s_files_is_left_alone() -> None:
    assert list(folotoy()) == []


def test_encrypted_recordings_are_a_fault_where_the_log_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.good for finding in firmware()] == [None]

    monkeypatch.setattr(folotoy_doctor, "_log_of", lambda service: "ERROR Wrong record event b'\\x00' found\n")
    [finding] = firmware()
    assert finding.good is False
    assert "use_record_enc,false" in finding.remedy


@pytest.mark.parametrize(
    ("findings", "last", "code"),
    [
        ([Diagnosis(True, "a"), Diagnosis(None, "b")], "Nothing is wrong.", 0),
        ([Diagnosis(True, "a"), Diagnosis(None, "b", "c", lesser=True)], "What children do without is marked LESS.", 0),
        ([Diagnosis(False, "a"), Diagnosis(None, "b", lesser=True)], "1 to mend, marked BAD.", 1),
    ],
)
def test_the_last_line_is_honest(
    findings: list[Diagnosis],
    last: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (lambda: iter(findings),))

    assert doctor.main() == code
    assert capsys.readouterr().out.rstrip().endswith(last)
