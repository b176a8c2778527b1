"""A hub of models on this machine: Hugging Face's two paths, ModelScope's two, and how they go wrong.

In a test:

    with running({"owner/model": {"model.bin": b"..."}}) as hub:
        hub.breaks = 3                       # the next three large files are cut off
        ...                                  # fetch from hub.url
        assert hub.asked[0] == ("/api/models/owner/model/revision/main", None)

As a program, `PYTHONPATH=tests python -m imitations.hub FOLDER --port 9000` serves every FOLDER/owner/name; then
`HF_ENDPOINT=http://127.0.0.1:9000`, or `MODELSCOPE_ENDPOINT` with the same.
"""

import argparse
import hashlib
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SMALL_BYTES = 10_000
"""Git keeps files up to about this size, larger ones elsewhere; only of those Hugging Face tells a checksum."""
PIECE_BYTES = 64 * 2**10


class Hub(ThreadingHTTPServer):
    """What it does wrong may be changed while it runs.

    Args:
        repositories: `owner/name`, and each file in it.
    """

    def __init__(self, repositories: Mapping[str, Mapping[str, bytes]], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.repositories = {name: dict(files) for name, files in repositories.items()}
        self.status = 200
        """Of everything."""
        self.spoilt: set[str] = set()
        """Files that are not what their checksum says."""
        self.breaks, self.break_after = 0, 100_000
        """How many of the next large files are cut off, and after how many bytes."""
        self.pause_seconds = 0.0
        """After each piece of a file."""
        self.asked: list[tuple[str, str | None]] = []
        """Each request's path and range."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who leaves in mid-file is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def sha256(self, repository: str, name: str) -> str:
        spoilt = name in self.spoilt
        return "0" * 64 if spoilt else hashlib.sha256(self.repositories[repository][name]).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        path, query = unquote(split.path), {name: values[0] for name, values in parse_qs(split.query).items()}
        self.server.asked.append((path, self.headers["range"]))
        if self.server.status != 200:
            self.send_error(self.server.status)
        elif match := re.fullmatch(r"/api/models/(.+)/revision/main", path):
            self._json(self._listed(match[1]), 401)
        elif match := re.fullmatch(r"/api/v1/models/(.+)/repo/files", path):
            self._json(self._listed_as_modelscope(match[1]), 404)
        elif match := re.fullmatch(r"/api/v1/models/(.+)/repo", path):
            self._file(match[1], query["FilePath"])
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/abc/(.+)", path):
            self._file(match[1], match[2])
        else:
            self.send_error(404)

    def _listed(self, repository: str) -> object:
        files = self.server.repositories.get(repository)
        return files and {
            "sha": "abc",
            "siblings": [
                {"rfilename": name, "size": len(body)}
                | ({"lfs": {"sha256": self.server.sha256(repository, name)}} if len(body) > SMALL_BYTES else {})
                for name, body in files.items()
            ],
        }

    def _listed_as_modelscope(self, repository: str) -> object:
        files = self.server.repositories.get(repository)
        folder: dict[str, object] = {"Path": "onnx", "Type": "tree", "Size": 0, "Sha256": ""}
        return files and {
            "Code": 200,
            "Data": {
                "Files": [folder]
                + [
                    {"Path": name, "Type": "blob", "Size": len(body), "Sha256": self.server.sha256(repository, name)}
                    for name, body in files.items()
                ]
            },
        }

    def _json(self, value: object, lost: int) -> None:
        """`value`, or the status `lost` where there is none."""
        if value is None:
            self.send_error(lost)
            return
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, repository: str, name: str) -> None:
        body = self.server.repositories.get(repository, {}).get(name)
        if body is None:
            self.send_error(404)
            return
        begin = int((self.headers["range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if begin >= len(body) > 0:
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("content-length", str(len(body) - begin))
        self.end_headers()
        cut = self.server.breaks > 0 and len(body) > self.server.break_after
        end = begin + self.server.break_after if cut else len(body)
        self.server.breaks -= cut
        for at in range(begin, end, PIECE_BYTES):
            self.wfile.write(body[at : min(at + PIECE_BYTES, end)])
            time.sleep(self.server.pause_seconds)
        if cut:
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running(repositories: Mapping[str, Mapping[str, bytes]]) -> Iterator[Hub]:
    with Hub(repositories) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


def below(folder: Path) -> dict[str, dict[str, bytes]]:
    """Every `owner/name` in a folder."""
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted(folder.glob("*/*/**/*")):
        owner, name, *rest = path.relative_to(folder).parts
        if path.is_file():
            found.setdefault(f"{owner}/{name}", {})["/".join(rest)] = path.read_bytes()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m imitations.hub")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--breaks", type=int, default=0)
    parser.add_argument("--pause-seconds", type=float, default=0.0)
    wanted = parser.parse_args()
    with Hub(below(wanted.folder), wanted.port) as hub:
        hub.breaks, hub.pause_seconds = wanted.breaks, wanted.pause_seconds
        print(hub.url, flush=True)  # noqa: T201
        hub.serve_forever()


if __name__ == "__main__":
    main()
