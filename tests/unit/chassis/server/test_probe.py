import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from chassis.server.probe import alive


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
