"""Which batteries of a gateway are behind one meter, and so follow it together."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.steer.settings import SteeredDevice
from gateway.steer.team import Team
from gateway.steer.way import wish_step_s_of
from kwartier.identity import DeviceId


def behind(
    batteries: Sequence[SteeredDevice], meter: DeviceId | None, first: DeviceId | None
) -> list[SteeredDevice]:
    """Return the batteries behind a meter; one that names none is behind the first."""
    return [one for one in batteries if (one.meter or first) == (meter or first)]


def teams_of(batteries: Sequence[SteeredDevice], first: DeviceId | None) -> dict[DeviceId, Team]:
    """Return what follows each meter, by battery; no battery behind the same meter has another.

    Of several ways for a wish to travel the slowest counts, as none may go faster.
    """
    teams: dict[DeviceId, Team] = {}
    for one in batteries:
        if one.device not in teams:
            together = behind(batteries, one.meter, first)
            full_power_s = max(each.limits.full_power_s for each in together)
            step_s = max(wish_step_s_of(each.profile) for each in together)
            team = Team(full_power_s, step_s)
            teams |= {each.device: team for each in together}
    return teams
