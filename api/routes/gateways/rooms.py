"""Everything about letting gateways in."""

from fastapi import FastAPI

from api.auth import Doorkeeper
from api.house import House
from api.pages.sheets import Sheets
from api.routes.gateways.boxes import add_boxes
from api.routes.gateways.handover import add_handover
from api.routes.gateways.jobs import add_jobs
from api.routes.gateways.onsite import add_onsite
from api.routes.gateways.updates import add_updates
from api.routes.gateways.wizard import WizardPages, add_wizard


def add_gateways(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add what boxes ask, the board's jobs, the installer's page, and handovers."""
    add_boxes(app, house, door)
    add_updates(app, house, door)
    add_jobs(app, house, door, sheets)
    steps = WizardPages(house, sheets)
    add_onsite(app, house, door, sheets, steps)
    add_wizard(app, house, door, steps)
    add_handover(app, house, door, sheets)
