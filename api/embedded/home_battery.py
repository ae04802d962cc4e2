"""A battery behind a virtual home's meter, and what that meter counts with it."""

from __future__ import annotations

from fractions import Fraction

from hardware.twins.battery import BatteryTwin
from kwartier.units import Watt, Wh

_WS_PER_WH = 3600


class HomeBattery:
    """A battery twin, and the registers of the meter that it stands behind."""

    def __init__(self, twin: BatteryTwin) -> None:
        """Begin with nothing counted."""
        self.twin = twin
        self.has_own_rule = False
        """Whether it keeps its home's own sun, as before anybody planned; else it does as told."""
        self._import_ws = self._export_ws = Fraction(0)
        self._kept_wh = self._kept()

    @property
    def import_wh(self) -> Wh:
        """Taken from the grid so far [Wh]."""
        return int(self._import_ws // _WS_PER_WH)

    @property
    def export_wh(self) -> Wh:
        """Given to the grid so far [Wh]."""
        return int(self._export_ws // _WS_PER_WH)

    @property
    def power_w(self) -> Watt:
        """What it does now; positive charges [W]."""
        return 0 if self.has_own_rule else self.twin.power_w

    def live(self, net_ws: int, span_s: int) -> None:
        """Count a stretch of time.

        Args:
            net_ws: What the home took beside it, less what it gave [Ws].
            span_s: In how long [s].
        """
        if self.has_own_rule and span_s > 0:
            self.twin.cell.run(round(-net_ws / span_s), 1000 * span_s)
        kept_wh = self._kept()
        passed_ws = net_ws + (kept_wh - self._kept_wh) * _WS_PER_WH
        self._kept_wh = kept_wh
        self._import_ws += max(Fraction(0), passed_ws)
        self._export_ws += max(Fraction(0), -passed_ws)

    def _kept(self) -> Fraction:
        cell = self.twin.cell
        return cell.charged_wh - cell.discharged_wh
