"""What leaves through the proxy, what does not, and in which shape."""

import json
import socket
from functools import partial
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest
from deploy.installation import SERVICES

from e2e.installation import KEY, Installation, until
from imitations.upstream import Upstream

POSTS = {"stt": "/audio/transcriptions", "llm": "/chat/completions", "tts": "/audio/speech"}
HELLO = {"model": "companion", "messages": [{"role": "user", "content": "Hello!"}]}


def error_of(response: httpx.Response) -> dict[str, Any]:
    """Its error, which has OpenAI's shape."""
    assert response.headers["content-type"].startswith("application/json")
    assert response.headers["x-request-id"]
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["type"]
    return error


@pytest.mark.parametrize("path", ["/nope", "/v1", "/v1/", "/v1/audio", "/.error", "/.env"])
def test_an_unknown_path_is_a_404_in_openais_shape(talkbox: Installation, path: str) -> None:
    response = httpx.get(f"{talkbox.url}{path}", headers={"authorization": "Bearer a-key-for-tests"})

    assert response.status_code == 404
    assert error_of(response)["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/v1/metrics", "/v1/models/../../metrics"])
def test_probes_and_metrics_stay_inside(talkbox: Installation, path: str) -> None:
    ports = [talkbox.port, *(talkbox.port + 1 + number for number in range(3))]
    for port in ports:
        response = httpx.get(f"http://127.0.0.1:{port}{path}", headers={"authorization": "Bearer a-key-for-tests"})
        assert response.status_code == 404
        assert "talkbox_" not in response.text


@pytest.mark.parametrize("service", SERVICES)
def test_a_wrong_method_is_a_405_that_names_the_right_one(client: httpx.Client, service: str) -> None:
    response = client.get(POSTS[service])

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    error_of(response)


@pytest.mark.parametrize(
    "path", ["//chat/completions", "/%63hat/completions", "%2Fchat%2Fcompletions", "/x/../chat/completions"]
)
def test_an_address_that_a_client_put_together_clumsily_is_found(talkbox: Installation, path: str) -> None:
    asked = {"model": "companion", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    connection = HTTPConnection("127.0.0.1", talkbox.port, timeout=30)
    connection.request("POST", f"/v1{path}", json.dumps(asked), headers)
    response = connection.getresponse()
    connection.close()

    assert response.status == 200


def test_a_page_cannot_be_posted_to(talkbox: Installation) -> None:
    response = httpx.post(f"{talkbox.url}/")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
    error_of(response)


@pytest.mark.parametrize("service", SERVICES)
def test_without_a_key_nothing_is_served(talkbox: Installation, service: str) -> None:
    response = httpx.post(f"{talkbox.base}{POSTS[service]}", content=b"{}")

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert error_of(response)["code"] == "invalid_api_key"


def test_a_little_too_much_is_the_services_413_and_far_too_much_the_proxys(client: httpx.Client) -> None:
    for megabytes in (26, 40):
        form = {"files": {"file": ("big.wav", b"\0" * megabytes * 2**20)}, "data": {"model": "whisper-1"}}
        response = client.post("/audio/transcriptions", **form)  # type: ignore[arg-type]
        assert response.status_code == 413
        error_of(response)


def test_headers_that_are_too_large_are_a_431(client: httpx.Client) -> None:
    response = client.get("/models", headers={"x-story": "a" * 20_000})

    assert response.status_code == 431
    error_of(response)


def test_an_address_that_is_too_long_is_a_414(client: httpx.Client) -> None:
    response = client.get("/models", params={"story": "a" * 20_000})

    assert response.status_code == 414
    error_of(response)


@pytest.mark.parametrize(
    ("request_line", "header", "status"),
    [
        ("HELLO BEAR", "", 400),
        ("GET / HTTP/3.0", "", 505),
        ("GET / HTTP/1.1", 'If-Match: "another"', 412),
        ("GET / HTTP/1.1", "Range: bytes=99999999-", 416),
        ("POST /v1/chat/completions HTTP/1.1", "Transfer-Encoding: gzip", 501),
        ("HUG /v1/chat/completions HTTP/1.1", "", 400),
        ("GET /v1/models/熊 HTTP/1.1", "", 401),
        ("GET /v1/models HTTP/1.1", "X-Bear: \1", 400),
    ],
)
def test_what_clients_send_by_mistake_gets_an_answer_in_the_same_shape(
    talkbox: Installation, request_line: str, header: str, status: int
) -> None:
    with socket.create_connection(("127.0.0.1", talkbox.port), timeout=5) as connection:
        lines = (request_line, "Host: bear", "Connection: close", header)
        connection.sendall("".join(f"{line}\r\n" for line in lines if line).encode() + b"\r\n")
        head, _, body = b"".join(iter(partial(connection.recv, 4096), b"")).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/json" in head
    assert b"x-request-id: " in head.lower()
    assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_a_base_of_its_own_that_serves_nothing_else(talkbox: Installation, service: str) -> None:
    with talkbox.client() as client:
        for other in SERVICES:
            response = client.post(f"{talkbox.base_of(service)}{POSTS[other]}", content=b"{}")
            assert (response.status_code == 404) == (other != service), response.text
            error_of(response)


def test_the_status_of_each_service_is_shown(talkbox: Installation) -> None:
    for service in SERVICES:
        status = httpx.get(f"{talkbox.url}/status/{service}").json()
        assert status["ready"] is True
        assert {"ready"} <= {engine["state"] for engine in status["engines"]}


def test_models_and_voices_are_listed(client: httpx.Client) -> None:
    assert client.get("/models").json()["data"]
    assert client.get("/audio/voices").status_code == 200


def test_the_console_page_is_served_with_care(talkbox: Installation) -> None:
    response = httpx.get(f"{talkbox.url}/")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_a_request_id_goes_all_the_way(client: httpx.Client, talkbox: Installation, upstream: Upstream) -> None:
    asked = {"model": "words-1-every-0", "messages": [{"role": "user", "content": "Hello!"}]}
    response = client.post("/chat/completions", json=asked, headers={"x-request-id": "bear-7"})

    assert response.headers["x-request-id"] == "bear-7"
    assert upstream.seen[-1].headers["x-request-id"] == "bear-7"
    until(lambda: '"bear-7"' in talkbox.log("llm"))
    until(lambda: '"bear-7"' in talkbox.log("proxy"))


def test_a_request_id_is_made_where_there_is_none_that_can_be_used(client: httpx.Client) -> None:
    ids = {
        client.post("/chat/completions", json=HELLO, headers={"x-request-id": shown}).headers["x-request-id"]
        for shown in ("", "two words", "{}")
    }

    assert len(ids) == 3
    assert not ids & {"", "two words", "{}"}


def test_no_query_and_no_key_is_logged(client: httpx.Client, talkbox: Installation) -> None:
    client.get("/models", params={"secret": "teddy"}, headers={"x-request-id": "bear-8"})

    until(lambda: '"bear-8"' in talkbox.log("proxy"))
    for program in ("proxy", "llm"):
        assert "teddy" not in talkbox.log(program)
        assert "a-key-for-tests" not in talkbox.log(program)


def test_no_secret_is_logged_wherever_a_caller_puts_it(talkbox: Installation) -> None:
    """Right or wrong keys in headers, addresses, bodies and in what is no HTTP at all; answered, refused and failed."""
    mark = "zebra4711"
    headers = {
        "authorization": f"Bearer {mark}",
        "api-key": mark,
        "x-api-key": mark,
        "cookie": f"key={mark}",
        "referer": f"http://x/?key={mark}",
        "user-agent": mark,
    }
    paths = ("/v1/models", "/v1/chat/completions", "/v1/audio/voices", "/status/llm", "/nowhere", "/")
    with httpx.Client(base_url=talkbox.url, trust_env=False) as anyone:
        for path in paths:
            anyone.get(f"{path}?api_key={mark}", headers=headers)
            anyone.post(f"{path}?key={mark}", headers=headers, content=mark * 1000)
        anyone.get("/v1/models", auth=("user", mark))
        anyone.get("/v1/models", headers={"authorization": f"Bearer {'x' * 9000}{mark}"})
        anyone.get(f"/v1/models?{'x' * 9000}{mark}")
    for line in (f"GET /v1/models?key={mark}", f"{mark} / HTTP/1.1", f"GET /\x01{mark} HTTP/1.1"):
        with socket.create_connection(("127.0.0.1", talkbox.port), timeout=5) as connection:
            connection.sendall(f"{line}\r\n\r\n".encode())
            connection.recv(4096)

    talkbox.supervise("stop", "tts")
    try:
        down = httpx.get(f"{talkbox.url}/v1/audio/voices?key={mark}", headers=headers, trust_env=False)
    finally:
        talkbox.supervise("start", "tts")
    until(lambda: talkbox.ready("tts"))
    assert down.status_code == 503
    httpx.get(f"{talkbox.url}/v1/audio/voices", headers={"x-request-id": "bear-9"}, trust_env=False)
    until(lambda: '"bear-9"' in talkbox.log("proxy"))
    for program in ("proxy", "stt", "llm", "tts"):
        assert [line for line in talkbox.log(program).splitlines() if mark in line] == []


def test_a_service_that_is_down_closes_its_own_path_only(talkbox: Installation) -> None:
    talkbox.supervise("stop", "tts")
    try:
        with talkbox.client() as client:
            response = client.post("/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": "Hello!"})
            assert response.status_code == 503
            assert 1 <= int(response.headers["retry-after"]) <= 60
            assert error_of(response)["code"] == "service_unavailable"
            assert client.post("/chat/completions", json=HELLO).status_code == 200
            assert httpx.get(f"{talkbox.url}/status/tts").status_code == 503
    finally:
        talkbox.supervise("start", "tts")
    until(lambda: talkbox.ready("tts"))


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_describes_itself_through_the_proxy(talkbox: Installation, service: str) -> None:
    for port in (talkbox.port, talkbox.port + 1 + list(SERVICES).index(service)):
        found = httpx.get(f"http://127.0.0.1:{port}/openapi/{service}").json()
        assert found["openapi"] == "3.1.0"
        assert f"/v1{POSTS[service]}" in found["paths"]
