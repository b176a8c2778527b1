import asyncio
import io
from contextlib import aclosing

import numpy as np
import pytest

from chassis.errors import BadRequest, TooBusy
from fixtures import sounds
from stt.hearing import RATE
from stt.sound.microphone import MicrophoneFilter
from stt.sound.recording import LONGEST, LONGEST_SECONDS, STEP, Piece, Recording, Recordings, cut

speaks = pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")


def talk(seconds: float) -> sounds.Samples:
    """Sentences, with a second of silence after each."""
    sentence = sounds.spoken("tell me a story about a bear that lives in the woods and likes to sing")
    sentence = np.concatenate([sentence, sounds.silence(1)])
    return np.tile(sentence, -(-round(seconds * RATE) // len(sentence)))[: round(seconds * RATE)]


def recordings(*, max_seconds: float = 10_800, places: int = 9, queued: int = 0) -> Recordings:
    return Recordings(max_seconds, places=places, queued=queued)


async def pieces_of(recording: Recording) -> list[Piece]:
    return [piece async for piece in recording.pieces()]


async def pieces_in(file: bytes) -> list[Piece]:
    async with recordings().open(io.BytesIO(file)) as recording:
        return await pieces_of(recording)


async def test_a_short_recording_is_one_piece() -> None:
    [piece] = await pieces_in(sounds.wav(sounds.tone(20)))

    assert (len(piece.pcm), piece.begin) == (20 * RATE, 0)


@speaks
async def test_a_long_one_comes_in_pieces_that_are_the_whole_when_they_are_joined() -> None:
    sound = talk(100)

    pieces = await pieces_in(sounds.wav(sound))

    assert len(pieces) >= 4
    assert all(LONGEST / 2 <= len(piece.pcm) <= LONGEST for piece in pieces[:-1])
    assert [round(piece.begin * RATE) for piece in pieces[1:]] == [
        round(piece.begin * RATE) + len(piece.pcm) for piece in pieces[:-1]
    ]
    np.testing.assert_allclose(
        np.concatenate([piece.pcm for piece in pieces]), MicrophoneFilter().mend(sound), atol=1e-3
    )


@speaks
async def test_it_is_parted_where_nobody_speaks() -> None:
    for piece in (await pieces_in(sounds.wav(talk(120))))[:-1]:
        assert np.abs(piece.pcm[-RATE // 4 :]).max() < 0.01


@speaks
def test_who_never_pauses_is_cut_all_the_same() -> None:
    breathless = np.tile(sounds.spoken("one two three four five six seven eight nine ten")[4000:-6000], 30)
    blocks = (breathless[at : at + STEP] for at in range(0, len(breathless), STEP))

    pieces = [piece for piece in cut(blocks) if piece is not None]

    assert max(len(piece.pcm) for piece in pieces) <= LONGEST
    assert sum(len(piece.pcm) for piece in pieces) == len(breathless)


@speaks
async def test_where_nobody_speaks_there_is_no_piece() -> None:
    sound = np.concatenate([talk(20), sounds.silence(90), talk(5)])

    first, last = await pieces_in(sounds.wav(sound))

    assert first.begin == 0
    assert last.begin < 110 < last.begin + len(last.pcm) / RATE
    assert await pieces_in(sounds.wav(sounds.silence(100))) == []


@speaks
async def test_it_can_be_listened_to_twice_even_at_once() -> None:
    async with recordings().open(io.BytesIO(sounds.encoded("flac", talk(90)))) as recording:
        first, second = await asyncio.gather(pieces_of(recording), pieces_of(recording))

    assert len(first) == len(second) >= 3
    assert all((a.pcm == b.pcm).all() for a, b in zip(first, second, strict=True))


class Watched(io.BytesIO):
    """Knows how far it was read since it was told to look."""

    furthest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.furthest = max(self.furthest, self.tell())
        return content


@speaks
async def test_no_more_is_decoded_than_the_piece_after_the_one_that_is_heard() -> None:
    file = Watched(sounds.wav(talk(600)))
    async with recordings().open(file) as recording, aclosing(recording.pieces()) as pieces:
        file.furthest = 0
        await anext(pieces)
        await asyncio.sleep(0.3)  # as much as is ever decoded meanwhile
        assert file.furthest < 2 * 2 * (2 * LONGEST + STEP)


@speaks
async def test_who_stops_listening_leaves_nobody_reading() -> None:
    all_of_them, file = recordings(), Watched(sounds.wav(talk(200)))
    async with all_of_them.open(file) as recording:
        async with aclosing(recording.pieces()) as pieces:
            await anext(pieces)
            await asyncio.sleep(0)  # now the next one is being made
        file.furthest = 0
        async with all_of_them.open(io.BytesIO(sounds.wav(talk(200)))) as another:
            await pieces_of(another)  # in the same threads: by then whoever still reads has read

    assert file.furthest == 0


async def test_decoding_does_not_hold_up_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stt.sound.decode.PATIENCE_SECONDS", 600.0)  # a busy machine is no failure

    async def read() -> list[Piece]:
        return await pieces_in(sounds.encoded("mp3", sounds.noise(120)))

    reading = asyncio.create_task(read())
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1

    assert await reading == []
    assert turns > 10


@pytest.mark.parametrize("kind", ["flac", "mp3", "ogg with opus", "webm", "wav", "m4a"])
async def test_how_long_it_is_is_known_before_it_is_decoded(kind: str) -> None:
    async with recordings().open(io.BytesIO(sounds.encoded(kind, sounds.noise(95)))) as recording:
        assert recording.seconds == pytest.approx(95, abs=0.2)


@speaks
async def test_damage_that_comes_late_is_found_late_and_told() -> None:
    whole = sounds.encoded("aac", talk(70))
    heard = asyncio.Queue[Piece]()

    async def listen() -> None:
        async with recordings().open(io.BytesIO(whole + 3 * sounds.damaged_aac(whole))) as recording:
            async for piece in recording.pieces():
                heard.put_nowait(piece)

    with pytest.raises(BadRequest, match="corrupted"):
        await listen()

    assert heard.qsize() >= 2


@pytest.mark.parametrize("seconds", [0.0, 0.09])
async def test_too_short_has_a_code_of_its_own(seconds: float) -> None:
    with pytest.raises(BadRequest) as raised:
        await pieces_in(sounds.wav(sounds.silence(seconds)))

    assert raised.value.body["code"] == "audio_too_short"


async def test_more_long_ones_than_there_are_places_come_later_and_short_ones_pass() -> None:
    reads = recordings(places=1)
    long, short = sounds.wav(sounds.silence(LONGEST_SECONDS + 1)), sounds.wav(sounds.silence(5))

    async with reads.open(io.BytesIO(long)):
        with pytest.raises(TooBusy):
            async with reads.open(io.BytesIO(long)):
                pass
        async with reads.open(io.BytesIO(short)):
            pass
    async with reads.open(io.BytesIO(long)):
        pass


async def test_who_waits_for_a_place_gets_it_when_it_is_free() -> None:
    reads = recordings(places=1, queued=1)
    file = sounds.wav(sounds.silence(LONGEST_SECONDS + 1))
    order: list[str] = []

    async def second() -> None:
        async with reads.open(io.BytesIO(file)):
            order.append("second")

    async with reads.open(io.BytesIO(file)):
        waiting = asyncio.create_task(second())
        while not reads._places.waiting:
            await asyncio.sleep(0.01)
        order.append("first")
    await waiting

    assert order == ["first", "second"]
