"""CVXPY: the problem in its vector language, solved by HiGHS; prices are parameters when warm."""

from __future__ import annotations

import cvxpy as cp  # type: ignore[import-not-found]  # in an environment of its own
import numpy as np

from tests.speed.peers.served import Answered, Asked, serve


class Cvxpy:
    def cold(self, asked: Asked) -> Answered | None:
        shape = (asked.count, asked.steps)
        self.buy = cp.Parameter(asked.steps, value=asked.buy * asked.interval_h)
        self.sell = cp.Parameter(asked.steps, value=asked.sell * asked.interval_h)
        charge, discharge = cp.Variable(shape, nonneg=True), cp.Variable(shape, nonneg=True)
        cut = cp.Variable(asked.steps, nonneg=True)
        bought, sold = (cp.Variable(asked.steps, nonneg=True) for _ in range(2))
        peak = cp.Variable(nonneg=True)
        into = np.tile(asked.into[:, None], asked.steps)
        out_of = np.tile(1 / asked.out_of[:, None], asked.steps)
        gained = cp.multiply(into, charge) - cp.multiply(out_of, discharge)
        stored = cp.Variable((asked.count, asked.steps + 1))
        laws = [
            stored[:, 0] == asked.start,
            stored[:, -1] == asked.end,
            stored[:, 1:] == stored[:, :-1] + asked.interval_h * gained,
            stored[:, 1:] >= np.tile(asked.least[:, None], asked.steps),
            stored[:, 1:] <= np.tile(asked.capacity[:, None], asked.steps),
            charge <= np.tile(asked.charge_max[:, None], asked.steps),
            discharge <= np.tile(asked.discharge_max[:, None], asked.steps),
            cut <= asked.pv * asked.curtailable,
            bought - sold
            == asked.load - asked.pv + cut + cp.sum(charge, axis=0) - cp.sum(discharge, axis=0),
            peak >= bought,
        ]
        if np.isfinite(asked.import_limit):
            laws.append(bought <= asked.import_limit)
        if np.isfinite(asked.export_limit):
            laws.append(sold <= asked.export_limit)
        if asked.exclusive:
            charges = cp.Variable(shape, boolean=True)
            laws.append(
                charge <= cp.multiply(np.tile(asked.charge_max[:, None], asked.steps), charges)
            )
            laws.append(
                discharge
                <= cp.multiply(np.tile(asked.discharge_max[:, None], asked.steps), 1 - charges)
            )
        cost = self.buy @ bought - self.sell @ sold + asked.peak_price * peak
        self.problem = cp.Problem(cp.Minimize(cost), laws)
        self.found = (charge, discharge, cut)
        return self._solved(asked)

    def warm(self, asked: Asked) -> Answered | None:
        self.buy.value, self.sell.value = (
            asked.buy * asked.interval_h,
            asked.sell * asked.interval_h,
        )
        return self._solved(asked)

    def _solved(self, asked: Asked) -> Answered | None:
        self.problem.solve(
            solver=cp.HIGHS, highs_options={"threads": 1, "time_limit": asked.limit_s}
        )
        charge, discharge, cut = (one.value for one in self.found)
        return None if charge is None else Answered(charge, discharge, cut)


if __name__ == "__main__":
    serve("cvxpy", Cvxpy(), ("cvxpy", "highspy"), keeps=True)
