"""What the page Vandaag shows: the day, the signal, the power now, in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from api.day import (
    Day,
    Gain,
    Kind,
    day_of_house,
    gain_of,
    last_public_day,
    saving_eur_per_kwh,
    told_sums,
)
from api.house import House
from api.pages.curve import OwnCurve, curve_of, own_curve_of
from api.pages.language import Language
from api.people.visitor import Visitor
from api.plans import PlanBlock
from api.power import PowerNow, power_of
from api.readers import Onlooker
from api.saved import Savings, YearSaved
from api.settled import SettledDays
from collectors.disclosure import MIN_HOMES
from collectors.power import FRESH_S, meters_of
from collectors.store import DeviceKey
from kwartier.interval import HOME_ZONE, day_of
from kwartier.units import EpochS, Watt, Wh
from optimizer.moment import Moment, Signal
from optimizer.settlement import Status

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
    """A resident's own home.

    Attributes:
        name: The home's id.
        curve: Its drawing.
        roof_wh: Used of its own roof so far [Wh].
        shared_wh: Shared sun that it used so far [Wh].
        grid_wh: Taken from the grid so far [Wh].
        use_w: What it uses now [W]; None when its meter is silent.
        note: What a reader must know about it; None for nothing.
        tomorrow: What it is expected to use and make tomorrow, in words; empty for not known.
    """

    name: str
    curve: OwnCurve
    roof_wh: Wh
    shared_wh: Wh
    grid_wh: Wh
    use_w: Watt | None
    note: str | None
    tomorrow: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The two numbers under the signal.

    Attributes:
        who: Whose they are: ``own``, ``street``, or ``past`` for what everybody may know.
        gain: What sharing brought; None when nothing may be told.
        status: Whether it can still change.
        day: Which day they are of.
        like: The shared energy as something of every day, in words; empty for too little.
        year: What was saved this year, where that is told instead of the day's.
    """

    who: str
    gain: Gain | None
    status: Status
    day: date
    like: str
    year: YearSaved | None = None


EQUIVALENTS: tuple[tuple[str, Wh], ...] = (("washes", 1000), ("rides", 500), ("phones", 15))
"""What energy is like, largest first: one wash, one charge of an electric bicycle, of a phone."""
SURE_TO_A_KWH: Wh = 2000
"""From here on what is expected is told in whole kWh."""
MOST_ALIKE = 100
"""More than so many of anything says nothing to anybody."""


@dataclass(frozen=True, slots=True)
class TodaySources:
    """What the page is made from, put together once.

    Attributes:
        house: The house.
        settled: Its days.
        savings: Its year.
    """

    house: House
    settled: SettledDays
    savings: Savings


def today_values(
    sources: TodaySources, visitor: Visitor, looks: Onlooker, lang: Language
) -> dict[str, object]:
    """Return everything that the templates ``today`` and ``street`` ask for."""
    house = sources.house
    power = power_of(house)
    now_s, instants = power.now_s, power.instants
    newest_s = instants.newest_s(meters_of(house.community))
    signal = house.signals.now()
    day = day_of_house(house, sources.settled, day_of(now_s), looks)
    measured = [one for one in day.quarters if one.kind in {Kind.MEASURED, Kind.ESTIMATED}]
    figures = _figures(sources, day, looks, lang)
    return {
        "tariff": house.community.tariff,
        "saving": saving_eur_per_kwh(house.community.tariff),
        "day": day,
        "inside": looks.reader.inside,
        "signal": signal,
        "said": "soon" if house.signals.are_soon() else signal.state,
        "until": _until(signal, now_s, lang),
        "next": _next(signal, now_s, lang),
        "greeting": _greeting(now_s),
        "notes": _notes(day, newest_s, lang),
        "empty": None if measured else _why_empty(house, lang),
        "figures": figures,
        "curve": curve_of(day, signal),
        "solar_wh": sum(one.solar_wh or 0 for one in measured),
        "use_wh": sum(one.use_wh or 0 for one in measured),
        "blocks": _blocks(day, lang),
        "homes": _homes(visitor),
        "own": _own(house, day, looks, power, lang),
        "street": power.street(looks.reader),
        "newest": newest_s,
        "cell": lambda energy_wh: "-" if energy_wh is None else lang.kwh(energy_wh, 3),
        "step_of": lambda power_w: sum(power_w >= least for least in ARROW_STEPS_W),
    }


def _figures(sources: TodaySources, day: Day, looks: Onlooker, lang: Language) -> Figures:
    """Return one's own numbers of today, or the street's, or those that everybody may know."""
    if day.own is not None:
        return Figures("own", day.own, day.status, day.date, _like(day.own, lang))
    if looks.reader.inside:
        return Figures("street", day.street, day.status, day.date, _like(day.street, lang))
    house = sources.house
    past = last_public_day(day.now_s)
    told = told_sums(house, sources.settled, past, looks.reader)
    gain = gain_of(told, house.community.tariff)
    year = sources.savings.this_year(day.date)
    return Figures("past", gain, Status.PROVISIONAL, past, _like(gain, lang), year)


def _like(gain: Gain | None, lang: Language) -> str:
    """Return energy as something of every day, in words; empty where nothing fits."""
    if gain is None:
        return ""
    for key, energy_wh in EQUIVALENTS:
        count = gain.shared_wh // energy_wh
        if 1 <= count <= MOST_ALIKE:
            return lang.count(key, count)
    return ""


def _homes(visitor: Visitor) -> list[str]:
    """Return the homes somebody can choose from; none when there is nothing to choose."""
    homes = list(dict.fromkeys(stay.home for stay in visitor.stays))
    return homes if len(homes) > 1 else []


def _greeting(now_s: float) -> str:
    hour = datetime.fromtimestamp(now_s, UTC).astimezone(HOME_ZONE).hour
    return ("night", "morning", "afternoon", "evening")[hour // 6]


def _until(signal: Signal, now_s: float, lang: Language) -> str | None:
    """Return until when it is said to last; a time that is over is nothing to tell."""
    if signal.until_s is None or signal.state not in {Moment.GOOD, Moment.LATER}:
        return None
    if signal.until_s <= now_s or day_of(signal.until_s - 1) != day_of(now_s):
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
            _why(block, lang),
            block.end_s <= day.now_s,
            block.start_s <= day.now_s < block.end_s,
        )
        for block in day.blocks
        if block.action != "idle"
    ]
    return [block for block in shown if not block.past] or shown


def _why(block: PlanBlock, lang: Language) -> str:
    """Return why the battery does it; a reason that has no words here yet is told in Dutch."""
    key = f"plan.why.{block.action}.{block.because}"
    return lang.say(key) if lang.knows(key) else block.text_nl


def _own(
    house: House, day: Day, looks: Onlooker, power: PowerNow, lang: Language
) -> ShownHome | None:
    """Return one's own home, where it was theirs today; None otherwise."""
    home = looks.home
    if home is None or day.own is None or home not in house.community.connections:
        return None
    connection = house.community.connections[home]
    now = power.own(looks)
    note = None
    if now is None:
        heard_s = power.instants.newest_s({DeviceKey(connection.gateway, connection.meter)})
        note = (
            lang.say("own.silent")
            if heard_s is None
            else lang.say("own.stale", time=_when(heard_s, day, lang))
        )
    known = [one.own for one in day.quarters if one.own is not None]
    return ShownHome(
        home,
        own_curve_of(day),
        sum(max(0, own.roof_wh - own.export_wh) for own in known),
        sum(own.shared_wh for own in known),
        sum(max(0, own.import_wh - own.shared_wh) for own in known),
        None if now is None else now.use_w,
        note,
        _tomorrow(house, home, day, looks, lang),
    )


def _tomorrow(house: House, home: str, day: Day, looks: Onlooker, lang: Language) -> str:
    """Return what a home is expected to use and make; empty where that rests on others' days."""
    ahead = house.forecasts.ahead
    told = None if ahead is None else ahead.tomorrow(home, day.now_s)
    if told is None or not any(
        stay.holds(told.since_s) and stay.holds(day.end_s) for stay in looks.stays
    ):
        return ""
    use = lang.say("own.tomorrow.use", use=_about_kwh(told.use_wh, lang))
    if told.made_wh is None:
        return use
    return f"{use} {lang.say('own.tomorrow.sun', sun=_about_kwh(told.made_wh, lang))}"


def _about_kwh(energy_wh: Wh, lang: Language) -> str:
    """Return energy as surely as it is known: whole kWh, and below two of them tenths."""
    return lang.kwh(energy_wh, 0 if energy_wh >= SURE_TO_A_KWH else 1)
