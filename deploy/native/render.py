"""Make the files that supervisor and nginx read, from settings and addresses."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

from deploy.installation import ROOT, SERVICES, Addresses
from deploy.native.layout import LOGS, RUN, socket_path
from deploy.native.open_files import most_open_files
from deploy.ports import has_ipv6

TEMPLATE = ROOT / "proxy" / "nginx.conf.template"
_SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/local/nginx/sbin")
STOP_SECONDS = 20
_PROXY_START_SECONDS = 4
"""Time that nginx must run to count as started: longer than the 2.5 s for which it tries to have its ports."""
_LEAST_BODY_BYTES = 32 * 2**20
_BODY_SLACK_BYTES = 2**20

NGINX_MAIN = """\
{user}worker_processes auto;
pid "{run}/nginx.pid";
error_log stderr warn;
daemon off;

events {{
    worker_connections {connections};
}}

http {{
    include "{mime_types}";
    default_type application/octet-stream;
    client_body_temp_path "{run}/temp/body";
    proxy_temp_path "{run}/temp/proxy";
    fastcgi_temp_path "{run}/temp/fastcgi";
    uwsgi_temp_path "{run}/temp/uwsgi";
    scgi_temp_path "{run}/temp/scgi";
    sendfile on;
    keepalive_timeout 65s;
    include "{proxy}";
}}
"""

_SUPERVISOR = """\
[supervisord]
identifier = talkbox
directory = {root}
pidfile = {run}/supervisord.pid
logfile = {logs}/supervisor.log
logfile_maxbytes = 5MB
logfile_backups = 2
childlogdir = {logs}
minfds = {files}
{user}
[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://{socket}
"""

PROGRAM = """
[program:{name}]
command = {command}
{user}autorestart = true
startsecs = {start_seconds}
startretries = 5
stopsignal = {stop_signal}
stopwaitsecs = {stop_seconds}
killasgroup = true
redirect_stderr = true
stdout_logfile = {logs}/{name}.log
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 3
"""


def find_nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path=os.pathsep.join(_SBIN))


def nginx_command(nginx: str, config: Path) -> list[str]:
    return [nginx, "-e", "stderr", "-p", str(RUN), "-c", str(config)]


def proxy_config(template: str, addresses: Addresses, settings: Mapping[str, str]) -> str:
    """Fill in the template, as the image's entry point does in containers."""
    values = {
        "TALKBOX_RESOLVER": "",
        "TALKBOX_NEXT_SERVER_ON": "error timeout non_idempotent",
        "TALKBOX_REAL_IP": _real_ip(settings.get("TALKBOX_TRUSTED_PROXIES", "")),
        "TALKBOX_ORIGINS": settings.get("TALKBOX_ORIGINS", ""),
        "TALKBOX_MAX_BODY": str(max_body_bytes(settings)),
        "TALKBOX_PAGES": f'"{ROOT / "proxy" / "site"}"',
        "TALKBOX_ACCESS_LOG": "/dev/stdout",
        "TALKBOX_LISTEN": _listen(addresses.bind, addresses.port),
    }
    for service in SERVICES:
        server = f"server 127.0.0.1:{addresses.own_port(service)} max_fails=0;"
        values[f"TALKBOX_SERVERS_{service.upper()}"] = f"{server} {server}"
        values[f"TALKBOX_LISTEN_{service.upper()}"] = _listen(addresses.bind, addresses.base_port(service))
    text = "\n".join(line for line in template.splitlines() if not line.startswith("#"))
    return re.sub(r"\$\{(TALKBOX_\w+)\}", lambda found: values[found[1]], text) + "\n"


def _real_ip(trusted: str) -> str:
    """Return nginx's words for `TALKBOX_TRUSTED_PROXIES`: addresses and networks, separated by commas.

    Raises:
        ValueError: One is neither.
    """
    networks = [part.strip() for part in trusted.split(",") if part.strip()]
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError as exc:
            raise ValueError(f"TALKBOX_TRUSTED_PROXIES: {network!r} is no address and no network.") from exc
    trust = "".join(f"set_real_ip_from {network}; " for network in networks)
    return f"{trust}real_ip_header X-Forwarded-For; real_ip_recursive on;" if trust else ""


def max_body_bytes(settings: Mapping[str, str]) -> int:
    """Return a limit a little above those of the services."""
    limits = [settings.get(f"{service.upper()}_MAX_BODY_BYTES", "") for service in SERVICES]
    return max([_LEAST_BODY_BYTES, *(int(text) + _BODY_SLACK_BYTES for text in limits if text.isdigit())])


def _listen(bind: str, port: int) -> str:
    if bind:
        return f"listen [{bind}]:{port};" if ":" in bind else f"listen {bind}:{port};"
    both = f"listen 0.0.0.0:{port};"
    return f"{both} listen [::]:{port};" if has_ipv6() else both


def nginx_main(proxy: Path, user: str | None) -> str:
    return NGINX_MAIN.format(
        user=f"user {user or 'root'};\n" if os.getuid() == 0 else "",
        run=RUN,
        proxy=proxy,
        mime_types="/etc/nginx/mime.types",
        connections=min(4096, most_open_files() // 2),
    )


def supervisor_config(addresses: Addresses, user: str | None) -> str:
    """Return the configuration of all programs; supervisor restarts those whose part differs from what it knows."""
    parts = [
        _SUPERVISOR.format(
            root=_plain(ROOT),
            run=_plain(RUN),
            logs=_plain(LOGS),
            socket=_plain(socket_path()),
            files=most_open_files(),
            user="user = root\n" if os.getuid() == 0 else "",
        )
    ]
    for service in SERVICES:
        port = str(addresses.own_port(service))
        command = [sys.executable, "-m", "deploy.native.service", service, "--port", port]
        parts.append(_program(service, command, user=user))
    proxy = [sys.executable, "-m", "deploy.native.service", "proxy"]
    parts.append(_program("proxy", proxy, stop_signal="QUIT", start_seconds=_PROXY_START_SECONDS))
    return "".join(parts)


def _program(
    name: str, command: list[str], stop_signal: str = "TERM", start_seconds: int = 2, user: str | None = None
) -> str:
    return PROGRAM.format(
        name=name,
        command=_plain(shlex.join(command)),
        start_seconds=start_seconds,
        user=f"user = {user}\n" if user else "",
        stop_signal=stop_signal,
        stop_seconds=STOP_SECONDS + 2,
        logs=_plain(LOGS),
    )


def _plain(text: object) -> str:
    """Escape the percent sign, which means more than itself to supervisor."""
    return str(text).replace("%", "%%")
