"""What the forms about a whole month show: to compute it, and to correct it."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.runs import State
from api.cooperative.runs.correcting import window_end_s
from api.cooperative.runs.month import Month
from api.cooperative.runs.states import booked, latest
from api.cooperative.runs.waiving import LEAST_REASON, MOST_REASON
from api.pages.language import Language
from api.pages.runs.acts import month_seen
from api.pages.runs.next import MonthAct
from api.pages.runs.open import OpenMonths, can_compute
from api.pages.runs.seen import names_of_officers


def month_values(
    desk: Desk, months: OpenMonths, name: str, act: MonthAct, lang: Language
) -> dict[str, object]:
    """Return what a form shows; ``possible`` says whether the act can be done now."""
    month = Month.parse(name)
    newest, standing = latest(desk, name), booked(desk, name)
    over = desk.at_s >= month.end_s
    if act is MonthAct.COMPUTE:
        possible = over and can_compute(newest, in_books=standing is not None)
    else:
        ready = (State.INVOICED, State.CLOSED, State.WITHDRAWN)
        possible = (
            newest is not None
            and newest.state in ready
            and standing is not None
            and standing.state is not State.POSTED
        )
    late = standing is not None and desk.at_s >= window_end_s(desk, month)
    return {
        "month": name,
        "month_name": lang.month_name(month.first),
        "act": act,
        "over": over,
        "possible": possible,
        "newest": newest,
        "standing": standing,
        "seen": month_seen(newest),
        "readings": months.told(desk, month) if possible else None,
        "days": len(month.days),
        "late": late,
        "officers": names_of_officers(desk),
        "least": LEAST_REASON,
        "most": MOST_REASON,
    }
