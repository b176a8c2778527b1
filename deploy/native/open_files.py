"""How many files a process may open: every caller and every connection to an upstream takes one."""

import resource
from contextlib import suppress

LEAST_FILES = 256
_MOST_FILES = 16384


def most_open_files() -> int:
    """Return how many files the programs may open, once the limit is raised as far as this user may."""
    ceiling = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if ceiling != resource.RLIM_INFINITY and ceiling < _MOST_FILES:
        with suppress(ValueError, OSError):  # only root may
            resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES, _MOST_FILES))
    ceiling = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _MOST_FILES if ceiling == resource.RLIM_INFINITY else min(ceiling, _MOST_FILES)
