"""What `make doctor` finds out of the machine: its programs, disk, network and clock. Any Python from 3.9 on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from deploy.diagnosis import Diagnosis
from deploy.env_file import read_env
from deploy.installation import ROOT

_SBIN = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/sbin"))
_EDGE_HOST = "speech.platform.bing.com"
_HUB = "https://huggingface.co"
_CONNECT_SECONDS = 3.0
_SKEW_SECONDS = 120
_FREE_BYTES = 3 * 2**30


def python() -> Iterator[Diagnosis]:
    """Look at the version of Python that `make` uses."""
    version = ".".join(map(str, sys.version_info[:3]))
    native = sys.version_info >= (3, 11)
    remedy = "" if native else "Running natively needs 3.11: `make up PYTHON=/path/to/python3.12`, or MODE=containers."
    yield Diagnosis(native or None, f"Python {version}", remedy)


def nginx() -> Iterator[Diagnosis]:
    """Look for nginx, and at its version."""
    found = shutil.which("nginx") or shutil.which("nginx", path=_SBIN)
    if found is None:
        yield Diagnosis(None, "no nginx", "`make up` fetches it as root or with sudo; or `sudo apt install nginx`.")
        return
    version = subprocess.run([found, "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2]
    numbers = tuple(int(part) for part in version.split()[0].split(".")[:2]) if version[:1].isdigit() else (0, 0)
    yield Diagnosis(numbers >= (1, 22), f"nginx {version}", "" if numbers >= (1, 22) else "It takes 1.22 or newer.")


def docker() -> Iterator[Diagnosis]:
    """Look for Docker and Compose, and whether they answer."""
    if shutil.which("docker") is None:
        yield Diagnosis(None, "no Docker", "Not needed: without it everything runs natively.")
        return
    for command, what in (
        (["docker", "compose", "version", "--short"], "Docker Compose"),
        (["docker", "version", "--format", "{{.Server.Version}}"], "Docker engine"),
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10)
        except subprocess.TimeoutExpired:
            yield Diagnosis(None, f"{what}: no answer in 10 s", "Without it everything runs natively.")
            return
        if done.returncode:
            yield Diagnosis(None, f"{what} does not answer", "Is it running, and may you use it (group docker)?")
        else:
            yield Diagnosis(True, f"{what} {done.stdout.strip()}")


def room() -> Iterator[Diagnosis]:
    """Look for room on the disk."""
    free = shutil.disk_usage(ROOT).free
    remedy = "" if free > _FREE_BYTES else "Libraries and a model take about 2 GB; make room."
    yield Diagnosis(free > _FREE_BYTES, f"{free / 2**30:.0f} GB of disk free", remedy)


def network() -> Iterator[Diagnosis]:
    """Look whether the hosts of voices, weights and upstreams can be reached."""
    values = read_env(ROOT / ".env")
    hosts = {_EDGE_HOST: "edge's voices", _host(values.get("HF_ENDPOINT") or _HUB): "Whisper's weights"}
    for name, value in values.items():
        if name.endswith("_BASE_URL") and value:
            hosts[_host(value)] = name
    with ThreadPoolExecutor(8) as pool:
        jobs = {host: pool.submit(_reached, host) for host in hosts}
    for host, purpose in hosts.items():
        if jobs[host].result():
            yield Diagnosis(True, f"{host} ({purpose}) answers")
        else:
            remedy = "Other engines answer without it. Behind a filter, a mirror or a proxy helps."
            yield Diagnosis(None, f"{host} ({purpose}) is not reached", remedy)


def _host(address: str) -> str:
    return urlsplit(address if "//" in address else f"//{address}").netloc.rpartition("@")[2]


def _reached(host: str) -> bool:
    name, _, port = host.partition(":")
    try:
        socket.create_connection((name, int(port or 443)), _CONNECT_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True


def clock() -> Iterator[Diagnosis]:
    """Compare the clock with a server's; edge's voices refuse callers with a wrong one."""
    connection = HTTPSConnection(_EDGE_HOST, timeout=_CONNECT_SECONDS)
    try:
        connection.request("HEAD", "/")
        date = connection.getresponse().headers.get("date", "")
        skew = abs(time.time() - parsedate_to_datetime(date).timestamp())
    except (OSError, HTTPException, ValueError, TypeError):
        return
    finally:
        connection.close()
    remedy = (
        "" if skew < _SKEW_SECONDS else "Set it (`sudo timedatectl set-ntp true`): edge's voices refuse a wrong one."
    )
    yield Diagnosis(skew < _SKEW_SECONDS, f"the clock is {skew:.0f} s off", remedy)
