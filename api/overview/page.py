"""What the page Overzicht shows, in the reader's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from api.house import House
from api.overview.band import Band, last_monday
from api.overview.drawing import Bars, Stack, bars_of
from api.overview.keeper import Overview
from api.overview.lived import Bar, lived_on
from api.overview.own import Comparison, OwnPeriod, own_period
from api.overview.periods import Period, Span
from api.pages.language import Language
from api.people.consents import Purpose, chose
from api.people.visitor import Visitor
from kwartier.interval import HOME_ZONE, QUARTER_S, day_of, local_day

EVEN_PERCENT = 3
"""A difference below this is told as none [%]."""
SPANS = {"dag": Span.DAY, "week": Span.WEEK, "maand": Span.MONTH, "jaar": Span.YEAR}
"""The periods by their names in the address."""
COLUMNS = ("bought", "roof", "grid", "use", "given", "to_grid")
"""What is told of each row, as the sums name it."""
_HOURS = {0, 6, 12, 18}
_NAMES = {span: name for name, span in SPANS.items()}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row of the table beside the bars; ``href`` leads to the days in it."""

    name: str
    href: str
    bar: Bar
    known: str


@dataclass(frozen=True, slots=True)
class ShownBand:
    """Where the home stands among similar ones: a band, or why there is none, and its week."""

    band: Band | None
    why: str
    first: date
    last: date
    home: str


def overview_values(
    house: House, overview: Overview, visitor: Visitor, home: str, period: Period, lang: Language
) -> dict[str, object]:
    """Return everything that the template ``overview`` asks for."""
    now_s = house.clock.now_s()
    today = day_of(now_s)
    own = own_period(overview.days, visitor, home, period, now_s)
    address = _address(home, visitor)
    connection = house.community.connections.get(home)
    return {
        "own": own,
        "heading": period_name(period, lang),
        "sentences": _sentences(own, today, lang),
        "length": _length(period, lang),
        "rows": [_row(bar, period, address, lang) for bar in own.bars],
        "columns": COLUMNS,
        "money_note": own.standing if not own.standing.is_booked or own.is_on_statement else "part",
        "decimals": 3 if period.span is Span.DAY else 1,
        "has_roof": connection is not None and connection.solar is not None,
        "column": "overview.column." + _step(period),
        "use": _drawing(own, lang, own_use=True) if own.sums else None,
        "given": _drawing(own, lang, own_use=False) if own.sums and own.sums.export_wh else None,
        "year": _year(own, lang),
        "band": _band(house, overview, visitor, home, period, int(now_s)),
        "spans": [
            (name, address(_NAMES[span], min(period.last, today)), span is period.span)
            for name, span in SPANS.items()
        ],
        "before": _link(period.before, address),
        "after": _link(period.after, address) if period.end <= today else None,
        "files": _files(period, address),
        "today": today,
        "homes": sorted({stay.home for stay in visitor.stays}),
        "first_day": (overview.days.span() or (today, today))[0],
    }


def period_name(period: Period, lang: Language) -> str:
    """Return a period's name, such as ``5 oktober - 11 oktober 2026``."""
    if period.span is Span.YEAR:
        return str(period.first.year)
    if period.span is Span.MONTH:
        return lang.month_name(period.first)
    if period.span is Span.DAY:
        return f"{lang.weekday(period.first)} {lang.full_date(period.first)}"
    if period.first.year == period.last.year:
        first = lang.short_date(period.first)
    else:
        first = lang.full_date(period.first)
    if (period.first.year, period.first.month) == (period.last.year, period.last.month):
        first = str(period.first.day)
    return lang.say("overview.span", first=first, last=lang.full_date(period.last))


def _sentences(own: OwnPeriod, today: date, lang: Language) -> list[str]:
    """Return what comes first: one's use beside the period before, and a line that is good news."""
    if own.sums is None:
        empty = "overview.future" if own.period.first > today else "overview.none"
        return [lang.say(empty)]
    told = []
    if own.before is None:
        told.append(lang.say("overview.used", use=lang.kwh(own.sums.use_wh)))
    else:
        told += _beside(own.before, lang)
    if own.sums.bought_wh:
        told.append(lang.say("overview.shared_of_it", shared=lang.kwh(own.sums.bought_wh)))
    if own.before is None:
        told.append(lang.say("overview.alone"))
    return told


def _year(own: OwnPeriod, lang: Language) -> str | None:
    """Return how it was a year before; of a year the first sentence tells that."""
    if own.year_before is None or own.period.span is Span.YEAR:
        return None
    return " ".join(_beside(own.year_before, lang))


def _beside(beside: Comparison, lang: Language) -> list[str]:
    """Return how much more or less was used than in another period, in one or two sentences."""
    span = "year_back" if beside.is_year_back else beside.period.span.value
    percent = beside.percent
    key = "even" if abs(percent) < EVEN_PERCENT else "more" if percent > 0 else "less"
    before = lang.say(f"overview.before.{span}", name=period_name(beside.period, lang))
    told = [lang.say(f"overview.{key}", percent=lang.whole(abs(percent)), before=before)]
    if beside.days < (beside.period.end - beside.period.first).days:
        told.append(lang.count("overview.over_days", beside.days))
    return told


def _length(period: Period, lang: Language) -> str | None:
    """Return a note on a day that is not 24 hours long, where one lies in the period."""
    for day in period.days:
        start_s, end_s = local_day(day)
        count = (end_s - start_s) // QUARTER_S
        if count != 96 and (period.end - period.first).days <= 31:
            key = "overview.day_short" if count < 96 else "overview.day_long"
            return lang.say(key, day=lang.day_name(day))
    return None


def _step(period: Period) -> str:
    if period.span is Span.DAY:
        return "quarter"
    return "month" if period.is_by_month else "day"


def _row(bar: Bar, period: Period, address: Callable[[str, date], str], lang: Language) -> ShownRow:
    first = day_of(bar.start_s)
    step = _step(period)
    if step == "quarter":
        name, href = lang.quarter_name(bar.start_s), ""
    elif step == "month":
        name, href = lang.month_name(first), address("maand", first)
    else:
        name = f"{lang.short_weekday(first)} {lang.short_date(first)}"
        href = address("dag", first)
    return ShownRow(name, href, bar, lang.say(f"overview.known.{known_of(bar)}"))


def known_of(bar: Bar) -> str:
    """Return how a bar is known: measured, estimated, partial, missing, or still to come."""
    if bar.sums is None:
        return "missing" if bar.is_partial else "coming"
    if bar.is_partial:
        return "partial"
    return "estimated" if bar.sums.estimated else "measured"


def _drawing(own: OwnPeriod, lang: Language, *, own_use: bool) -> Bars:
    """Return the bars of what was used, or of what the roof gave away."""
    stacks = []
    for bar, label in zip(own.bars, _labels(own, lang), strict=True):
        parts = None
        if bar.sums is not None:
            sums = bar.sums
            used = (sums.roof_wh, sums.bought_wh, sums.grid_wh)
            parts = used if own_use else (sums.given_wh, sums.to_grid_wh)
        stacks.append(Stack(parts, bar.is_partial, label))
    room = 0 if len(stacks) > 40 else 2
    return bars_of(stacks, 3 if own_use else 2, room=room)


def _labels(own: OwnPeriod, lang: Language) -> list[str]:
    """Return what stands under each bar; under many bars only some have a word."""
    period = own.period
    labels = []
    for place, bar in enumerate(own.bars):
        first = day_of(bar.start_s)
        if period.span is Span.DAY:
            local = datetime.fromtimestamp(bar.start_s, HOME_ZONE)
            labels.append(str(local.hour) if local.hour in _HOURS and not local.minute else "")
        elif period.is_by_month:
            labels.append(lang.short_month(first) if place % 2 == 0 else "")
        elif len(own.bars) <= 7:
            labels.append(lang.short_weekday(first))
        else:
            every = 2 if len(own.bars) <= 14 else 7
            labels.append("" if place % every else str(first.day))
    return labels


def _band(
    house: House, overview: Overview, visitor: Visitor, home: str, period: Period, now_s: int
) -> ShownBand:
    """Return the band of the week that is shown, or of the last one that was told."""
    newest = last_monday(now_s, day_of(now_s))
    monday = period.first if period.span is Span.WEEK and period.first < newest else newest
    last = monday + timedelta(days=6)
    with house.people.reading() as desk:
        wants = chose(desk, visitor.account, Purpose.COMPARISON)
    if not wants:
        return ShownBand(None, "choose", monday, last, home)
    lived = all(lived_on(visitor, home, monday + timedelta(days=place)) for place in range(7))
    told = overview.days.band(home, monday) if lived else None
    if told is None:
        return ShownBand(None, "few", monday, last, home)
    return ShownBand(Band(told), "", monday, last, home)


def _address(home: str, visitor: Visitor) -> Callable[[str, date], str]:
    """Return what makes addresses of this page; a home is named only when it is not the usual."""
    other = f"&huis={home}" if home != visitor.home else ""

    def address(span: str, day: date) -> str:
        return f"/overzicht?p={span}&d={day}{other}"

    return address


def _link(period: Period, address: Callable[[str, date], str]) -> str:
    if period.span is Span.CHOSEN:
        chosen = address("", period.first).partition("?")
        other = chosen[2].partition("&huis=")
        return f"/overzicht?van={period.first}&tot={period.last}{other[1]}{other[2]}"
    return address(_NAMES[period.span], period.first)


def _files(period: Period, address: Callable[[str, date], str]) -> list[tuple[str, str]]:
    """Return the files to take along: the word's key and the address."""
    link = _link(period, address)
    query = link.partition("?")[2]
    files = [("overview.file", f"/overzicht.csv?{query}")]
    if period.span is not Span.DAY and (period.end - period.first).days <= 31:
        files.append(("overview.file.quarters", f"/overzicht.csv?{query}&per=kwartier"))
    return files
