"""The board's report of the neighbourhood: self-use, peaks, cycles, savings."""

from fastapi import FastAPI

from api.auth import Doorkeeper
from api.house import House
from api.pages.sheets import Sheets


def add_board_wijk(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add nothing yet."""
