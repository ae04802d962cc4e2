"""Limits on part of a neighbourhood: the fuse of a home, the contract of a group.

A boundary is a set of homes with all that stands behind their connections, and batteries beside
them. What they exchange together stays within its limits at every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kwartier.errors import InputError
from optimizer.model.neighbourhood import BoolArray, Call, FloatArray, Grid, Group, Home, RowArray
from optimizer.model.nonsense import MAX_SIZE
from optimizer.model.spread import bounded_limit, bounded_number, home_row, limit_of, step_of

MAX_BOUNDARY_CELLS = 50_000_000
"""The most limits of homes and groups: their number times that of homes and stores."""


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """Boundaries as arrays, K of them.

    Attributes:
        keys: Where their limits stand, such as ``homes.h1``.
        homes: Whether a home lies within, shape ``(K, H)``.
        stores: Whether a store lies within, shape ``(K, B)``.
        runs: Whether a machine lies within, shape ``(K, R)``.
        import_limit_kw: Shape ``(K, T)``; infinite where there is none.
        export_limit_kw: Shape ``(K, T)``; infinite where there is none.
    """

    keys: tuple[str, ...]
    homes: BoolArray
    stores: BoolArray
    runs: BoolArray
    import_limit_kw: FloatArray
    export_limit_kw: FloatArray


def boundaries_of(
    homes: Sequence[Home],
    groups: Sequence[Group],
    calls: Sequence[Call],
    battery_rows: Mapping[str, int],
    store_home: RowArray,
    run_home: RowArray,
    steps: int,
) -> Boundaries | None:
    """Return the boundaries that limit anything, or None where none does.

    Args:
        homes: All homes.
        groups: Groups with a contract of their own.
        calls: Windows in which grid or groups carry less; those of groups lower a limit here.
        battery_rows: The row of each battery, by its name.
        store_home: The row of the home that each store stands behind; -1 for none.
        run_home: The same of each machine.
        steps: The number of steps.

    Raises:
        InputError: A name is unknown or a number makes no sense.
    """
    rows = {home.id: row for row, home in enumerate(homes)}
    keys, within, beside, taken, given = [], [], [], [], []
    for row, home in enumerate(homes):
        if _is_unlimited(home.import_limit_kw) and _is_unlimited(home.export_limit_kw):
            continue
        keys.append(f"homes.{home.id}")
        within.append([row])
        beside.append(np.zeros(store_home.size, dtype=np.bool_))
        taken.append(_limit(f"homes.{home.id}.import_limit_kw", home.import_limit_kw, steps))
        given.append(_limit(f"homes.{home.id}.export_limit_kw", home.export_limit_kw, steps))
    for group in groups:
        place = f"groups.{group.id}."
        keys.append(f"groups.{group.id}")
        within.append([home_row(place + "homes", name, rows) for name in group.homes])
        beside.append(_batteries(group, battery_rows, store_home, within[-1]))
        most_in = _limit(place + "import_limit_kw", group.import_limit_kw, steps)
        most_out = _limit(place + "export_limit_kw", group.export_limit_kw, steps)
        for call in calls:
            if call.group == group.id:
                most_in, most_out = lowered(call, most_in, most_out)
        taken.append(most_in)
        given.append(most_out)
        _refuse_odd_shares(group)
    if not keys:
        return None
    if len(keys) * (len(homes) + store_home.size) > MAX_BOUNDARY_CELLS:
        raise InputError(
            f"{len(keys)} homes and groups have limits among {len(homes)} homes and "
            f"{store_home.size} batteries, cars and heat pumps: that is too many to plan "
            "together; split the neighbourhood"
        )
    in_it = np.zeros((len(keys), len(homes)), dtype=np.bool_)
    for number, members in enumerate(within):
        in_it[number, members] = True
    return Boundaries(
        tuple(keys),
        in_it,
        _behind(in_it, store_home) | np.array(beside).reshape(len(keys), store_home.size),
        _behind(in_it, run_home),
        np.array(taken).reshape(len(keys), steps),
        np.array(given).reshape(len(keys), steps),
    )


def lowered(call: Call, most_in: FloatArray, most_out: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return import and export limits [kW] with a call in force."""
    most_in, most_out = most_in.copy(), most_out.copy()
    window = slice(call.first, call.last + 1)
    most_in[window] = np.minimum(most_in[window], call.import_limit_kw)
    most_out[window] = np.minimum(most_out[window], call.export_limit_kw)
    return most_in, most_out


def call_reward_eur(call: Call, grid: Grid, groups: Sequence[Group], step_h: FloatArray) -> float:
    """Return what a call pays for the room between its limits and those of the contract [EUR].

    It is fixed once the call is there: whatever the plan, as long as it keeps to the call. No
    contract, no room, no reward.
    """
    limits = next((group for group in groups if group.id == call.group), grid)
    window = slice(call.first, call.last + 1)
    room = 0.0
    for contract, most in (
        (limits.import_limit_kw, call.import_limit_kw),
        (limits.export_limit_kw, call.export_limit_kw),
    ):
        own = limit_of("", contract, step_h.size)[window]
        given_up = np.where(np.isfinite(own), np.maximum(own - min(most, MAX_SIZE), 0.0), 0.0)
        room += float(step_h[window] @ given_up)
    return call.reward_eur_per_kwh * room


def refuse_odd_calls(calls: Sequence[Call], groups: Sequence[Group], steps: int) -> None:
    """Refuse calls outside the plan, without a limit, or for a group that is not there.

    Raises:
        InputError: The message names the key, the value and the remedy.
    """
    names = {group.id for group in groups}
    for call in calls:
        place = f"calls.{call.id}."
        first = step_of(place + "from", call.first, low=0, high=steps - 1)
        step_of(place + "to", call.last, low=first, high=steps - 1)
        for name in ("import_limit_kw", "export_limit_kw"):
            _limit(place + name, getattr(call, name), steps)
        if np.isinf(call.import_limit_kw) and np.isinf(call.export_limit_kw):
            raise InputError(
                f"{place}import_limit_kw is missing, and export_limit_kw too: give one of them"
            )
        bounded_number(
            place + "reward_eur_per_kwh", call.reward_eur_per_kwh, low=0, high=MAX_SIZE, unit="EUR"
        )
        if call.group is not None and call.group not in names:
            raise InputError(f"{place}group is {call.group[:60]!r}: give the id of a group")


def _behind(within: BoolArray, home: RowArray) -> BoolArray:
    """Return what stands behind a home that lies within, shape ``(K, N)``."""
    found: BoolArray = np.zeros((within.shape[0], home.size), dtype=np.bool_)
    there = home >= 0
    found[:, there] = within[:, home[there]]
    return found


def _batteries(
    group: Group, rows: Mapping[str, int], store_home: RowArray, members: Sequence[int]
) -> BoolArray:
    own = np.zeros(store_home.size, dtype=np.bool_)
    for name in group.batteries:
        place = f"groups.{group.id}.batteries"
        if name not in rows:
            raise InputError(f"{place} is {name[:60]!r}: give the id of one of the batteries")
        home = int(store_home[rows[name]])
        if home >= 0 and home not in members:
            # Its power runs through the meter of a home that the contract is not for.
            raise InputError(
                f"{place} has {name[:60]!r}, which stands behind a home outside the group: add "
                "that home to the group, or leave the battery out"
            )
        own[rows[name]] = True
    return own


def _refuse_odd_shares(group: Group) -> None:
    for home, share in group.shares_kw.items():
        place = f"groups.{group.id}.shares_kw"
        if home not in group.homes:
            raise InputError(f"{place} has {home[:60]!r}: give shares to the homes of the group")
        bounded_number(f"{place}.{home}", share, low=0.0, high=MAX_SIZE, unit="kW")


def _is_unlimited(limit: object) -> bool:
    return isinstance(limit, float) and limit == np.inf


def _limit(key: str, value: float | Sequence[float] | FloatArray, steps: int) -> FloatArray:
    if _is_unlimited(value):
        return np.full(steps, np.inf)
    return bounded_limit(key, value, steps, low=0.0, high=np.inf, unit="kW")
