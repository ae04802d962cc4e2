"""Who asks, and what that person may see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kwartier.units import EpochS

STRONG_S = 600
"""How long after a second factor money may be moved without asking for it again [s]."""


class Role(StrEnum):
    """What somebody is here, besides anybody."""

    RESIDENT = "resident"
    """Lives somewhere, or did: their own data of that time."""
    BOARD = "board"
    """Settlements, members, and the state of the system."""
    TREASURER = "treasurer"
    """The same, and prepares what the board decides."""
    INSTALLER = "installer"
    """One home's devices, up to an end."""
    OPERATOR = "operator"
    """Accounts and machines; no settlements, no quarter-hours."""


PRIVILEGED = frozenset({Role.BOARD, Role.TREASURER, Role.INSTALLER, Role.OPERATOR})
"""Roles that hold only in a session with a second factor, and end after half an hour of rest."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A home somebody lives in, or lived in.

    Attributes:
        home: The home's id in the community.
        from_s: From when its data is theirs [s].
        until_s: Until when, not included [s]; None as long as they live there.
    """

    home: str
    from_s: EpochS = 0
    until_s: EpochS | None = None

    def holds(self, at_s: float) -> bool:
        """Return whether an instant falls in it."""
        return self.from_s <= at_s and (self.until_s is None or at_s < self.until_s)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks; without an account it is anybody.

    Attributes:
        account: The account's id; empty for anybody.
        roles: What they may do now; privileged roles only with a second factor.
        possible: Roles they would have with a second factor.
        stays: Their homes by time, the present one first.
        home: The home they live in now, or else the last one; None without any.
        party: Their id in the books; empty without one.
        officer: Their officer's name in the books; empty without one.
        works_at: Homes an installer may work at now.
        strong_at_s: When they last showed a second factor in this session [s].
        companion: The helper link they came by; None for the person itself. Reads only.
        language: The language they chose; empty for none.
        pictures: Whether they chose pages with pictures and numbers only.
        session: The session's hash.
    """

    account: str = ""
    roles: frozenset[Role] = frozenset()
    possible: frozenset[Role] = frozenset()
    stays: tuple[Stay, ...] = ()
    home: str | None = None
    party: str = ""
    officer: str = ""
    works_at: frozenset[str] = frozenset()
    strong_at_s: EpochS | None = None
    companion: int | None = None
    language: str = ""
    pictures: bool = False
    session: str = ""

    @property
    def known(self) -> bool:
        """Whether somebody is logged in."""
        return self.account != ""

    @property
    def on_board(self) -> bool:
        """Whether they are of the board or its treasurer, with a second factor."""
        return bool(self.roles & {Role.BOARD, Role.TREASURER})

    def lived_in(self, home: str, at_s: float) -> bool:
        """Return whether a home's data of an instant is theirs."""
        return any(stay.home == home and stay.holds(at_s) for stay in self.stays)

    def ever_in(self, home: str) -> bool:
        """Return whether they ever lived in a home."""
        return any(stay.home == home for stay in self.stays)

    def is_fresh(self, now_s: float) -> bool:
        """Return whether a second factor was shown just now."""
        return self.strong_at_s is not None and now_s - self.strong_at_s <= STRONG_S


ANYBODY = Visitor()
"""Somebody who is not logged in."""
