"""What one more roof would have made: the year it is said to make, laid out by a sun that shone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from api.cooperative.runs.month import Month
from api.cooperative.whatif.street import RoofTerms
from api.cooperative.whatif.surroundings import Surroundings
from kwartier.interval import QUARTER_S
from optimizer.settling.matrix import WhArray
from optimizer.what_if_readings import MONTH_SHARES, laid_out

ROOFS, SKY, BOTH = "roofs", "sky", "both"
_LEAST_DAYS = 20
"""A month is laid out by its measured roofs when they were read on so many days."""


def roof_made(
    roof: RoofTerms, months: Sequence[Month], around: Surroundings
) -> tuple[dict[Month, WhArray], str]:
    """Return what a roof would have made in each month [Wh], and by what it was laid out.

    Months whose roofs were measured share what these months bring in an ordinary year as those
    roofs did, so that a dark month is dark. The others are laid out by the sun without clouds.

    Raises:
        InputError: There is neither a measured roof nor a sun to go by.
    """
    suns = {month: around.roofs(month.start_s, _quarters(month)) for month in months}
    measured = [month for month in months if _days_read(suns[month]) >= _LEAST_DAYS]
    others = [month for month in months if month not in measured]
    skies = {month: around.sky(month.start_s, _quarters(month)) for month in others}
    made = _together(roof, measured, suns)
    for month in others:
        made |= _together(roof, [month], skies)
    return made, BOTH if measured and others else ROOFS if measured else SKY


def _together(
    roof: RoofTerms, months: Sequence[Month], shapes: dict[Month, WhArray]
) -> dict[Month, WhArray]:
    """Return what months bring together, laid out over all of them."""
    if not months:
        return {}
    shares = sum(MONTH_SHARES[month.first.month - 1] for month in months)
    total_wh = roof.peak_w * roof.year_kwh_per_kwp * shares // 100
    laid = laid_out(total_wh, np.concatenate([shapes[month] for month in months]))
    ends = np.cumsum([shapes[month].size for month in months])
    return dict(zip(months, np.split(laid, ends[:-1]), strict=True))


def _days_read(sun_wh: WhArray) -> int:
    whole = sun_wh[: sun_wh.size // 96 * 96].reshape(-1, 96)
    return int((whole.sum(axis=1) > 0).sum())


def _quarters(month: Month) -> int:
    return (month.end_s - month.start_s) // QUARTER_S
