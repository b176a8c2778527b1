import pytest
from deploy.talk import multipart, pieces


@pytest.mark.parametrize(
    ("texts", "cut"),
    [
        (["Hello, bear! How", " are you?"], ["Hello,", " bear!", " How are you?"]),
        (["你好，", "小熊。再见"], ["你好，", "小熊。", "再见"]),
        (["Wait...", " what?!"], ["Wait...", " what?!"]),
        (["  ", ""], []),
        ([], []),
    ],
)
def test_an_answer_is_cut_where_folotoy_server_cuts_it(texts: list[str], cut: list[str]) -> None:
    assert list(pieces(iter(texts))) == cut


def test_a_piece_is_there_as_soon_as_the_next_one_begins() -> None:
    seen = []

    def texts() -> object:
        for text in ("One. ", "Two. ", "Three."):
            seen.append(text)
            yield text

    assert next(pieces(texts())) == "One."  # type: ignore[arg-type]
    assert "Three." not in seen


def test_a_recording_travels_as_a_form() -> None:
    body, content_type = multipart({"model": "whisper-1"}, '说"话.wav', b"\0sound")

    boundary = content_type.partition("boundary=")[2].encode()
    assert body.count(b"--" + boundary) == 3
    assert body.endswith(b"--" + boundary + b"--\r\n")
    assert 'filename="说%22话.wav"'.encode() in body
    assert b"\r\n\r\n\0sound\r\n" in body
