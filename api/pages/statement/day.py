"""One day of a statement's line, quarter by quarter, and the meter behind each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from api.cooperative.database import Desk
from api.cooperative.readings import Direction, versions_of
from api.cooperative.runs.drilling import QuarterRow
from api.cooperative.runs.explaining import DaySum, Explanation
from api.cooperative.runs.states import Run, run_of
from api.cooperative.statement import StatementLine
from api.house import House
from collectors.disclosure import MIN_HOMES
from collectors.store import DeviceKey
from kwartier.errors import InputError
from kwartier.interval import HOME_ZONE, QUARTER_S
from kwartier.units import EpochS, Wh
from optimizer.settling.invoicing import Charge

EDGE_S = 30
"""How far from a quarter's edge a reading may be to be shown as the one of the edge [s]."""
_GOT: Mapping[Charge, Callable[[QuarterRow], Wh]] = {
    Charge.BUY: lambda row: row.bought_wh,
    Charge.LEVY: lambda row: row.bought_wh,
    Charge.SELL: lambda row: row.sold_wh,
    Charge.BATTERY: lambda row: row.to_battery_wh,
}
"""Which of a quarter's energies a line counts."""
_OWED = frozenset({Charge.BUY, Charge.LEVY})


@dataclass(frozen=True, slots=True)
class LineQuarter:
    """One quarter of a line.

    Attributes:
        start_s: Its start [s].
        name: How an address names it, such as ``12:15``.
        energy_wh: What the line counts [Wh].
        exact_eur: What that comes to, exactly.
        own_wh: What the home's meter counted in the line's direction [Wh]; None when not read.
        quality: ``measured``, ``estimated``, ``missing`` or ``corrected``.
        row: Everything else that is known of it; None where a line has no connection.
        homes: How many homes took part.
        rule: The key of the sentence that says why it is as much as this.
        differs: Whether an earlier version told other sums of all homes: the difference would be
            what was corrected of one home.
    """

    start_s: EpochS
    name: str
    energy_wh: Wh
    exact_eur: Fraction
    own_wh: Wh | None
    quality: str
    row: QuarterRow | None
    homes: int
    rule: str
    differs: bool

    @property
    def own_known_wh(self) -> Wh:
        """What the meter counted as far as it was read, for sums [Wh]."""
        return self.own_wh or 0

    @property
    def together(self) -> bool:
        """Whether their sum may be told: enough homes took part, and no other one was told."""
        return self.row is not None and self.homes >= MIN_HOMES and not self.differs


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a register stood at an edge of a quarter."""

    at_s: EpochS
    stood_wh: Wh


@dataclass(frozen=True, slots=True)
class MeterBehind:
    """What a quarter was measured with.

    Attributes:
        register: ``import`` or ``export``.
        opening: Where it stood at the quarter's start; None when the record does not tell.
        closing: Where it stood at its end; likewise.
        source: ``p1``, ``p4``, ``manual`` or ``estimate``; empty when nothing was recorded.
        version: Which version of the day's readings was used; 0 when none was recorded.
        reason: Why somebody wrote it by hand; empty otherwise.
    """

    register: str
    opening: Reading | None
    closing: Reading | None
    source: str
    version: int
    reason: str

    @property
    def rise_wh(self) -> Wh | None:
        """By how much the register rose [Wh]; None when an edge is not known."""
        if self.opening is None or self.closing is None:
            return None
        return self.closing.stood_wh - self.opening.stood_wh


def line_quarters(
    house: House, desk: Desk, run: Run, line: StatementLine, told: Explanation, summed: DaySum
) -> list[LineQuarter]:
    """Return the quarters of one day of a line; together they are the day."""
    rows = _rows(house, desk, run, line.connection, summed.day)
    earlier = _earlier(house, desk, run, line.connection, summed.day)
    before = earlier[0] if earlier else {}
    terms, price = house.shelf.terms(desk, run), Fraction(line.price_eur)
    quarters = []
    for at_s, energy_wh in summed.quarters:
        row = rows.get(at_s)
        assert row is None or _GOT[told.charge](row) == energy_wh, (run.id, line, at_s)
        quarters.append(
            LineQuarter(
                at_s,
                quarter_word(at_s),
                energy_wh,
                Fraction(energy_wh, 1000) * price,
                None if row is None else _own_wh(row, told.charge),
                "measured" if row is None else _quality(row, before.get(at_s), told.charge),
                row,
                terms.homes(at_s),
                "" if row is None else _rule(row, told.charge),
                any(_differ(row, rows_then.get(at_s)) for rows_then in earlier),
            )
        )
    return quarters


def meter_behind(
    house: House, desk: Desk, line: StatementLine, told: Explanation, quarter: LineQuarter
) -> MeterBehind:
    """Return where the meter stood at a quarter's edges, and which readings were used."""
    direction = Direction.IMPORT if told.charge in _OWED else Direction.EXPORT
    opening, closing = (
        _stood(house, line.connection, direction, at_s)
        for at_s in (quarter.start_s, quarter.start_s + QUARTER_S)
    )
    source, version, reason = _source(desk, line.connection, direction, quarter)
    return MeterBehind(direction.value, opening, closing, source, version, reason)


def quarter_word(at_s: EpochS) -> str:
    """Return how an address names a quarter: ``02:15``, and ``02:15-2`` when it comes again."""
    local = datetime.fromtimestamp(at_s, HOME_ZONE)
    return f"{local:%H:%M}{'-2' if local.fold else ''}"


def chosen_quarter(quarters: Sequence[LineQuarter], asked: str) -> int | None:
    """Return the place of the quarter that was asked for; of the largest when none was."""
    if not asked:
        return max(range(len(quarters)), key=lambda at: quarters[at].energy_wh)
    return next((at for at, quarter in enumerate(quarters) if quarter.name == asked), None)


def _rows(
    house: House, desk: Desk, run: Run, connection: str, day: date
) -> dict[EpochS, QuarterRow]:
    if not connection:
        return {}
    rows = house.shelf.quarters(desk, run, connection, day)
    return {row.quarter.start_s: row for row in rows}


def _earlier(
    house: House, desk: Desk, run: Run, connection: str, day: date
) -> list[dict[EpochS, QuarterRow]]:
    """Return the same day in each earlier version, the newest first, where it stood there."""
    found = []
    while run.corrects is not None:
        run = run_of(desk, run.corrects)
        try:
            found.append(_rows(house, desk, run, connection, day))
        except InputError:
            found.append({})
    return found


def _differ(row: QuarterRow | None, then: QuarterRow | None) -> bool:
    """Return whether two versions have other sums of all homes together."""
    return row is not None and then is not None and _sums(row) != _sums(then)


def _sums(row: QuarterRow) -> tuple[Wh, Wh, Wh]:
    return row.community_supply_wh, row.community_use_wh, row.community_shared_wh


def _own_wh(row: QuarterRow, charge: Charge) -> Wh | None:
    return row.import_wh if charge in _OWED else row.export_wh


def _quality(row: QuarterRow, before: QuarterRow | None, charge: Charge) -> str:
    if before is not None and _own_wh(before, charge) != _own_wh(row, charge):
        return "corrected"
    letter = row.import_quality if charge in _OWED else row.export_quality
    return {"m": "measured", "e": "estimated"}.get(letter, "missing")


def _rule(row: QuarterRow, charge: Charge) -> str:
    """Return which sentence says why a home got or gave what it did."""
    got_wh, own_wh = _GOT[charge](row), _own_wh(row, charge) or 0
    if charge in _OWED:
        if own_wh == 0:
            return "buy.no_use"
        if row.community_supply_wh == 0:
            return "buy.no_sun"
        if got_wh == own_wh:
            return "buy.enough"
        return "buy.shared"
    if own_wh == 0:
        return f"{charge.value}.no_sun"
    if charge is Charge.SELL:
        return "sell.all" if got_wh == own_wh else "sell.part" if got_wh else "sell.none"
    return "battery.some" if got_wh else "battery.none"


def _stood(house: House, connection: str, direction: Direction, at_s: EpochS) -> Reading | None:
    """Return the reading nearest to an instant, if one is near enough."""
    home = house.community.connections.get(connection)
    if home is None:
        return None
    key = DeviceKey(home.gateway, home.meter)
    name = f"{direction.value}_wh"
    points = house.store.points(key, name, at_s - EDGE_S, at_s + EDGE_S + 1)
    if not points:
        return None
    found_s, stood_wh = min(points, key=lambda point: (abs(point[0] - at_s), point[0]))
    return Reading(found_s, stood_wh)


def _source(
    desk: Desk, connection: str, direction: Direction, quarter: LineQuarter
) -> tuple[str, int, str]:
    """Return source, version and reason of the newest readings with what the run froze."""
    if quarter.row is None:
        return "", 0, ""
    day = datetime.fromtimestamp(quarter.start_s, HOME_ZONE).date()
    for version in reversed(versions_of(desk, connection, direction, day)):
        values = version.values
        place = (quarter.start_s - values.quarter(0).start_s) // QUARTER_S
        if values.wh[place] == quarter.own_wh:
            letter = values.origins[place]
            source = {"1": "p1", "4": "p4", "h": "manual", "e": "estimate"}.get(letter, "")
            return source, version.number, values.reason if source == "manual" else ""
    return "", 0, ""
