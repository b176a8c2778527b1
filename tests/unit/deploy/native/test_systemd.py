import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deploy.installation import ROOT, STATE, Addresses
from deploy.native import layout, systemd
from deploy.native.systemd import installed, unit, unit_name

from fixtures.tools import needs

SYSTEMD = shutil.which("systemd-analyze")
NEEDS_SYSTEMD = needs(SYSTEMD, "systemd-analyze is not here")


def written(folder: Path, port: int = 8080, *, has_gpu: bool = False, **settings: str) -> Path:
    addresses = Addresses(port)
    path = folder / f"{unit_name(addresses)}.service"
    path.write_text(unit(settings, addresses, "daemon", has_gpu=has_gpu))
    return path


@NEEDS_SYSTEMD
@pytest.mark.parametrize("port", [80, 8080])
def test_systemd_accepts_the_unit(tmp_path: Path, port: int) -> None:
    path = written(tmp_path, port, TTS_CACHE_DIR="/var/cache/talkbox")

    done = subprocess.run([SYSTEMD or "", "verify", str(path)], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert path.name not in done.stderr, done.stderr


@NEEDS_SYSTEMD
@pytest.mark.parametrize("name", ["my talkbox", "会说话的熊", "100% bear"])
def test_systemd_accepts_a_checkout_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    root = tmp_path / name
    monkeypatch.setattr(systemd, "ROOT", root)
    monkeypatch.setattr(systemd, "STATE", root / ".talkbox")
    monkeypatch.setattr(layout, "RUN", root / ".talkbox" / "run")
    monkeypatch.setattr(sys, "executable", str(root / ".venv" / "bin" / "python"))
    (root / ".talkbox").mkdir(parents=True)
    Path(sys.executable).parent.mkdir(parents=True)
    Path(sys.executable).symlink_to("/bin/true")
    path = written(tmp_path, TTS_CACHE_DIR=str(root / "kept"))

    done = subprocess.run([SYSTEMD or "", "verify", str(path)], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert path.name not in done.stderr, done.stderr


def test_what_was_installed_from_here_is_found_whatever_port_it_had(tmp_path: Path) -> None:
    ours = written(tmp_path, 9000)
    written(tmp_path, 8080).write_text("# Made by `make install` in /srv/another; …")

    assert installed(tmp_path) == [ours]


@NEEDS_SYSTEMD
def test_systemd_calls_the_unit_hardened(tmp_path: Path) -> None:
    command = [SYSTEMD or "", "security", "--offline=true", "--threshold=30", "--no-pager", str(written(tmp_path))]

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-300:]


def test_the_unit_writes_where_settings_say_and_nowhere_else(tmp_path: Path) -> None:
    text = written(tmp_path, TTS_CACHE_DIR="/var/cache/talkbox").read_text()

    assert f'ReadWritePaths="{STATE}" "/var/cache/talkbox"\n' in text
    assert f"WorkingDirectory={ROOT}\n" in text
    assert "ProtectSystem=strict" in text


def test_a_gpu_is_not_hidden(tmp_path: Path) -> None:
    assert "PrivateDevices" in written(tmp_path).read_text()
    assert "PrivateDevices" not in written(tmp_path, has_gpu=True).read_text()


def test_several_installations_have_units_of_their_own() -> None:
    assert {unit_name(Addresses(8080)), unit_name(Addresses(9000))} == {"talkbox", "talkbox-9000"}
