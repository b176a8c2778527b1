"""Keep a user of its own for the services that root starts, so that strangers' uploads are not decoded as root."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from deploy.installation import ROOT, STATE
from deploy.native.layout import COUNTS, HOME, MODELS, STARTED

NAME, _ANYONE = "talkbox", "nobody"
NEEDED = "import supervisor, starlette, pathlib; pathlib.Path('deploy/native/service.py').read_bytes()"


def serving_user() -> str | None:
    """Return the name of the user that the services run as; None: the one who starts them."""
    return NAME if os.getuid() == 0 and _exists() and _may_read(NAME) else None


def prepare(*, root_supervises: bool = True) -> str | None:
    """Make the user where root starts Talkbox, and give it what it must read and write.

    Args:
        root_supervises: False: nothing at all will run as root, so that all is the user's.

    Returns:
        Why the services run as root all the same; None if they do not.
    """
    if os.getuid() != 0:
        return None
    if not _may_read(NAME if _exists() else _ANYONE):
        return f"no other user may read {ROOT} or its Python; a checkout in /opt or /srv can be read"
    if not _exists() and not _make():
        return "no user could be made for them (useradd is missing or failed)"
    owner, group = pwd.getpwnam(NAME).pw_uid, grp.getgrnam(NAME).gr_gid
    # What root itself reads, such as nginx's configuration, stays root's.
    for folder in (COUNTS, STARTED, MODELS, HOME) if root_supervises else (STATE,):
        folder.mkdir(parents=True, exist_ok=True)
        _give(folder, owner, group)
    if (ROOT / ".env").exists():
        os.chown(ROOT / ".env", -1, group)
        (ROOT / ".env").chmod(0o640)
    return None


def hand_over(user: pwd.struct_passwd) -> None:
    """Give a user what root has made in that user's checkout: all of it is to run without root."""
    _give(STATE, user.pw_uid, user.pw_gid)
    with suppress(FileNotFoundError):
        os.chown(ROOT / ".env", user.pw_uid, user.pw_gid)


def _exists() -> bool:
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        return False
    return True


def _make() -> bool:
    useradd = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
    if useradd is None:
        return False
    nologin = ["--shell", "/usr/sbin/nologin", "--home-dir", "/nonexistent", "--no-create-home"]
    return subprocess.run([useradd, "--system", "--user-group", *nologin, NAME], capture_output=True).returncode == 0


def _may_read(user: str) -> bool:
    try:
        group = pwd.getpwnam(user).pw_gid
        command = [sys.executable, "-B", "-c", NEEDED]
        tried = subprocess.run(command, cwd=ROOT, user=user, group=group, extra_groups=[], capture_output=True)
    except (OSError, KeyError):  # not even the folder, or the Python in it
        return False
    return tried.returncode == 0


def _give(folder: Path, owner: int, group: int) -> None:
    os.chown(folder, owner, group)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # services that already run keep and remove files meanwhile
                os.chown(os.path.join(place, name), owner, group, follow_symlinks=False)
