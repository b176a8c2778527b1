"""Find out for `make doctor` what may be wrong with the machine: its programs, disk, network and clock.

Any Python from 3.9 on.
"""

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

from deploy.diagnosis import Diagnosis, finding
from deploy.env_file import read_env
from deploy.installation import ROOT
from deploy.phrases import phrase

_SBIN = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/sbin"))
_EDGE_HOST = "speech.platform.bing.com"
_HUB = "https://huggingface.co"
_CONNECT_SECONDS = 3.0
_SKEW_SECONDS = 120
_FREE_BYTES = 3 * 2**30


def python() -> Iterator[Diagnosis]:
    """Look at the version of Python that `make` uses."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield finding(sys.version_info >= (3, 11) or None, "python", version=version)


def nginx() -> Iterator[Diagnosis]:
    """Look for nginx, and at its version."""
    found = shutil.which("nginx") or shutil.which("nginx", path=_SBIN)
    if found is None:
        yield finding(None, "no_nginx")
        return
    version = subprocess.run([found, "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2]
    numbers = tuple(int(part) for part in version.split()[0].split(".")[:2]) if version[:1].isdigit() else (0, 0)
    yield finding(numbers >= (1, 22), "nginx", version=version)


def docker() -> Iterator[Diagnosis]:
    """Look for Docker and Compose, and whether they answer."""
    if shutil.which("docker") is None:
        yield finding(None, "no_docker")
        return
    for command, what in (
        (["docker", "compose", "version", "--short"], "Docker Compose"),
        (["docker", "version", "--format", "{{.Server.Version}}"], "Docker engine"),
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10)
        except subprocess.TimeoutExpired:
            yield finding(None, "docker_hangs", what=what)
            return
        if done.returncode:
            yield finding(None, "docker_silent", what=what)
        else:
            yield Diagnosis(True, f"{what} {done.stdout.strip()}")


def room() -> Iterator[Diagnosis]:
    """Look for room on the disk."""
    free = shutil.disk_usage(ROOT).free
    yield finding(free > _FREE_BYTES, "disk", free=f"{free / 2**30:.0f}")


def network() -> Iterator[Diagnosis]:
    """Look whether the hosts of voices, weights and upstreams can be reached."""
    values = read_env(ROOT / ".env")
    hosts = {_EDGE_HOST: phrase("edge_voices"), _host(values.get("HF_ENDPOINT") or _HUB): phrase("weights")}
    for name, value in values.items():
        if name.endswith("_BASE_URL") and value:
            hosts[_host(value)] = name
    with ThreadPoolExecutor(8) as pool:
        jobs = {host: pool.submit(_reached, host) for host in hosts}
    for host, purpose in hosts.items():
        if jobs[host].result():
            yield Diagnosis(True, phrase("reached", host=host, purpose=purpose))
        else:
            yield finding(None, "not_reached", host=host, purpose=purpose)


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
    yield finding(skew < _SKEW_SECONDS, "clock", seconds=f"{skew:.0f}")
