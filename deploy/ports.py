"""`python -m deploy.ports [PORT]`: says whether the ports of an installation can be had, or else who has them.

MODE=containers runs it; PORT is that of a proxy which gives way. Plain Python without dependencies, and of any
version from 3.9 on.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from deploy.installation import SERVICES, Addresses, wanted
from deploy.phrases import phrase

_PROC = Path("/proc")
_LISTENING = "0A"
_FIRST_OF_EVERYBODY = 1024


class UnusablePort(ValueError):
    """Raised for a port or an address that cannot be had; names who has it, and what to change."""


def proxy_ports(addresses: Addresses) -> frozenset[int]:
    """Return the ports that are reached from outside."""
    return frozenset({addresses.port, *map(addresses.base_port, SERVICES)})


def ports(addresses: Addresses) -> frozenset[int]:
    """Return all ports of a native installation."""
    return proxy_ports(addresses) | set(map(addresses.own_port, SERVICES))


def check_ports(addresses: Addresses, wanted_ports: Iterable[int]) -> None:
    """Check that no other program has one of the ports.

    Raises:
        UnusablePort: One is taken, or cannot be had at all.
    """
    taken = [port for port in sorted(wanted_ports) if is_taken(addresses, port)]
    if taken:
        first = next(port for port in range(18080, 65000, 100) if not _blocked(addresses.bind, port))
        raise UnusablePort(phrase("ports_taken", taken=", ".join(map(described, taken)), first=first))


def is_taken(addresses: Addresses, port: int) -> bool:
    """Return whether another program has a port.

    Raises:
        UnusablePort: It takes root's rights, or the address is none of this machine.
    """
    if port >= addresses.own_port("stt"):
        return _is_taken("127.0.0.1", port)
    if addresses.bind:
        return _is_taken(addresses.bind, port)
    return _is_taken("0.0.0.0", port) or (has_ipv6() and _is_taken("::", port))


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _is_taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((host, port))
        except PermissionError as exc:
            raise UnusablePort(phrase("port_of_root", port=port)) from exc
        except OSError as exc:
            if isinstance(exc, socket.gaierror) or exc.errno in (errno.EADDRNOTAVAIL, errno.ENODEV):
                raise UnusablePort(phrase("bind_elsewhere", host=host)) from exc
            return True
    return False


def _blocked(bind: str, port: int) -> bool:
    addresses = Addresses(port, bind)
    return any(is_taken(addresses, number) for number in ports(addresses))


def described(port: int) -> str:
    """Return a port with who listens on it, as `8080 (nginx, process 812)`; alone if that cannot be seen."""
    found = _listener(port)
    if found is None:
        return str(port)
    pid, program = found
    container = _container(port) if program == "docker-proxy" else ""
    return f"{port} ({container})" if container else phrase("port_holder", port=port, program=program, pid=pid)


def _listener(port: int) -> tuple[int, str] | None:
    """Return process and program of who listens; None where it is another user's, whom only root sees."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            if any(os.readlink(file) in sockets for file in (folder / "fd").iterdir()):
                return int(folder.name), (folder / "comm").read_text().strip()
    return None


def _inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    return inodes


def _container(port: int) -> str:
    """Return the name of the container that has a port of the machine; empty if Docker does not say."""
    if shutil.which("docker") is None:
        return ""
    command = ["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"]
    with suppress(subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()
    return ""


def main() -> int:
    former = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else None
    try:
        addresses = Addresses.of(wanted())
        held = proxy_ports(Addresses(former)) if former else frozenset()
        wants = proxy_ports(addresses) - held
        # The engine opens them, and as root.
        check_ports(addresses, (port for port in wants if port >= _FIRST_OF_EVERYBODY or os.getuid() == 0))
    except ValueError as exc:
        print(f"\n{exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
