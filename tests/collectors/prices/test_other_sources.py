"""Nord Pool, aWATTar and EnergyZero's older way: asked over a socket, told in UTC quarters."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from collectors.answers import AnswerError, NothingToldError, RefusedError, SourceDownError
from collectors.outside import Patience
from collectors.prices.awattar import Awattar, parse_awattar
from collectors.prices.energyzero import EnergyZero, EnergyZeroGraphql
from collectors.prices.entsoe import Entsoe
from collectors.prices.far_prices import FarPrices
from collectors.prices.nordpool import NordPool, parse_nordpool
from kwartier.errors import KwartierError
from kwartier.interval import local_day
from tests.collectors.loopback import Reply, far_side
from tests.collectors.prices.answers import GRAPHQL_ERROR, awattar, graphql, nordpool

QUICK = Patience(connect_s=2, silence_s=2, answer_s=20, tries=2, jitter=0)
DAYS = [(date(2026, 3, 29), 92), (date(2026, 7, 1), 96), (date(2026, 10, 25), 100)]


@pytest.mark.parametrize(("day", "quarters"), DAYS)
def test_nord_pool_tells_a_day_by_its_delivery_date(day: date, quarters: int) -> None:
    body = nordpool(local_day(day)[0], [-0.5] * quarters)
    with far_side(Reply(body=body)) as service:
        source = NordPool(service.url, QUICK)
        told = source.day(day)
        source.close()

    assert told.eur_per_mwh == (Decimal("-0.5"),) * quarters
    assert service.asked[0].path == (
        f"/api/DayAheadPrices?date={day}&market=DayAhead&deliveryArea=NL&currency=EUR"
    )


def test_nord_pool_told_hours_before_and_they_become_quarters() -> None:
    start_s = local_day(date(2024, 11, 5))[0]

    told = parse_nordpool(nordpool(start_s, [83.63, 94], length_s=3600))

    assert told.over(start_s, start_s + 7200) == (Decimal("83.63"),) * 4 + (Decimal(94),) * 4


@pytest.mark.parametrize("reply", [Reply(204), Reply(200, b"")])
def test_nord_pool_has_nothing_before_publication(reply: Reply) -> None:
    with far_side(reply) as service:
        source = NordPool(service.url, QUICK)
        with pytest.raises(NothingToldError, match="Nord Pool has no"):
            source.day(date(2026, 7, 1))
        source.close()


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(
    "source_of",
    [
        lambda url: NordPool(url, QUICK),
        lambda url: EnergyZero(url, QUICK),
        lambda url: Awattar(url, QUICK),
        lambda url: Entsoe("token", url, QUICK),
    ],
    ids=["nordpool", "energyzero", "awattar", "entsoe"],
)
def test_an_address_that_is_gone_is_no_day_without_prices(
    source_of: Callable[[str], FarPrices], status: int
) -> None:
    with far_side(Reply(status)) as service:
        source = source_of(service.url)
        with pytest.raises(RefusedError, match=f"at {service.url} has no such address .*{status}"):
            source.day(date(2026, 7, 1))
        source.close()

    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("body", "error", "named"),
    [
        (b"{}", AnswerError, "multiAreaEntries"),
        (b'{"multiAreaEntries": [], "currency": "SEK"}', AnswerError, "ask for EUR"),
        (b'{"multiAreaEntries": [1]}', AnswerError, "holds '1'"),
        (b'{"multiAreaEntries": [{"entryPerArea": {"BE": 1}}]}', NothingToldError, "for NL"),
        (b'{"multiAreaEntries": [{"entryPerArea": {"NL": 1}}]}', AnswerError, "no instant"),
        (b'{"multiAreaEntries": [{"entryPerArea": {"NL": true}}]}', AnswerError, "no instant"),
    ],
)
def test_what_nord_pool_may_not_say_is_named(
    body: bytes, error: type[KwartierError], named: str
) -> None:
    with pytest.raises(error, match=named):
        parse_nordpool(body)


def test_a_stamp_of_any_length_makes_a_short_message() -> None:
    body = nordpool(0, [1]).replace(b"1970-01-01T00:00:00Z", b"9" * 5000)

    with pytest.raises(AnswerError, match="is not an instant") as refused:
        parse_nordpool(body)

    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(("day", "quarters"), DAYS)
def test_awattar_tells_hours_in_milliseconds(day: date, quarters: int) -> None:
    start_s, end_s = local_day(day)
    with far_side(Reply(body=awattar(start_s, [-1.25] * (quarters // 4)))) as service:
        source = Awattar(service.url, QUICK)
        told = source.day(day)
        source.close()

    assert told.eur_per_mwh == (Decimal("-1.25"),) * quarters
    assert service.asked[0].path == f"/v1/marketdata?start={start_s}000&end={end_s}000"


@pytest.mark.parametrize(
    ("body", "error", "named"),
    [
        (b'{"data": []}', NothingToldError, "no prices"),
        (b'{"data": {}}', AnswerError, "must be a list"),
        (awattar(0, [1]).replace(b"Eur/MWh", b"ct/kWh"), AnswerError, "unit is 'ct/kWh'"),
        (awattar(0, [1]).replace(b"3600000", b"86400000"), AnswerError, "not electricity"),
        (awattar(0, [1]).replace(b"3600000", b"3600001"), AnswerError, "whole second"),
        (awattar(0, [1]).replace(b"3600000", '"\u00b2000"'.encode()), AnswerError, "whole second"),
        (b"[]", AnswerError, "no JSON object"),
    ],
)
def test_what_awattar_may_not_say_is_named(
    body: bytes, error: type[KwartierError], named: str
) -> None:
    with pytest.raises(error, match=named):
        parse_awattar(body)


def test_energyzero_is_asked_the_older_way_from_instant_to_instant() -> None:
    body = graphql(("2026-06-30T22:00:00Z", "2026-06-30T23:00:00Z", -0.013))
    with far_side(Reply(body=body)) as service:
        source = EnergyZeroGraphql(service.url, QUICK)
        told = source.day(date(2026, 7, 1))
        source.close()

    assert told.eur_per_mwh[:5] == (*(Decimal(-13),) * 4, None)
    asked = json.loads(service.asked[0].body)["variables"]["input"]
    assert (asked["from"], asked["till"]) == ("2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z")
    assert (asked["intervalType"], asked["type"]) == ("Hourly", "Electricity")


def test_energyzero_may_fail_under_status_200() -> None:
    with far_side(Reply(body=GRAPHQL_ERROR)) as service:
        source = EnergyZeroGraphql(service.url, QUICK)
        with pytest.raises(SourceDownError, match="internal_server_error"):
            source.day(date(2026, 7, 1))
        source.close()
