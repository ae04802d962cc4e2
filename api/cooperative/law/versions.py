"""How versions come into force: written down once, by a decision, approved by a second person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from api.cooperative.database import Desk
from api.cooperative.four_eyes import Matter, approval
from kwartier.units import EpochS
from kwartier.wire import Json


class Version(Protocol):
    """What holds from an instant on."""

    @property
    def id(self) -> str:
        """Its name in the books."""

    @property
    def from_s(self) -> EpochS:
        """From when it holds [s]."""


Of = TypeVar("Of", bound=Version)


def is_approved(desk: Desk, matter: Matter, subject: str, body: Json) -> bool:
    """Return whether a second officer approved exactly this."""
    return approval(desk, matter, subject, body) is not None


def in_force_between(versions: Sequence[Of], start_s: EpochS, end_s: EpochS) -> tuple[Of, ...]:
    """Return what holds in ``[start_s, end_s)``: the last begun before, and all that begin in it.

    Args:
        versions: In order of writing; of two that begin at once the later one takes the place of
            the earlier.
        start_s: The first instant [s].
        end_s: The first instant after [s].
    """
    begun = _one_per_start(versions)
    last = max((start for start in begun if start <= start_s), default=None)
    return tuple(
        begun[start] for start in sorted(begun) if start == last or start_s < start < end_s
    )


def _one_per_start(versions: Iterable[Of]) -> dict[EpochS, Of]:
    return {version.from_s: version for version in versions}
