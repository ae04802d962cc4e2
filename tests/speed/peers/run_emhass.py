"""EMHASS: its optimisation class, in watts; its problem is cached when warm."""

from __future__ import annotations

import json
import logging
from importlib import import_module
from importlib.resources import files

import numpy as np
from emhass.optimization import (  # type: ignore[import-not-found]  # in an environment of its own
    Optimization,
)

from tests.speed.peers.served import Answered, Asked, Numbers, serve

pd = import_module("pandas")  # without types
_GAP = 1e-4
"""The solver's own; the shipped 1 % stops at plans that cost up to 1 % more."""
_COSTS = ("unit_load_cost", "unit_prod_price")


class Emhass:
    def cold(self, asked: Asked) -> Answered | None:
        shipped = json.loads((files("emhass") / "data" / "config_defaults.json").read_text())
        self.solver = Optimization(
            {
                "optimization_time_step": pd.Timedelta(hours=asked.interval_h),
                "time_zone": "UTC",
                "sensor_power_photovoltaics": "pv",
                "sensor_power_load_no_var_loads": "load",
            },
            {
                **shipped,
                "delta_forecast_daily": asked.steps * asked.interval_h / 24,
                "number_of_deferrable_loads": 0,
                "set_use_battery": True,
                "set_use_pv": True,
                "set_nodischarge_to_grid": False,
                "weight_battery_charge": 0.0,
                "weight_battery_discharge": 0.0,
                "capacity_cost_per_kw": asked.peak_price,
                "num_threads": 1,
                "lp_solver_timeout": asked.limit_s,
                "lp_solver_mip_rel_gap": _GAP,
            },
            {**shipped, **_plant(asked)},
            *_COSTS,
            "profit",
            {},
            _silent(),
        )
        return self._solved(asked)

    def warm(self, asked: Asked) -> Answered | None:
        return self._solved(asked)

    def _solved(self, asked: Asked) -> Answered | None:
        index = pd.date_range("2025-06-01", periods=asked.steps, freq="15min", tz="UTC")
        prices = pd.DataFrame(dict(zip(_COSTS, (asked.buy, asked.sell), strict=True)), index=index)
        ends = [float(part) for part in asked.start / asked.capacity]
        found = self.solver.perform_dayahead_forecast_optim(
            prices,
            pd.Series(asked.pv * 1e3, index=index),
            pd.Series(asked.load * 1e3, index=index),
            soc_init=ends,
            soc_final=ends,
        )
        if self.solver.optim_status is None or "ptimal" not in self.solver.optim_status:
            return None
        names = ["P_batt"] if asked.count == 1 else [f"P_batt_{k}" for k in range(asked.count)]
        given = np.array([found[name].to_numpy() for name in names]) / 1e3
        cut = found["P_PV_curtailment"].to_numpy() / 1e3 if asked.curtailable else 0 * asked.buy
        return Answered(np.maximum(-given, 0.0), np.maximum(given, 0.0), cut)


def _plant(asked: Asked) -> dict[str, object]:
    """Return the batteries and the connection; its discharge limit counts inside the battery."""
    return {
        "number_of_batteries": asked.count,
        "battery_charge_power_max": _each(asked.charge_max * 1e3),
        "battery_discharge_power_max": _each(asked.discharge_max / asked.out_of * 1e3),
        "battery_charge_efficiency": _each(asked.into),
        "battery_discharge_efficiency": _each(asked.out_of),
        "battery_nominal_energy_capacity": _each(asked.capacity * 1e3),
        "battery_minimum_state_of_charge": _each(asked.least / asked.capacity),
        "battery_maximum_state_of_charge": _each(asked.capacity / asked.capacity),
        "battery_target_state_of_charge": _each(asked.end / asked.capacity),
        "battery_stress_cost": _each(0 * asked.capacity),
        "maximum_power_from_grid": min(asked.import_limit, asked.most_kw) * 1e3,
        "maximum_power_to_grid": min(asked.export_limit, asked.most_kw) * 1e3,
        "compute_curtailment": asked.curtailable,
        "inverter_is_hybrid": False,
    }


def _each(values: Numbers) -> float | list[float]:
    """Return one number for one battery, a list for more: its own convention."""
    numbers = [float(value) for value in values]
    return numbers[0] if len(numbers) == 1 else numbers


def _silent() -> logging.Logger:
    logger = logging.getLogger("emhass")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


if __name__ == "__main__":
    serve("EMHASS", Emhass(), ("emhass", "cvxpy", "highspy"), keeps=True)
