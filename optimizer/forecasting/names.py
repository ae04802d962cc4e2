"""What methods are called, in books and on pages."""

from __future__ import annotations

from enum import StrEnum


class Name(StrEnum):
    """The methods there are."""

    BLEND = "blend"
    """Five experts on use, weighed by how they did."""
    SUN_BLEND = "sun-blend"
    """Experts on a clear sky, and on told sunlight where there is any."""
    TREES = "trees"
    """Boosted trees over the same experts."""
    USUAL = "usual"
    """The median of four weeks."""
    SAME_WEEKDAY = "same-weekday"
    """The median of four such weekdays."""
    YESTERDAY = "yesterday"
    """What was, a day ago."""
    LAST_WEEK = "last-week"
    """What was, a week ago."""
    FEW_DAYS = "few-days"
    """The days there are, and a usual shape where there is none."""
    YOUNG_ROOF = "young-roof"
    """Clear sky times what the first days made of it."""
