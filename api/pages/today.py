"""What the page Vandaag shows: the day, the signal, the power now, in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.day import Day, Kind, day_of_house, saving_eur_per_kwh
from api.house import House
from api.pages.curve import OwnCurve, curve_of, own_curve_of
from api.pages.language import Language
from api.people.visitor import Visitor
from api.settled import SettledDays
from collectors.disclosure import MIN_HOMES
from collectors.power import FRESH_S, Instants, home_power, meters_of, street_power
from collectors.store import DeviceKey
from kwartier.interval import HOME_ZONE, day_of
from kwartier.units import EpochS, Watt, Wh
from optimizer.moment import Moment, Signal

ARROW_STEPS_W = (100, 5_000, 20_000)
"""From which power on an arrow is drawn in its next width [W]; the script knows them too."""


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """A stretch of the battery's plan in words."""

    action: str
    start: str
    end: str
    why: str
    past: bool
    current: bool


@dataclass(frozen=True, slots=True)
class ShownHome:
    """A resident's own home."""

    curve: OwnCurve
    roof_wh: Wh
    shared_wh: Wh
    grid_wh: Wh
    use_w: Watt | None
    note: str | None


def today_values(
    house: House, settled: SettledDays, visitor: Visitor, lang: Language
) -> dict[str, object]:
    """Return everything that the templates ``today`` and ``street`` ask for."""
    now_s = house.clock.now_s()
    instants = house.live.instants()
    newest_s = instants.newest_s(meters_of(house.community))
    signal = house.signals.now()
    day = day_of_house(house, settled, day_of(now_s), visitor.home)
    measured = [one for one in day.quarters if one.kind in {Kind.MEASURED, Kind.ESTIMATED}]
    return {
        "tariff": house.community.tariff,
        "saving": saving_eur_per_kwh(house.community.tariff),
        "day": day,
        "signal": signal,
        "until": _until(signal, lang),
        "next": _next(signal, now_s, lang),
        "greeting": _greeting(now_s),
        "notes": _notes(day, newest_s, lang),
        "empty": None if measured else _why_empty(house, lang),
        "curve": curve_of(day, signal),
        "solar_wh": sum(one.solar_wh or 0 for one in measured),
        "use_wh": sum(one.use_wh or 0 for one in measured),
        "blocks": _blocks(day, lang),
        "own": None if visitor.home is None else _own(house, day, visitor.home, instants, lang),
        "street": street_power(house.community, instants, now_s),
        "newest": newest_s,
        "cell": lambda energy_wh: "-" if energy_wh is None else lang.kwh(energy_wh, 3),
        "step_of": lambda power_w: sum(power_w >= least for least in ARROW_STEPS_W),
    }


def _greeting(now_s: float) -> str:
    hour = datetime.fromtimestamp(now_s, UTC).astimezone(HOME_ZONE).hour
    return ("night", "morning", "afternoon", "evening")[hour // 6]


def _until(signal: Signal, lang: Language) -> str | None:
    if signal.until_s is None or signal.state not in {Moment.GOOD, Moment.LATER}:
        return None
    return lang.say("signal.until", time=lang.clock(signal.until_s))


def _next(signal: Signal, now_s: float, lang: Language) -> str | None:
    start_s, end_s = signal.next_from_s, signal.next_until_s
    if start_s is None or end_s is None:
        return None
    today, then = day_of(now_s), day_of(start_s)
    key = {today: "when.today", today + timedelta(days=1): "when.tomorrow"}.get(then, "when.day")
    when = lang.say(key, day=lang.weekday(then), start=lang.clock(start_s), end=lang.clock(end_s))
    return lang.say("signal.next", when=when)


def _notes(day: Day, newest_s: EpochS | None, lang: Language) -> list[str]:
    """Return what a reader must know before the numbers: old data, a day of another length."""
    notes = []
    if newest_s is None:
        notes.append(lang.say("stale.none"))
    elif day.now_s - newest_s > FRESH_S:
        notes.append(lang.say("stale", time=_when(newest_s, day, lang)))
    if len(day.quarters) < 96:
        notes.append(lang.say("day.short"))
    elif len(day.quarters) > 96:
        notes.append(lang.say("day.long"))
    return notes


def _when(at_s: EpochS, day: Day, lang: Language) -> str:
    """Return a time of day, with the date in front when it was another day."""
    if day_of(at_s) == day.date:
        return lang.clock(at_s)
    return f"{lang.day_name(day_of(at_s))} {lang.clock(at_s)}"


def _why_empty(house: House, lang: Language) -> str:
    few = len(house.community.connections) < MIN_HOMES
    return lang.say("day.few" if few else "day.empty")


def _blocks(day: Day, lang: Language) -> list[ShownBlock]:
    """Return the plan in words: what goes on and what comes; all of it once the day is done."""
    shown = [
        ShownBlock(
            block.action,
            lang.clock(max(block.start_s, day.start_s)),
            "24" + lang.clock(day.end_s)[2:]
            if block.end_s >= day.end_s
            else lang.clock(block.end_s),
            block.text_nl if lang.tag == "nl" else block.text_en,
            block.end_s <= day.now_s,
            block.start_s <= day.now_s < block.end_s,
        )
        for block in day.blocks
        if block.action != "idle"
    ]
    return [block for block in shown if not block.past] or shown


def _own(house: House, day: Day, home: str, instants: Instants, lang: Language) -> ShownHome:
    connection = house.community.connections[home]
    power = home_power(connection, instants, day.now_s)
    note = None
    if power is None:
        heard_s = instants.newest_s({DeviceKey(connection.gateway, connection.meter)})
        note = (
            lang.say("own.silent")
            if heard_s is None
            else lang.say("own.stale", time=_when(heard_s, day, lang))
        )
    known = [one.own for one in day.quarters if one.own is not None]
    return ShownHome(
        own_curve_of(day),
        sum(max(0, own.roof_wh - own.export_wh) for own in known),
        sum(own.shared_wh for own in known),
        sum(max(0, own.import_wh - own.shared_wh) for own in known),
        None if power is None else power.use_w,
        note,
    )
