import pytest

from llm.engines.gguf.engine import usual_threads


@pytest.mark.parametrize(("available", "threads"), [(1, 1), (2, 2), (3, 2), (4, 3), (8, 7)])
def test_a_model_leaves_a_core_to_ears_and_voice_unless_there_are_only_two(available: int, threads: int) -> None:
    assert usual_threads(available) == threads
