"""A proxy that answers as a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, TypeAlias

from deploy.talk import Talkbox

Answer: TypeAlias = Callable[[int], tuple[int, dict[str, str], bytes]]
"""Status, headers and body of the answer to the first request, the second …"""


@contextmanager
def proxy(answer: Answer) -> Iterator[tuple[Talkbox, list[bytes]]]:
    """The proxy, and the bodies that it got, until the block ends."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            status, headers, body = answer(len(bodies))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield Talkbox("127.0.0.1", server.server_port, "key"), bodies
        server.shutdown()
        thread.join()
