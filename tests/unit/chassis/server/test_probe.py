import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from chassis.server.probe import alive, loaded


class Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


class Ill(Health):
    status = 500


@pytest.fixture
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), request.param)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("port", [Health], indirect=True)
def test_a_service_that_answers_is_alive(port: int) -> None:
    assert alive(port)


@pytest.mark.parametrize("port", [Ill], indirect=True)
def test_one_that_answers_an_error_is_not(port: int) -> None:
    assert not alive(port)


def test_where_nobody_listens_nobody_is_alive() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused

        assert not alive(taken.getsockname()[1])


def test_one_that_says_nothing_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not alive(silent.getsockname()[1], seconds=0.05)


@pytest.mark.parametrize(
    ("status", "states", "is_loaded"),
    [
        (200, ("ready", "loading"), True),
        (200, ("unavailable", "ready"), True),
        (200, ("loading", "ready"), False),
        (200, ("resting", "ready"), True),
        (503, ("unavailable", "loading"), False),
    ],
)
def test_a_service_is_loaded_once_its_best_engine_is(status: int, states: tuple[str, ...], is_loaded: bool) -> None:
    class Ready(Health):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps({"engines": [{"state": state} for state in states]}).encode())

    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert loaded(server.server_port) == is_loaded
        server.shutdown()
