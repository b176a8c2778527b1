"""Program that serves one model file on a port of loopback, by llama.cpp's own server from the package xllamacpp.

It is a process of its own because the package stops all of Python while it loads, and because llama.cpp may end its
process over a damaged file. It reads one line of JSON from stdin, writes the address to stdout, and serves until stdin
is closed, so that it never outlives the service.
"""

import json
import os
import signal
import sys
from importlib import import_module
from typing import Any

_READ_AT_ONCE = 32
"""Tokens that are read in one step, after which llama.cpp goes on with all other answers and looks who has left."""
_ERRORS_ONLY = 1
NICENESS = 5


def _set_parameters(made: Any, wanted: dict[str, Any]) -> None:
    """Set llama.cpp's parameters from the fields of `Wanted`, and close every door that Talkbox does not use."""
    made.model.path = wanted["path"]
    made.model_alias = {wanted["name"]}  # or answers would show the path
    made.n_ctx = wanted["context"]
    made.n_parallel = wanted["concurrent"]
    made.kv_unified = True  # one context for all, or each would have a part of it
    made.n_gpu_layers = wanted["gpu_layers"]
    made.chat_template = wanted["template"]
    made.cpuparams.n_threads = made.cpuparams_batch.n_threads = wanted["threads"]
    made.port = wanted["port"]
    made.api_keys = [wanted["key"]]
    made.ui = made.endpoint_slots = made.endpoint_props = False
    made.n_batch = made.n_ubatch = _READ_AT_ONCE
    made.cache_ram_mib = wanted["prompts_mib"]
    made.fit_params = False
    made.verbosity = _ERRORS_ONLY


def main() -> int:
    for asked_to_end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked_to_end, signal.SIG_IGN)  # the service finishes its answers first, then closes stdin
    os.nice(NICENESS)
    wanted = json.loads(sys.stdin.readline())
    try:
        xllamacpp = import_module("xllamacpp")  # an extra
    except ImportError as exc:  # a library of the system is missing, such as libgomp.so.1
        sys.exit(str(exc))
    parameters = xllamacpp.CommonParams()
    _set_parameters(parameters, wanted)
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError:  # llama.cpp has written the reason to stderr
        return 1
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # at once, though llama.cpp may be in the midst of what nobody waits for any more


if __name__ == "__main__":
    sys.exit(main())
