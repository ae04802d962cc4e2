"""What a number with a scale factor says, or that it says nothing to steer by now.

Some devices show their registers before they have filled them. A number whose power of ten is not
there yet may be ten times off either way, so nothing is written by it and no limit is judged by it.
"""

from __future__ import annotations

from hardware.registers import Words
from hardware.sunspec import LARGEST_EXPONENT, Points, PointValue, raw_value
from hardware.sunspec_models import Group
from kwartier.errors import TemporaryError


class ScaleUnknownError(TemporaryError):
    """A number stands there whose scale factor cannot be told now; it is looked at again."""

    def __init__(self, what: str, found: PointValue) -> None:
        """Keep which one, and what stands there; None is the code for not implemented."""
        told = "is not implemented" if found is None else f"reads {found}"
        super().__init__(
            f"{what} {told}: by it nothing is steered; if that stays when the device has started, "
            "its firmware does not fill it"
        )
        self.what = what


def exponent_of(points: Points, scale: str) -> int:
    """Return the power of ten that a scale factor says.

    Raises:
        ScaleUnknownError: It says none from -10 to 10.
    """
    found = points[scale]
    if not isinstance(found, int) or abs(found) > LARGEST_EXPONENT:
        raise ScaleUnknownError(f"scale factor {scale}", found)
    return found


def told(group: Group, words: Words, points: Points, name: str) -> PointValue:
    """Return a point with its scale applied; None where its registers say nothing.

    Args:
        group: Its model's table.
        words: The model's registers, the id first.
        points: What they decode to.
        name: Of the point.

    Raises:
        ScaleUnknownError: Its registers say something, and their scale factor does not.
    """
    point, start = group.point(name), group.offset(name)
    own = words[start : start + point.size]
    if points[name] is None and len(own) == point.size and raw_value(point.type, own) is not None:
        scale = points.get(str(point.scale))
        raise ScaleUnknownError(f"the scale factor of {name} in model {words[0]}", scale)
    return points[name]
