"""The connection's part of a Newton step: import, export, curtailment and the peak over T steps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from optimizer.fleet.boxes import Boxes
from optimizer.problem import FloatArray

IMPORT, EXPORT, CUT, UNDER = 0, 1, 2, 3
"""Places in an array of shape ``(4, T)``; the last is what import stays under the peak."""
_NO_GIVE = 1e-14
_HOLDS = (0.0, 1e-14, 1e-12, 1e-10)
"""How much more than they do prices are made to cost where rounding has eaten the matrix."""


@dataclass(slots=True, eq=False)
class Connection:
    """What the connection exchanges, its peak, and the prices of both equations.

    Attributes:
        flows: Import, export, curtailment and room under the peak, shape ``(4, T)``.
        peak: The highest import, shape ``(1,)``.
        residual: Use minus possible production, shape ``(T,)``.
        price: Price of the balance, shape ``(T,)``.
        peak_price: Price of import under the peak, shape ``(T,)``; zero without a peak.
        has_peak: Whether the highest import costs anything.
    """

    flows: Boxes
    peak: Boxes
    residual: FloatArray
    price: FloatArray
    peak_price: FloatArray
    has_peak: bool
    price_step: FloatArray = field(init=False)
    peak_price_step: FloatArray = field(init=False)
    _give: FloatArray = field(init=False)

    @property
    def boxes(self) -> tuple[Boxes, ...]:
        """Every group of quantities."""
        return (self.flows, self.peak) if self.has_peak else (self.flows,)

    @property
    def size(self) -> float:
        """How many batteries are behind it, as far as their products count; at least 1."""
        return max(float(np.max(self.flows.weight)), 1.0)

    def off_balance(self, steered: FloatArray) -> FloatArray:
        """Return what the balance misses, given charge minus discharge of all batteries."""
        taken, given, cut, _ = self.flows.values
        missed: FloatArray = self.residual + steered - taken + given + cut
        return missed

    def off_peak(self) -> FloatArray:
        """Return what import plus its room misses to the peak."""
        if not self.has_peak:
            return np.zeros_like(self.price)
        values = self.flows.values
        missed: FloatArray = values[IMPORT] + values[UNDER] - self.peak.values
        return missed

    def reduced(self) -> FloatArray:
        """Return the cost of each flow minus what the equations pay for it, shape ``(4, T)``."""
        found = self.flows.cost.copy()
        found[IMPORT] += self.peak_price - self.price
        found[EXPORT] += self.price
        found[CUT] += self.price
        found[UNDER] += self.peak_price
        return found

    def reduced_peak(self) -> FloatArray:
        """Return the cost of the peak minus what the equations pay for it, shape ``(1,)``."""
        found: FloatArray = self.peak.cost - self.peak_price.sum()
        return found

    def diagonal(self, give: FloatArray) -> FloatArray:
        """Return what the flows give at the balance, shape ``(T,)``."""
        self._give = give
        found: FloatArray = self._import_give() + give[EXPORT] + give[CUT] + _NO_GIVE
        return found

    def factor(self, coupling: FloatArray) -> tuple[FloatArray, bool]:
        """Return the Cholesky factor of the upper half of ``(T, T)``.

        Where rounding has eaten the matrix, every price is held a little: the direction is then a
        little off, and the next step makes up for it.

        Raises:
            LinAlgError: Nothing is left of it.
        """
        for hold in _HOLDS:
            held = coupling.copy()
            np.einsum("tt->t", held)[:] *= 1.0 + hold
            try:
                factor, lower = cho_factor(held, lower=False, overwrite_a=True, check_finite=True)
            except LinAlgError:
                continue
            return factor, lower
        raise LinAlgError("rounding has eaten the matrix")

    def begin_at(self, net: FloatArray, cut: FloatArray) -> None:
        """Begin with a balance that holds, and some room everywhere.

        Args:
            net: What import less export is to be, shape ``(T,)``.
            cut: What is curtailed, shape ``(T,)``.
        """
        spare = 1.0 + float(np.abs(net).mean())
        values = np.empty(self.flows.low.shape)
        values[IMPORT] = np.maximum(net, 0.0) + spare
        values[EXPORT] = np.maximum(-net, 0.0) + spare
        values[CUT] = cut
        peak = max(float(values[IMPORT].max()), float(self.peak.low[0])) + spare
        values[UNDER] = peak - values[IMPORT]
        self.flows.begin_at(values)
        if self.has_peak:
            self.peak.begin_at(np.full(1, peak))

    def take(self, ahead: float, prices: float) -> None:
        """Take these parts of the step."""
        for boxes in self.boxes:
            boxes.take(ahead, prices)
        self.price += prices * self.price_step
        self.peak_price += prices * self.peak_price_step

    def direct(self, factor: tuple[FloatArray, bool], missed: FloatArray) -> None:
        """Find the steps of all prices and flows that go where these are pushed.

        Args:
            factor: From :meth:`factor`.
            missed: What the balance misses beyond what batteries answer, shape ``(T,)``.
        """
        self.solve(
            factor,
            missed,
            wish=self.flows.wish,
            peak_wish=float(self.peak.wish[0]),
            peak_give=float(self.peak.give[0]),
            off_peak=self.off_peak(),
        )

    def solve(
        self,
        factor: tuple[FloatArray, bool],
        missed: FloatArray,
        *,
        wish: FloatArray,
        peak_wish: float,
        peak_give: float,
        off_peak: FloatArray,
    ) -> None:
        """Find the steps of all prices and flows.

        Args:
            factor: From :meth:`factor`.
            missed: What the balance misses beyond what batteries answer, shape ``(T,)``.
            wish: Of the flows, shape ``(4, T)``.
            peak_wish: Of the peak.
            peak_give: How far the peak gives way.
            off_peak: What import plus its room misses to the peak, shape ``(T,)``.
        """
        give = self._give
        together = give[IMPORT] + give[UNDER] + _NO_GIVE
        part = give[IMPORT] / together if self.has_peak else np.zeros_like(together)
        under = wish[UNDER] if self.has_peak else 0.0
        right = (
            missed
            - self._import_give() * (wish[IMPORT] - under)
            + part * off_peak
            + give[EXPORT] * wish[EXPORT]
            + give[CUT] * wish[CUT]
        )
        plain = cho_solve(factor, right)
        peak_step = 0.0
        if self.has_peak:
            along = cho_solve(factor, part)
            aim = peak_wish + float(
                (part * wish[IMPORT] + (1 - part) * under + off_peak / together).sum()
            )
            if peak_give > 0:
                stiff = 1 / peak_give + float((1 / together).sum())
                peak_step = (aim + float(part @ plain)) / (stiff + float(part @ along))
            plain = plain - along * peak_step
        self.price_step = plain
        flows = self.flows.step
        flows[EXPORT] = give[EXPORT] * (wish[EXPORT] - plain)
        flows[CUT] = give[CUT] * (wish[CUT] - plain)
        if not self.has_peak:
            self.peak_price_step = np.zeros_like(plain)
            flows[IMPORT] = give[IMPORT] * (wish[IMPORT] + plain)
            flows[UNDER] = 0.0
            return
        self.peak.step[:] = peak_step
        flows[IMPORT] = self._import_give() * (wish[IMPORT] + plain - under) + part * (
            peak_step - off_peak
        )
        flows[UNDER] = peak_step - off_peak - flows[IMPORT]
        self.peak_price_step = (
            give[IMPORT] * (wish[IMPORT] + plain) + give[UNDER] * under - peak_step + off_peak
        ) / together

    def _import_give(self) -> FloatArray:
        give = self._give
        alone: FloatArray = give[IMPORT]
        if not self.has_peak:
            return alone
        found: FloatArray = give[IMPORT] * give[UNDER] / (give[IMPORT] + give[UNDER] + _NO_GIVE)
        return found
