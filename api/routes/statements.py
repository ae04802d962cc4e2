"""Afrekening: from the total to the quarter-hour, and 'Klopt dit niet?'."""

from fastapi import FastAPI

from api.auth import Doorkeeper
from api.house import House
from api.pages.sheets import Sheets


def add_statements(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add nothing yet."""
