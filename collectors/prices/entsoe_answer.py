"""What the ENTSO-E transparency platform answers on day-ahead prices (document type A44).

A series is a list of points with a position each. In curve type A03 a point that equals the one
before is left out, so positions are filled, never counted; in A01 none is left out, and one that is
away is missing. A zone with two auctions has them told apart by a sequence number; the coupled
auction is the first. Periods of 15 and of 60 minutes may stand in one document. "No data" and "too
much asked" are both an acknowledgement with code 999, told apart by their text only.

Source:
    Implementation guide for publication documents (IEC 62325-451-3), curve types A01 and A03.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from xml.etree.ElementTree import Element

from collectors.answers import (
    AnswerError,
    NothingToldError,
    RefusedError,
    SourceDownError,
    is_whole,
    shown,
)
from collectors.prices.model import PriceQuarter, PriceSeries, spread
from collectors.prices.price_text import price_of, stamp_s
from collectors.xml_answer import child_text, children, local_name, xml_root
from kwartier.errors import ContractError
from kwartier.units import EpochS

WHO = "ENTSO-E"
COUPLED = "1"
"""The sequence of the coupled auction (SDAC); a series without one is of the only auction."""
STEPS_S: Mapping[str, int] = {"PT15M": 900, "PT60M": 3600, "PT1H": 3600}
MAX_POINTS = 40_000
"""More prices in one answer (a year of quarters) are not asked for, and not taken.

Points that are left out are filled in, so a small answer could claim any number of prices.
"""
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"


def parse_entsoe(body: bytes) -> PriceSeries:
    """Return the quarters of an answer's prices in the coupled auction; an hour becomes four.

    Where quarters and hours are told of the same time, the quarters count.

    Raises:
        NothingToldError: There are no prices for that time.
        RefusedError: More was asked than is answered, or the key is wrong.
        SourceDownError: The service says that it is too busy.
        AnswerError: The answer has no shape that is known here.
    """
    root = xml_root(body, WHO)
    if local_name(root) == "Acknowledgement_MarketDocument":
        raise _said_no(root)
    if local_name(root) != "Publication_MarketDocument":
        raise AnswerError(f"{WHO}'s answer is a {local_name(root)[:60]!r}, no prices")
    kind = child_text(root, "type")
    if kind not in {None, "A44"}:
        raise AnswerError(f"{WHO}'s answer is of type {shown(kind)}: day-ahead prices are A44")
    try:
        fine, coarse = _series_of(root)
    except AnswerError:
        raise
    except ContractError as error:
        raise AnswerError(f"{WHO}'s answer: {error}") from error
    series = fine.filled_from(coarse)
    if not series:
        raise NothingToldError(f"{WHO} has no prices of the coupled auction for this time")
    return series


def _said_no(root: Element) -> ContractError | NothingToldError | RefusedError | SourceDownError:
    """Return the error that an acknowledgement stands for."""
    reasons = children(root, "Reason")
    code = child_text(reasons[0], "code") if reasons else None
    text = (child_text(reasons[0], "text") or "") if reasons else ""
    lower = text.lower()
    if "no matching data" in lower:
        return NothingToldError(f"{WHO} has no prices for this time: {shown(text)}")
    if "exceeds" in lower or "too many" in lower or "limit" in lower:
        return RefusedError(f"{WHO}: more was asked than it answers: {shown(text)}")
    if "unauthorized" in lower or "token" in lower or "authentication" in lower:
        return RefusedError(f"{WHO} does not accept the key: look at token_file")
    if code == "503" or "unavailable" in lower:
        return SourceDownError(f"{WHO} cannot answer now: {shown(text)}")
    return AnswerError(f"{WHO} said no with code {shown(code)}: {shown(text)}")


def _series_of(root: Element) -> tuple[PriceSeries, PriceSeries]:
    """Return the prices told by the quarter, and those told by the hour."""
    by_step: dict[int, list[PriceQuarter]] = {900: [], 3600: []}
    count = 0
    for series in children(root, "TimeSeries"):
        if (child_text(series, _SEQUENCE) or COUPLED) != COUPLED:
            continue
        _check_unit(series)
        curve = child_text(series, "curveType") or "A01"
        if curve not in {"A01", "A03"}:
            raise AnswerError(f"{WHO}'s answer: curve type {curve[:20]!r} is not known here")
        for period in children(series, "Period"):
            step_s = _step_s(period)
            start_s, points = _span(period, step_s)
            count += points
            if count > MAX_POINTS:
                raise AnswerError(f"{WHO}'s answer claims more than {MAX_POINTS} prices")
            by_step[step_s] += _prices(period, step_s, start_s, points, fills=curve == "A03")
    return PriceSeries.of(by_step[900]), PriceSeries.of(by_step[3600])


def _check_unit(series: Element) -> None:
    currency = child_text(series, "currency_Unit.name")
    unit = child_text(series, "price_Measure_Unit.name")
    if (currency, unit) != ("EUR", "MWH"):
        raise AnswerError(
            f"{WHO}'s answer is in {shown(currency)} per {shown(unit)}: it must be EUR/MWH"
        )


def _step_s(period: Element) -> int:
    told = child_text(period, "resolution") or ""
    step_s = STEPS_S.get(told)
    if step_s is None:
        raise AnswerError(
            f"{WHO}'s answer: a resolution of {told[:20]!r}: prices come by PT15M or PT60M"
        )
    return step_s


def _span(period: Element, step_s: int) -> tuple[EpochS, int]:
    """Return when a period starts [s], and how many steps it has."""
    start_s = stamp_s(child_text(period, "timeInterval", "start"), WHO)
    end_s = stamp_s(child_text(period, "timeInterval", "end"), WHO)
    count, odd = divmod(end_s - start_s, step_s)
    if odd or not 0 < count <= MAX_POINTS:
        raise AnswerError(
            f"{WHO}'s answer: a period of {end_s - start_s} s is no row of {step_s} s"
        )
    return start_s, count


def _prices(
    period: Element, step_s: int, start_s: EpochS, count: int, *, fills: bool
) -> Iterator[PriceQuarter]:
    points = _points(period, count)
    price: Decimal | None = None
    for position in range(1, count + 1):
        price = points.get(position, price if fills else None)
        if price is not None:
            at_s: EpochS = start_s + (position - 1) * step_s
            yield from spread(at_s, at_s + step_s, price, WHO)


def _points(period: Element, count: int) -> dict[int, Decimal]:
    points: dict[int, Decimal] = {}
    for point in children(period, "Point"):
        place, price = child_text(point, "position") or "", child_text(point, "price.amount")
        if not is_whole(place, 5) or not 1 <= int(place) <= count:
            raise AnswerError(f"{WHO}'s answer: position {place[:20]!r} is not one of 1 to {count}")
        if price is None:
            raise AnswerError(f"{WHO}'s answer: position {place} has no price.amount")
        if int(place) in points:
            raise AnswerError(f"{WHO}'s answer: position {place} stands there twice")
        points[int(place)] = price_of(price)
    return points
