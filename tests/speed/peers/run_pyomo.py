"""Pyomo: the problem in its algebra, HiGHS kept alive behind its appsi interface."""

from __future__ import annotations

import numpy as np
from pyomo.contrib.appsi.solvers import (  # type: ignore[import-not-found]  # an environment of its own
    Highs,
)
from pyomo.environ import (  # type: ignore[import-not-found]  # the same
    Binary,
    ConcreteModel,
    Constraint,
    NonNegativeReals,
    Objective,
    Param,
    RangeSet,
    Var,
)

from tests.speed.peers.served import Answered, Asked, serve


class Pyomo:
    def cold(self, asked: Asked) -> Answered | None:
        self.model = _model(asked)
        self.solver = Highs()
        self.solver.config.load_solution = False
        self.solver.config.time_limit = asked.limit_s
        self.solver.highs_options = {"threads": 1}
        return self._solved(asked)

    def warm(self, asked: Asked) -> Answered | None:
        for step in range(asked.steps):
            self.model.buy[step] = float(asked.buy[step] * asked.interval_h)
            self.model.sell[step] = float(asked.sell[step] * asked.interval_h)
        return self._solved(asked)

    def _solved(self, asked: Asked) -> Answered | None:
        found = self.solver.solve(self.model)
        if found.best_feasible_objective is None:
            return None
        found.solution_loader.load_vars()
        shape = (asked.count, asked.steps)
        charge = np.array([one.value for one in self.model.charge.values()]).reshape(shape)
        discharge = np.array([one.value for one in self.model.discharge.values()]).reshape(shape)
        return Answered(charge, discharge, np.array([one.value for one in self.model.cut.values()]))


def _model(asked: Asked) -> ConcreteModel:
    model = ConcreteModel()
    steps, batteries = range(asked.steps), range(asked.count)
    model.t, model.b = RangeSet(0, asked.steps - 1), RangeSet(0, asked.count - 1)
    dt = asked.interval_h
    model.buy = Param(model.t, mutable=True, initialize=dict(enumerate(asked.buy * dt)))
    model.sell = Param(model.t, mutable=True, initialize=dict(enumerate(asked.sell * dt)))
    most_in, most_out = asked.charge_max.tolist(), asked.discharge_max.tolist()
    least, most = asked.least.tolist(), asked.capacity.tolist()
    into, out_of = (asked.into * dt).tolist(), (dt / asked.out_of).tolist()
    start, end = asked.start.tolist(), asked.end.tolist()
    net, cuttable = (asked.load - asked.pv).tolist(), (asked.pv * asked.curtailable).tolist()
    model.charge = Var(model.b, model.t, bounds=lambda _, b, __: (0, most_in[b]))
    model.discharge = Var(model.b, model.t, bounds=lambda _, b, __: (0, most_out[b]))
    model.stored = Var(
        model.b,
        model.t,
        bounds=lambda _, b, t: (end[b], end[b]) if t == asked.steps - 1 else (least[b], most[b]),
    )
    model.cut = Var(model.t, bounds=lambda _, t: (0, cuttable[t]))
    model.bought = Var(model.t, bounds=(0, _or_none(asked.import_limit)))
    model.sold = Var(model.t, bounds=(0, _or_none(asked.export_limit)))
    model.peak = Var(domain=NonNegativeReals)
    model.storing = Constraint(
        model.b,
        model.t,
        rule=lambda m, b, t: (
            m.stored[b, t]
            - (m.stored[b, t - 1] if t else start[b])
            - into[b] * m.charge[b, t]
            + out_of[b] * m.discharge[b, t]
            == 0
        ),
    )
    model.balance = Constraint(
        model.t,
        rule=lambda m, t: (
            m.bought[t]
            - m.sold[t]
            - m.cut[t]
            - sum(m.charge[b, t] - m.discharge[b, t] for b in batteries)
            == net[t]
        ),
    )
    model.highest = Constraint(model.t, rule=lambda m, t: m.peak - m.bought[t] >= 0)
    if asked.exclusive:
        model.charges = Var(model.b, model.t, domain=Binary)
        model.one_in = Constraint(
            model.b,
            model.t,
            rule=lambda m, b, t: m.charge[b, t] - most_in[b] * m.charges[b, t] <= 0,
        )
        model.one_out = Constraint(
            model.b,
            model.t,
            rule=lambda m, b, t: m.discharge[b, t] + most_out[b] * m.charges[b, t] <= most_out[b],
        )
    model.cost = Objective(
        expr=sum(model.buy[t] * model.bought[t] - model.sell[t] * model.sold[t] for t in steps)
        + asked.peak_price * model.peak
    )
    return model


def _or_none(limit: float) -> float | None:
    return limit if np.isfinite(limit) else None


if __name__ == "__main__":
    serve("Pyomo", Pyomo(), ("pyomo", "highspy"), keeps=True)
