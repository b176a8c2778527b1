"""Name the folders of a native installation, and the settings that its processes see."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from deploy.env_file import read_env
from deploy.installation import ROOT, SERVICES, STATE
from deploy.whole_file import write_whole

RUN, LOGS, MODELS = STATE / "run", STATE / "logs", STATE / "models"
COUNTS, STARTED, HOME = RUN / "counts", RUN / "started", STATE / "home"
_WORKERS = STATE / "workers.json"
PROGRAMS = (*SERVICES, "proxy")

_FROM_THE_SHELL = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
"""Variables of the shell that a service sees beside `.env`: a key left in somebody's shell must not decide
where a child's words go."""
_PREFIXES_FROM_THE_SHELL = ("LC_", "HF_", "PIP_", "XDG_", "CUDA_", "NVIDIA_")

_PREFIX = re.compile(r'^    prefix(?:: ClassVar\[str\])? = "([A-Z0-9_]+_)"', re.MULTILINE)
_ENGINE = re.compile(r'^    "([a-z0-9-]+)": "[a-z_.]+:\w+"', re.MULTILINE)


@cache
def own_prefixes(service: str) -> tuple[str, ...]:
    """Return how the settings begin that concern one service only, so that a change of theirs replaces no other."""
    code = ROOT / "services" / service
    found = {prefix for source in code.rglob("*.py") for prefix in _PREFIX.findall(source.read_text(encoding="utf-8"))}
    engines = _ENGINE.findall((code / "engines" / "__init__.py").read_text(encoding="utf-8"))
    return tuple(sorted({f"{service.upper()}_", *found, *(f"{name.upper().replace('-', '_')}_" for name in engines)}))


def service_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a service's process sees, given the shell that `make up` was called in."""
    shell = {
        name: value
        for name, value in environ.items()
        if name in _FROM_THE_SHELL or name.startswith(_PREFIXES_FROM_THE_SHELL)
    }
    if not os.access(shell.get("HOME", ""), os.W_OK):  # root's, where another user serves
        shell["HOME"] = str(HOME)
    ours = {"PYTHONPATH": str(ROOT / "services"), "PYTHONUNBUFFERED": "1"}
    settings = {"MODELS_DIR": str(MODELS), **read_env(ROOT / ".env")}
    return {**shell, **settings, **ours}


def fingerprint(service: str, env: Mapping[str, str]) -> str:
    """Sum up what a running service has to be replaced for: its settings (those of `env`), its code, its libraries."""
    others = {prefix for name in SERVICES if name != service for prefix in own_prefixes(name)}
    others -= set(own_prefixes(service))
    settings = {name: value for name, value in sorted(env.items()) if not name.startswith((*others, "TALKBOX_"))}
    sum_ = hashlib.sha256(json.dumps(settings).encode())
    for part in ("chassis", service):
        for source in sorted((ROOT / "services" / part).rglob("*")):
            if source.suffix in (".py", ".txt", ".toml") and source.is_file():
                sum_.update(str(source).encode() + source.read_bytes())
    return sum_.hexdigest()[:16]


def remember_fingerprint(service: str) -> None:
    """Note what a service is started with, for the next `make up` to compare."""
    STARTED.mkdir(parents=True, exist_ok=True)
    write_whole(STARTED / service, fingerprint(service, read_env(ROOT / ".env")))


def is_current(service: str) -> bool:
    """Return True if what runs was started with the settings and the code there are now."""
    noted = STARTED / service
    return noted.exists() and noted.read_text() == fingerprint(service, read_env(ROOT / ".env"))


def workers() -> dict[str, int]:
    """Return the number of workers that each service is to have."""
    remembered = json.loads(_WORKERS.read_text()) if _WORKERS.exists() else {}
    return {service: int(remembered.get(service, 1)) for service in SERVICES}


def remember_workers(service: str, number: int) -> None:
    write_whole(_WORKERS, json.dumps({**workers(), service: number}))


def socket_path() -> Path:
    """Return the path of supervisor's socket, which must be short: a deep checkout has it in a private folder of /tmp.

    Raises:
        PermissionError: That folder belongs to somebody else.
    """
    path = RUN / "supervisor.sock"
    if len(str(path)) < 90:
        return path
    name = f"talkbox-{os.getuid()}-{hashlib.sha256(str(RUN).encode()).hexdigest()[:12]}"
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder / "supervisor.sock"
