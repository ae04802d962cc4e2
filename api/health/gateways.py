"""Which links are broken, since when, and how each gateway does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from api.house import House
from collectors.store import DeviceKey, Store
from kwartier.identity import GatewayId
from kwartier.interval import QUARTER_S
from kwartier.model import Community, Connection
from kwartier.units import EpochS

FRESH_S = 900
"""How old a device's newest reading may be before its link counts as broken [s]."""
OFFSET_S = 5
"""How far a gateway's clock may be off before somebody should look [s]."""
DAY_S = 86_400
MOST_LETTERS = 100
"""How many of the newest dead letters are looked through."""
_REGISTERS = ("import_wh", "charged_wh")


class Link(StrEnum):
    """A link that can break, from the meter to the page."""

    NONE = "none"
    """None is broken."""
    CENTRE = "centre"
    """Nobody is heard: it is our own server, its broker or its collector."""
    BOX = "box"
    """The gateway is silent: its power, or the internet at that home."""
    METER = "meter"
    """The gateway speaks and the meter does not: the cable between them."""
    INVERTER = "inverter"
    """The meter speaks and the inverter does not: the cable, or it is dark."""
    NEVER = "never"
    """Nothing was ever heard: it is not installed yet."""


@dataclass(frozen=True, slots=True)
class HomeLinks:
    """How one home is read.

    Attributes:
        broken: The first link that is broken.
        heard_s: The newest reading of its meter [s]; None when there was never one.
        since_s: Since when the link is broken [s]; None when none is, or nobody knows.
    """

    broken: Link
    heard_s: EpochS | None
    since_s: EpochS | None


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """How one gateway does; it tells nothing of what was measured.

    Attributes:
        gateway: Its name.
        homes: The homes and batteries it reads; empty for one that was not enrolled.
        broken: Its first broken link.
        heard_s: Its newest reading [s]; None for never.
        quarters: Quarters known of its register in the last 24 hours, of 96.
        online: Whether it said that it is on line; None when it said nothing.
        backlog: Blocks it still keeps for us, as it told; None when it said nothing.
        dead_letters: Its messages among the newest that could not be read.
        version: Its software's version; empty when not known.
        epoch: The life of its outbox; empty when not known.
        offset_s: How far its clock is ahead of ours [s]; None when not known.
    """

    gateway: GatewayId
    homes: tuple[str, ...]
    broken: Link
    heard_s: EpochS | None
    quarters: int
    online: bool | None
    backlog: int | None
    dead_letters: int
    version: str
    epoch: str
    offset_s: EpochS | None

    @property
    def clock_is_off(self) -> bool:
        """Whether its clock is so far off that somebody should look."""
        return self.offset_s is not None and abs(self.offset_s) > OFFSET_S


def home_links(house: House, home: str) -> HomeLinks | None:
    """Return how a home is read, or None when it is no home of this neighbourhood."""
    connection = house.community.connections.get(home)
    if connection is None:
        return None
    return _home_links(connection, heard(house), int(house.clock.now_s()))


def gateways(house: House) -> list[GatewayHealth]:
    """Return how every enrolled gateway does, the broken ones first and the oldest of those."""
    now_s, known = int(house.clock.now_s()), heard(house)
    told, letters = house.gateways.all(), letters_by_gateway(house)
    quarters = _quarters(house, now_s)
    found = []
    for gateway, homes in enrolled(house).items():
        state = told.get(gateway)
        found.append(
            GatewayHealth(
                gateway,
                homes,
                _broken(house.community, gateway, homes, known, now_s),
                _newest(known, gateway),
                quarters[gateway],
                None if state is None else state.state.online,
                None if state is None else state.state.unacknowledged,
                letters[gateway],
                "" if state is None else state.state.version,
                "" if state is None else state.state.epoch,
                None if state is None else state.offset_s,
            )
        )
    return sorted(found, key=lambda one: (one.broken is Link.NONE, one.heard_s or 0, one.gateway))


def first_broken(house: House) -> Counter[Link]:
    """Return how many enrolled gateways have which first broken link."""
    known, now_s = heard(house), int(house.clock.now_s())
    return Counter(links_of(house.community, known, now_s).values())


def links_of(
    community: Community, known: Mapping[DeviceKey, EpochS], now_s: EpochS
) -> dict[GatewayId, Link]:
    """Return the first broken link of each gateway of a neighbourhood.

    Args:
        community: The neighbourhood.
        known: When each device's newest reading was stored, as `heard_in` tells.
        now_s: What time it is [s].
    """
    return {
        gateway: _broken(community, gateway, homes, known, now_s)
        for gateway, homes in enrolled_in(community).items()
    }


def strangers(house: House) -> list[tuple[GatewayId, EpochS | None]]:
    """Return gateways that were seen and are not enrolled, with their newest reading [s]."""
    known = heard(house)
    seen = (
        {key.gateway for key in known} | set(house.gateways.all()) | set(letters_by_gateway(house))
    )
    return [(name, _newest(known, name)) for name in sorted(seen - set(enrolled(house)))]


def heard(house: House) -> Mapping[DeviceKey, EpochS]:
    """Return when each device's newest reading was stored, as the device told it [s]."""
    return heard_in(house.store)


def heard_in(store: Store) -> Mapping[DeviceKey, EpochS]:
    """Return when each device's newest reading was stored in a record [s]."""
    found: dict[DeviceKey, EpochS] = {}
    for latest in store.latest():
        found[latest.key] = max(latest.at_s, found.get(latest.key, latest.at_s))
    return found


def enrolled(house: House) -> dict[GatewayId, tuple[str, ...]]:
    """Return the gateways of the neighbourhood, each with the homes and batteries it reads."""
    return enrolled_in(house.community)


def enrolled_in(community: Community) -> dict[GatewayId, tuple[str, ...]]:
    """Return the gateways that a neighbourhood names, each with what it reads."""
    found: dict[GatewayId, tuple[str, ...]] = {}
    read = [(one.gateway, one.id) for one in community.connections.values()]
    read += [(one.gateway, one.id) for one in community.batteries.values()]
    for gateway, name in read:
        found[gateway] = (*found.get(gateway, ()), name)
    return found


def letters_by_gateway(house: House) -> Counter[GatewayId]:
    """Return how many of the newest dead letters each gateway sent."""
    return Counter(letter.gateway for letter in house.store.dead_letters(MOST_LETTERS))


def _home_links(
    connection: Connection, known: Mapping[DeviceKey, EpochS], now_s: EpochS
) -> HomeLinks:
    meter_s = known.get(DeviceKey(connection.gateway, connection.meter))
    box_s = _newest(known, connection.gateway)
    if box_s is None:
        return HomeLinks(Link.NEVER, None, None)
    if now_s - box_s > FRESH_S:
        newest_s = max(known.values())
        if now_s - newest_s > FRESH_S:
            return HomeLinks(Link.CENTRE, meter_s, newest_s)
        return HomeLinks(Link.BOX, meter_s, box_s)
    if meter_s is None or now_s - meter_s > FRESH_S:
        return HomeLinks(Link.METER, meter_s, meter_s)
    if connection.solar is not None:
        sun_s = known.get(DeviceKey(connection.gateway, connection.solar))
        if sun_s is None or now_s - sun_s > DAY_S:  # at night it is dark, and that is no fault
            return HomeLinks(Link.INVERTER, meter_s, sun_s)
    return HomeLinks(Link.NONE, meter_s, None)


def _broken(
    community: Community,
    gateway: GatewayId,
    homes: Iterable[str],
    known: Mapping[DeviceKey, EpochS],
    now_s: EpochS,
) -> Link:
    """Return the first broken link of what a gateway reads."""
    for home in homes:
        connection = community.connections.get(home)
        if connection is not None:
            links = _home_links(connection, known, now_s)
            if links.broken is not Link.NONE:
                return links.broken
    newest_s = _newest(known, gateway)
    if newest_s is None:
        return Link.NEVER
    return Link.BOX if now_s - newest_s > FRESH_S else Link.NONE


def _newest(known: Mapping[DeviceKey, EpochS], gateway: GatewayId) -> EpochS | None:
    return max((at_s for key, at_s in known.items() if key.gateway == gateway), default=None)


def _quarters(house: House, now_s: EpochS) -> Counter[GatewayId]:
    """Return the quarters known in the last 24 hours, by gateway; a home's are its meter's."""
    own = {DeviceKey(one.gateway, one.device) for one in house.community.home_batteries.values()}
    end_s = now_s // QUARTER_S * QUARTER_S
    known: dict[GatewayId, set[EpochS]] = {}
    for energy in house.store.quarters(_REGISTERS, end_s - DAY_S, end_s):
        if energy.energy_wh is not None and energy.key not in own:
            known.setdefault(energy.key.gateway, set()).add(energy.start_s)
    return Counter({gateway: len(starts) for gateway, starts in known.items()})
