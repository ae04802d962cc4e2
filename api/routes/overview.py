"""Overzicht: days, weeks, months and years of one's own home."""

from fastapi import FastAPI

from api.auth import Doorkeeper
from api.house import House
from api.pages.sheets import Sheets


def add_overview(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add nothing yet."""
