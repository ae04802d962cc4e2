"""Who acts in the books: an officer with roles, or the house itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from api.cooperative.errors import NotAllowedError


class Role(StrEnum):
    """What an officer may do."""

    BOARD = "board"
    TREASURER = "treasurer"
    BOOKKEEPER = "bookkeeper"
    """Registers and prepares, decides nothing."""
    AUDITOR = "auditor"
    """Reads everything, writes nothing."""


CLERKS = (Role.BOARD, Role.TREASURER, Role.BOOKKEEPER)
"""Who may register."""
DECIDERS = (Role.BOARD, Role.TREASURER)
"""Who may decide; approving what another person proposed takes the board's role."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who was recognised by a secret of their own.

    Attributes:
        id: The account's name; it stands in the audit log.
        person: The party whose account it is; two accounts of one person are one pair of eyes.
        roles: What it may do.
    """

    id: str
    person: str
    roles: frozenset[Role]

    def need(self, *roles: Role) -> None:
        """Refuse an officer who has none of these roles.

        Raises:
            NotAllowedError: It has none of them.
        """
        if not self.roles.intersection(roles):
            raise NotAllowedError(f"{self.id} is not {' or '.join(roles)}: ask somebody who is")


SELF = "self"
"""The name under which a person's own request stands in the audit log; no officer has it."""


def self_of(party: str) -> Officer:
    """Return a party asking for its own data: it has no role and decides nothing."""
    return Officer(SELF, party, frozenset())


SYSTEM = Officer("system", "system", frozenset())
"""The house itself, for what happens by the clock; it may propose nothing and approve nothing."""
