"""Everything the checks look at, handed over whole: they read no database and no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from api.cooperative.readings.gaps import columns_of
from kwartier.interval import QUARTER_S, Quarter
from kwartier.units import EpochS, Watt, Wh
from optimizer.settling.matrix import AllocationMatrix, ReadingMatrix
from optimizer.settling.period import Ownership
from optimizer.settling.rounding import half_away_from_zero


@dataclass(frozen=True, slots=True)
class Window:
    """Something named that is in force in ``[start_s, end_s)``; None has no end."""

    name: str
    start_s: EpochS
    end_s: EpochS | None = None


@dataclass(frozen=True, slots=True)
class PastMonth:
    """What a connection's registers counted in an earlier month.

    Attributes:
        period: Which, such as ``2026-06``.
        quarters: How many quarters of it are known; days without values do not make a low month.
        import_wh: Taken from the grid [Wh].
        export_wh: Given to the grid [Wh].
        solar_permille: How its net use went with the neighbourhood's sun, -1000 to 1000;
            None when that cannot be said.
    """

    period: str
    quarters: int
    import_wh: Wh
    export_wh: Wh
    solar_permille: int | None = None


@dataclass(frozen=True, slots=True)
class MemberTotal:
    """What stands on one member's statement.

    Attributes:
        bought_wh: Shared energy used [Wh].
        sold_wh: Export that neighbours used [Wh].
        to_battery_wh: Export that charged the battery [Wh]; None where its owner carries it and
            no statement tells it.
        to_pay_cents: What is to pay; below zero is paid out.
    """

    bought_wh: Wh
    sold_wh: Wh
    to_battery_wh: Wh | None = 0
    to_pay_cents: int = 0


@dataclass(frozen=True, slots=True)
class CommunityTotal:
    """What the run says of all members together [Wh]."""

    bought_wh: Wh
    sold_wh: Wh
    to_battery_wh: Wh = 0
    from_battery_wh: Wh = 0


@dataclass(frozen=True, slots=True)
class RegisterPoint:
    """What one register stood at.

    Attributes:
        register: ``import``, ``export``, ``charge`` or ``discharge``.
        at_s: When [s].
        wh: What it stood at [Wh].
    """

    register: str
    at_s: EpochS
    wh: Wh


@dataclass(frozen=True, slots=True)
class MeterCase:
    """A meter of a connection and what its registers stood at.

    Attributes:
        connection: Where it hangs.
        serial: Its serial with all but the last four characters hidden.
        installed_s: From when [s].
        removed_s: Until when [s]; None when it hangs there still.
        digits: Whole kWh digits before it begins again at 0; None when that is not declared.
        points: In order of time; among them those that were set aside because they went back.
    """

    connection: str
    serial: str
    installed_s: EpochS
    removed_s: EpochS | None
    digits: int | None
    points: tuple[RegisterPoint, ...]


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """From where on the board wants to hear of it.

    Attributes:
        missing_permille: A1 blocks beyond this part of the expected quarters [1/1000].
        missing_in_a_row: A1 blocks at this many missing quarters in a row.
        connection_permille: A3 tells of a quarter above this part of the limit [1/1000].
        history_times: A10 tells of a use above so many times a connection's own.
        history_floor_wh: A10 is silent below so much more a month [Wh].
        amount_cents: A10 tells of a larger amount to pay or to be paid.
        register_tolerance_wh: How far quarters may be off their registers' difference [Wh].
    """

    missing_permille: int = 20
    missing_in_a_row: int = 32
    connection_permille: int = 1000
    history_times: int = 3
    history_floor_wh: Wh = 50_000
    amount_cents: int = 50_000
    register_tolerance_wh: Wh = 0


@dataclass(frozen=True, slots=True)
class Prices:
    """What a kWh is worth where an effect is estimated [EUR/kWh]."""

    buy_eur_per_kwh: Fraction = Fraction(18, 100)
    sell_eur_per_kwh: Fraction = Fraction(12, 100)

    def bought_cents(self, energy_wh: Fraction | int) -> int:
        """Return what energy costs a member, in cents without a sign."""
        return abs(half_away_from_zero(Fraction(energy_wh) * self.buy_eur_per_kwh / 10))

    def sold_cents(self, energy_wh: Fraction | int) -> int:
        """Return what energy earns a member, in cents without a sign."""
        return abs(half_away_from_zero(Fraction(energy_wh) * self.sell_eur_per_kwh / 10))


@dataclass(frozen=True, slots=True)
class CheckCase:
    """One period as the checks see it; what is None or empty is not looked at.

    Attributes:
        readings: What was read, every connection that has an owner in the period among its rows.
        ownership: Who settles what; expected quarters follow from it.
        allocation: What was shared.
        members: What stands on the statements, by member.
        community: What the run says of all together.
        limits_w: The most each connection carries, per direction [W].
        tariffs: Tariff versions.
        keys: Key versions.
        contracts: Windows in which a connection may share, by connection.
        history: Earlier months, the newest first, by connection.
        meters: Meters and their registers.
        prices: What a kWh is worth.
        limits: From where on the board wants to hear of it.
    """

    readings: ReadingMatrix
    ownership: tuple[Ownership, ...]
    allocation: AllocationMatrix | None = None
    members: Mapping[str, MemberTotal] | None = None
    community: CommunityTotal | None = None
    limits_w: Mapping[str, Watt] = field(default_factory=dict)
    tariffs: tuple[Window, ...] | None = None
    keys: tuple[Window, ...] | None = None
    contracts: Mapping[str, tuple[Window, ...]] | None = None
    history: Mapping[str, tuple[PastMonth, ...]] = field(default_factory=dict)
    meters: tuple[MeterCase, ...] = ()
    prices: Prices = Prices()
    limits: CheckLimits = CheckLimits()

    @property
    def start_s(self) -> EpochS:
        """The first instant [s]."""
        return self.readings.first.start_s

    @property
    def end_s(self) -> EpochS:
        """The first instant after the period [s]."""
        return self.start_s + self.readings.quarters * QUARTER_S

    def columns(self, start_s: EpochS, end_s: EpochS | None) -> tuple[int, int]:
        """Return the columns of ``[start_s, end_s)`` as far as it lies in the period."""
        return columns_of(self.readings, start_s, end_s)

    def quarter(self, column: int) -> Quarter:
        """Return the quarter of a column."""
        return self.readings.quarter(column)
