"""Accounts and grants: for the board and operators, and one's own."""

from fastapi import FastAPI

from api.auth import Doorkeeper
from api.house import House
from api.pages.sheets import Sheets


def add_accounts(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add nothing yet."""
