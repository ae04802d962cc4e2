"""A resident walks from euro to quarter-hour, and sees nobody else's statement."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import httpx
import pytest
from jsonschema import Draft202012Validator
from pypdf import PdfReader

from api.cooperative.papers.machine import statement_schema
from api.cooperative.runs import statements
from api.cooperative.runs.states import run_of
from api.cooperative.statement import Charge, Statement
from api.pages.statement.answers import (
    LineQuartersAnswer,
    LineWayAnswer,
    day_answer,
    way_answer,
)
from api.pages.statement.day import quarter_word
from api.pages.statement.line import find_day, find_line
from api.people.accounts import SYSTEM, account_of_party, add_account
from api.people.sessions import hash_of, open_session
from api.people.tables import CompanionRow, LookRow
from kwartier.interval import local_day, quarters_of_day
from kwartier.reading import Reading
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.cooperative.street import SETTINGS
from tests.api.street import feed, street
from tests.api.town import Town, Towns

LONG = date(2026, 10, 25)
"""The day of a hundred quarters."""
OWNERS = {"home-3": "lid-3b"}
"""Who lives in a home now, where its name does not say so."""
SIGN = {"buy": 1, "levy": 1, "fee": 1, "sell": -1, "battery": -1}


@dataclass(frozen=True, slots=True)
class Asking:
    """A town's server, and who asks."""

    town: Town
    client: httpx.Client

    def as_home(self, home: str) -> httpx.Client:
        """Return the client as who lives in a home now."""
        return self.as_party(OWNERS.get(home, home.replace("home", "lid")))

    def with_session(self, session: str) -> httpx.Client:
        """Return the client with a session."""
        self.client.cookies.clear()
        self.client.cookies.set("kwartier", session)
        return self.client

    def as_party(self, party: str) -> httpx.Client:
        """Return the client as a member, also one who has moved out."""
        people = self.town.house.people
        with people.writing() as desk:
            account = account_of_party(desk, party) or add_account(desk, SYSTEM, party=party)
            return self.with_session(open_session(desk, account, "password"))

    def walked(
        self, run: str, party: str, number: int
    ) -> tuple[LineWayAnswer, LineQuartersAnswer | None]:
        """Return a member's line, and one day of it: 25 October, or else its last."""
        house = self.town.house
        assert house.office is not None
        with house.office.reading() as desk:
            known = run_of(desk, run)
            said = house.shelf.statement(desk, SETTINGS, known, party)
            found = find_line(house, desk, known, said, number)
            days = [each.day for each in found.told.days if each.quarters]
            if not days:
                return way_answer(found), None
            day = find_day(house, desk, found, LONG if LONG in days else days[-1])
            return way_answer(found), day_answer(day)

    def said(self, run: str) -> dict[str, Statement]:
        """Return every member's statement of a run as the books have it."""
        office = self.town.house.office
        assert office is not None
        with office.reading() as desk:
            return {each.party.id: each for each in statements(desk, SETTINGS, run)}


@pytest.fixture(scope="module")
def corrected(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A town whose October was corrected; shared, and only read."""
    with ExitStack() as open_things:
        made = towns.at(Stage.CORRECTED, tmp_path_factory.mktemp("corrected"))
        town = open_things.enter_context(made)
        yield Asking(town, open_things.enter_context(served(town)))


@pytest.fixture(scope="module")
def computed(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A town whose October was only computed."""
    with ExitStack() as open_things:
        made = towns.at(Stage.COMPUTED, tmp_path_factory.mktemp("computed"))
        town = open_things.enter_context(made)
        yield Asking(town, open_things.enter_context(served(town)))


def test_the_first_page_tells_state_total_difference_and_reason(corrected: Asking) -> None:
    """lid-1 gets 22.08 in the first version and 22.09 in the second."""
    page = corrected.as_home("home-1").get("/afrekening").text

    assert "Verbeterd. U krijgt €\xa022,09." in page
    assert "U krijgt €\xa00,01 meer dan eerst." in page
    assert "the meter&#39;s display was read by hand" in page
    assert page.count("oktober 2026") >= 2
    assert "later verbeterd" in page


def test_a_computed_month_is_provisional_and_says_so(computed: Asking) -> None:
    client = computed.as_home("home-1")

    assert "Voorlopig. U krijgt" in client.get("/afrekening").text
    page = client.get("/afrekening/2026-10/1").text
    assert "Dit bedrag is voorlopig." in page
    assert "Provisional. You get" in client.get("/afrekening/2026-10/1?lang=en").text


@pytest.mark.parametrize("run", [pytest.param("2026-10/1", marks=pytest.mark.nightly), "2026-10/2"])
def test_all_of_every_member_adds_up_exactly(corrected: Asking, run: str) -> None:
    """Quarters are the day, days are the line, lines and VAT are the total: all ten members."""
    members = corrected.said(run)
    hundred = 0
    for name, said in members.items():
        signed = [line.amount_cents * SIGN[line.charge.value] for line in said.lines]
        vat = sum(part.vat_cents * (-1 if part.earned else 1) for part in said.vat)
        assert sum(signed) + vat == said.to_pay_cents
        for number, line in enumerate(said.lines, 1):
            way, day = corrected.walked(run, name, number)
            assert sum(each.energy_wh for each in way.days) == (line.energy_wh or 0)
            exact = sum((Fraction(each.exact_eur) for each in way.days), Fraction())
            assert exact == Fraction(way.exact_eur)
            assert abs(line.amount_cents - 100 * exact) < 1
            if day is None:
                assert line.charge is Charge.FEE
                continue
            whole = next(each for each in way.days if each.day == day.day)
            assert len(day.quarters) == whole.quarters
            assert sum(each.energy_wh for each in day.quarters) == whole.energy_wh
            euros = sum((Fraction(each.exact_eur) for each in day.quarters), Fraction())
            assert euros == Fraction(whole.exact_eur) == Fraction(day.exact_eur)
            hundred += len({each.start.timestamp() for each in day.quarters}) == 100
    assert len(members) == 10
    # Eight own a home on the 25th: each buys and pays the levy; two sell, and charge the battery.
    assert hundred == 8 * 2 + 2 * 2


def test_programs_get_the_same_as_people(corrected: Asking) -> None:
    """home-1's second line: 67.581 kWh at 0.195, on the 25th in a hundred quarters."""
    client = corrected.as_home("home-1")
    address = "/api/v1/statements/2026-10/2"
    listed = client.get("/api/v1/statements?limit=1").json()
    told = client.get(address).json()
    way = client.get(f"{address}/lines/2").json()
    day = client.get(f"{address}/lines/2/days/{LONG}").json()

    assert [each["version"] for each in listed["statements"]] == [2]
    assert client.get(listed["next"]).json()["statements"][0]["to_pay_cents"] == -2208
    assert (told["state"], told["to_pay_cents"], told["delta_cents"]) == ("corrected", -2209, -1)
    assert (way["exact_eur"], way["line"]["amount_cents"]) == ("13.178295", 1318)
    assert (len(way["days"]), len(day["quarters"]), day["price_eur"]) == (20, 100, "0.195")
    assert day["quarters"][8]["start"] == "2026-10-25T02:00:00+02:00"
    assert day["quarters"][12]["start"] == "2026-10-25T02:00:00+01:00"


def test_the_page_of_a_line_shows_formula_tariff_decision_key_and_days(corrected: Asking) -> None:
    """67.581 kWh at 0.195 is 13.178295 euro."""
    page = corrected.as_home("home-1").get("/afrekening/2026-10/2/2").text

    assert re.search(r"67,581 kWh . €\s0,195 = €\s13,178295", page)
    assert "Afgerond op hele centen is dat €\xa013,18." in page
    assert "tarief-2, geldig vanaf 12 oktober 2026" in page
    assert "2026-02" in page
    assert "Wie op dat moment meer gebruikt, krijgt meer." in page
    assert len(re.findall(r'href="/afrekening/2026-10/2/2/2026-10-\d\d"', page)) == 20
    assert '<tfoot><tr><th scope="row">Samen</th><td>67,581</td>' in page


def test_sums_of_all_members_are_told_only_where_five_homes_have_such_a_line(
    corrected: Asking,
) -> None:
    """Eight homes buy; two sell, so the one could work out the other."""
    client = corrected.as_home("home-1")
    bought = client.get("/api/v1/statements/2026-10/1/lines/1").json()
    sold = client.get("/api/v1/statements/2026-10/1/lines/7").json()

    assert (bought["line"]["charge"], sold["line"]["charge"]) == ("buy", "sell")
    assert bought["community_cents"] is not None
    assert (sold["community_cents"], sold["community_exact_eur"]) == (None, None)
    assert "Alle leden samen" in client.get("/afrekening/2026-10/1/1").text
    assert "Alle leden samen" not in client.get("/afrekening/2026-10/1/7").text


def test_the_double_hour_of_25_october_is_two_hours(corrected: Asking) -> None:
    client = corrected.as_home("home-1")
    page = client.get(f"/afrekening/2026-10/2/2/{LONG}?kwartier=02:15-2").text

    assert "Deze dag duurt 25 uur." in page
    assert "Samen, 100 kwartieren" in page
    assert "02.15 (zomertijd)</a>" in page
    assert "02.15 (wintertijd)</a>" in page
    assert re.search(r"<h2>02\.15 \(wintertijd\) tot 02\.30 uur</h2>", page)
    assert 'href="?kwartier=02:00-2#kwartier"' in page
    assert 'href="?kwartier=02:30-2#kwartier"' in page


def test_a_quarter_tells_the_street_the_rule_and_its_price(corrected: Asking) -> None:
    """At noon home-4 used 40.060 kWh after the correction; its version 2 was read by hand."""
    path = "/afrekening/2026-10/{}/2/2026-10-16?kwartier=12:00"
    page = corrected.as_home("home-4").get(path.format(2)).text

    assert "40,060 kWh" in page
    assert "Alle huizen samen van het net" not in page
    assert "Zo ziet niemand van welk huis iets is verbeterd." in page
    assert "Alle huizen samen van het net" in corrected.as_home("home-4").get(path.format(1)).text
    assert "Er is niet genoeg zon voor alles." in page
    assert 'class="mark corrected">verbeterd' in page
    assert "Dagbestand van 16 oktober 2026, versie 2." in page
    assert "Iemand schreef deze meting op." in page


def test_a_quarter_leads_to_the_registers_of_the_home(corrected: Asking) -> None:
    """The record knows 100.000 and 100.180 kWh at both edges; the run counted something else."""
    day, house = date(2026, 10, 20), corrected.town.house
    start_s = local_day(day)[0] + 12 * 3600
    feed(
        house.store,
        "gw-04",
        9,
        [
            Reading("p1", "meter-5", start_s, {"import_wh": 100_000, "export_wh": 0}),
            Reading("p1", "meter-5", start_s + 900, {"import_wh": 100_180, "export_wh": 0}),
        ],
    )
    page = corrected.as_home("home-5").get(f"/afrekening/2026-10/2/2/{day}?kwartier=12:00").text

    assert "100,000 kWh" in page
    assert "100,180 kWh" in page
    assert "Verschil: 0,180 kWh" in page
    assert "De meting komt van de netbeheerder." in page


def test_nobody_sees_what_is_not_theirs_or_not_there(corrected: Asking) -> None:
    client = corrected.as_home("home-4")
    lines = len(client.get("/api/v1/statements/2026-10/2").json()["lines"])
    for path in (
        "2026-10/3",
        "2026-09/1",
        "2026-10/x",
        "2026-13/1",
        f"2026-10/2/{lines + 1}",
        "2026-10/2/0",
        "2026-10/2/xlsx",
        "2026-10/2/1/2026-10-12",
        "2026-10/2/1/2026-10-99",
        "2026-10/2/2/2026-10-16?kwartier=25:00",
        f"2026-10/2/2/{LONG + timedelta(days=40)}",
    ):
        assert client.get(f"/afrekening/{path}").status_code == 404, path
    client.cookies.clear()
    assert client.get("/afrekening/2026-10/2").status_code == 303
    assert client.get("/api/v1/statements/2026-10/2").status_code == 401


def test_who_moved_in_sees_only_the_days_from_then_on(corrected: Asking) -> None:
    """home-3 changed hands on the 16th: its resident of now has no day before."""
    client = corrected.as_home("home-3")
    way = client.get("/api/v1/statements/2026-10/2/lines/1").json()

    assert [day["day"] for day in way["days"]] == [
        str(date(2026, 10, number)) for number in range(16, 32)
    ]
    assert client.get("/afrekening/2026-10/2/1/2026-10-15").status_code == 404


def test_a_statement_can_be_taken_home_in_three_forms(corrected: Asking) -> None:
    client = corrected.as_home("home-2")
    address = "/afrekening/2026-10/2"
    pdf, sheet, plain = (client.get(f"{address}/{kind}") for kind in ("pdf", "csv", "json"))

    assert "afrekening-2026-10-2.pdf" in pdf.headers["content-disposition"]
    reader = PdfReader(io.BytesIO(pdf.content))
    assert "/MarkInfo" in reader.root_object
    assert "U krijgt € 32,98" in reader.pages[0].extract_text().replace("\xa0", " ")
    assert sheet.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(sheet.content.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 11
    assert any("0,195" in cell for cell in rows[2])
    schema = statement_schema()
    assert isinstance(schema, dict)
    Draft202012Validator(schema).validate(json.loads(plain.content))
    assert plain.json()["party"]["id"] == "lid-2"


def test_an_old_version_leads_to_the_one_that_took_its_place(corrected: Asking) -> None:
    page = corrected.as_home("home-4").get("/afrekening/2026-10/1").text

    assert "Definitief. U betaalt" in page
    assert 'href="/afrekening/2026-10/2"' in page


def test_a_helper_reads_along_asks_nothing_and_is_written_down(corrected: Asking) -> None:
    session = _helper(corrected.town, "home-4")
    client = corrected.with_session(session)

    page = client.get("/afrekening/2026-10/2/2/2026-10-20")
    asked = client.get("/afrekening/vraag?plek=2026-10/2")

    assert page.status_code == 200
    assert "Klopt dit niet?" not in page.text
    assert asked.status_code == 403
    with corrected.town.house.people.reading() as desk:
        rows = [
            (row.as_what, row.home, row.what, row.first_day) for row in desk.session.query(LookRow)
        ]
    assert ("companion", "home-4", "quarters", date(2026, 10, 20)) in rows


def test_the_statement_adds_up_as_it_is_printed(corrected: Asking) -> None:
    """Whoever adds the printed euros of the lines finds the printed sum."""
    page = corrected.as_home("home-4").get("/afrekening/2026-10/2").text
    lines = [_cents(text) for text in re.findall(r'class="amount">([^<]+)<', page)]
    sums = [_cents(text) for text in re.findall(r"<dd>([^<]+)</dd>", page)]

    assert sum(lines) == sums[0] == 2488
    assert sums[0] + sums[1] == sums[2] == sums[3] == 3010


def test_quarters_are_named_once_each(corrected: Asking) -> None:
    for day, count in ((date(2026, 3, 29), 92), (date(2026, 10, 24), 96), (LONG, 100)):
        assert len({quarter_word(each.start_s) for each in quarters_of_day(day)}) == count


def test_a_street_without_books_has_no_statements_yet(noon_client: httpx.Client) -> None:
    page = noon_client.get("/afrekening")

    assert page.status_code == 200
    assert "U heeft nog geen afrekening." in page.text
    assert noon_client.get("/api/v1/statements").status_code == 404


@pytest.fixture(scope="module")
def noon_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A resident of a street that keeps no books."""
    with street(tmp_path_factory.mktemp("bookless"), homes=6) as made, served(made) as client:
        client.cookies.set("kwartier", made.session())
        yield client


def _helper(town: Town, home: str) -> str:
    """Return a session of somebody who looks along with a home for a week."""
    with town.house.people.writing() as desk:
        party = home.replace("home", "lid")
        account = account_of_party(desk, party) or add_account(desk, SYSTEM, party=party)
        row = CompanionRow(
            account=account,
            home=home,
            name=desk.keys.seal("buurvrouw"),
            hash=hash_of(f"link of {home}"),
            from_s=desk.at_s,
            until_s=desk.at_s + 7 * 86_400,
            ended_at_s=None,
            seen_at_s=None,
        )
        desk.session.add(row)
        desk.session.flush()
        return open_session(desk, account, "link", companion=row.id)


def _cents(text: str) -> int:
    return int(re.sub(r"\D", "", text))
