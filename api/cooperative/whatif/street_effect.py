"""What a battery or a roof would do to the street as a whole: whole numbers, for signing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from kwartier.units import Watt, Wh
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part

_MOST = 10**15


@dataclass(frozen=True, slots=True)
class StreetSums:
    """The street in one world.

    Attributes:
        cost_cents: What all energy from outside cost, less what was earned, at market prices; a
            forecast of what would have been, never a bill [cent].
        taken_wh: Taken from outside [Wh].
        given_wh: Given to outside [Wh].
        peak_w: The highest quarter taken [W].
        shared_wh: What members had of each other and of the battery [Wh].
        sun_wh: What homes had left over [Wh].
        battery_wh: What batteries gave [Wh].
    """

    cost_cents: int
    taken_wh: Wh
    given_wh: Wh
    peak_w: Watt
    shared_wh: Wh
    sun_wh: Wh
    battery_wh: Wh

    @property
    def kept_permille(self) -> int | None:
        """Which part of what homes had left over stayed in the street [1/1000]; None without."""
        if self.sun_wh <= 0:
            return None
        return 1000 * max(0, self.sun_wh - self.given_wh) // self.sun_wh


@dataclass(frozen=True, slots=True)
class StreetEffect:
    """What changes for the street as a whole.

    Attributes:
        old: With what it has, steered by the same rules.
        new: With what is tried.
        quarters: How many were played.
        unread: In how many nothing was read; nothing is steered there.
        fixed_price: In how many no market price is known; the price of the form counts there.
        roof_wh: What the roof makes in these months [Wh].
        roof_by: ``roofs`` by the street's own measured roofs, ``sky`` by the sun without clouds,
            ``both`` where some months had measured roofs; empty without a roof.
        settled: Each member's statements, then and with what is tried [cent]; the rest of the
            member's effect is what an own supplier is paid.
        saved_cents: What the street saves in a year, by these months [cent].
        payback_tenths: After how many tenths of a year a battery has brought in what it cost;
            None when it never does, or there is none.
        unagreed: In how many months a battery was played of which nothing was agreed then;
            ``ASSUMED_BATTERY`` is taken to hold in them.
    """

    old: StreetSums
    new: StreetSums
    quarters: int
    unread: int
    fixed_price: int
    roof_wh: Wh
    roof_by: str
    settled: Mapping[str, tuple[int, int]]
    saved_cents: int
    payback_tenths: int | None
    unagreed: int = 0


def told_of_street(effect: StreetEffect) -> dict[str, Json]:
    """Return it as JSON."""
    settled: dict[str, Json] = {name: [old, new] for name, (old, new) in effect.settled.items()}
    return {**asdict(effect), "settled": settled}


def street_effect_of(told: Json) -> StreetEffect:
    """Return what was kept as JSON.

    Raises:
        ContractError: It is none.
    """
    parts = Part(told, "street").names()
    settled = {}
    for name, part in parts["settled"].names().items():
        old, new = (each.whole(-_MOST, _MOST) for each in part.list())
        settled[name] = old, new
    payback = parts["payback_tenths"]
    unagreed = parts.get("unagreed")  # what was kept before it was told still is
    return StreetEffect(
        _sums(parts["old"]),
        _sums(parts["new"]),
        parts["quarters"].whole(0, _MOST),
        parts["unread"].whole(0, _MOST),
        parts["fixed_price"].whole(0, _MOST),
        parts["roof_wh"].whole(0, _MOST),
        str(parts["roof_by"].value),
        settled,
        parts["saved_cents"].whole(-_MOST, _MOST),
        None if payback.value is None else payback.whole(0, _MOST),
        0 if unagreed is None else unagreed.whole(0, _MOST),
    )


def _sums(part: Part) -> StreetSums:
    parts = part.names()
    return StreetSums(*(parts[each.name].whole(-_MOST, _MOST) for each in fields(StreetSums)))
