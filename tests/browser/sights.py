"""Every page for everybody who may open it, from the app's own routes, and some by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastapi.routing import APIRoute

from tests.api.cooperative.stages import Stage
from tests.api.matrix import MEETS, Values, Who, Whose, need_of, paths_of
from tests.browser.places import Place

NO_PAGES = ("/api/", "/static/", "/metrics", "/sw.js", "/healthz", "/readyz", "/openapi.json")
"""What starts like this answers programs."""


NEVER_THEIRS = frozenset(
    {
        (Who.FORMER, "/afrekening/vraag/{number}"),
        (Who.FORMER, "/afrekening/{month}/{version}/{line}/{day}"),
        *(
            (who, "/gateways/{gateway}/overdracht")
            for who in (Who.FORMER, Who.WEAK_BOARD, Who.OPERATOR, Who.INSTALLER, Who.EXPIRED)
        ),
    }
)
"""Somebody else's question, a day on which somebody lived elsewhere, the paper of a home that is
neither theirs nor of the board: a plain 404."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A page as somebody sees it.

    Attributes:
        path: Its address.
        who: Who looks.
        status: What it answers; a refusal is a page too.
    """

    path: str
    who: Who
    status: int = 200

    @property
    def name(self) -> str:
        """Return a name for a file."""
        place = self.path.strip("/").translate(str.maketrans("/?=&.", "-----")) or "vandaag"
        return f"{place}@{self.who.name.lower()}"


def sights_of(
    at: Place, values: Mapping[str, Values], who: Iterable[Who] = Who
) -> tuple[list[Sight], list[str]]:
    """Return every page for everybody who may open it, and the routes that answered nobody.

    Args:
        at: Where.
        values: What a part of a path may name there.
        who: For whom.
    """
    found, nobody = [], []
    for route in at.town.app.routes:
        if (
            not isinstance(route, APIRoute)
            or "GET" not in (route.methods or ())
            or route.path.startswith(NO_PAGES)
        ):
            continue
        path = next(path for whose, path in paths_of(route, values) if whose is Whose.OWN)
        allowed = [one for one in Who if one in MEETS[need_of(route)]]
        kinds = (at.fetch(path, one) for one in allowed)
        first = next((each for each in kinds if each.status_code == 200), None)
        if first is None:
            nobody.append(route.path)
        elif first.headers["content-type"].startswith("text/html"):
            found += [
                Sight(path, one, 404 if (one, route.path) in NEVER_THEIRS else 200)
                for one in allowed
                if one in set(who)
            ]
    return found, nobody


PEOPLE = frozenset(
    {
        Who.PUBLIC,
        Who.HELPER,
        Who.RESIDENT,
        Who.BOARD,
        Who.TREASURER,
        Who.OPERATOR,
        Who.INSTALLER,
    }
)
"""Everybody whose pages are of their own kind."""
LINE = "/afrekening/2026-10/1/2"
BY_HAND: tuple[Sight, ...] = (
    Sight("/onbekend", Who.PUBLIC, 404),
    Sight("/?klaar=language", Who.RESIDENT),
    Sight("/?p=nu", Who.FORMER),
    Sight("/overzicht?p=dag&d=2026-10-25", Who.RESIDENT),
    Sight("/overzicht?p=dag&d=2026-11-02", Who.RESIDENT),
    Sight("/overzicht?p=week&d=2026-10-21", Who.RESIDENT),
    Sight("/overzicht?p=maand&d=2026-10-01", Who.RESIDENT),
    Sight("/overzicht?p=maand&d=2026-10-01", Who.HELPER),
    Sight("/overzicht?p=jaar&d=2026-10-01", Who.RESIDENT),
    Sight(LINE, Who.RESIDENT),
    Sight("/afrekening/2026-10/1/5", Who.RESIDENT),
    Sight(f"{LINE}/2026-10-25?k=9", Who.RESIDENT),
    Sight("/afrekening/vraag?plek=2026-10/1/2", Who.RESIDENT),
    Sight("/bestuur/runs/2026-10/1?zoek=home-1", Who.BOARD),
    Sight("/bestuur/runs/2026-10/1/leden/lid-3", Who.BOARD),
    Sight("/bestuur/leden/corporatie", Who.BOARD),
    Sight("/bestuur/berichten?run=2026-10/1", Who.TREASURER),
    Sight("/bestuur/maanden/2026-10/verbeteren", Who.TREASURER),
)
"""Pages of the closed month that no route names by itself."""
RUN = "/bestuur/runs/2026-10/1"
AT_STAGES: Mapping[Stage, tuple[Sight, ...]] = {
    Stage.READY: (
        Sight("/bestuur", Who.TREASURER),
        Sight("/bestuur/maanden/2026-10/bereken", Who.TREASURER),
        Sight("/afrekening", Who.RESIDENT),
    ),
    Stage.COMPUTED: (
        Sight(RUN, Who.TREASURER),
        Sight(f"{RUN}/voorstellen", Who.TREASURER),
        Sight(f"{RUN}/intrekken", Who.TREASURER),
        Sight("/afrekening/2026-10/1", Who.RESIDENT),
    ),
    Stage.PROPOSED: (
        Sight(RUN, Who.BOARD),
        Sight(f"{RUN}/goedkeuren", Who.BOARD),
        Sight(f"{RUN}/goedkeuren", Who.TREASURER),
        Sight(f"{RUN}/afwijzen", Who.BOARD),
    ),
    Stage.APPROVED: (Sight(RUN, Who.BOARD), Sight(f"{RUN}/boeken", Who.TREASURER)),
    Stage.POSTED: (Sight(f"{RUN}/nummeren", Who.TREASURER),),
    Stage.INVOICED: (Sight(f"{RUN}/afsluiten", Who.TREASURER),),
    Stage.CORRECTED: (
        Sight("/bestuur", Who.BOARD),
        Sight("/bestuur/runs/2026-10/2", Who.BOARD),
        Sight("/bestuur/runs/2026-10/2/vergelijk", Who.BOARD),
        Sight("/afrekening", Who.RESIDENT),
        Sight("/afrekening/2026-10/2", Who.RESIDENT),
        Sight("/afrekening/2026-10/1", Who.RESIDENT),
    ),
}
"""Pages that stand there, or say another thing, only when a month is so far."""
NEEDS_AN_ACT = frozenset(
    {
        "/inloggen/dienst",
        "/inloggen/dienst/terug",
        "/begin",
        "/afmelden/{token}",
        "/afrekening/vraag",
        "/bestuur/werk/{number}",
        "/bestuur/runs/{month}/{version}/bestanden/papieren",
        "/bestuur/runs/{month}/{version}/{act}",
    }
)
"""Routes that answer only after an act; walks, stages and files by hand open them."""
