"""Hulp: my gateway, who looked at my data, who may look along, language and messages."""

from fastapi import FastAPI

from api.auth import Doorkeeper
from api.house import House
from api.pages.sheets import Sheets


def add_help(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add nothing yet."""
