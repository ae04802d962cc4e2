"""The street as the homes of a problem: together, by group, and apart where a battery stands.

A battery behind a home's own meter is planned with what that home is expected to use, so that the
plan keeps to its fuse. All other homes are one home, or one for each group: what many use is surer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from api.planning.parts import Part, slot_of
from kwartier.interval import QUARTER_S
from kwartier.model import Battery, Community
from kwartier.units import EpochS
from optimizer.problem import FloatArray, Home

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


def members_of(group: str, community: Community, apart: Mapping[str, Part]) -> list[str]:
    """Return the names of a group's homes in a problem."""
    connections = community.connections
    return [homes_of(group), *(home_of(n) for n in apart if connections[n].group == group)]


def planned_homes(
    community: Community,
    batteries: Mapping[str, list[Battery]],
    start_s: EpochS,
    use_kw: FloatArray,
    made_kw: FloatArray,
    groups: Mapping[str, Part],
    apart: Mapping[str, Part],
) -> list[Home]:
    """Return the homes of a problem; together they use and make what the street does.

    Args:
        community: The neighbourhood, with the limits that hold.
        batteries: The batteries that are planned, by the home behind whose meter they stand.
        start_s: The first quarter [s].
        use_kw: Expected use of all homes, shape ``(T,)`` [kW].
        made_kw: Expected sun of all roofs, likewise [kW].
        groups: The groups' parts.
        apart: The parts of homes with batteries that are planned.
    """
    slots = [slot_of(start_s + place * QUARTER_S) for place in range(use_kw.size)]
    left = {"": (use_kw.copy(), made_kw.copy())}
    for name in community.groups:
        part = groups[name]
        _move(left, "", name, (use_kw * part.use[slots], made_kw * part.made[slots]))
    alone = []
    for name, part in apart.items():
        own = use_kw * part.use[slots], made_kw * part.made[slots]
        group = community.connections[name].group or ""
        left[group] = (left[group][0] - own[0], left[group][1] - own[1])
        alone.append(_with_fuse(name, own, community.connections[name].limit_w, batteries[name]))
    together = [
        Home(homes_of(group) if group else _STREET, np.maximum(use, 0.0), np.maximum(sun, 0.0))
        for group, (use, sun) in left.items()
    ]
    return [*together, *alone]


def _move(
    left: dict[str, tuple[FloatArray, FloatArray]],
    whence: str,
    where: str,
    power_kw: tuple[FloatArray, FloatArray],
) -> None:
    left[where] = power_kw
    left[whence] = (left[whence][0] - power_kw[0], left[whence][1] - power_kw[1])


def _with_fuse(
    name: str, own: tuple[FloatArray, FloatArray], limit_w: int, batteries: list[Battery]
) -> Home:
    """Return a home by itself; a fuse that it cannot reach is left out.

    Without limits inside the neighbourhood the plan is made evenly, and quickly for many batteries.
    """
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
