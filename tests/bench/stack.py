"""Processes to measure: services, and nginx in front of them."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from deploy.installation import ROOT, Addresses
from deploy.native import processes
from deploy.native.render import find_nginx, proxy_config

PAUSE_SECONDS = 0.3
"""Pause of a client that was refused."""
NGINX_MAIN = """\
{user}worker_processes 1; pid "{folder}/pid"; error_log stderr error; daemon off;
events {{ worker_connections 2048; }}
http {{ client_body_temp_path "{folder}/body"; proxy_temp_path "{folder}/proxy"; fastcgi_temp_path "{folder}/f";
uwsgi_temp_path "{folder}/u"; scgi_temp_path "{folder}/s"; include "{folder}/proxy.conf"; }}
"""


@dataclass
class Process:
    """A running program, and what it has cost so far, its children included."""

    child: subprocess.Popen[bytes]
    port: int
    ready_seconds: float = 0.0

    def cpu_seconds(self) -> float:
        """Return the processor time of all, and of those that have ended."""
        return cpu_seconds(processes.family(self.child.pid))

    def memory_mb(self) -> float:
        """Resident set size; what parent and children share counts for each."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in processes.family(self.child.pid)]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def forget_peak_mb(self) -> float:
        """What the process itself has now; `peak_mb` counts anew."""
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")
        return self.peak_mb()

    def peak_mb(self) -> float:
        """The most that the process itself had."""
        [line] = [line for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines() if "VmHWM" in line]
        return int(line.split()[1]) / 1024

    def wait_for_all_engines(self) -> None:
        """Until none is loading any more."""
        while b'"loading"' in get(self.port, "/readyz")[1]:
            time.sleep(0.01)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of these processes, and of their children that have ended."""
    ticks = 0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended, and counts for its parent
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def free_ports(number: int = 14) -> int:
    """The first of `number` ports in a row that are free."""
    for first in range(21000, 30000, number):
        try:
            for port in range(first, first + number):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise RuntimeError("no free ports")


def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body; 0 where nothing answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


@contextmanager
def apart() -> Iterator[int | None]:
    """A core for what is measured, and the others for this process and what it starts; None: there is only one."""
    all_cores = os.sched_getaffinity(0)
    measured = max(all_cores) if len(all_cores) > 1 else None
    os.sched_setaffinity(0, all_cores - {measured} or all_cores)
    try:
        yield measured
    finally:
        os.sched_setaffinity(0, all_cores)


@contextmanager
def running(command: list[str], port: int, path: str, core: int | None = None, /, **environ: str) -> Iterator[Process]:
    """A program that is ready once `path` answers.

    Args:
        core: The one it may use; any, unless given.
    """
    began = time.perf_counter()
    child = subprocess.Popen(
        command, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "services"), **environ}, stdout=-3
    )
    if core is not None:
        os.sched_setaffinity(child.pid, {core})  # before it has threads, which inherit it
    try:
        while get(port, path)[0] not in (200, 404):
            if child.poll() is not None or time.perf_counter() - began > 60:
                raise RuntimeError(f"{command} did not come up")
            time.sleep(0.002)
        yield Process(child, port, time.perf_counter() - began)
    finally:
        child.terminate()
        child.wait(30)


@contextmanager
def service(name: str, port: int, core: int | None = None, /, **environ: str) -> Iterator[Process]:
    """One service, ready; its log is thrown away."""
    command = [sys.executable, "-m", "chassis.server", name, "--port", str(port)]
    with running(command, port, "/readyz", core, API_KEYS="bench", **environ) as process:
        yield process


@contextmanager
def proxy(
    port: int, *, core: int | None = None, servers: Mapping[str, Sequence[str]] | None = None
) -> Iterator[Process]:
    """nginx before services on `port` + 11, 12 and 13.

    Args:
        servers: Addresses of several replicas, by service, instead.
    """
    nginx = find_nginx()
    if nginx is None:
        raise RuntimeError("nginx is missing: deploy/native/packages fetches it")
    folder = Path(tempfile.mkdtemp(prefix="talkbox-bench-"))
    template = (ROOT / "proxy" / "nginx.conf.template").read_text()
    config = proxy_config(template, Addresses(port, "127.0.0.1"), {})
    for service, replicas in (servers or {}).items():
        own = f"server 127.0.0.1:{Addresses(port).own_port(service)} max_fails=0;"
        config = config.replace(f"{own} {own}", " ".join(f"server {each} max_fails=0;" for each in replicas))
    (folder / "proxy.conf").write_text(config)
    user = "user root; " if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX_MAIN.format(user=user, folder=folder))
    command = [nginx, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    try:
        with running(command, port, "/healthz", core) as process:
            yield process
    finally:
        shutil.rmtree(folder)


@dataclass
class Exchange:
    """One request's answer, in seconds from the moment it was sent."""

    status: int
    first_byte: float
    """Of the body."""
    last_byte: float
    body: bytes


class Caller:
    """A kept connection, with as little of its own between the socket and the clock as can be."""

    def __init__(self, port: int) -> None:
        self.port, self.refused = port, 0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, path: str, body: bytes = b"", content_type: str = "application/json") -> Exchange:
        """POST `body`, or GET where there is none."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        assert self._reader is not None
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer bench\r\n"
        if body:
            head += f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
        began = time.perf_counter()
        self._writer.write(head.encode() + b"\r\n" + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        code = int(answer.split(b" ", 2)[1])
        pieces: list[bytes] = []
        first = 0.0
        if b"transfer-encoding: chunked" in answer:
            while size := int(await self._reader.readline(), 16):
                pieces.append(await self._reader.readexactly(size + 2))
                first = first or time.perf_counter() - began
            await self._reader.readline()
            pieces = [piece[:-2] for piece in pieces]
        else:
            length = int(answer.partition(b"content-length:")[2].split(b"\r\n")[0])
            pieces.append(await self._reader.readexactly(length))
            first = time.perf_counter() - began
        return Exchange(code, first, time.perf_counter() - began, b"".join(pieces))

    async def admitted(self, path: str, body: bytes, content_type: str) -> Exchange:
        """POST again after a pause as long as the answer is 429: where others use the machine too, fewer are let in."""
        while (exchange := await self.ask(path, body, content_type)).status == 429:
            self.refused += 1
            await asyncio.sleep(PAUSE_SECONDS)
        return exchange

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def row(name: str, *cells: str) -> None:
    print(f"  {name:<44}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def verdict(name: str, value: float, most: float, unit: str) -> bool:
    """Print a figure beside what is promised of it; whether the promise is kept."""
    kept = value <= most
    row(name, f"{value:.1f} {unit}", f"≤ {most:g} {unit}", "kept" if kept else "NOT KEPT")
    return kept
