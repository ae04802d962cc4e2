"""The street as the homes of a problem: together, by group, and apart where a battery stands.

A battery behind a home's own meter is planned with what that home is expected to use, so that the
plan keeps to its fuse. All other homes are one home, or one for each group: what many use is surer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from api.forecasts.homes import HomeForecast
from api.planning.parts import Part, slot_of
from kwartier.interval import QUARTER_S
from kwartier.model import Battery, Community
from kwartier.units import EpochS, Watt
from optimizer.problem import Battery as PlannedBattery
from optimizer.problem import FloatArray, Home

Powers: TypeAlias = tuple[FloatArray, FloatArray]
"""Use and sun, shape ``(T,)`` each [kW]."""
_STREET = "homes"
"""The name under which homes without a battery and without a group are planned, as one."""


def homes_of(group: str) -> str:
    """Return the name under which a group's homes without a battery are planned, as one."""
    return f"homes-of-{group}"


def home_of(connection: str) -> str:
    """Return the name under which a home with a battery is planned."""
    return f"home-of-{connection}"


def connection_of(home: str) -> str | None:
    """Return which home with a battery a planned home is; None where it is several homes."""
    name = home.removeprefix("home-of-")
    return None if name == home else name


def members_of(group: str, community: Community, apart: Iterable[str]) -> list[str]:
    """Return the names of a group's homes in a problem."""
    connections = community.connections
    return [homes_of(group), *(home_of(n) for n in apart if connections[n].group == group)]


def expected_alone(
    street: Powers, start_s: EpochS, parts: Mapping[str, Part], own: Mapping[str, HomeForecast]
) -> dict[str, Powers]:
    """Return what homes with a battery are expected to use and make, by home.

    Args:
        street: What all homes use and make.
        start_s: The first quarter [s].
        parts: The part of the street that each home had of late, for all that are asked about.
        own: What is expected of some of them by themselves; it goes first.
    """
    slots = _slots(start_s, street[0].size)
    return {
        name: (own[name].use.likely, own[name].made.likely)
        if name in own
        else (street[0] * part.use[slots], street[1] * part.made[slots])
        for name, part in parts.items()
    }


def carried(own: Mapping[str, Powers], over: Mapping[str, Powers]) -> dict[str, Powers]:
    """Return what of homes' use and sun is planned: all but what is over their fuses."""
    return {name: (use - over[name][0], made - over[name][1]) for name, (use, made) in own.items()}


def within_fuse(planned: PlannedBattery, own: Powers, limit_w: Watt) -> PlannedBattery:
    """Return a home's only battery that takes and gives no more than its home's fuse leaves.

    That says the same as a limit of the home, as a battery does one thing at a time, and takes no
    row of its own in a programme: the plan stays even, and quick for many batteries.

    Args:
        planned: The battery, with limits that are one number each.
        own: What its home uses and makes.
        limit_w: The fuse, each way.
    """
    net_kw = own[0] - own[1]
    takes = np.minimum(planned.charge_max_kw, limit_w / 1000 - net_kw)
    gives = np.minimum(planned.discharge_max_kw, limit_w / 1000 + net_kw)
    return replace(
        planned,
        charge_max_kw=takes if (takes < planned.charge_max_kw).any() else planned.charge_max_kw,
        discharge_max_kw=gives
        if (gives < planned.discharge_max_kw).any()
        else planned.discharge_max_kw,
    )


def is_kept_by_battery(own: Powers, limit_w: Watt, batteries: Sequence[Battery]) -> bool:
    """Return whether one battery can keep its home's fuse, which the home alone never breaks."""
    return len(batteries) == 1 and float(np.abs(own[0] - own[1]).max()) <= limit_w / 1000


def planned_homes(
    community: Community,
    batteries: Mapping[str, list[Battery]],
    start_s: EpochS,
    street: Powers,
    groups: Mapping[str, Part],
    apart: Mapping[str, Powers],
    passes: Mapping[str, Powers],
) -> list[Home]:
    """Return the homes of a problem; together they use and make what passes of the street's.

    Args:
        community: The neighbourhood, with the limits that hold.
        batteries: The batteries that are planned, by the home behind whose meter they stand.
        start_s: The first quarter [s].
        street: Expected use of all homes and sun of all roofs.
        groups: The groups' parts.
        apart: What homes with batteries that are planned are expected to use and make.
        passes: What of that their fuses and batteries carry.
    """
    use_kw, made_kw = street
    slots = _slots(start_s, use_kw.size)
    left = {"": (use_kw.copy(), made_kw.copy())}
    for name in community.groups:
        part = groups[name]
        _move(left, "", name, (use_kw * part.use[slots], made_kw * part.made[slots]))
    alone = []
    for name, own in apart.items():
        group = community.connections[name].group or ""
        left[group] = (left[group][0] - own[0], left[group][1] - own[1])
        limit_w = community.connections[name].limit_w
        alone.append(_with_fuse(name, passes[name], limit_w, batteries[name]))
    together = [
        Home(homes_of(group) if group else _STREET, np.maximum(use, 0.0), np.maximum(sun, 0.0))
        for group, (use, sun) in left.items()
    ]
    return [*together, *alone]


def _slots(start_s: EpochS, count: int) -> list[int]:
    return [slot_of(start_s + place * QUARTER_S) for place in range(count)]


def _move(left: dict[str, Powers], whence: str, where: str, power_kw: Powers) -> None:
    left[where] = power_kw
    left[whence] = (left[whence][0] - power_kw[0], left[whence][1] - power_kw[1])


def _with_fuse(name: str, own: Powers, limit_w: Watt, batteries: list[Battery]) -> Home:
    """Return a home by itself; a fuse that it cannot reach, or its battery keeps, is left out."""
    if is_kept_by_battery(own, limit_w, batteries):
        return Home(home_of(name), *own)
    use_kw, made_kw = own
    fuse_kw = limit_w / 1000
    most_in = float(use_kw.max()) + sum(one.charge_max_w for one in batteries) / 1000
    most_out = float(made_kw.max()) + sum(one.discharge_max_w for one in batteries) / 1000
    return Home(
        home_of(name),
        use_kw,
        made_kw,
        import_limit_kw=fuse_kw if most_in > fuse_kw else float("inf"),
        export_limit_kw=fuse_kw if most_out > fuse_kw else float("inf"),
    )
