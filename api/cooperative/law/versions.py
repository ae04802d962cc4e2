"""How versions come into force: written down once, by a decision, approved by a second person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from api.cooperative.database import Desk
from api.cooperative.four_eyes import Matter, approval
from kwartier.errors import ContractError
from kwartier.units import EpochS
from kwartier.wire import Json

REPLAY = "replay"
"""Under which name a version's body holds the hash of what it would have done before."""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


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


def check_replay(replay: str) -> None:
    """Refuse what is no hash of a replay; empty is none.

    Raises:
        ContractError: It is no SHA-256 in hex.
    """
    if replay and _SHA256.fullmatch(replay) is None:
        raise ContractError(f"replay {replay[:20]!r}: its hash is 64 of 0-9 and a-f")


def replayed(replay: str) -> dict[str, Json]:
    """Return what a body says of a replay; nothing without one, so that older hashes stay."""
    return {REPLAY: replay} if replay else {}


def replay_hash_in(body: Json) -> str:
    """Return the hash of the replay that a version's body was proposed with; empty without."""
    found = body.get(REPLAY, "") if isinstance(body, dict) else ""
    return found if isinstance(found, str) else ""


def _one_per_start(versions: Iterable[Of]) -> dict[EpochS, Of]:
    return {version.from_s: version for version in versions}
