import pytest
from starlette.requests import Request

from chassis.server.ranges import whole

BODY = bytes(range(100))


def answer(header: str | None) -> tuple[int, bytes, str | None]:
    headers = [] if header is None else [(b"range", header.encode())]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers})
    response = whole(BODY, request, media_type="audio/mpeg", headers={"x-mine": "1"})
    assert response.headers["x-mine"] == "1"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["content-length"] == str(len(response.body))
    return response.status_code, bytes(response.body), response.headers.get("content-range")


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", range(10)),
        ("bytes=90-", range(90, 100)),
        ("bytes=-5", range(95, 100)),
        ("bytes=50-900", range(50, 100)),
    ],
)
def test_a_part_that_is_asked_for_is_sent_alone(header: str, part: range) -> None:
    assert answer(header) == (206, bytes(part), f"bytes {part.start}-{part.stop - 1}/100")


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=a-b", "bytes=0-1,5-6", "lines=1-2"])
def test_a_header_that_names_no_single_part_is_passed_over(header: str | None) -> None:
    assert answer(header) == (200, BODY, None)


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=9-5", "bytes=-0"])
def test_a_part_that_does_not_exist_is_refused_with_the_length(header: str) -> None:
    assert answer(header) == (416, b"", "bytes */100")
