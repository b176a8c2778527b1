"""Join clauses of mp3 without decoding: silence is trimmed and inserted in whole frames."""

from tts.audio import mp3_frames
from tts.audio.encoders import Encoder, Mp3, encoder
from tts.audio.mp3_frames import SAMPLES
from tts.audio.pcm import Sound
from tts.audio.resample import PcmSource, source

MOST_RATE = 24_000
"""Highest sample rate of mp3 that is joined in frames: that of MPEG 2."""
BEFORE, AFTER = 1, 2
"""Number of an engine's own silent frames that are kept before and after a clause, so that nothing soft is cut off."""
LEAST_END_SECONDS = 0.09
"""Silence at the end of an answer: mp3 needs some to be as long as the sound, and players cut off a loud end."""


class FrameEdges:
    """Trimmer of the silence at the beginning and end of clauses of mp3; other frames are passed on without delay.

    One serves the clauses of an answer in turn. The silence between two is sent before the second one, since that may
    bring some of its own: silent frames that hold bytes of loud ones.
    """

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._frames = _Frames(sound)
        self._held: list[bytes] = []
        self._begun = False
        self._form = b""
        self._due: list[bytes] = []
        """Silent frames that are due before the next loud one."""

    def feed(self, piece: bytes) -> bytes:
        """Return the frames up to the last loud one; the silent ones behind it are held back."""
        return self._up_to_silence(self._frames.feed(piece))

    def finish(self, pause: float | None) -> bytes:
        """Return the end of the clause.

        Args:
            pause: Seconds of silence before the next one; None after the last, which keeps the engine's own silence,
                lengthened if too short.
        """
        heard = self._up_to_silence(self._frames.finish())
        if self._begun and pause is None:
            heard += b"".join(self._held + self._silence(self._count(LEAST_END_SECONDS) - len(self._held)))
        elif self._begun and pause is not None:
            count = self._count(pause)
            self._due = [*self._held[:AFTER], *self._silence(count)][:count]
        self._frames, self._held, self._begun = _Frames(self._sound), [], False
        return heard

    def _up_to_silence(self, frames: list[bytes]) -> bytes:
        last = next((at for at in reversed(range(len(frames))) if mp3_frames.is_loud(frames[at])), None)
        if last is None:
            self._held += frames
            return b""
        behind, self._held = frames[last + 1 :], self._held + frames[: last + 1]
        if not self._begun:
            first = next(at for at, frame in enumerate(frames) if mp3_frames.is_loud(frame))
            self._begun, self._held = True, self._beginning(self._held, len(self._held) - 1 - last + first)
        heard, self._held = b"".join(self._held), behind
        return heard

    def _beginning(self, frames: list[bytes], loud: int) -> list[bytes]:
        """Return the pause that is due, and the frames from shortly before the first loud one.

        Frames before those are kept, without sound, as far as these need their bytes.
        """
        begin = max(0, loud - BEFORE)
        carriers: list[bytes] = []
        missing = mp3_frames.backstep(frames[begin])
        for frame in reversed(frames[:begin]):
            if missing <= 0:
                break
            carriers.insert(0, frame)
            missing -= mp3_frames.main_bytes(frame)
        there = 0
        for at, frame in enumerate(carriers):
            carriers[at] = mp3_frames.hushed(frame, min(mp3_frames.backstep(frame), there))
            there += mp3_frames.main_bytes(frame)
        self._form = frames[loud]
        due, self._due = self._due[: max(1, len(self._due) - len(carriers))], []
        return [*due, *carriers, *frames[begin:]]

    def _silence(self, number: int) -> list[bytes]:
        return [mp3_frames.silent(self._form)] * number

    def _count(self, seconds: float) -> int:
        return round(seconds * self._sound.rate / SAMPLES)


class _Frames:
    """Cutter of one clause into frames that can be joined; mp3 of another form is decoded and encoded anew."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._rest = b""
        self._there = 0
        """Number of bytes of main data that have come."""
        self._anew: tuple[PcmSource, Encoder] | None = None

    def feed(self, piece: bytes) -> list[bytes]:
        return self._encoded(piece) if self._anew else self._cut(piece)

    def finish(self) -> list[bytes]:
        if self._anew is None:
            return []
        decoder, coder = self._anew
        return self._cut(b"".join(map(coder.encode, decoder.finish())) + coder.finish())

    def _encoded(self, piece: bytes) -> list[bytes]:
        assert self._anew is not None
        decoder, coder = self._anew
        return self._cut(b"".join(map(coder.encode, decoder.feed(piece))))

    def _cut(self, piece: bytes) -> list[bytes]:
        frames, self._rest = mp3_frames.cut(self._rest + piece)
        if not mp3_frames.fit(frames, self._sound.rate):
            rest, self._rest, self._there = self._rest, b"", 0
            rate = self._sound.rate
            kbits = self._sound.bytes_per_second * 8 // 1000
            self._anew = source(self._sound, rate=rate), encoder("mp3", Mp3(kbits, rate))
            return self._encoded(b"".join(frames) + rest)
        if frames and not self._there:
            frames = [frame for frame in frames if not mp3_frames.is_tag(frame)]
        return [self._playable(frame) for frame in frames]

    def _playable(self, frame: bytes) -> bytes:
        """Return the frame, or a silent one where it needs bytes that have not come."""
        back, there = mp3_frames.backstep(frame), self._there
        self._there += mp3_frames.main_bytes(frame)
        return frame if back <= there else mp3_frames.hushed(frame, there)
