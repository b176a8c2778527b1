"""Bodies that the standards allow, those that they do not, and all of them in pieces of any size."""

import io
from collections.abc import AsyncGenerator, AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from chassis.server.multipart import tidied
from unit.chassis.server.test_forms import service_of_toys

SOUND = b"RIFF\r\n\r\n--bear\r\n \t\r\n--"
TYPE = "multipart/form-data; boundary=b"


def part(name: str, data: bytes, *headers: str, disposition: str = "") -> bytes:
    lines = [disposition or f'Content-Disposition: form-data; name="{name}"', *headers]
    return b"--b\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"


def file(*headers: str, disposition: str = 'Content-Disposition: form-data; name="file"; filename="a.wav"') -> bytes:
    return part("file", SOUND, *headers, disposition=disposition)


BEAR, END = part("name", "Bär".encode()), b"--b--\r\n"
PLAIN = BEAR + file() + END

LEGAL: dict[str, tuple[bytes, str]] = {
    "plain": (PLAIN, TYPE),
    "the file first": (file() + BEAR + END, TYPE),
    "preamble": (b"This is a message in MIME format.\r\n" + PLAIN, TYPE),
    "preamble of lines that resemble a boundary": (b"--bear\r\n--\r\n-b\r\n" + PLAIN, TYPE),
    "a long preamble": (b"x" * 200_000 + b"\r\n" + PLAIN, TYPE),
    "an empty line before": (b"\r\n" + PLAIN, TYPE),
    "epilogue": (PLAIN + b"the end\r\n--b\r\nof it", TYPE),
    "no line after the last boundary": (PLAIN.removesuffix(b"\r\n"), TYPE),
    "spaces after boundaries": (PLAIN.replace(b"--b\r\n", b"--b \t \r\n"), TYPE),
    "a boundary in quotes": (PLAIN, 'multipart/form-data; boundary="b"'),
    "another parameter before": (PLAIN, "Multipart/Form-Data; charset=utf-8; BOUNDARY=b"),
    "every sign in the boundary": (
        PLAIN.replace(b"--b\r\n", b"--'()+_,-./:=? b\r\n").replace(b"--b--", b"--'()+_,-./:=? b--"),
        'multipart/form-data; boundary="\'()+_,-./:=? b"',
    ),
    "folded": (
        BEAR + file(disposition='Content-Disposition: form-data; name="file";\r\n filename="a.wav"') + END,
        TYPE,
    ),
    "folded by a tab": (BEAR + file("Content-Type: audio/wav;\r\n\tcodec=1") + END, TYPE),
    "folded twice": (
        BEAR + file(disposition='Content-Disposition: form-data;\r\n  name="file";\r\n  filename="a.wav"') + END,
        TYPE,
    ),
    "another order of headers": (
        BEAR + file('Content-Disposition: form-data; name="file"', disposition="Content-Type: audio/wav") + END,
        TYPE,
    ),
    "a name in Chinese by percents": (
        BEAR + file(disposition="content-disposition:form-data;name=file;filename*=UTF-8''%e8%af%ad.wav") + END,
        TYPE,
    ),
    "no filename": (BEAR + file(disposition='Content-Disposition: form-data; name="file"') + END, TYPE),
    "names in single quotes": (
        part("name", "Bär".encode(), disposition="Content-Disposition: form-data; name='name'")
        + file(disposition="Content-Disposition: form-data; name='file'; filename='a.wav'")
        + END,
        TYPE,
    ),
    "the file's name in single quotes, and no filename": (
        BEAR + file(disposition="Content-Disposition: form-data; name='file'") + END,
        TYPE,
    ),
    "sent as it is": (
        BEAR + file("Content-Transfer-Encoding: Binary", "Content-Length: 20", "X-Toy: bear") + END,
        TYPE,
    ),
    "twice the same": (BEAR + BEAR + file() + END, TYPE),
    "a field in its own charset": (
        part("name", "Bär".encode("latin-1"), "Content-Type: text/plain; charset=latin-1") + file() + END,
        TYPE,
    ),
    "fields in a charset that another names": (
        part("_charset_", b"iso-8859-1") + part("name", "Bär".encode("latin-1")) + file() + END,
        TYPE,
    ),
    "a charset that nobody knows": (
        part("name", "Bär".encode(), "Content-Type: text/plain; charset=klingon") + file() + END,
        TYPE,
    ),
}

ILLEGAL: dict[str, tuple[bytes, str, str]] = {
    "no boundary": (PLAIN, "multipart/form-data", "names no boundary"),
    "an empty boundary": (PLAIN, "multipart/form-data; boundary=", "names no boundary"),
    "another boundary": (PLAIN, "multipart/form-data; boundary=c", "not separated by the boundary 'c'"),
    "lines without CR": (PLAIN.replace(b"\r\n", b"\n"), TYPE, "each line ends in CRLF"),
    "a boundary without its dashes": (
        PLAIN.replace(b"--b", b"b"),
        TYPE,
        "comes the line '--b', after the last '--b--'",
    ),
    "headers without CR": (
        b'--b\r\nContent-Disposition: form-data; name="file"\n\n' + 50_000 * b"x" + b"\r\n" + END,
        TYPE,
        "each ended by CRLF",
    ),
    "no line before the last boundary": (file()[:-2] + END, TYPE, "it ends in CRLF, two dashes"),
    "no type at all": (PLAIN, "", "There is no Content-Type; send multipart/form-data"),
    "no form": (b"hello", TYPE, "not separated by the boundary 'b'"),
    "cut after a part": (BEAR + file(), TYPE, "cut short"),
    "cut in a part": ((BEAR + file())[:-15], TYPE, "cut short"),
    "cut in headers": (BEAR + b"--b\r\nContent-Dis", TYPE, "cut short"),
    "base64": (BEAR + file("Content-Transfer-Encoding: base64") + END, TYPE, "its part 'file' is encoded (base64)"),
    "quoted-printable": (
        part("name", b"B=C3=A4r", "Content-Transfer-Encoding: quoted-printable") + file() + END,
        TYPE,
        "its part 'name' is encoded (quoted-printable)",
    ),
    "a space in a header's name": (BEAR + file("X Toy: bear") + END, TYPE, "the headers of a part: "),
    "a header of 20 kB": (BEAR + file("X-Toy: " + 20_000 * "y") + END, TYPE, "the headers of a part: "),
    "a header of 50 kB": (BEAR + file("X-Toy: " + 50_000 * "y") + END, TYPE, "the headers of a part: "),
    "500 headers": (BEAR + file(*500 * ["X-Toy: bear"]) + END, TYPE, "the headers of a part: "),
    "no name": (BEAR + file(disposition="Content-Disposition: form-data") + END, TYPE, '"name" must be provided'),
    "no headers": (BEAR + b"--b\r\n\r\nbear\r\n" + file() + END, TYPE, '"name" must be provided'),
    "a form of another type": (PLAIN, "multipart/mixed; boundary=b", "send multipart/form-data"),
}


async def post(body: bytes, content_type: str, size: int = 2**16) -> httpx.Response:
    async def pieces() -> AsyncIterator[bytes]:
        source = io.BytesIO(body)
        while piece := source.read(size):
            yield piece

    app: Starlette = service_of_toys()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toys") as client:
        return await client.post("/form", content=pieces(), headers={"content-type": content_type})


@pytest.mark.parametrize("size", [1, 7, 2**16])
@pytest.mark.parametrize("name", LEGAL)
async def test_what_the_standards_allow_is_understood_in_pieces_of_any_size(name: str, size: int) -> None:
    body, content_type = LEGAL[name]

    answer = (await post(body, content_type, size if len(body) < 10_000 else 2**10)).json()

    assert answer == {"fields": {"name": "Bär"}, "files": {"file": SOUND.decode()}}


@pytest.mark.parametrize("name", ILLEGAL)
async def test_what_they_do_not_allow_is_refused_by_name(name: str) -> None:
    body, content_type, message = ILLEGAL[name]

    answer = await post(body, content_type)

    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


async def test_a_preamble_is_held_in_no_memory_and_data_leaves_at_once() -> None:
    async def body() -> AsyncGenerator[bytes, None]:
        for _ in range(1000):
            yield 1000 * b"x"
        yield b"\r\n--b\r\nA: b\r\n\r\n"
        for _ in range(1000):
            yield 1000 * b"y"
        yield b"\r\n--b--"

    passed = [len(piece) async for piece in tidied(body(), b"b")]

    assert sum(passed) == len(b"\r\n--b\r\nA: b\r\n\r\n") + 1_000_000 + len(b"\r\n--b--")
    assert max(passed) < 1100
