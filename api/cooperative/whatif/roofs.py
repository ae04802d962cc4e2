"""What one more roof would have made: the year it is said to make, laid out by a sun that shone.

Twelve months whose roofs were measured are laid out by those alone. Of fewer months it is the sun
without clouds that says which part of a year they are, as if clouds took the same part in every
month: over a year De Bilt has 1,023 kWh on a flat square metre, three fifths of a sky without any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from api.cooperative.runs.month import Month
from api.cooperative.whatif.street import RoofTerms
from api.cooperative.whatif.surroundings import Surroundings
from kwartier.errors import InputError
from kwartier.interval import QUARTER_S
from optimizer.settling.matrix import WhArray
from optimizer.what_if.readings import laid_out

USUAL_KWH_PER_KWP = 875
"""What a kWp makes in an ordinary year in the Netherlands [kWh].

Source:
    Statistics Netherlands (CBS), "Onderzoek naar productiefactoren zonnestroom in 2022" (2023): the
    figure of the Protocol Monitoring Hernieuwbare Energie, at 368,292 J/cm2 a year in De Bilt.
"""

ROOFS, SKY, BOTH = "roofs", "sky", "both"
_YEAR_MONTHS = 12
_LEAST_DAYS = 20
"""A month is laid out by its measured roofs when they were read on so many days."""


def roof_made(
    roof: RoofTerms, months: Sequence[Month], around: Surroundings
) -> tuple[dict[Month, WhArray], str]:
    """Return what a roof would have made in each month [Wh], and by what it was laid out.

    Months whose roofs were measured share what they bring in an ordinary year as those roofs did,
    so that a dark month is dark. The others are laid out by the sun without clouds.

    Raises:
        InputError: There is neither a measured year nor a sun to go by.
    """
    suns = {month: around.roofs(month.start_s, _quarters(month)) for month in months}
    measured = [month for month in months if _days_read(suns[month]) >= _LEAST_DAYS]
    others = [month for month in months if month not in measured]
    year = [months[0].plus(place) for place in range(_YEAR_MONTHS)]
    if measured == year:
        return _together(roof, Fraction(1), measured, suns), ROOFS
    skies = {each: around.sky(each.start_s, _quarters(each)) for each in {*year, *months}}
    whole = sum(int(skies[each].sum()) for each in year)
    if whole <= 0:
        raise InputError(
            f"roof: {len(measured)} of {len(months)} months have measured roofs, and nothing tells "
            "the sun without clouds: wait for twelve measured months, or install pvlib"
        )
    made: dict[Month, WhArray] = {}
    for some, shapes in ((measured, suns), *(([month], skies) for month in others)):
        part = Fraction(sum(int(skies[month].sum()) for month in some), whole)
        made |= _together(roof, part, some, shapes)
    return made, BOTH if measured and others else ROOFS if measured else SKY


def _together(
    roof: RoofTerms, part: Fraction, months: Sequence[Month], shapes: Mapping[Month, WhArray]
) -> dict[Month, WhArray]:
    """Return what months bring together, a part of a year, laid out over all of them."""
    if not months:
        return {}
    total_wh = int(roof.peak_w * roof.year_kwh_per_kwp * part)
    laid = laid_out(total_wh, np.concatenate([shapes[month] for month in months]))
    ends = np.cumsum([shapes[month].size for month in months])
    return dict(zip(months, np.split(laid, ends[:-1]), strict=True))


def _days_read(sun_wh: WhArray) -> int:
    whole = sun_wh[: sun_wh.size // 96 * 96].reshape(-1, 96)
    return int((whole.sum(axis=1) > 0).sum())


def _quarters(month: Month) -> int:
    return (month.end_s - month.start_s) // QUARTER_S
