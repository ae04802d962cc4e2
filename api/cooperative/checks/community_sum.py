"""A4: the members together are the community, on paper, in the run and in every quarter."""

from __future__ import annotations

import numpy as np

from api.cooperative.checks.case import CheckCase, CommunityTotal
from api.cooperative.checks.finding import Code, Fact, Finding, Severity
from kwartier.units import Wh
from optimizer.settling.matrix import AllocationMatrix


def sum_of_members(case: CheckCase) -> list[Finding]:
    """Return where sums differ that must be equal.

    Effect: the difference at the buying price, or the selling price for what was sold.
    """
    found = []
    if case.members is not None and case.community is not None:
        told = _sum_of_statements(case, case.community)
        found += _differences(case, "statements", told, case.community)
    if case.allocation is not None:
        if case.community is not None:
            found += _differences(case, "run", _sum_of_quarters(case.allocation), case.community)
        found += _in_quarters(case, case.allocation)
    return found


def _differences(
    case: CheckCase, kind: str, members: CommunityTotal, community: CommunityTotal
) -> list[Finding]:
    found = []
    for what, of_members_wh, of_community_wh in (
        ("bought", members.bought_wh, community.bought_wh),
        ("sold", members.sold_wh, community.sold_wh),
        ("to_battery", members.to_battery_wh, community.to_battery_wh),
    ):
        difference_wh = of_members_wh - of_community_wh
        if difference_wh:
            facts: dict[str, Fact] = {
                "what": what,
                "members_wh": of_members_wh,
                "community_wh": of_community_wh,
                "difference_wh": difference_wh,
            }
            effect = _cents(case, what, difference_wh)
            found.append(Finding(Code.SUM, kind, Severity.BLOCKER, "", "", effect, facts))
    return found


def _in_quarters(case: CheckCase, allocation: AllocationMatrix) -> list[Finding]:
    """Return the quarters in which the bought energy is not the sold and the battery's."""
    bought = allocation.bought_wh.sum(axis=0)
    off_wh = bought - allocation.sold_wh.sum(axis=0) - allocation.from_battery_wh
    off = np.flatnonzero(off_wh)
    if not off.size:
        return []
    difference_wh = int(np.abs(off_wh).sum())
    facts = {"quarters": int(off.size), "difference_wh": difference_wh}
    return [
        Finding(
            Code.SUM,
            "quarter",
            Severity.BLOCKER,
            "",
            "",
            case.prices.bought_cents(difference_wh),
            facts,
            case.quarter(int(off[0])),
            case.quarter(int(off[-1])),
        )
    ]


def _sum_of_statements(case: CheckCase, community: CommunityTotal) -> CommunityTotal:
    """Return what the statements come to; what none of them tells is taken as it is."""
    members = (case.members or {}).values()
    charged_wh = [each.to_battery_wh for each in members if each.to_battery_wh is not None]
    return CommunityTotal(
        sum(member.bought_wh for member in members),
        sum(member.sold_wh for member in members),
        sum(charged_wh) if charged_wh else community.to_battery_wh,
    )


def _sum_of_quarters(allocation: AllocationMatrix) -> CommunityTotal:
    return CommunityTotal(
        int(allocation.bought_wh.sum()),
        int(allocation.sold_wh.sum()),
        int(allocation.to_battery_wh.sum()),
    )


def _cents(case: CheckCase, what: str, difference_wh: Wh) -> int:
    prices = case.prices
    worth = prices.bought_cents if what == "bought" else prices.sold_cents
    return worth(difference_wh)
