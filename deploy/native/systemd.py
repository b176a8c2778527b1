"""`python -m deploy.native.systemd install|uninstall`: Talkbox as a service of the system, started with the machine."""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.env_file import UnreadableEnv
from deploy.installation import ROOT, STATE, Addresses, wanted
from deploy.native import layout, users
from deploy.native.supervision import Trouble

UNITS = Path("/etc/systemd/system")
_UNIT = """\
# Made by `make install` in {root}; `make uninstall` removes it.
[Unit]
Description=Talkbox: ears, a mind and a mouth for AI toys
Documentation=file:{root}/README.md
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User={user}
WorkingDirectory={root}
Environment=HOME={state}/home PYTHONDONTWRITEBYTECODE=1
ExecStartPre={python} -m deploy.native.control write
ExecStart={python} -m supervisor.supervisord --nodaemon -c {run}/supervisord.conf
# New settings and new code take over without a break: `systemctl reload {name}`, which `make up` does, too.
ExecReload={python} -m deploy.native.control up
Restart=always
RestartSec=2
KillMode=mixed
TimeoutStartSec=60
TimeoutStopSec=40
LimitNOFILE=65536
UMask=0027

NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={writable}
PrivateTmp=yes
{devices}ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"""
_FOLDER_SETTINGS = ("TTS_CACHE_DIR", "MODELS_DIR")


def unit_name(addresses: Addresses) -> str:
    """Return the unit's name; several installations on one machine differ by their ports."""
    return "talkbox" if addresses.port == 8080 else f"talkbox-{addresses.port}"


def unit(settings: Mapping[str, str], addresses: Addresses, user: str, *, has_gpu: bool) -> str:
    """Return the text of the unit."""
    folders = [Path(settings[name]).expanduser() for name in _FOLDER_SETTINGS if settings.get(name)]
    if (store := settings.get("LIMITS_STORE")) and "://" not in store:
        folders.append(Path(store).expanduser().parent)
    return _UNIT.format(
        name=unit_name(addresses),
        root=ROOT,
        state=STATE,
        run=layout.RUN,
        python=sys.executable,
        user=user,
        writable=" ".join(map(str, [STATE, *folders])),
        capabilities="CAP_NET_BIND_SERVICE" if addresses.port < 1024 else "",
        devices="" if has_gpu else "PrivateDevices=yes\n",
    )


def install() -> None:
    """Write the unit, and have it started now and with the machine.

    Raises:
        Trouble: This machine has no systemd, or the user may not read the checkout.
    """
    _check_rights()
    settings = wanted()
    addresses, user = Addresses.of(settings), _owner()
    for folder in (layout.RUN / "temp", layout.LOGS, layout.MODELS):
        folder.mkdir(parents=True, exist_ok=True)
    if user == users.NAME and (reason := users.prepare(root_supervises=False)):
        raise Trouble(f"The services would run as root: {reason}.")
    text = unit(settings, addresses, user, has_gpu=Path("/dev/nvidiactl").exists())
    path = UNITS / f"{unit_name(addresses)}.service"
    if path.exists() and f"in {ROOT};" not in path.read_text():
        raise Trouble(f"{path} belongs to another checkout. Give this one another TALKBOX_PORT.")
    path.write_text(text)
    for command in (["daemon-reload"], ["enable", "--now", path.stem]):
        _systemctl(*command)
    print(f"{path.stem} runs as the user {user}, and starts with the machine. `systemctl status {path.stem}` shows it.")


def uninstall() -> None:
    """Stop the unit and remove it; settings, weights and logs stay."""
    _check_rights()
    path = UNITS / f"{unit_name(Addresses.of(wanted()))}.service"
    if not path.exists() or f"in {ROOT};" not in path.read_text():
        print("Nothing is installed from here.")
        return
    _systemctl("disable", "--now", path.stem)
    path.unlink()
    _systemctl("daemon-reload")
    print(f"{path.stem} is gone. .env and .talkbox stay.")


def _check_rights() -> None:
    if shutil.which("systemctl") is None or not Path("/run/systemd/system").exists():
        raise Trouble("systemd does not run here. Start `make up` in whatever way this machine starts its services.")
    if os.getuid() != 0:
        raise Trouble("This takes root's rights: `sudo make install`.")


def _owner() -> str:
    """Return the user that the checkout belongs to; the services' own one if that is root."""
    owner = ROOT.stat().st_uid
    return users.NAME if owner == 0 else pwd.getpwuid(owner).pw_name


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True)
    if done.returncode:
        raise Trouble(f"systemctl {' '.join(words)} failed:\n{done.stderr.strip()}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.native.systemd")
    parser.add_argument("command", choices=["install", "uninstall"])
    try:
        {"install": install, "uninstall": uninstall}[parser.parse_args().command]()
    except (Trouble, UnreadableEnv, ValueError) as exc:
        print(f"\n{exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
