"""Everything that changes the whole process, with its reason; each service calls what it needs from here.

What lives beside a library that only one room imports stays there, and is listed so that nobody has to search:

- `stt/sound/decode.py`: FFmpeg's `av_max_alloc`, which bounds what one allocation may take.
- `tts/engines/edge/`: edge-tts's `aiohttp`, `WSS_URL` and `VOICE_LIST`, to hold connections open and to reach an
  imitation in tests.
- `sse_starlette` replaces `uvicorn.Server.handle_exit` when it is imported, to end its event streams on SIGTERM.
"""

import ctypes
import gc
import logging
import os
import resource
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn, Protocol

SWITCH_SECONDS = 0.001
"""Longest turn of a thread that holds Python's lock; Python's own 5 ms show in /healthz."""
_GARBAGE = 10_000
"""New objects after which Python looks for cycles among them."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Numbers of the C library for its two options."""
_MOST_FILES = 65_536
"""Open files that one process asks for."""
_KEPT_BYTES = 16 * 2**20
_LARGEST_CLAUSE_BYTES = 2 * 2**20


class _Exits(Protocol):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None: ...


def multiply_in_one_thread() -> None:
    """Keep OpenBLAS to one thread; call it before numpy is imported.

    Its threads would spin for a while after each product, on the cores where models and the event loop are at work;
    what is multiplied here is small.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def switch_threads_often() -> None:
    """Let the event loop have Python's lock soon although other threads compute."""
    sys.setswitchinterval(SWITCH_SECONDS)


def keep_freed_memory() -> None:
    """Keep the memory of one clause's sound for the next one's.

    To give it back and to get it anew, as empty pages, costs about as much as to make the sound louder.
    """
    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):  # other C libraries have no such thing
        set_option(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        set_option(_M_MMAP_THRESHOLD, _LARGEST_CLAUSE_BYTES)


def open_many_files(most: int = _MOST_FILES) -> int:
    """Raise the limit of open files, of which each caller and each connection to an upstream takes one.

    A login or a container often begins at 1024, which 512 answers at a time fill; what may be had is mostly far more.

    Returns:
        How many may be open now.
    """
    limit, ceiling = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
    if limit != resource.RLIM_INFINITY and limit < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, ceiling))
        return wanted
    return most if limit == resource.RLIM_INFINITY else limit


def spare_the_living() -> None:
    """Take what is loaded by now out of the search for garbage, which would hold up everybody for milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])


def skip_what_no_line_shows() -> None:
    """Switch off what logging looks up for each line and no line of ours shows: a third of what one costs."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # since 3.12
    logging._srcfile = None  # the way that logging's own manual names


def end_now(code: int) -> NoReturn:
    """End the process with this exit code, once a service has closed what it opened.

    Python's own way out would unwind threads that come back from a library in C++, as one does in which a model is
    being loaded: that ends in abort() or SIGSEGV.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


def end_by_signal(server: _Exits) -> None:
    """Let SIGTERM and SIGINT end `server`, and nothing more: uvicorn raises the signal again and dies of it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
