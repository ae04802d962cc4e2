"""What the street itself might have: another battery, one more roof; exact, as it is signed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction

from kwartier.errors import ContractError
from kwartier.units import Watt, Wh
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part

MOST_KWH, MOST_KW, MOST_KWP = 10_000, 5_000, 1_000
MOST_YEARS = 40
_MOST_CENTS = 10**9
_LEAST_YIELD, _MOST_YIELD = 200, 1_500


@dataclass(frozen=True, slots=True)
class BatteryTerms:
    """A battery that is tried.

    Attributes:
        capacity_wh: What it holds between empty and full [Wh].
        power_w: The most it takes and gives [W].
        round_trip: What comes out of what goes in, as exact text such as ``0.9``.
        instead: Whether it takes the place of what the street has; else it comes beside it.
        price_cents: What it costs to buy [cent].
        life_years: How long it lasts.

    Raises:
        ContractError: A value makes no battery.
    """

    capacity_wh: Wh
    power_w: Watt
    round_trip: str
    instead: bool
    price_cents: int
    life_years: int

    def __post_init__(self) -> None:
        _within("battery: kWh", self.capacity_wh, 1_000, MOST_KWH * 1000)
        _within("battery: kW", self.power_w, 100, MOST_KW * 1000)
        _within("battery: price in cents", self.price_cents, 0, _MOST_CENTS)
        _within("battery: years", self.life_years, 1, MOST_YEARS)
        part = _exact("battery: what comes out of what goes in", self.round_trip)
        if not Fraction(1, 2) <= part <= 1:
            raise ContractError(
                f"battery: {self.round_trip} of what goes in comes out: use 0.5 to 1, such as 0.9"
            )


@dataclass(frozen=True, slots=True)
class RoofTerms:
    """A roof that is tried.

    Attributes:
        connection: On which home.
        peak_w: What its panels make at their best [Wp].
        year_kwh_per_kwp: What each kWp makes in a year [kWh].

    Raises:
        ContractError: A value makes no roof.
    """

    connection: str
    peak_w: Watt
    year_kwh_per_kwp: int

    def __post_init__(self) -> None:
        _within("roof: Wp", self.peak_w, 100, MOST_KWP * 1000)
        _within("roof: kWh a year of a kWp", self.year_kwh_per_kwp, _LEAST_YIELD, _MOST_YIELD)


@dataclass(frozen=True, slots=True)
class StreetTerms:
    """What is tried, and what a kWh from outside costs and earns where no market told.

    Attributes:
        battery: A battery; None leaves what there is.
        roof: A roof; None leaves what there is.
        outside_buy: What a member pays an own supplier for a kWh, all in, as exact text [EUR/kWh].
        outside_sell: What it gets from it for one, as exact text [EUR/kWh].

    Raises:
        ContractError: Nothing is tried, or a price is none.
    """

    battery: BatteryTerms | None
    roof: RoofTerms | None
    outside_buy: str
    outside_sell: str

    def __post_init__(self) -> None:
        if self.battery is None and self.roof is None:
            raise ContractError("nothing is tried: fill in a battery, a roof, or both")
        for name in ("outside_buy", "outside_sell"):
            if abs(_exact(name, getattr(self, name))) > 10:
                raise ContractError(f"{name}: {getattr(self, name)} EUR/kWh is no price of a kWh")

    @property
    def body(self) -> dict[str, Json]:
        """All of it as JSON."""
        return dict(asdict(self))


def street_terms(body: Json) -> StreetTerms:
    """Return what was tried of its body, as it was tried or proposed.

    Raises:
        ContractError: It is none.
    """
    parts = Part(body, "street").names()
    battery, roof = None, None
    if parts["battery"].value is not None:
        held = parts["battery"].names()
        battery = BatteryTerms(
            held["capacity_wh"].whole(0, MOST_KWH * 1000),
            held["power_w"].whole(0, MOST_KW * 1000),
            str(held["round_trip"].value),
            held["instead"].value is True,
            held["price_cents"].whole(0, _MOST_CENTS),
            held["life_years"].whole(0, MOST_YEARS),
        )
    if parts["roof"].value is not None:
        held = parts["roof"].names()
        roof = RoofTerms(
            held["connection"].name(),
            held["peak_w"].whole(0, MOST_KWP * 1000),
            held["year_kwh_per_kwp"].whole(0, _MOST_YIELD),
        )
    return StreetTerms(
        battery, roof, str(parts["outside_buy"].value), str(parts["outside_sell"].value)
    )


def _within(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ContractError(f"{what}: {value} is not between {least} and {most}")


def _exact(what: str, text: str) -> Fraction:
    return Part(text, what).signed_fraction("0.25")
