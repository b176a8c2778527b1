import sys
from itertools import pairwise

import numpy as np
import pytest

from chassis.threads import Stop
from fixtures import sounds
from stt.hearing import RATE
from stt.sound.vad import WINDOW, parts, pause, probabilities, spans

CLICKS = np.where(np.arange(5 * RATE) % 8000 < 20, 0.8, 0.0).astype(np.float32)


@pytest.mark.parametrize(
    "sound",
    [
        sounds.silence(5),
        sounds.noise(5),
        sounds.noise(5, 0.3),
        sounds.tone(5),
        sounds.tone(5, hertz=50),
        CLICKS,
        np.zeros(0, np.float32),
        np.zeros(1, np.float32),
    ],
    ids=["silence", "noise", "loud noise", "a tone", "hum", "clicks", "nothing", "one sample"],
)
def test_where_nobody_speaks_there_is_no_part(sound: sounds.Samples) -> None:
    assert parts(sound, Stop(), longest_seconds=12, gap_seconds=1) == []


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
def test_words_are_found_where_they_are_said() -> None:
    said = sounds.spoken("Hello little bear. How are you today?")
    sound = np.concatenate([sounds.silence(3), said, sounds.silence(4), said])

    first, second = parts(sound, Stop(), longest_seconds=12, gap_seconds=1)

    assert first[0] / RATE == pytest.approx(3, abs=0.4)
    assert first[1] / RATE == pytest.approx(3 + len(said) / RATE, abs=0.5)
    assert second[0] / RATE == pytest.approx(7 + len(said) / RATE, abs=0.4)
    assert parts(sound, Stop(), longest_seconds=60, gap_seconds=5) == [(first[0], second[1])]


def likely(*runs: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """So many seconds of such a probability, one after the other."""
    windows = [np.full(round(seconds * RATE / WINDOW), probability) for seconds, probability in runs]
    return np.concatenate(windows).astype(np.float32)


def shown(probability: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[tuple[float, float]]:
    found = spans(probability, len(probability) * WINDOW)
    return [(round(begin / RATE, 1), round(end / RATE, 1)) for begin, end in found]


def test_speech_is_padded_within_the_sound() -> None:
    assert shown(likely((2, 0), (1, 0.9), (2, 0))) == [(1.6, 3.4)]
    assert shown(likely((1, 0.9), (0.1, 0))) == [(0.0, 1.1)]


def test_a_short_pause_does_not_end_it_and_a_long_one_does() -> None:
    assert len(shown(likely((1, 0), (1, 0.9), (0.3, 0), (1, 0.9), (1, 0)))) == 1
    assert len(shown(likely((1, 0), (1, 0.9), (0.7, 0), (1, 0.9), (1, 0)))) == 2


def test_what_lasts_no_tenth_of_a_second_is_no_speech() -> None:
    assert shown(likely((1, 0), (0.07, 0.9), (1, 0))) == []


def test_what_is_in_doubt_goes_on_but_does_not_begin() -> None:
    assert shown(likely((1, 0.3))) == []
    assert shown(likely((1, 0.9), (1, 0.3))) == [(0.0, 2.0)]


def test_spans_do_not_overlap() -> None:
    (_, end), (begin, _) = spans(likely((1, 0.9), (0.55, 0), (1, 0.9)), 10 * RATE)

    assert end <= begin


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
def test_speech_without_a_pause_is_cut_all_the_same() -> None:
    said = np.concatenate([sounds.spoken("one two three four five six seven eight nine ten")[4000:-6000]] * 6)

    found = parts(said, Stop(), longest_seconds=5, gap_seconds=1)

    assert max(end - begin for begin, end in found) <= 5 * RATE
    assert all(end <= begin for (_, end), (begin, _) in pairwise(found))
    assert found[-1][1] - found[0][0] > 0.9 * len(said)


def test_long_sounds_are_looked_at_in_pieces_without_a_seam() -> None:
    sound = sounds.noise(70, 0.2)

    whole = probabilities(sound, Stop())

    assert len(whole) == -(-len(sound) // WINDOW)
    np.testing.assert_allclose(whole[:900], probabilities(sound[: 900 * WINDOW], Stop()), atol=1e-4)


def test_faster_whisper_is_not_loaded_for_it() -> None:
    import subprocess

    program = (
        "import sys, numpy; from stt.sound import vad; from chassis.threads import Stop; "
        "vad.probabilities(numpy.zeros(16000, 'f'), Stop()); "
        "assert not {'faster_whisper', 'ctranslate2', 'huggingface_hub'} & set(sys.modules)"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": ""}

    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=60)


def test_a_sound_is_cut_in_the_middle_of_its_longest_silence() -> None:
    assert pause(likely((1, 0.9), (0.3, 0), (1, 0.9), (0.6, 0), (1, 0.9))) * WINDOW / RATE == pytest.approx(
        2.6, abs=0.1
    )
    assert pause(likely((1, 0.1))) * WINDOW / RATE == pytest.approx(0.5, abs=0.05)


def test_without_a_silence_it_is_cut_where_speech_is_least_likely() -> None:
    assert pause(likely((1, 0.9), (0.1, 0.4), (1, 0.9))) * WINDOW / RATE == pytest.approx(1, abs=0.05)
