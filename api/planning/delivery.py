"""What was really taken and given while a call held: the proof for who pays for it.

A quarter counts when each connection that belongs to it was measured, and each battery beside
them. Where one is missing nothing is said of that quarter: an estimate proves nothing. Nor is it of
a group that nobody is in any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.planning.calls import PutCall
from collectors.home_quarters import HomeQuarter
from collectors.queries import Records
from collectors.store import DeviceKey, Quality, Store
from kwartier.interval import QUARTER_S
from kwartier.model import Community
from kwartier.units import EpochS, Watt


@dataclass(frozen=True, slots=True)
class Delivered:
    """One quarter-hour of a call.

    Attributes:
        start_s: The quarter's start [s].
        exchange_w: What passed on average; positive was taken [W]; None where it is not known.
        kept: Whether that kept to the call; None where it is not known.
    """

    start_s: EpochS
    exchange_w: Watt | None
    kept: bool | None


def delivered(
    community: Community, records: Records, store: Store, call: PutCall, now_s: float
) -> list[Delivered]:
    """Return the quarters of a call that are over, in order of time.

    Raises:
        StoreBusyError: The record cannot be reached now.
    """
    end_s = min(call.end_s, int(now_s) // QUARTER_S * QUARTER_S)
    if end_s <= call.start_s:
        return []
    homes = [
        one.id
        for one in community.connections.values()
        if call.group is None or one.group == call.group
    ]
    batteries = [
        DeviceKey(one.gateway, one.device)
        for one in community.batteries.values()
        if call.group is None or one.group == call.group
    ]
    known = records.period(call.start_s, end_s).homes
    beside = _batteries_wh(batteries, store, call, end_s) if homes or batteries else {}
    told = []
    for at_s in range(call.start_s, end_s, QUARTER_S):
        quarters = [known[name].get(at_s) for name in homes]
        battery_wh = beside.get(at_s)
        sure = [one for one in quarters if one is not None and not _guessed_meter(one)]
        if len(sure) < len(homes) or battery_wh is None:
            told.append(Delivered(at_s, None, None))
            continue
        net_w = 4 * (sum(one.import_wh - one.export_wh for one in sure) + battery_wh)
        told.append(Delivered(at_s, net_w, _keeps(call, net_w)))
    return told


def _guessed_meter(quarter: HomeQuarter) -> bool:
    return quarter.import_estimated or quarter.export_estimated


def _batteries_wh(
    keys: list[DeviceKey], store: Store, call: PutCall, end_s: EpochS
) -> dict[EpochS, int]:
    """Return what batteries took less what they gave, where all of them were measured [Wh]."""
    starts = range(call.start_s, end_s, QUARTER_S)
    if not keys:
        return dict.fromkeys(starts, 0)
    count: dict[EpochS, int] = dict.fromkeys(starts, 0)
    net = dict.fromkeys(starts, 0)
    for one in store.quarters(("charged_wh", "discharged_wh"), call.start_s, end_s, keys):
        if one.energy_wh is not None and one.quality is Quality.MEASURED:
            count[one.start_s] += 1
            net[one.start_s] += one.energy_wh if one.name == "charged_wh" else -one.energy_wh
    return {at_s: net[at_s] for at_s in starts if count[at_s] == 2 * len(keys)}


def _keeps(call: PutCall, net_w: Watt) -> bool:
    within = call.import_limit_w is None or net_w <= call.import_limit_w
    return within and (call.export_limit_w is None or -net_w <= call.export_limit_w)
