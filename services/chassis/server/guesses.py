"""Slow down guessing of keys, and nobody else behind the same address."""

from collections import OrderedDict, deque
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from time import monotonic

FREE_GUESSES = 20
_GUESSES_A_SECOND = 1.0
_REMEMBERED_ADDRESSES = 4096
_REMEMBERED_KEYS = 16
_NETWORK_BITS = 64
"""Part of an IPv6 address that a whole house shares."""


class House:
    """An address that keys came from."""

    def __init__(self, now: float) -> None:
        self.guesses_left, self.since = float(FREE_GUESSES), now
        self.owners: set[str] = set()
        """Names of the keys that were right from here; these go on working whatever else comes from here."""
        self.wrong: deque[int] = deque(maxlen=_REMEMBERED_KEYS)
        """Hashes of the last wrong keys: a toy that shows the same one again and again guesses nothing."""


class Guesses:
    """Count the different wrong keys from each address.

    While an address has used up its guesses, a key that was never right from there gets the same answer whether it is
    right or wrong, so that trying faster tells nothing.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._houses: OrderedDict[str, House] = OrderedDict()

    def admits(self, address: str, key: bytes, owner: str | None) -> bool:
        """Return False if the answer must not depend on whether the key is right.

        Args:
            owner: Name of the key; None: it is wrong.
        """
        known = self._houses.get(_network(address))
        if known is not None and owner in known.owners:
            return True
        house = self._house(address)
        if owner is None and hash(key) in house.wrong:
            return True
        if house.guesses_left < 1:
            return False
        if owner is None:
            house.guesses_left -= 1
            house.wrong.append(hash(key))
        else:
            house.owners.add(owner)
        return True

    def _house(self, address: str) -> House:
        now, network = self._clock(), _network(address)
        house = self._houses.get(network)
        if house is None:
            house = self._houses[network] = House(now)
        self._houses.move_to_end(network)
        if len(self._houses) > _REMEMBERED_ADDRESSES:
            self._houses.popitem(last=False)
        gained = (now - house.since) * _GUESSES_A_SECOND
        house.guesses_left, house.since = min(FREE_GUESSES, house.guesses_left + gained), now
        return house


@lru_cache(maxsize=_REMEMBERED_ADDRESSES)
def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(int(parsed) >> (128 - _NETWORK_BITS))
    return address
