"""Chats as OpenTelemetry's conventions for generative AI name and measure them, for boards that others have made."""

from functools import lru_cache
from time import monotonic

from chassis import spans
from chassis.metrics import Histogram, of
from llm.answer.usage import Counts

_LABELS = ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"]

duration = Histogram(
    "gen_ai_server_request_duration_seconds",
    "Seconds to the last token",
    [*_LABELS, "error_type"],
    buckets=[0.01 * 2**power for power in range(14)],
)
first_token = Histogram(
    "gen_ai_server_time_to_first_token_seconds",
    "Seconds to the first token of an answer that was given",
    _LABELS,
    buckets=[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
)
token_usage = Histogram(
    "gen_ai_client_token_usage",
    "Input and output tokens of a chat",
    [*_LABELS, "gen_ai_token_type"],
    buckets=[4**power for power in range(14)],
)


@lru_cache(maxsize=256)
def _of_answers(engine: str, model: str) -> tuple[Histogram, Histogram, Histogram, Histogram]:
    """Return the histograms of answers by `engine`: duration, first token, tokens in and out."""
    labels = ("chat", engine, model)
    asked, answered = token_usage.labels(*labels, "input"), token_usage.labels(*labels, "output")
    return duration.labels(*labels, ""), first_token.labels(*labels), asked, answered


class Measured:
    """One chat from its arrival to its end.

    Args:
        model: Model that is counted: an engine's name, or a word for all others, since callers may write anything.
    """

    def __init__(self, model: str) -> None:
        self._model, self._began = model, monotonic()
        self._first: float | None = None

    def begin(self) -> None:
        """Note the first token."""
        self._first = monotonic() - self._began

    def end(self, engine: str, counts: Counts) -> None:
        """Count an answer, whole or broken off; `engine` gave it."""
        whole, first, asked, answered = _of_answers(engine, self._model)
        whole.observe(monotonic() - self._began)
        if self._first is not None:
            first.observe(self._first)
        asked.observe(counts.prompt_tokens)
        answered.observe(counts.completion_tokens)
        spans.describe("gen_ai.usage.input_tokens", counts.prompt_tokens)
        spans.describe("gen_ai.usage.output_tokens", counts.completion_tokens)

    def fail(self, reason: str) -> None:
        """Count a chat that no engine answered."""
        of(duration, "chat", "", self._model, reason).observe(monotonic() - self._began)
