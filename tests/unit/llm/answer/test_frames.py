import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import EngineFailed
from llm.answer.frames import MAX_EVENT_BYTES, Event, Frames

STREAMS = [
    (b'data: {"a":1}\n\ndata: {"b":2}\n\n', [b'{"a":1}', b'{"b":2}']),
    (b'data:{"a":1}\n\n', [b'{"a":1}']),
    (b'\xef\xbb\xbfdata: {"a":1}\n\n', [b'{"a":1}']),
    (b': waiting\n\n: waiting\ndata: {"a":1}\n\n', [b'{"a":1}']),
    (b'id: 1\nevent: message\nretry: 3000\ndata: {"a":1}\n\n', [b'{"a":1}']),
    (b'data: {"a":\ndata: 1}\n\n', [b'{"a": 1}']),
    (b"data:\n\ndata: \n\nretry: 3\n\nevent: ping\n\n", []),
    (b"event: done\ndata: [DONE]\nid: 9\n\n", [b"[DONE]"]),
    (b"data: [DONE]  \n\n", [b"[DONE]"]),
    (b'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n', [b'{"a":1}', b'{"b":2}', b"[DONE]"]),
    (b'{"a":1}\n\n', [b'{"a":1}']),
    (b'data: {"a":1}', [b'{"a":1}']),
    (b'\n\n\ndata: {"a":1}\n\n\n\n', [b'{"a":1}']),
]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(("stream", "data"), STREAMS, ids=range(len(STREAMS)))
def test_events_are_found_whatever_their_lines_and_wherever_they_are_cut(
    stream: bytes, data: list[bytes], size: int, line_end: bytes
) -> None:
    stream, frames = stream.replace(b"\n", line_end), Frames()
    events = [each for at in range(0, len(stream), size) for each in frames.add(stream[at : at + size])]

    assert [each.data for each in events + frames.rest()] == data


@given(st.binary(max_size=200), st.integers(1, 20))
def test_no_bytes_break_it_and_nothing_is_found_twice(stream: bytes, size: int) -> None:
    frames, at_once = Frames(), Frames()
    cut = [each for at in range(0, len(stream), size) for each in frames.add(stream[at : at + size])] + frames.rest()

    assert cut == at_once.add(stream) + at_once.rest()


@pytest.mark.parametrize(
    ("stream", "event"),
    [
        (b'event: error\ndata: {"message":"no"}\n\n', Event(b'{"message":"no"}', is_error=True)),
        (b'event:error\n:HTTP_STATUS/400\ndata:{"code":"X"}\n\n', Event(b'{"code":"X"}', is_error=True)),
        (b'error: {"message":"no"}\n\n', Event(b'{"message":"no"}', is_error=True)),
        (b"event: error\n\n", Event(b"", is_error=True)),
    ],
)
def test_an_error_is_known_by_the_name_of_its_event(stream: bytes, event: Event) -> None:
    assert Frames().add(stream) == [event]


def test_an_event_without_an_end_is_given_up() -> None:
    frames = Frames()
    for _ in range(MAX_EVENT_BYTES // 2**16):
        frames.add(b"x" * 2**16)
    with pytest.raises(EngineFailed, match="more than"):
        frames.add(b"x")
