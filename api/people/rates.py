"""How often somebody may try to come in; counted before anything is proved.

Per account and per neighbourhood of addresses, and for a password over the whole house: who tries
with many accounts from many addresses at once still gets few of them hashed. An address from
which somebody came in lately does not share that last bound, so that a crowd of strangers cannot
keep the neighbours out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from ipaddress import ip_address, ip_network

from api.attempts import Attempts
from api.people.errors import TooOftenError
from kwartier.clock import Clock

WINDOW_S = 900.0
"""In what time tries are counted [s]."""
MOST_PER_ACCOUNT, MOST_PER_PLACE = 5, 20
STRANGERS_WINDOW_S = 600.0
MOST_OF_STRANGERS = 30
"""How many wrong passwords all strangers together have in that time."""
KNOWN_PLACES = 4_096
"""How many places are remembered from which somebody came in."""


class Rates:
    """Counts tries; safe to share between threads. It forgets all when the house starts anew."""

    def __init__(self, clock: Clock) -> None:
        """Count by a clock."""
        self._by_place = Attempts(clock, MOST_PER_PLACE, WINDOW_S)
        self._by_account = Attempts(clock, MOST_PER_ACCOUNT, WINDOW_S)
        self._strangers = Attempts(clock, MOST_OF_STRANGERS, STRANGERS_WINDOW_S, keys=1)
        self._lock = threading.Lock()
        self._known: OrderedDict[str, None] = OrderedDict()

    def count(self, address: str, account: str, *, password: bool = False) -> None:
        """Count a try, or refuse it.

        Args:
            address: Where it comes from.
            account: Whose account it is about, or what stands for it.
            password: Whether it is about a password, which people choose badly.

        Raises:
            TooOftenError: There were too many; it says how long to wait.
        """
        place = place_of(address)
        wait_s = self._by_place.wait_s(place)
        if not wait_s and password and not self._knows(place):
            wait_s = self._strangers.wait_s("all")
        wait_s = wait_s or self._by_account.wait_s(account)
        if wait_s:
            raise TooOftenError(wait_s)

    def right(self, address: str, account: str, *, password: bool = False) -> None:
        """Take a try back: it was right; and remember from where."""
        place = place_of(address)
        self._by_account.forget(account)
        self._by_place.give_back(place)
        if password and not self._knows(place):
            self._strangers.give_back("all")
        with self._lock:
            self._known[place] = None
            self._known.move_to_end(place)
            if len(self._known) > KNOWN_PLACES:
                self._known.popitem(last=False)

    def _knows(self, place: str) -> bool:
        with self._lock:
            return place in self._known


def place_of(address: str) -> str:
    """Return the network an address is in: its /24, or its /48 for IPv6."""
    try:
        known = ip_address(address)
    except ValueError:
        return "elsewhere"
    if known.version == 6 and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    return str(ip_network(f"{known}/{24 if known.version == 4 else 48}", strict=False))
