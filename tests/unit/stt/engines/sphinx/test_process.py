import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stt.engines.sphinx.process import UnusableGrammar, _read, _write, likelihood, listener, words

KNOWN = frozenset(["please", "tell", "me", "a", "story", "hello", "bear", "good", "night", "sing"])


@dataclass
class Part:
    word: str
    start_frame: int
    end_frame: int


class Best(NamedTuple):
    best_score: float


class FakeDecoder:
    """Knows the words of `KNOWN`, hears `parts`, and notes what it is given."""

    def __init__(self, *, parts: Iterable[Part] | None = (), score: float = 1.0, **options: Any) -> None:
        self.parts, self.score, self.options = parts, score, options
        self.listed = Path(options["kws"]).read_text(encoding="utf-8") if "kws" in options else None
        self.calls: list[Any] = []

    def lookup_word(self, word: str) -> str | None:
        return word if word in KNOWN else None

    def reinit_feat(self) -> None:
        self.calls.append("forget")

    def start_utt(self) -> None:
        self.calls.append("start")

    def process_raw(self, samples: bytes, *, full_utt: bool) -> None:
        self.calls.append((samples, full_utt))

    def end_utt(self) -> None:
        self.calls.append("end")

    def hyp(self) -> Best | None:
        return None if self.parts is None else Best(self.score)

    def n_frames(self) -> int:
        return 200

    def seg(self) -> Iterable[Part]:
        assert self.parts is not None
        return self.parts


def test_words_come_in_the_order_of_their_times_without_noise_and_variants() -> None:
    decoder = FakeDecoder(
        parts=[
            Part("<s>", 0, 9),
            Part("good night ", 150, 199),
            Part("hello(2)", 10, 49),
            Part("[NOISE]", 50, 59),
            Part("++UH++", 60, 69),
        ]
    )

    assert words(decoder, b"ab") == [("hello", 0.1, 0.5), ("good night", 1.5, 2.0)]
    assert decoder.calls == ["forget", "start", (b"ab", True), "end"]


def test_where_it_makes_nothing_out_there_are_no_words() -> None:
    assert words(FakeDecoder(parts=None), bytes(2)) == []
    assert likelihood(FakeDecoder(parts=None)) == 0.0


def test_the_likelihood_is_that_of_a_frame_in_the_logarithms_of_pocketsphinx() -> None:
    assert likelihood(FakeDecoder(score=1.0001**-8000)) == pytest.approx(-40.0)


def test_without_settings_it_hears_any_english() -> None:
    options = listener(FakeDecoder).options

    assert not {"lm", "jsgf", "kws"} & options.keys()


def test_keywords_are_listed_with_their_thresholds_and_the_list_is_gone_afterwards() -> None:
    made = listener(FakeDecoder, keywords=[("hello bear", 1e-25), ("good night", 0.5)])

    assert made.listed == "hello bear /1e-25/\ngood night /0.5/\n"
    assert not Path(made.options["kws"]).exists()


def test_only_the_words_of_a_grammar_are_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "bear.jsgf"
    path.write_text(
        """#JSGF V1.0 UTF-8 en;
        /* 熊 is told
           something */
        grammar toys.xiaobao;
        import <other.rule>;
        <verb> = /1.5e-3/ tell me {xiaobao} | sing; // 或者
        public <momo> = (please <verb>)+ ["a" story]*;
        """,
        encoding="utf-8",
    )

    assert listener(FakeDecoder, grammar=str(path)).options["jsgf"] == str(path)


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        (["Hello bear"], "'Hello';"),
        (["小熊 小熊"], "no '小熊';"),
        ([f"w{number}" for number in range(12)], "'w9';"),
    ],
)
def test_words_that_it_does_not_know_are_named_once_and_not_all_of_many(keywords: list[str], named: str) -> None:
    with pytest.raises(UnusableGrammar, match=named):
        listener(FakeDecoder, keywords=[(phrase, 1.0) for phrase in keywords])


def test_a_grammar_that_is_no_text_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "b.jsgf").write_bytes(b"\xff\xfe")

    with pytest.raises(UnusableGrammar, match="cannot be read"):
        listener(FakeDecoder, grammar=str(tmp_path / "b.jsgf"))


@pytest.mark.parametrize("left", [b"", bytes(4), (9).to_bytes(4, "little")], ids=["nothing", "zero", "a length alone"])
def test_an_input_that_ends_gives_nothing_to_hear(left: bytes) -> None:
    source = io.BytesIO((3).to_bytes(4, "little") + b"abc" + left)

    assert _read(source) == b"abc"
    assert not _read(source)


def test_an_answer_has_its_length_in_bytes_and_not_in_letters() -> None:
    sink = io.BytesIO()

    _write(sink, [("小熊", 0.1, 0.5)])

    sent = sink.getvalue()
    assert int.from_bytes(sent[:4], "little") == len(sent) - 4
    assert json.loads(sent[4:]) == [["小熊", 0.1, 0.5]]
