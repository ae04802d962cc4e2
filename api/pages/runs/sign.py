"""What the form of an act shows: what it will do, and for a signature everything behind it."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.officers import Role
from api.cooperative.runs import Run
from api.pages.language import Language
from api.pages.runs.acts import ASKS_REASON, LETTERS, waiver_groups
from api.pages.runs.findings import in_order, told_of
from api.pages.runs.next import FROM, Act
from api.pages.runs.seen import me_of, names_of_officers, proposer_of, seen_of
from api.pages.runs.shelf import Shelf
from api.pages.runs.will import will
from api.people.visitor import Visitor


def act_values(
    desk: Desk, shelf: Shelf, run: Run, act: Act, visitor: Visitor, lang: Language
) -> dict[str, object]:
    """Return what the form of an act shows; ``possible`` says whether it can be done now."""
    seen = seen_of(desk, shelf, run, visitor)
    found = in_order(seen.found)
    stopped = act is Act.PROPOSE and any(each.stops for each in found)
    me, proposer = me_of(desk, visitor), proposer_of(desk, run)
    own = act is Act.APPROVE and me is not None and me.person == proposer
    may = own or act is not Act.APPROVE or (me is not None and Role.BOARD in me.roles)
    possible = run.state in FROM[act] and may and not stopped
    return {
        "run": run,
        "act": act,
        "line": seen.line,
        "reckoned": seen.reckoned,
        "adds_up": seen.adds_up,
        "possible": possible,
        "own": own,
        "sentences": will(desk, run, act, lang) if possible else (),
        "asks_reason": act in ASKS_REASON,
        "letters": LETTERS,
        "body_hash": run.last.body_hash,
        "open": [told_of(each, lang) for each in found if not each.stops and not each.waived],
        "groups": [
            (group.mark, [told_of(each, lang) for each in group.waived])
            for group in waiver_groups(seen.found)
        ],
        "officers": names_of_officers(desk),
    }
