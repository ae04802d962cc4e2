"""linopy: labelled arrays, the model handed to HiGHS in memory."""

from __future__ import annotations

import linopy  # type: ignore[import-not-found]  # in an environment of its own
import numpy as np
import xarray as xr  # type: ignore[import-not-found]  # in an environment of its own

from tests.speed.peers.served import Answered, Asked, Numbers, serve


class Linopy:
    def cold(self, asked: Asked) -> Answered | None:
        model = linopy.Model()
        step, battery = ("step", np.arange(asked.steps)), ("battery", np.arange(asked.count))
        cells = xr.DataArray(np.zeros((asked.count, asked.steps)), coords=[battery, step])
        steps, dt = cells[0].drop_vars("battery"), asked.interval_h
        most_in, most_out = _each(asked.charge_max), _each(asked.discharge_max)
        charge = model.add_variables(cells, cells + most_in, name="charge")
        discharge = model.add_variables(cells, cells + most_out, name="discharge")
        stored = model.add_variables(
            cells + _each(asked.least), cells + _each(asked.capacity), name="stored"
        )
        cut = model.add_variables(steps, steps + asked.pv * asked.curtailable, name="cut")
        bought = model.add_variables(steps, steps + asked.import_limit, name="bought")
        sold = model.add_variables(steps, steps + asked.export_limit, name="sold")
        peak = model.add_variables(0, np.inf, name="peak")
        gained = dt * _each(asked.into) * charge - dt * _each(1 / asked.out_of) * discharge
        # Every family ends as it starts: the day is a ring whose last value is given.
        model.add_constraints(stored - stored.roll(step=1) - gained == 0, name="storing")
        model.add_constraints(stored.isel(step=-1) == _each(asked.end), name="end")
        model.add_constraints(
            bought - sold - cut - charge.sum("battery") + discharge.sum("battery")
            == steps + asked.load - asked.pv,
            name="balance",
        )
        model.add_constraints(peak - bought >= 0, name="peak")
        if asked.exclusive:
            charges = model.add_variables(binary=True, coords=cells.coords, name="charges")
            model.add_constraints(charge - most_in * charges <= 0, name="in")
            model.add_constraints(discharge + most_out * charges <= most_out, name="out")
        energy = (steps + dt * asked.buy) * bought - (steps + dt * asked.sell) * sold
        model.add_objective(energy.sum() + asked.peak_price * peak)
        status, _ = model.solve(
            solver_name="highs",
            io_api="direct",
            threads=1,
            time_limit=asked.limit_s,
            log_to_console=False,
        )
        if status != "ok":
            return None
        return Answered(charge.solution.values, discharge.solution.values, cut.solution.values)

    def warm(self, asked: Asked) -> Answered | None:
        return self.cold(asked)


def _each(values: Numbers) -> xr.DataArray:
    """Return one number a battery."""
    return xr.DataArray(values, coords=[("battery", np.arange(values.size))])


if __name__ == "__main__":
    serve("linopy", Linopy(), ("linopy", "highspy"), keeps=False)
