"""Numbers, money, days and times as each language writes them; which language a reader gets."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import httpx
import pytest

from api.pages.language import BEGUN, SPOKEN, language
from kwartier.interval import QUARTER_S, Quarter, local_day
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

NBSP = "\N{NO-BREAK SPACE}"
RLM = "\N{RIGHT-TO-LEFT MARK}"
LRM = "\N{LEFT-TO-RIGHT MARK}"
OCTOBER_5 = date(2026, 10, 5)


@pytest.fixture(scope="module")
def town(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with towns.at(Stage.CLOSED, tmp_path_factory.mktemp("languages")) as made:
        yield made


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    with served(town) as made:
        yield made


@pytest.mark.parametrize(
    ("tag", "money", "debt", "energy"),
    [
        ("nl", f"€{NBSP}6,14", f"€{NBSP}-1.234,50", "1.234,6"),
        ("en", "€6.14", "-€1,234.50", "1,234.6"),
        ("tr", "€6,14", "-€1.234,50", "1.234,6"),
        ("ar", f"{RLM}6.14{NBSP}€", f"{RLM}{LRM}-1,234.50{NBSP}€", "1,234.6"),
        ("pl", f"6,14{NBSP}€", f"-1{NBSP}234,50{NBSP}€", f"1{NBSP}234,6"),
        ("uk", f"6,14{NBSP}€", f"-1{NBSP}234,50{NBSP}€", f"1{NBSP}234,6"),
    ],
)
def test_money_and_energy_as_the_language_writes_them(
    tag: str, money: str, debt: str, energy: str
) -> None:
    speaker = language(tag)

    assert speaker.euro(Decimal("6.14")) == money
    assert speaker.cents(-123_450) == debt
    assert speaker.kwh(1_234_567) == energy


def test_energy_has_one_decimal_and_three_in_a_quarter() -> None:
    assert language("nl").kwh(210) == "0,2"
    assert language("nl").kwh(210, 3) == "0,210"
    assert language("en").kwh(210, 3) == "0.210"


def test_a_price_keeps_its_decimals_and_says_where_they_go_on() -> None:
    assert language("nl").exact_euro(Fraction("0.0315")) == f"€{NBSP}0,0315"
    assert language("nl").exact_euro(Fraction(1, 3)) == f"€{NBSP}0,333333…"
    assert language("pl").exact_euro(Fraction(1, 3)) == f"0,333333…{NBSP}€"


@pytest.mark.parametrize("tag", SPOKEN)
def test_nothing_is_never_less_than_nothing(tag: str) -> None:
    speaker = language(tag)

    for shown in (
        speaker.number(-0.04),
        speaker.whole(-0),
        speaker.kwh(-1),
        speaker.euro(Decimal("-0.004")),
        speaker.exact_euro(Fraction(0)),
    ):
        assert "-" not in shown
        assert "\N{MINUS SIGN}" not in shown


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), Decimal("NaN")])
def test_no_number_is_never_shown(wrong: float | Decimal) -> None:
    with pytest.raises(AssertionError):
        language("nl").number(wrong)


@pytest.mark.parametrize(
    ("tag", "day", "short", "month"),
    [
        ("nl", "maandag 5 oktober", "ma 5 okt", "oktober 2026"),
        ("en", "Monday 5 October", "Mon 5 Oct", "October 2026"),
        ("tr", "5 Ekim Pazartesi", "5 Eki Pzt", "Ekim 2026"),
        ("ar", "الاثنين، 5 أكتوبر", "الاثنين، 5 أكتوبر", "أكتوبر 2026"),
        ("pl", "poniedziałek, 5 października", "pon., 5 paź", "październik 2026"),
        ("uk", "понеділок, 5 жовтня", "пн, 5 жовт.", "жовтень 2026"),
    ],
)
def test_days_and_months_in_the_order_of_the_language(
    tag: str, day: str, short: str, month: str
) -> None:
    speaker = language(tag)

    assert speaker.day_name(OCTOBER_5) == day
    assert speaker.short_day(OCTOBER_5) == short
    assert speaker.month_name(OCTOBER_5) == month


@pytest.mark.parametrize("tag", SPOKEN)
def test_the_clock_has_24_hours_in_latin_digits(tag: str) -> None:
    half_past_four = datetime(2026, 7, 1, 14, 30, tzinfo=UTC).timestamp()

    assert language(tag).clock(half_past_four) == ("16.30" if tag == "nl" else "16:30")


@pytest.mark.parametrize("tag", SPOKEN)
@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2026, 3, 29), 92), (date(2026, 10, 5), 96), (date(2026, 10, 25), 100)],
)
def test_every_quarter_of_a_day_has_a_name_of_its_own(tag: str, day: date, quarters: int) -> None:
    start_s, end_s = local_day(day)
    names = [language(tag).quarter_name(at_s) for at_s in range(start_s, end_s, QUARTER_S)]

    assert len(names) == len(set(names)) == quarters


def test_a_stretch_of_time_in_arabic_runs_from_the_right_wherever_it_is_filled_in() -> None:
    arabic = language("ar")
    span = arabic.say("plan.span", start="23:45", end="05:45")

    # What begins with a mark that runs from the right also does so in an isolate of its own.
    assert span.startswith(RLM)
    assert RLM in arabic.say("battery.ask.charge.at", when=span)


def test_the_hour_that_comes_twice_says_which_of_the_two() -> None:
    first = Quarter(int(datetime(2026, 10, 25, 0, 15, tzinfo=UTC).timestamp()))
    second_s = first.start_s + int(timedelta(hours=1).total_seconds())

    assert language("nl").quarter_name(first.start_s) == "02.15 (zomertijd)"
    assert language("nl").quarter_name(second_s) == "02.15 (wintertijd)"
    assert language("pl").quarter_name(first.start_s) == "02:15 (czas letni)"
    assert "02:15" in language("ar").quarter_name(second_s)


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("nl", ["0 huizen", "1 huis", "2 huizen", "5 huizen", "11 huizen", "22 huizen"]),
        ("tr", ["0 ev", "1 ev", "2 ev", "5 ev", "11 ev", "22 ev"]),
        ("ar", ["لا بيوت", "بيت واحد", "بيتان", "5 بيوت", "11 بيتًا", "22 بيتًا"]),
        ("pl", ["0 domów", "1 dom", "2 domy", "5 domów", "11 domów", "22 domy"]),
        ("uk", ["0 будинків", "1 будинок", "2 будинки", "5 будинків", "11 будинків", "22 будинки"]),
    ],
)
def test_things_are_counted_as_the_language_counts(tag: str, told: list[str]) -> None:
    assert [language(tag).count("flow.count", n) for n in (0, 1, 2, 5, 11, 22)] == told


def test_what_is_filled_in_keeps_its_order_among_words_from_the_right() -> None:
    told = language("ar").say("statement.number.run", run="2026-10/1")
    mail = language("ar").say("mail.login.text", name="Straat", link="https://a.example/b")

    assert "\N{FIRST STRONG ISOLATE}2026-10/1\N{POP DIRECTIONAL ISOLATE}" in told
    assert "\nhttps://a.example/b\n" in mail


def test_words_that_are_missing_are_said_in_dutch() -> None:
    assert language("tr").say("questions.send") == language("nl").say("questions.send")


@pytest.mark.parametrize("tag", SPOKEN)
def test_a_page_says_its_language(town: Town, client: httpx.Client, tag: str) -> None:
    for path in ("/", "/overzicht", "/afrekening", "/hulp", "/hulp/privacy", "/week"):
        page = client.get(f"{path}?lang={tag}", headers=_by(town.resident("home-1")))

        assert page.status_code == 200, path
        assert page.headers["content-language"] == tag
        assert f'<html lang="{tag}"' in page.text
        assert ('dir="rtl"' in page.text.partition("<head>")[0]) == (tag == "ar")


@pytest.mark.parametrize("tag", BEGUN)
def test_a_page_outside_a_begun_language_is_dutch_and_says_so(
    town: Town, client: httpx.Client, tag: str
) -> None:
    page = client.get(f"/mijn?lang={tag}", headers=_by(town.resident("home-1")))

    assert page.headers["content-language"] == "nl"
    assert f"lang={tag};" in page.headers["set-cookie"]


def test_the_menu_names_each_language_in_itself_and_keeps_the_page(
    town: Town, client: httpx.Client
) -> None:
    headers = _by(town.resident("home-1"))
    page = client.get("/overzicht?p=maand&d=2026-10-01&klaar=language&lang=en", headers=headers)

    menu = re.findall(r'<a href="([^"]+)" hreflang="(\w+)" lang="(\w+)">([^<]+)</a>', page.text)
    assert [(one, other, name) for _, one, other, name in menu] == [
        ("nl", "nl", "Nederlands"),
        ("tr", "tr", "Türkçe"),
        ("ar", "ar", "العربية"),
        ("pl", "pl", "Polski"),
        ("uk", "uk", "Українська"),
    ]
    assert menu[0][0] == "?p=maand&amp;d=2026-10-01&amp;lang=nl"


def test_a_choice_stays_on_the_device_and_goes_along_with_the_account(
    town: Town, client: httpx.Client
) -> None:
    session, origin = town.resident("home-1"), {"Origin": town.house.public_url}
    client.post("/hulp/taal", data={"lang": "pl"}, headers=_by(session) | origin)

    elsewhere = client.get("/", headers=_by(session) | {"Accept-Language": "nl"})
    here = client.get("/", headers={"Cookie": f"kwartier={session}; lang=tr"})

    assert elsewhere.headers["content-language"] == "pl"
    assert here.headers["content-language"] == "tr"


@pytest.mark.browser
def test_the_script_writes_numbers_as_the_server_does() -> None:
    from playwright.sync_api import sync_playwright

    script = Path(__file__).parents[2] / "api" / "pages" / "static" / "app.js"
    made = re.search(
        r"const kilowatt = (new Intl\.NumberFormat\(.*?\n\}\));", script.read_text(), re.DOTALL
    )
    assert made is not None
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page()
        for tag in SPOKEN:
            for watts in (40, 3_250, 4_350, 12_340, 1_234_560, 45_678_900):
                told = page.evaluate(f"language => ({made[1]}).format({watts} / 1000)", tag)
                assert told.replace("\N{NARROW NO-BREAK SPACE}", NBSP) == language(tag).kw(watts)
        browser.close()


def _by(session: str) -> dict[str, str]:
    return {"Cookie": f"kwartier={session}"}
