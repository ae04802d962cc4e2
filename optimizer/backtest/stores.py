"""Batteries as things: what they really take and give in a quarter, whatever is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kwartier.errors import InputError
from optimizer.problem import Battery, FloatArray
from optimizer.tracking.quarter import Stores as Held

QUARTER_H = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Stores:
    """Batteries of a backtest, whose limits are the same all year, shape ``(B,)`` each.

    Attributes:
        batteries: As the planner knows them.
        low_kwh: The least stored.
        high_kwh: The most stored.
        charge_kw: The most it takes.
        discharge_kw: The most it gives.
        charge_efficiency: Stored for each kWh taken.
        discharge_efficiency: Given for each kWh that was stored.
        wear_eur_per_kwh: Cost of giving a kWh.
    """

    batteries: tuple[Battery, ...]
    low_kwh: FloatArray
    high_kwh: FloatArray
    charge_kw: FloatArray
    discharge_kw: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray
    wear_eur_per_kwh: FloatArray

    @property
    def start_kwh(self) -> FloatArray:
        """What is stored at the start, shape ``(B,)`` [kWh]."""
        return np.array([battery.soc_start_kwh for battery in self.batteries])

    @property
    def usable_kwh(self) -> float:
        """What all can store and give again [kWh]."""
        return float((self.high_kwh - self.low_kwh).sum())

    def planned(self, stored_kwh: FloatArray, worth_eur_per_kwh: float) -> list[Battery]:
        """Return the batteries as a plan starts with them.

        Args:
            stored_kwh: What is stored now, shape ``(B,)``.
            worth_eur_per_kwh: What a kWh is worth that one can still give at the end of the plan.
        """
        return [
            replace(
                battery,
                soc_start_kwh=float(stored),
                soc_end_kwh=None,
                end_value_eur_per_kwh=worth_eur_per_kwh * battery.discharge_efficiency,
            )
            for battery, stored in zip(self.batteries, stored_kwh, strict=True)
        ]

    def holding(self, stored_kwh: FloatArray) -> Held:
        """Return the batteries as they are with so much stored, shape ``(B,)`` [kWh]."""
        return Held(
            stored_kwh,
            self.low_kwh,
            self.high_kwh,
            self.charge_kw,
            self.discharge_kw,
            self.charge_efficiency,
            self.discharge_efficiency,
        )

    def after(self, stored_kwh: FloatArray, power_kw: FloatArray) -> FloatArray:
        """Return what is stored after a quarter of charging (above 0) or discharging [kWh]."""
        stored = self.holding(stored_kwh).after(power_kw, QUARTER_H)
        return np.clip(stored, self.low_kwh, self.high_kwh)


def stores_of(batteries: Sequence[Battery]) -> Stores:
    """Return batteries for a backtest.

    Raises:
        InputError: There is none, or a limit of one changes from step to step.
    """
    if not batteries:
        raise InputError("a backtest needs a battery to steer: give --battery KWH:KW")

    def column(name: str) -> FloatArray:
        values = []
        for battery in batteries:
            value = getattr(battery, name)
            if not isinstance(value, (int, float)):
                raise InputError(f"batteries.{battery.id}.{name} is a list: give one number")
            values.append(float(value))
        return np.array(values)

    return Stores(
        tuple(batteries),
        column("soc_min_kwh"),
        column("soc_max_kwh"),
        column("charge_max_kw"),
        column("discharge_max_kw"),
        column("charge_efficiency"),
        column("discharge_efficiency"),
        column("wear_eur_per_kwh"),
    )
