"""The app: every address there is, with its policy, its errors and its headers."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api.auth import Doorkeeper, check_policies
from api.headers import BrowserHeaders
from api.house import House
from api.metrics import Measured, Metrics
from api.pages.render import Pages
from api.problems import answer_problems, documented_problems
from api.routes.health import add_health
from api.routes.pages import add_login, add_pages, error_page
from api.routes.quarters import add_quarters
from api.routes.series import add_series
from api.routes.stream import add_stream
from api.settled import SettledDays
from kwartier.clock import SystemClock


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
    door = Doorkeeper(house.cards, house.public_url)
    settled, pages, metrics = SettledDays(house), Pages(), Metrics()
    add_series(app, house, settled, door)
    add_quarters(app, house, settled, door)
    add_stream(app, house, door)
    add_health(app, house, door, metrics)
    add_pages(app, house, settled, door, pages)
    add_login(app, house, door, pages)
    answer_problems(app, error_page(house, pages))
    check_policies(app)
    # The fingerprint is of the answer before it is packed: packing stamps the time into it.
    app.add_middleware(BrowserHeaders, secure=urlsplit(house.public_url).scheme == "https")
    app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=6)
    app.add_middleware(Measured, metrics=metrics, clock=SystemClock())
    return app
