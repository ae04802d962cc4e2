"""One of several collectors of a neighbourhood: which gateways are its own.

A gateway belongs to one shard by its name alone, so that every program that knows how many shards
there are says the same. MQTT cannot filter by that: each shard hears all gateways and lets go of
the others' messages unread, at a third of what it costs to keep one. A shared subscription
would hand one gateway's blocks to several collectors, and none of them could tell how far the
record reaches; a subscription for each gateway would need a list that is never late. Decision 0027
tells the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from collectors.store import Store
from kwartier.bus import Bus, LinkChanged, Message, Receive
from kwartier.errors import SettingsError
from kwartier.identity import GatewayId

MOST_SHARDS = 256
"""The most shards of one neighbourhood."""
_GATEWAY_PART = 3
_REMEMBERED = 200_000


class StrangersError(SettingsError):
    """A record holds gateways that another shard keeps: taking in would scatter them."""

    def __init__(self, shard: Shard, strangers: int) -> None:
        """Keep how many."""
        super().__init__(
            f"the record holds {strangers} gateways that are not of shard {shard}: stop all "
            "collectors and move them with `kwartier shards move` before you start one"
        )
        self.strangers = strangers


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``of`` collectors, counted from 0.

    Raises:
        ValueError: There is no such one.
    """

    number: int = 0
    of: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.of <= MOST_SHARDS:
            raise ValueError(
                f"shard {self.number} of {self.of}: number them from 0, at most {MOST_SHARDS}"
            )

    def __str__(self) -> str:
        return f"{self.number} of {self.of}"

    @property
    def suffix(self) -> str:
        """What tells its session at the broker from others; the first one keeps the plain name."""
        return f"-{self.number}" if self.number else ""

    def owns(self, gateway: GatewayId) -> bool:
        """Return whether this shard keeps a gateway's readings."""
        return self.of == 1 or owner_of(gateway, self.of) == self.number

    def refuse_strangers(self, store: Store) -> None:
        """Refuse a record with gateways that another shard keeps.

        Raises:
            StrangersError: It holds some.
        """
        held = {latest.key.gateway for latest in store.latest()}
        strangers = sum(not self.owns(gateway) for gateway in held)
        if strangers:
            raise StrangersError(self, strangers)


@lru_cache(_REMEMBERED)
def owner_of(gateway: GatewayId, of: int) -> int:
    """Return the number of the shard that keeps a gateway, among so many.

    The shard with the highest draw wins, and a draw depends on nothing but gateway and shard: with
    one shard more only the gateways that it wins move.

    Source:
        Thaler and Ravishankar, Using name-based mappings to increase hit rates (1998): highest
        random weight.
    """
    return max(range(of), key=lambda number: blake2b(f"{number}/{gateway}".encode()).digest())


class OwnBus:
    """A bus on which only the gateways of one shard are heard; what is said goes to all."""

    def __init__(self, bus: Bus, shard: Shard) -> None:
        """Listen over another bus."""
        self._bus = bus
        self._shard = shard
        self.passed_by = 0
        """Messages of other shards' gateways."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Hand over one message; see `kwartier.bus.Bus`."""
        self._bus.publish(
            topic, payload, qos=qos, retain=retain, expiry_s=expiry_s, properties=properties
        )

    def subscribe(self, topic_filter: str, receive: Receive, *, by_hand: bool = False) -> None:
        """Have messages of this shard's gateways handed to ``receive``; others count as taken."""

        def heard(message: Message) -> None:
            if self._is_ours(message.topic):
                receive(message)
                return
            self.passed_by += 1
            message.acknowledge()

        self._bus.subscribe(topic_filter, heard, by_hand=by_hand)

    def watch_link(self, changed: LinkChanged) -> None:
        """Have ``changed`` told when the link comes and goes."""
        self._bus.watch_link(changed)

    def close(self) -> None:
        """Leave in order."""
        self._bus.close()

    def _is_ours(self, topic: str) -> bool:
        """Return whether a topic's gateway is ours; what names none is for the first shard."""
        parts = topic.split("/", _GATEWAY_PART + 1)
        if len(parts) <= _GATEWAY_PART:
            return self._shard.number == 0
        return self._shard.owns(parts[_GATEWAY_PART])
