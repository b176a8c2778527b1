"""Find out whether the ports of an installation can be had."""

import socket

from deploy.installation import SERVICES, Addresses
from deploy.native.supervision import Trouble


def ports(addresses: Addresses) -> frozenset[int]:
    own = {addresses.own_port(service) for service in SERVICES}
    return frozenset(own | {addresses.port} | {addresses.base_port(service) for service in SERVICES})


def check_ports(addresses: Addresses, held: frozenset[int]) -> None:
    """Raises:
    Trouble: Another program has one of them.
    """
    taken = [port for port in sorted(ports(addresses) - held) if is_taken(addresses, port)]
    if taken:
        numbers = ", ".join(map(str, taken))
        first = next(port for port in range(18080, 65000, 100) if not blocked(addresses.bind, port))
        raise Trouble(
            f"Another program listens on port {numbers} already.\n"
            f"Write another number into .env, e.g. TALKBOX_PORT={first}: all of Talkbox's ports move with it "
            f"(the number itself, +1 to +3 and +11 to +13). Then `make up` again."
        )


def is_taken(addresses: Addresses, port: int) -> bool:
    host = "127.0.0.1" if port >= addresses.own_port("stt") else addresses.bind or "0.0.0.0"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as exc:
            raise Trouble(f"Port {port} takes root's rights. Choose a TALKBOX_PORT above 1023 in .env.") from exc
        except OSError as exc:
            if isinstance(exc, socket.gaierror) or exc.errno in (99, 19):  # no such address or device here
                raise Trouble(f"TALKBOX_BIND={host} is no address of this machine; leave it empty for all.") from exc
            return True
    return False


def blocked(bind: str, port: int) -> bool:
    addresses = Addresses(port, bind)
    return any(is_taken(addresses, number) for number in ports(addresses))
