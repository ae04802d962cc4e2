from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from collectors.answers import AnswerError, NothingToldError, RefusedError, SourceDownError
from collectors.outside import Patience
from collectors.prices.energyzero import EnergyZero
from kwartier.interval import local_day
from tests.collectors.loopback import Reply, far_side
from tests.collectors.prices.answers import REFUSED, rest

SUMMER = date(2026, 7, 1)
QUICK = Patience(
    connect_s=2, silence_s=2, answer_s=20, tries=3, pause_s=1, longest_pause_s=30, jitter=0
)


def answer_for(day: date, quarters: int, price: str = "0.08") -> Reply:
    return Reply(body=rest(local_day(day)[0], [price] * quarters))


def ignore(_: float) -> None:
    """Wait for nothing."""


def source(url: str, pause: Callable[[float], None] = ignore) -> EnergyZero:
    return EnergyZero(url, QUICK, pause=pause)


def test_the_question_names_the_day_as_the_service_wants_it() -> None:
    with far_side(answer_for(SUMMER, 96)) as service, source(service.url) as prices:
        prices.day(SUMMER)

    assert service.asked[0].path == (
        "/public/v1/prices?energyType=ENERGY_TYPE_ELECTRICITY"
        "&date=01-07-2026&interval=INTERVAL_QUARTER"
    )


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2026, 3, 29), 92), (SUMMER, 96), (date(2026, 10, 25), 100)],
)
def test_a_day_is_cut_from_an_answer_that_tells_more(day: date, quarters: int) -> None:
    with (
        far_side(answer_for(day, quarters + 40, "-0.012")) as service,
        source(service.url) as prices,
    ):
        told = prices.day(day)

    assert told.eur_per_mwh == (Decimal(-12),) * quarters


def test_a_day_that_is_told_in_part_has_gaps() -> None:
    with far_side(answer_for(SUMMER, 90)) as service, source(service.url) as prices:
        told = prices.day(SUMMER)

    assert len(told.missing) == 6


@pytest.mark.parametrize(
    "bad",
    [
        Reply(503, b"busy"),
        Reply(500),
        Reply(429),
        Reply(body=rest(0, ["0.1"] * 50), cut=True),
        Reply(silent=True),
    ],
    ids=["503", "500", "429", "cut", "silence"],
)
def test_a_service_that_stumbles_is_asked_again(bad: Reply) -> None:
    with far_side(bad, answer_for(SUMMER, 96)) as service, source(service.url) as prices:
        told = prices.day(SUMMER)

    assert told.complete
    assert len(service.asked) == 2


def test_a_service_that_stays_away_is_given_up_after_all_tries() -> None:
    pauses: list[float] = []
    with (
        far_side(Reply(503)) as service,
        source(service.url, pauses.append) as prices,
        pytest.raises(SourceDownError, match=r"did not answer in 3 tries.*status 503"),
    ):
        prices.day(SUMMER)

    assert len(service.asked) == 3
    assert pauses == [1, 2]


def test_the_pause_a_service_asks_for_is_kept_up_to_a_limit() -> None:
    pauses: list[float] = []
    busy, very_busy = (
        Reply(429, headers={"Retry-After": "7"}),
        Reply(429, headers={"Retry-After": "86400"}),
    )
    with (
        far_side(busy, very_busy, answer_for(SUMMER, 96)) as service,
        source(service.url, pauses.append) as prices,
    ):
        prices.day(SUMMER)

    assert pauses == [7, 30]


def test_nobody_at_the_address_is_a_source_that_is_down() -> None:
    with far_side(Reply()) as service:
        gone = service.url

    with source(gone) as prices, pytest.raises(SourceDownError, match="ConnectError"):
        prices.day(SUMMER)


def test_an_answer_that_drips_is_not_waited_for_for_ever() -> None:
    slow = Patience(connect_s=2, silence_s=2, answer_s=-1, tries=1)
    with (
        far_side(answer_for(SUMMER, 96)) as service,
        EnergyZero(service.url, slow) as prices,
        pytest.raises(SourceDownError, match="no whole answer"),
    ):
        prices.day(SUMMER)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(400, REFUSED), RefusedError),
        (Reply(404, b'{"message": "not found"}'), RefusedError),
        (Reply(200, b"<html>maintenance</html>"), AnswerError),
        (Reply(302, headers={"Location": "/login"}), AnswerError),
        (Reply(200, rest(0, [])), NothingToldError),
        (Reply(200, rest(0, ["0.1"])), NothingToldError),
        (Reply(200, b" " * (4 * 1024 * 1024 + 1)), AnswerError),
    ],
    ids=["400", "404", "html", "moved", "empty", "another day", "too long"],
)
def test_what_asking_again_cannot_mend_is_asked_once(reply: Reply, error: type[Exception]) -> None:
    with (
        far_side(reply) as service,
        source(service.url) as prices,
        pytest.raises(error),
    ):
        prices.day(SUMMER)

    assert len(service.asked) == 1


def test_a_packed_answer_is_unpacked_and_never_past_the_limit() -> None:
    packed = gzip.compress(answer_for(SUMMER, 96).body)
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    as_gzip = {"Content-Encoding": "gzip"}
    with far_side(Reply(body=packed, headers=as_gzip)) as service, source(service.url) as prices:
        assert prices.day(SUMMER).complete
    tracemalloc.start()
    try:
        with (
            far_side(Reply(body=bomb, headers=as_gzip)) as service,
            source(service.url) as prices,
            pytest.raises(AnswerError, match="longer than 4194304 bytes"),
        ):
            prices.day(SUMMER)
        assert tracemalloc.get_traced_memory()[1] < 24 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("packed_as", "body", "error"),
    [
        ("br", b"x", AnswerError),
        ("gzip", b"no gzip", SourceDownError),
        ("gzip", gzip.compress(b"half of it")[:-6], SourceDownError),
    ],
    ids=["another way", "no gzip", "half"],
)
def test_an_answer_packed_otherwise_or_in_half_is_named(
    packed_as: str, body: bytes, error: type[Exception]
) -> None:
    reply = Reply(body=body, headers={"Content-Encoding": packed_as})
    with far_side(reply) as service, source(service.url) as prices, pytest.raises(error):
        prices.day(SUMMER)
