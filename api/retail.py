"""What the planner reckons with beside the market: tax, mark-up, and the shared batteries."""

from __future__ import annotations

from dataclasses import dataclass

from kwartier.model import Battery as SharedBattery
from optimizer.problem import Battery

ENERGY_TAX_EUR_PER_KWH = 0.1108
"""Energy tax on a kWh from the grid, VAT included.

Source:
    Dutch energy tax of 2026, first band: EUR 0.09160/kWh excluding VAT of 21 %.
"""


@dataclass(frozen=True, slots=True)
class Retail:
    """What a kWh at the meter costs and earns beside its market price, and what the peak costs.

    Attributes:
        buy_extra_eur_per_kwh: Energy tax and mark-up on what is taken [EUR/kWh].
        sell_less_eur_per_kwh: What the supplier keeps of what is given [EUR/kWh].
        peak_price_eur_per_kw: What each kW of the month's highest quarter costs [EUR/kW].
    """

    buy_extra_eur_per_kwh: float = ENERGY_TAX_EUR_PER_KWH + 0.02
    sell_less_eur_per_kwh: float = 0.01
    peak_price_eur_per_kw: float = 0.0


def planned_battery(
    shared: SharedBattery,
    stored_kwh: float,
    *,
    end_kwh: float | None = None,
    worth_eur_per_kwh: float = 0.0,
) -> Battery:
    """Return a battery as the planner sees it; what a home keeps for itself is no room at all.

    Args:
        shared: The battery; that of a home is without that home.
        stored_kwh: What is in it at the start [kWh].
        end_kwh: What should be in it at the end [kWh]; None leaves that free.
        worth_eur_per_kwh: What a kWh is worth that it can still give at a free end [EUR/kWh].
    """
    size_kwh = shared.capacity_wh / 1000
    own_reserve = shared.reserve_permille if shared.home is not None else 0
    return Battery(
        id=shared.id,
        soc_min_kwh=size_kwh * max(shared.soc_min_permille, own_reserve) / 1000,
        soc_max_kwh=size_kwh * shared.soc_max_permille / 1000,
        soc_start_kwh=stored_kwh,
        charge_max_kw=shared.charge_max_w / 1000,
        discharge_max_kw=shared.discharge_max_w / 1000,
        charge_efficiency=shared.charge_efficiency,
        discharge_efficiency=shared.discharge_efficiency,
        soc_end_kwh=end_kwh,
        end_value_eur_per_kwh=worth_eur_per_kwh * shared.discharge_efficiency,
        wear_eur_per_kwh=shared.wear_eur_per_kwh,
        reserve_kwh=size_kwh * (shared.reserve_permille - own_reserve) / 1000,
    )
