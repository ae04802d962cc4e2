"""A plan: what each battery does in each step, what it costs, and which limits gave way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from optimizer.problem import FloatArray


class Status(StrEnum):
    """How good a plan is."""

    OPTIMAL = "optimal"
    """No plan within the limits costs less."""
    FEASIBLE = "feasible"
    """Within the limits, but not proven the cheapest; see ``gap_eur``."""
    RELAXED = "relaxed"
    """The limits cannot all be met; it breaks them as little as can be."""
    FALLBACK = "fallback"
    """The solver gave nothing; a simple rule made this plan."""


class Action(StrEnum):
    """What a battery does in a block of steps."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    HOLD = "hold"


class Because(StrEnum):
    """Why it does it; the last three are of cars, heat pumps and machines only."""

    SOLAR_SURPLUS = "solar_surplus"
    PRICE_LOW = "price_low"
    PRICE_HIGH = "price_high"
    NEGATIVE_PRICE = "negative_price"
    PEAK = "peak"
    LIMIT = "limit"
    RESERVE = "reserve"
    OWN_USE = "own_use"
    OTHER_BATTERY = "other_battery"
    FULL = "full"
    EMPTY = "empty"
    PRICE_LATER = "price_later"
    NEEDED_LATER = "needed_later"
    NO_GAIN = "no_gain"
    SCHEDULE = "schedule"
    PRICE_LOWER_LATER = "price_lower_later"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that a plan breaks, by how much and where.

    Attributes:
        limit: Its key, such as ``grid.import_limit_kw`` or ``batteries.b1.soc_end_kwh``.
        step: The step in which, or after which, it is broken.
        excess: By how much, above zero, in ``unit``.
        unit: ``kw``, ``kwh``, ``k``, ``steps`` or ``eur``.
    """

    limit: str
    step: int
    excess: float
    unit: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a battery does the same thing from step ``first`` to step ``last``, both included.

    Cars, heat pumps and machines go by ``battery`` too.
    """

    first: int
    last: int
    battery: str
    action: Action
    because: Because
    text_nl: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long the parts of planning took [s]."""

    build: float
    solve: float


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What to do; powers on the AC side [kW], all at least zero.

    Attributes:
        status: How good it is.
        cost_eur: Energy, peak and wear, without the worth of what is stored at the end.
        end_value_eur: Worth of what is stored where the end is free.
        charge_kw: Shape ``(B, T)``.
        discharge_kw: Shape ``(B, T)``.
        soc_kwh: Stored after each step, shape ``(B, T)`` [kWh].
        import_kw: Shape ``(T,)``; never together with export.
        export_kw: Shape ``(T,)``.
        curtailed_kw: Production that is cut, by home, shape ``(H, T)``.
        peak_kw: The highest import.
        violations: The limits it breaks; nothing but reserves unless relaxed or fallback.
        reasons: Why, per battery in order of time.
        gap_eur: How much less a plan could still cost at most; 0 where it is proven optimal, None
            where no bound is known.
        seconds: How long it took; None where nobody held a stopwatch.
        local_price_eur_per_kwh: What one more kWh used at the connection adds to the cost, shape
            ``(T,)``; None where no prices prove the plan.
        stored_value_eur_per_kwh: What one more kWh put into a battery in a step takes off the cost,
            shape ``(B, T)``; None where no prices prove the plan.
        starts: The step in which each machine that may wait starts.
    """

    status: Status
    cost_eur: float
    end_value_eur: float
    charge_kw: FloatArray
    discharge_kw: FloatArray
    soc_kwh: FloatArray
    import_kw: FloatArray
    export_kw: FloatArray
    curtailed_kw: FloatArray
    peak_kw: float
    violations: tuple[Violation, ...] = ()
    reasons: tuple[Reason, ...] = ()
    gap_eur: float | None = 0.0
    seconds: Seconds | None = None
    local_price_eur_per_kwh: FloatArray | None = None
    stored_value_eur_per_kwh: FloatArray | None = None
    starts: tuple[int, ...] = ()
