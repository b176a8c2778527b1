import shutil
import subprocess
from pathlib import Path

import pytest
from deploy.installation import ROOT, STATE, Addresses
from deploy.native.systemd import unit, unit_name

SYSTEMD = shutil.which("systemd-analyze")
NEEDS_SYSTEMD = pytest.mark.skipif(SYSTEMD is None, reason="systemd-analyze is not here")


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
def test_systemd_calls_the_unit_hardened(tmp_path: Path) -> None:
    command = [SYSTEMD or "", "security", "--offline=true", "--threshold=30", "--no-pager", str(written(tmp_path))]

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-300:]


def test_the_unit_writes_where_settings_say_and_nowhere_else(tmp_path: Path) -> None:
    text = written(tmp_path, TTS_CACHE_DIR="/var/cache/talkbox").read_text()

    assert f"ReadWritePaths={STATE} /var/cache/talkbox\n" in text
    assert f"WorkingDirectory={ROOT}\n" in text
    assert "ProtectSystem=strict" in text


def test_a_gpu_is_not_hidden(tmp_path: Path) -> None:
    assert "PrivateDevices" in written(tmp_path).read_text()
    assert "PrivateDevices" not in written(tmp_path, has_gpu=True).read_text()


def test_several_installations_have_units_of_their_own() -> None:
    assert {unit_name(Addresses(8080)), unit_name(Addresses(9000))} == {"talkbox", "talkbox-9000"}
