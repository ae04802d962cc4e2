"""The app: every address there is, with its policy, its errors and its headers."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api.auth import Doorkeeper, check_policies
from api.bodies import BoundedBodies
from api.headers import BrowserHeaders
from api.house import House
from api.metrics import Measured, Metrics
from api.pages.render import Pages
from api.pages.sheets import Sheets
from api.planned.compared import Comparisons
from api.problems import answer_problems, documented_problems
from api.routes.board.erasures import add_board_privacy
from api.routes.board.log import add_board_log
from api.routes.board.members import add_board_members
from api.routes.board.plan import add_board_plan
from api.routes.board.post import add_board_post
from api.routes.board.rules import add_board_rules
from api.routes.board.runs import add_board_runs
from api.routes.board.wijk import add_board_wijk
from api.routes.entry.accounts import add_accounts
from api.routes.entry.door import add_door
from api.routes.gateways.rooms import add_gateways
from api.routes.health import add_health
from api.routes.operations import add_operations
from api.routes.quarters import add_quarters
from api.routes.residents.companions import add_companions
from api.routes.residents.help import add_help
from api.routes.residents.leave import add_leave
from api.routes.residents.looks import add_looks
from api.routes.residents.overview import add_overview
from api.routes.residents.papers import add_papers
from api.routes.residents.plan import add_plan
from api.routes.residents.privacy import add_privacy
from api.routes.residents.statements import add_statements
from api.routes.residents.today import add_today
from api.routes.residents.wishes import add_wishes
from api.routes.series import add_series
from api.routes.static import add_static, error_page
from api.routes.stream import add_stream
from api.routes.work import add_work
from api.settled import SettledDays
from kwartier.clock import SystemClock

_ROOMS = (
    add_door,
    add_accounts,
    add_overview,
    # A proposal's effect stands beside a month's statement, whose address would take it.
    add_board_rules,
    add_statements,
    add_help,
    add_wishes,
    add_looks,
    add_companions,
    add_privacy,
    add_papers,
    add_board_runs,
    add_board_members,
    add_board_wijk,
    add_board_post,
    add_board_log,
    add_board_privacy,
    add_operations,
    add_work,
    add_gateways,
)
"""Subjects that have pages of their own, and need nothing more than all of them do."""


def create_app(house: House) -> FastAPI:
    """Return the app that serves a house.

    Raises:
        SettingsError: The public address is unfit, or a route has no policy.
    """
    app = FastAPI(
        title="kwartier",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=documented_problems(),
    )
    door = Doorkeeper(house.people, house.public_url)
    settled, pages, metrics = SettledDays(house), Pages(), Metrics()
    sheets = Sheets(house, pages)
    add_series(app, house, settled, door)
    add_quarters(app, house, settled, door)
    add_stream(app, house, door)
    add_health(app, house, door, metrics)
    add_static(app, door, pages, sheets)
    add_today(app, house, settled, door, sheets)
    comparisons = Comparisons(house)
    add_plan(app, house, door, sheets, comparisons)
    add_leave(app, house, door)
    add_board_plan(app, house, door, sheets, comparisons)
    for add in _ROOMS:
        add(app, house, door, sheets)
    answer_problems(app, error_page(sheets))
    check_policies(app)
    app.add_middleware(BoundedBodies)
    # The fingerprint is of the answer before it is packed: packing stamps the time into it.
    app.add_middleware(BrowserHeaders, secure=urlsplit(house.public_url).scheme == "https")
    app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=6)
    app.add_middleware(Measured, metrics=metrics, clock=SystemClock())
    return app
