"""A power split over many batteries in one go, as gateways do it in watts, here in arrays of kW."""

from __future__ import annotations

import numpy as np

from optimizer.problem import FloatArray

_LEAST_WEIGHT = 1e-12


def fill_kw(
    total_kw: FloatArray | float,
    base_kw: FloatArray,
    least_kw: FloatArray,
    most_kw: FloatArray,
    weight: FloatArray,
) -> FloatArray:
    """Return what each battery does, so that together they do the total.

    It is the one answer with the least ``sum(move ** 2 / weight)`` from the base, put inside its
    bounds: all move in proportion to their weight until they are at their end. Found by sorting
    where each one ends, without a solver; many splits at once where there are leading axes.

    Args:
        total_kw: What all do together, shape ``(...)``; what nobody can do is left [kW].
        base_kw: What each one does where nothing has to be split, shape ``(..., B)`` [kW].
        least_kw: The least each can do, likewise [kW].
        most_kw: The most, not below the least [kW].
        weight: How far each moves compared with the others; below nothing counts as nothing.

    Returns:
        The power of each, shape ``(..., B)``; positive charges [kW].
    """
    begun = np.clip(base_kw, least_kw, most_kw)
    need = np.asarray(total_kw, dtype=float) - begun.sum(axis=-1)
    up = (need > 0)[..., None]
    room = np.where(up, most_kw - begun, begun - least_kw)
    weights = np.maximum(np.broadcast_to(weight, room.shape), _LEAST_WEIGHT)
    return begun + np.where(up, 1.0, -1.0) * _moved(np.abs(need), room, weights)


def _moved(need: FloatArray, room: FloatArray, weights: FloatArray) -> FloatArray:
    """Return ``min(room, level * weight)`` with the one level that spends the need."""
    ends = room / weights
    order = np.argsort(ends, axis=-1, kind="stable")
    sorted_ends = np.take_along_axis(ends, order, axis=-1)
    sorted_room = np.take_along_axis(room, order, axis=-1)
    sorted_weights = np.take_along_axis(weights, order, axis=-1)
    full_before = np.cumsum(sorted_room, axis=-1) - sorted_room
    free = np.cumsum(sorted_weights[..., ::-1], axis=-1)[..., ::-1]
    # Where the level is that of the place's own end, so much is spent.
    spent = full_before + sorted_ends * free
    place = (spent < need[..., None]).sum(axis=-1, keepdims=True)
    inside = np.minimum(place, room.shape[-1] - 1)
    before = np.take_along_axis(full_before, inside, axis=-1)
    left = np.take_along_axis(free, inside, axis=-1)
    level = np.where(place < room.shape[-1], (need[..., None] - before) / left, np.inf)
    return np.minimum(room, np.where(np.isinf(level), room, level * weights))
