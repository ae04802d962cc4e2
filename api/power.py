"""Power at this moment, as somebody may know it."""

from __future__ import annotations

from dataclasses import dataclass

from api.house import House
from api.readers import Onlooker
from api.schemas import PowerAnswer, power_answer
from collectors.disclosure import Reader
from collectors.power import HomePower, Instants, StreetPower, powers_now, street_power


@dataclass(frozen=True, slots=True)
class PowerNow:
    """All powers at one moment; only what ``street`` and ``own`` return is shown.

    Attributes:
        house: Where.
        now_s: When [s].
        instants: The newest values.
        powers: Each home's power.
        homes: Over which homes sums may be told now; None for none.
    """

    house: House
    now_s: float
    instants: Instants
    powers: dict[str, HomePower]
    homes: frozenset[str] | None

    def street(self, reader: Reader) -> StreetPower | None:
        """Return the neighbourhood's power as a reader may know it, or None."""
        return street_power(
            self.house.community, self.instants, self.powers, self.homes, reader, self.now_s
        )

    def own(self, looks: Onlooker) -> HomePower | None:
        """Return the power of the onlooker's home, while they live there and its meter speaks."""
        if looks.home is None or not any(stay.holds(self.now_s) for stay in looks.stays):
            return None
        return self.powers.get(looks.home)


def power_of(house: House) -> PowerNow:
    """Return all powers at this moment.

    Raises:
        StoreBusyError: The record, or what was told before, cannot be reached now.
    """
    now_s = house.clock.now_s()
    instants = house.live.instants()
    powers = powers_now(house.community, instants, now_s)
    return PowerNow(house, now_s, instants, powers, house.records.live_homes(powers.keys()))


def power_now(house: House, looks: Onlooker) -> PowerAnswer | None:
    """Return the answer for power now, or None when no sum may be told."""
    power = power_of(house)
    street = power.street(looks.reader)
    return None if street is None else power_answer(street, power.own(looks))
