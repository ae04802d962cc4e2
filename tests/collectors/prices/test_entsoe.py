"""ENTSO-E's answers: points left out, two auctions, two resolutions, and the ways to say no."""

from __future__ import annotations

import logging
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.answers import AnswerError, NothingToldError, RefusedError, SourceDownError
from collectors.outside import Patience
from collectors.prices.entsoe import Entsoe
from collectors.prices.entsoe_answer import parse_entsoe
from kwartier.errors import KwartierError, SettingsError
from kwartier.interval import Quarter, instant_text, local_day
from tests.collectors.loopback import Reply, far_side
from tests.collectors.prices.answers import entsoe, entsoe_no, period, series

NOON = Quarter.parse("2026-07-01T10:00:00Z")
ONE = "2026-07-01T11:00Z"
QUICK = Patience(connect_s=2, silence_s=2, answer_s=20, tries=2, jitter=0)


def hour(points: dict[int, str], step: str = "PT15M") -> str:
    return period("2026-07-01T10:00Z", ONE, step, points)


def told(body: bytes) -> tuple[Decimal | None, ...]:
    return parse_entsoe(body).over(NOON.start_s, NOON.next(4).start_s)


def test_a_point_that_equals_the_one_before_is_left_out_and_filled_in() -> None:
    assert told(entsoe(series(hour({1: "-5.5", 3: "80"})))) == (
        Decimal("-5.5"),
        Decimal("-5.5"),
        Decimal(80),
        Decimal(80),
    )


def test_in_the_other_curve_type_a_point_that_is_away_is_missing() -> None:
    body = entsoe(series(hour({1: "1", 3: "2"}), curve="A01"))

    assert told(body) == (Decimal(1), None, Decimal(2), None)


def test_of_two_auctions_the_coupled_one_is_taken() -> None:
    exchange = series(hour({1: "102.1"}), sequence="2")
    coupled = series(hour({1: "100.41"}), sequence="1")

    assert told(entsoe(exchange, coupled)) == (Decimal("100.41"),) * 4


def test_quarters_and_hours_may_stand_in_one_document_and_quarters_count() -> None:
    later = period(ONE, "2026-07-01T12:00Z", "PT60M", {1: "7"})
    both = entsoe(series(hour({1: "9"}, "PT60M"), later), series(hour({1: "1", 2: "2"})))

    prices = parse_entsoe(both)

    assert prices.over(NOON.start_s, NOON.next(8).start_s) == (
        *(Decimal(1), Decimal(2), Decimal(2), Decimal(2)),
        *(Decimal(7),) * 4,
    )


@pytest.mark.parametrize("version", ["7:0", "7:3", "9:9"])
def test_a_namespace_of_another_version_changes_nothing(version: str) -> None:
    assert told(entsoe(series(hour({1: "3"})), version=version)) == (Decimal(3),) * 4


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2026, 3, 29), 92), (date(2026, 7, 1), 96), (date(2026, 10, 25), 100)],
)
def test_every_day_has_its_quarters(day: date, quarters: int) -> None:
    start_s, end_s = local_day(day)
    start, end = (instant_text(at_s)[:-4] + "Z" for at_s in (start_s, end_s))
    body = entsoe(series(period(start, end, "PT60M", {1: "-2.5", quarters // 4: "8"})))
    with far_side(Reply(body=body)) as service:
        source = Entsoe("key", service.url, QUICK)
        prices = source.day(day)
        source.close()

    assert prices.complete
    assert prices.eur_per_mwh == (Decimal("-2.5"),) * (quarters - 4) + (Decimal(8),) * 4


@pytest.mark.parametrize(
    ("body", "error", "named"),
    [
        (entsoe_no("No matching data found for Data item X"), NothingToldError, "has no prices"),
        (entsoe_no("AMOUNT OF REQUESTED DATA EXCEEDS LIMIT"), RefusedError, "more was asked"),
        (entsoe_no("Unauthorized. Invalid security token"), RefusedError, "token_file"),
        (entsoe_no("Service unavailable"), SourceDownError, "cannot answer now"),
        (entsoe_no("something else", version="6:1"), AnswerError, "said no with code '999'"),
        (entsoe(), NothingToldError, "no prices of the coupled auction"),
        (entsoe(series(hour({1: "1"}), sequence="2")), NothingToldError, "coupled"),
        (entsoe(series(hour({1: "1"}), unit="KWH")), AnswerError, "EUR/MWH"),
        (entsoe(series(hour({1: "1"}), curve="A99")), AnswerError, "curve type"),
        (entsoe(series(hour({1: "1"}, "P1D"))), AnswerError, "resolution"),
        (entsoe(series(hour({5: "1"}))), AnswerError, "not one of 1 to 4"),
        (entsoe(series(hour({1: "1"}).replace(">1<", ">\u00b2<", 1))), AnswerError, "not one of 1"),
        (entsoe(series(hour({1: "1"}), unit="x" * 999)), AnswerError, "EUR/MWH"),
        (entsoe(series(hour({1: "nan"}))), AnswerError, "is no number"),
        (entsoe(series(hour({1: "1"}), hour({1: "2"}))), AnswerError, "two prices"),
        (b"<html>maintenance</html>", AnswerError, "is a 'html'"),
        (b"", AnswerError, "no whole XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', AnswerError, "document type"),
    ],
)
def test_what_is_no_price_is_named(body: bytes, error: type[KwartierError], named: str) -> None:
    with pytest.raises(error, match=named):
        parse_entsoe(body)


def test_the_key_goes_along_and_stands_in_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with far_side(Reply(503), Reply(401)) as service:
        source = Entsoe("very-secret", service.url, QUICK, pause=lambda _: None)
        with pytest.raises(RefusedError, match="token_file") as refused:
            source.day(date(2026, 7, 1))
        source.close()

    assert service.asked[0].path == (
        "/api?securityToken=very-secret&documentType=A44&in_Domain=10YNL----------L"
        "&out_Domain=10YNL----------L&periodStart=202606302200&periodEnd=202607012200"
    )
    assert "very-secret" not in caplog.text + str(refused.value)


def test_a_refusal_that_repeats_the_key_is_told_without_it() -> None:
    echo = b"The URL /api?securityToken=very-secret&documentType=A44 is too long"
    with far_side(Reply(414, echo)) as service:
        source = Entsoe("very-secret", service.url, QUICK, pause=lambda _: None)
        with pytest.raises(RefusedError, match="with 414: 'The URL") as refused:
            source.day(date(2026, 7, 1))
        source.close()

    assert "very-secret" not in str(refused.value)


def test_an_acknowledgement_that_repeats_the_key_is_told_without_it() -> None:
    echo = entsoe_no("very-secret is asked for elsewhere")
    with far_side(Reply(400, echo)) as service:
        source = Entsoe("very-secret", service.url, QUICK, pause=lambda _: None)
        with pytest.raises(KwartierError, match=r"\.\.\. is asked for elsewhere") as refused:
            source.day(date(2026, 7, 1))
        source.close()

    assert "very-secret" not in str(refused.value)


def test_a_zone_that_nobody_knows_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="use NL, BE"):
        Entsoe("key", area="XX")


@given(st.binary(max_size=200) | st.text("<>/A TimeSerPod&;\"'=", max_size=80).map(str.encode))
def test_no_answer_whatever_does_more_than_be_refused(body: bytes) -> None:
    with pytest.raises(KwartierError):
        parse_entsoe(body)


def test_a_small_answer_that_claims_more_than_a_year_of_prices_is_not_filled_in() -> None:
    forty_days = period("2026-06-01T00:00Z", "2026-07-11T00:00Z", "PT60M", {1: "1"})

    with pytest.raises(AnswerError, match="more than 40000 prices"):
        parse_entsoe(entsoe(series(*[forty_days] * 42)))


def test_what_the_service_says_stands_on_one_short_line() -> None:
    with pytest.raises(NothingToldError) as refused:
        parse_entsoe(entsoe_no("No matching data found\nprices: all is well" + "x" * 999))

    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200
