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
from deploy.native.control import down
from deploy.native.supervision import Trouble, is_running
from deploy.ports import check_ports, ports

UNITS = Path("/etc/systemd/system")
_UNIT = """\
# Made by `make install` in {checkout}; `make uninstall` removes it.
[Unit]
Description=Talkbox: ears, a mind and a mouth for AI toys
Documentation={manual}
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User={user}
WorkingDirectory={root}
Environment={home} PYTHONDONTWRITEBYTECODE=1
ExecStartPre={python} -m deploy.native.control write
ExecStart={python} -m supervisor.supervisord --nodaemon -c {config}
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
    return _UNIT.format(
        name=unit_name(addresses),
        checkout=ROOT,
        root=_plain(ROOT),
        manual=_plain((ROOT / "README.md").as_uri()),
        home=_word(f"HOME={STATE}/home"),
        config=_word(layout.RUN / "supervisord.conf"),
        python=_word(sys.executable),
        user=user,
        writable=" ".join(map(_word, [STATE, *_own_folders(settings)])),
        capabilities="CAP_NET_BIND_SERVICE" if addresses.port < 1024 else "",
        devices="" if has_gpu else "PrivateDevices=yes\n",
    )


def _plain(text: object) -> str:
    """Escape the percent sign, which means more than itself to systemd."""
    return str(text).replace("%", "%%")


def _word(text: object) -> str:
    """Return what systemd reads as one word, whatever is in it."""
    return '"' + _plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _own_folders(settings: Mapping[str, str]) -> list[Path]:
    """Return the folders outside of the checkout that the services write to."""
    folders = [Path(settings[name]).expanduser() for name in _FOLDER_SETTINGS if settings.get(name)]
    if (store := settings.get("LIMITS_STORE")) and "://" not in store:
        folders.append(Path(store).expanduser().parent)
    return folders


def installed(units: Path = UNITS) -> list[Path]:
    """Return the units that were made from this checkout; their names have the ports of that time."""
    made = f"in {ROOT};"
    return [path for path in sorted(units.glob("talkbox*.service")) if made in path.read_text(encoding="utf-8")]


def install() -> None:
    """Write the unit, and have it started now and with the machine.

    Raises:
        Trouble: This machine has no systemd, or the user may not read the checkout.
        UnusablePort: Another program has a port.
    """
    _check_rights()
    settings = wanted()
    addresses, user = Addresses.of(settings), _owner()
    path = UNITS / f"{unit_name(addresses)}.service"
    ours = installed()
    if path.exists() and path not in ours:
        raise Trouble(f"{path} belongs to another checkout. Give this one another TALKBOX_PORT.")
    for former in ours:
        if former != path:
            _remove(former)
    if not _is_active(path):
        if is_running():
            down()  # it was started by `make up`, and has the ports
        check_ports(addresses, ports(addresses))
    _make_folders(settings, user)
    path.write_text(unit(settings, addresses, user, has_gpu=Path("/dev/nvidiactl").exists()), encoding="utf-8")
    for command in (["daemon-reload"], ["enable", "--now", path.stem]):
        _systemctl(*command)
    print(f"{path.stem} runs as the user {user}, and starts with the machine. `systemctl status {path.stem}` shows it.")


def _make_folders(settings: Mapping[str, str], user: str) -> None:
    """Make the folders that the unit names, without which systemd would not start it, and give new ones to the user."""
    for folder in (layout.RUN / "temp", layout.LOGS, layout.MODELS):
        folder.mkdir(parents=True, exist_ok=True)
    if user != users.NAME:
        users.hand_over(pwd.getpwnam(user))
    elif reason := users.prepare(root_supervises=False):
        raise Trouble(f"The services would run as root: {reason}.")
    for folder in _own_folders(settings):
        if not folder.exists():
            folder.mkdir(parents=True)
            shutil.chown(folder, user)


def uninstall() -> None:
    """Stop the unit and remove it; settings, weights and logs stay."""
    _check_rights()
    ours = installed()
    for path in ours:
        _remove(path)
        (STATE / "mode").unlink(missing_ok=True)
        print(f"{path.stem} is gone. .env and .talkbox stay.")
    if not ours:
        print("Nothing is installed from here.")


def _remove(path: Path) -> None:
    _systemctl("disable", "--now", path.stem)
    path.unlink()
    _systemctl("daemon-reload")


def _is_active(path: Path) -> bool:
    return subprocess.run(["systemctl", "is-active", "--quiet", path.stem], check=False).returncode == 0


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
