"""The reader's own batteries in the plan: behind their own meter, and nobody else's to see."""

from __future__ import annotations

from dataclasses import dataclass, replace

from api.house import House
from api.pages.language import Language
from api.planned.kept import Planned
from api.planned.page import PlanLine, lines_of
from api.planning.told import blocks_of
from api.plans import PlanBlock
from api.readers import Onlooker
from kwartier.model import Battery
from optimizer.plan import Because


@dataclass(frozen=True, slots=True)
class OwnBattery:
    """One battery of the reader's home.

    Attributes:
        id: Its name.
        lines: What is planned for it; none where it is not planned.
        without: Why it is not: ``off`` without leave in the neighbourhood's file, ``refused`` where
            the resident took it back, ``soon`` where it was given again since the plan, else
            ``silent``; empty where it is.
    """

    id: str
    lines: list[PlanLine]
    without: str


def own_batteries(house: House, looks: Onlooker, now_s: float) -> tuple[Battery, ...]:
    """Return the batteries of the home whose values somebody may see now."""
    if looks.home is None or not looks.sees_home(now_s):
        return ()
    return house.community.batteries_by_home().get(looks.home, ())


def batteries_asked(house: House, looks: Onlooker, now_s: float) -> list[str]:
    """Return the batteries that somebody may ask about: the shared ones, and their own."""
    shared = sorted(house.community.batteries)
    return [*shared, *sorted(one.id for one in own_batteries(house, looks, now_s))]


def own_plans(
    kept: Planned | None,
    batteries: tuple[Battery, ...],
    now_s: float,
    lang: Language,
    *,
    may_ask: bool,
    refused: bool = False,
) -> list[OwnBattery]:
    """Return what is planned for the reader's own batteries, or why nothing is.

    Args:
        kept: The newest plan.
        batteries: The reader's.
        now_s: What time it is [s].
        lang: The reader's language.
        may_ask: Whether questions may be asked, which answer for all homes together.
        refused: Whether the home took its leave back on this page.
    """
    told = []
    for battery in allowed_now(kept, batteries):
        without = _without(kept, battery, refused=refused)
        if kept is not None and not without:
            blocks = [
                _with_reserve(battery, block)
                for block in blocks_of(kept.made, kept.start_s, {battery.id})
            ]
            lines = lines_of(blocks, kept if may_ask else None, now_s, lang)
            told.append(OwnBattery(battery.id, lines, ""))
        else:
            told.append(OwnBattery(battery.id, [], without))
    return told


def allowed_now(kept: Planned | None, batteries: tuple[Battery, ...]) -> list[Battery]:
    """Return batteries of homes with what the neighbourhood's file allows, as far as is known."""
    known = {} if kept is None else kept.home_batteries
    return [known.get(each.id, each) for each in batteries]


def _without(kept: Planned | None, battery: Battery, *, refused: bool) -> str:
    """Return why a battery is not planned; empty where it is."""
    if not battery.steered:
        return "off"
    if refused:
        return "refused"
    if kept is not None and battery.home in kept.refusing:
        return "soon"
    planned = kept is not None and battery.id in kept.problem.battery_ids
    return "" if planned else "silent"


def _with_reserve(battery: Battery, block: PlanBlock) -> PlanBlock:
    """Return a block that says of a battery at its home's reserve that it is not just empty."""
    if block.because != Because.EMPTY or battery.reserve_permille <= battery.soc_min_permille:
        return block
    return replace(block, because=Because.RESERVE.value)
