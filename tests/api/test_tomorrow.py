"""What a home is expected to use tomorrow stands on its own page, and on no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import numpy as np
import pytest

from api.forecasts.home_book import HomeBook, HomeSaid, HomeSubject
from api.forecasts.homes import HomeForecasts
from kwartier.interval import local_day
from kwartier.units import EpochS
from optimizer.forecasting.choose import Why
from optimizer.forecasting.soon import AS_WIDE
from tests.api.conftest import log_in
from tests.api.street import DAY, Street

MIDNIGHT_S = local_day(DAY)[0]
WEEKS_AGO_S = MIDNIGHT_S - 30 * 86_400
BEFORE_ANYBODY_S = -900
"""The account of a home without books lives there since 1970."""
USE = "Morgen gebruikt uw huis ongeveer 10 kWh, als het gaat zoals de laatste weken."
SUN = "Uw dak maakt dan ongeveer 0,5 kWh."


@pytest.fixture
def said(noon: Street) -> Iterator[Callable[[EpochS], None]]:
    """Say of huis-02 that it will use 10 kWh and make 0.48 kWh tomorrow, from what began then."""

    def say(since_s: EpochS) -> None:
        book = HomeBook()
        for subject, day_kwh in (("use", 9.6), ("sun", 0.48)):
            kw = np.full((3, 384), day_kwh / 24, dtype=np.float32)
            # Use was 4 % too low on the last days, so what is said of a day is more.
            lean = -0.04 if subject == "use" else 0.0
            one = HomeSaid(MIDNIGHT_S, since_s, "blend", Why.BEST, since_s, lean, AS_WIDE, kw)
            book.keep(HomeSubject("huis-02", subject), one, {}, one.since_s)
        states = noon.house.forecasts
        HomeForecasts(noon.house.records, noon.house.community, book, states)

    yield say
    noon.house.forecasts.ahead = None


def page(noon: Street, client: httpx.Client, home: str) -> str:
    with httpx.Client(base_url=client.base_url, timeout=30) as reader:
        log_in(noon, reader, home)
        return reader.get("/").text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_resident_reads_what_tomorrow_may_bring(
    noon: Street, client: httpx.Client, said: Callable[[EpochS], None]
) -> None:
    before = page(noon, client, "huis-02")
    said(WEEKS_AGO_S)

    own, other = page(noon, client, "huis-02"), page(noon, client, "huis-04")

    assert f"{USE} {SUN}" in own
    assert "Morgen gebruikt" not in before
    assert "Morgen gebruikt" not in other
    assert "Morgen gebruikt" not in client.get("/").text


def test_days_of_who_lived_there_before_are_told_to_nobody(
    noon: Street, client: httpx.Client, said: Callable[[EpochS], None]
) -> None:
    said(BEFORE_ANYBODY_S)

    assert "Morgen gebruikt" not in page(noon, client, "huis-02")
