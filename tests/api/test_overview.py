"""Days that were summed before: they equal their quarters, the exact engine and the statements."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis.strategies import dates, sampled_from
from sqlalchemy import select

from api.cooperative.runs import statements
from api.cooperative.statement import Charge, Statement
from api.overview.day_file import DayFile
from api.overview.day_sums import HomeDay, Origin
from api.overview.keeper import Overview
from api.overview.own import OwnPeriod, Standing, own_period, standing_of
from api.overview.periods import Period, Span
from api.people.companions import come_along, companion_of, invite
from api.people.sessions import visitor_of
from api.people.tables import LookRow
from collectors.store import DeviceKey
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S, local_day
from kwartier.reading import Reading
from tests.api.conftest import served
from tests.api.cooperative.stages import RUN, Stage
from tests.api.cooperative.street import MOVE, SETTINGS
from tests.api.past import PastTown, past_town
from tests.api.street import DAY, LUNCH_S, feed, street
from tests.api.town import Towns

OCTOBER = Period.of(Span.MONTH, date(2026, 10, 1))
LONG_DAY = date(2026, 10, 25)


@pytest.fixture(scope="module")
def past(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastTown]:
    """October in the record and closed in the books, on 2 November."""
    with past_town(towns, Stage.CLOSED, tmp_path_factory.mktemp("past")) as made:
        yield made


@pytest.fixture(scope="module")
def pages(past: PastTown) -> Iterator[httpx.Client]:
    with served(past.town) as client:
        yield client


def own(past: PastTown, home: str, period: Period) -> OwnPeriod:
    visitor = visitor_of(past.town.house.people, past.town.resident(home))
    now_s = past.town.clock.now_s()
    return own_period(past.overview.days, visitor, home, period, now_s)


def kept(past: PastTown, home: str, origin: Origin) -> list[HomeDay]:
    days = past.overview.days.home_days(home, OCTOBER.first, OCTOBER.end)
    return [day for day in days if day.origin is origin]


def statement(past: PastTown, party: str) -> Statement:
    office = past.town.house.office
    assert office is not None
    with office.reading() as desk:
        told = {one.party.id: one for one in statements(desk, SETTINGS, RUN)}
    return told[party]


def energy(said: Statement, *charges: Charge) -> int:
    return sum(line.energy_wh or 0 for line in said.lines if line.charge in charges)


def cents(said: Statement, *charges: Charge) -> int:
    return sum(line.amount_cents for line in said.lines if line.charge in charges)


def get(pages: httpx.Client, past: PastTown, home: str, address: str) -> httpx.Response:
    return pages.get(address, headers={"Cookie": f"kwartier={past.town.resident(home)}"})


@pytest.mark.parametrize("origin", list(Origin))
def test_a_day_is_the_sum_of_its_quarters(past: PastTown, origin: Origin) -> None:
    for day in kept(past, "home-1", origin):
        quarters = past.overview.days.quarters("home-1", day.day)[origin]

        assert len(quarters.kind) == day.quarters == day.known
        assert day.import_wh == int(quarters.import_wh.sum())
        assert day.export_wh == int(quarters.export_wh.sum())
        assert day.bought_wh == int(quarters.bought_wh.sum())
        assert day.sold_wh == int(quarters.sold_wh.sum())
        assert day.charged_wh == int(quarters.charged_wh.sum())
    assert {day.day: day.quarters for day in kept(past, "home-1", origin)}[LONG_DAY] == 100


def test_what_is_reckoned_from_the_record_is_what_the_run_booked(past: PastTown) -> None:
    def told(day: HomeDay) -> tuple[object, ...]:
        shared = day.bought_wh, day.sold_wh, day.charged_wh
        return day.day, day.import_wh, day.export_wh, *shared, day.paid_ueur, day.earned_ueur

    for home in past.town.house.community.connections:
        reckoned = [told(day) for day in kept(past, home, Origin.RECORD) if day.import_wh]
        booked = [told(day) for day in kept(past, home, Origin.RUN)]

        assert len(booked) == 31
        assert reckoned == booked


def test_a_closed_month_says_what_the_statement_says(past: PastTown) -> None:
    said = statement(past, "lid-1")
    shown = own(past, "home-1", OCTOBER)

    assert shown.sums is not None
    assert shown.standing is Standing.FINAL
    assert shown.sums.bought_wh == energy(said, Charge.BUY)
    assert shown.sums.given_wh == energy(said, Charge.SELL, Charge.BATTERY)
    assert shown.paid_eur == Decimal(cents(said, Charge.BUY, Charge.LEVY)) / 100
    assert shown.earned_eur == Decimal(cents(said, Charge.SELL, Charge.BATTERY)) / 100


def test_who_moved_in_sees_their_own_days_only(past: PastTown) -> None:
    said = statement(past, "lid-3b")
    shown = own(past, "home-3", OCTOBER)

    assert shown.sums is not None
    assert [day.day for day in shown.days] == [MOVE + timedelta(days=n) for n in range(16)]
    assert all(bar.sums is None and not bar.is_partial for bar in shown.bars[: MOVE.day - 1])
    assert shown.sums.bought_wh == energy(said, Charge.BUY)


def test_what_is_not_known_is_absent_and_not_zero(past: PastTown) -> None:
    shown = own(past, "home-1", Period.of(Span.MONTH, date(2026, 9, 1)))

    assert shown.sums is None
    assert shown.before is None
    assert {bar.sums for bar in shown.bars} == {None}
    assert {bar.is_partial for bar in shown.bars} == {True}


def test_a_week_is_told_beside_the_week_before(past: PastTown) -> None:
    week = Period.of(Span.WEEK, date(2026, 10, 14))
    shown, before = own(past, "home-1", week), own(past, "home-1", week.before)

    assert shown.before is not None
    assert shown.sums is not None
    assert before.sums is not None
    assert (shown.before.days, shown.before.period.first) == (7, date(2026, 10, 5))
    assert shown.before.use_wh == shown.sums.use_wh
    assert shown.before.other_wh == before.sums.use_wh


def test_the_long_day_has_a_hundred_bars_and_says_so(past: PastTown, pages: httpx.Client) -> None:
    page = get(pages, past, "home-1", f"/overzicht?p=dag&d={LONG_DAY}").text

    assert page.count('scope="row"') == 101  # the quarters and their total
    assert "02.15 (zomertijd)" in page
    assert "02.15 (wintertijd)" in page
    assert "Die dag duurde 25 uur." in page


@pytest.mark.parametrize("span", ["dag", "week", "maand", "jaar"])
def test_every_span_is_a_page_with_its_neighbours(
    past: PastTown, pages: httpx.Client, span: str
) -> None:
    page = get(pages, past, "home-1", f"/overzicht?p={span}&d=2026-10-15")

    assert page.status_code == 200
    assert 'rel="prev"' in page.text
    assert ('rel="next"' in page.text) == (span != "jaar")


def test_a_time_of_ones_own_choice_comes_from_two_fields(
    past: PastTown, pages: httpx.Client
) -> None:
    told = get(pages, past, "home-1", "/overzicht?van=2026-10-05&tot=2026-10-18&p=week")
    json = get(pages, past, "home-1", "/api/v1/overview?from=2026-10-05&to=2026-10-18").json()

    assert "18 oktober 2026" in told.text
    assert (json["period"], len(json["bars"])) == ("chosen", 14)
    assert json["bars"][0]["start"] == "2026-10-05T00:00:00+02:00"


@pytest.mark.parametrize(
    "query",
    ["p=eeuw", "d=gisteren", "van=2026-10-05", "van=2026-10-05&tot=2026-10-01", "d=1999-01-01"],
)
def test_a_time_that_is_none_is_refused(past: PastTown, pages: httpx.Client, query: str) -> None:
    assert get(pages, past, "home-1", f"/overzicht?{query}").status_code == 422


def test_the_file_for_a_spreadsheet_is_typed_in_the_readers_language(
    past: PastTown, pages: httpx.Client
) -> None:
    told = get(pages, past, "home-1", "/overzicht.csv?p=maand&d=2026-10-01&lang=nl")
    lines = told.content.decode("utf-8").split("\r\n")
    first = own(past, "home-1", Period.of(Span.DAY, date(2026, 10, 1))).sums

    assert first is not None
    assert told.content.startswith(b"\xef\xbb\xbf")
    assert lines[0].startswith("\ufeffDatum;Gedeelde zon (kWh);Eigen dak (kWh)")
    kwh = f"{first.bought_wh // 1000},{first.bought_wh % 1000:03d}"
    assert lines[1].startswith(f"2026-10-01;{kwh};")
    assert len(lines) == 31 + 2


def test_the_file_for_programs_has_dots_and_offsets(past: PastTown, pages: httpx.Client) -> None:
    told = get(
        pages, past, "home-1", f"/api/v1/overview.csv?from={LONG_DAY}&to={LONG_DAY}&rows=quarters"
    )
    lines = told.text.split("\r\n")

    assert len(lines) == 100 + 2
    assert lines[9].startswith("2026-10-25T02:00:00+02:00,2026-10-25T02:15:00+02:00,")
    assert lines[13].startswith("2026-10-25T02:00:00+01:00,2026-10-25T02:15:00+01:00,")


def test_anybody_elses_home_does_not_exist(past: PastTown, pages: httpx.Client) -> None:
    for address in (
        "/overzicht?huis=home-2",
        "/overzicht.csv?huis=home-2",
        "/api/v1/overview?home=home-2",
        "/api/v1/overview.csv?home=home-2",
    ):
        assert get(pages, past, "home-1", address).status_code == 404


def test_a_helpers_look_at_quarters_is_written_down(past: PastTown, pages: httpx.Client) -> None:
    people = past.town.house.people
    with people.writing() as desk:
        account = visitor_of(people, past.town.resident("home-1")).account
        code = invite(desk, account, account, "home-1", "buurvrouw")
        helper = come_along(desk, companion_of(desk, code))
    pages.get(f"/overzicht?p=dag&d={LONG_DAY}", headers={"Cookie": f"kwartier={helper}"})

    with people.reading() as desk:
        looks = [
            (row.home, row.what, row.first_day) for row in desk.session.scalars(select(LookRow))
        ]
    assert ("home-1", "quarters", LONG_DAY) in looks


def test_a_run_that_is_not_booked_leaves_the_month_provisional(
    past: PastTown, towns: Towns, tmp_path: Path
) -> None:
    with past_town(towns, Stage.PROPOSED, tmp_path, fed=False) as open_month:
        booked = open_month.overview.days.booked()
    days = {day.day: day for day in kept(past, "home-1", Origin.RECORD)}

    assert booked == {}
    assert standing_of(days, booked) is Standing.PROVISIONAL


def test_a_corrected_month_says_so(towns: Towns, tmp_path: Path) -> None:
    with past_town(towns, Stage.CORRECTED, tmp_path, fed=False) as past:
        shown = own(past, "home-4", OCTOBER)
        first = own(past, "home-4", Period.of(Span.DAY, MOVE))

    assert shown.standing is Standing.CORRECTED
    assert first.sums is not None
    assert first.sums.import_wh > 40_000


def test_late_readings_are_noticed_within_the_hour(tmp_path: Path) -> None:
    with street(tmp_path, homes=6, silent={"huis-02": range(20, 30)}) as made:
        house = made.house
        file = tmp_path / "overview.db"
        overview = Overview(house.community, house.store, made.clock, file, people=house.people)
        overview.catch_up()
        (before,) = overview.days.home_days("huis-02", DAY, DAY + timedelta(days=1))
        start_s = local_day(DAY)[0]
        stood = dict(house.store.points(DeviceKey("gw-01", "p1"), "import_wh", start_s, LUNCH_S))
        late = [
            Reading(
                "p1",
                "m1",
                at_s,
                {"import_wh": stood[start_s + 19 * QUARTER_S], "export_wh": 500_000},
            )
            for at_s in range(start_s + 20 * QUARTER_S, start_s + 30 * QUARTER_S, QUARTER_S)
        ]
        feed(house.store, "gw-01", 9, late)
        made.clock.advance(3_600)
        overview.catch_up()
        (after,) = overview.days.home_days("huis-02", DAY, DAY + timedelta(days=1))
        overview.close()

    assert (before.estimated, after.estimated) == (11, 0)
    assert before.import_wh == after.import_wh


def test_a_mistake_of_ours_does_not_end_the_keeping(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = threading.Event()

    class Breaking(VirtualClock):
        """Breaks in a way that nobody thought of."""

        def now_s(self) -> float:
            asked.set()
            raise ValueError("no time")

    with street(tmp_path, homes=6) as made:
        house = made.house
        overview = Overview(
            house.community, house.store, Breaking(0), tmp_path / "o.db", people=house.people
        )
        overview.start()
        asked.wait(10)
        (keeping,) = [each for each in threading.enumerate() if each.name == "overview"]
        keeping.join(0.5)
        goes_on = keeping.is_alive()
        overview.close()

    assert goes_on
    assert "a mistake of ours" in caplog.text


def test_a_day_with_a_gap_is_hatched_and_never_filled_with_zeros(tmp_path: Path) -> None:
    with street(tmp_path, homes=6, silent={"huis-03": range(30, 99)}) as made:
        house = made.house
        file = tmp_path / "overview.db"
        overview = Overview(house.community, house.store, made.clock, file, people=house.people)
        overview.catch_up()
        visitor = visitor_of(house.people, made.session("huis-03"))
        week, day = (
            own_period(overview.days, visitor, "huis-03", Period.of(span, DAY), LUNCH_S)
            for span in (Span.WEEK, Span.DAY)
        )
        overview.close()

    of_day = week.bars[DAY.weekday()]
    assert of_day.is_partial
    assert of_day.sums is not None
    assert (of_day.sums.known, of_day.sums.quarters) == (29, 52)
    assert [bar.sums is None for bar in day.bars] == [False] * 29 + [True] * 67
    # It is five past one: 52 quarters ended, and the readings of the last two are on their way.
    assert [bar.is_partial for bar in day.bars] == [False] * 29 + [True] * 21 + [False] * 46


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "overview.db").write_bytes(b"this is no database" * 100)

    file = DayFile(tmp_path / "overview.db")

    assert file.span() is None
    file.close()


@given(
    dates(date(2001, 1, 1), date(2098, 12, 31)),
    sampled_from([Span.DAY, Span.WEEK, Span.MONTH, Span.YEAR]),
)
def test_periods_tile_time(day: date, span: Span) -> None:
    period = Period.of(span, day)

    assert period.first <= day < period.end
    assert period.before.end == period.first
    assert period.after.first == period.end
    assert sum((step.end - step.first).days for step in period.steps) == len(list(period.days))
    assert span is not Span.WEEK or period.first.weekday() == 0


def test_the_29th_of_february_compares_with_nothing_a_year_before() -> None:
    leap = Period.of(Span.YEAR, date(2028, 2, 29))

    assert leap.alike(date(2028, 2, 29), leap.before) is None
    assert leap.alike(date(2028, 3, 1), leap.before) == date(2027, 3, 1)
    assert Period.of(Span.MONTH, date(2028, 2, 1)).year_before.end == date(2027, 3, 1)
