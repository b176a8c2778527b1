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
