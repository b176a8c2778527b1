import resource
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from chassis import process
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {ceiling}))
process.open_many_files(1000)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("ceiling", "limit"), [(4096, "1000"), (512, "512")])
def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be(ceiling: int, limit: str) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 4096

    said = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(ceiling=ceiling)],
        env={"PYTHONPATH": "services"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.strip() == limit


ENDING = """
import threading
from chassis import process
threading.Thread(target=threading.Event().wait).start()
print("the last word", end="")
process.end_now(3)
"""


def test_a_service_ends_with_its_last_word_though_a_thread_is_still_at_work() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDING], env={"PYTHONPATH": "services"}, capture_output=True, text=True, timeout=60
    )

    assert (ended.returncode, ended.stdout) == (3, "the last word")
