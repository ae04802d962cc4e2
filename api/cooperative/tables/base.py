"""What all tables of the books share: one metadata, and names for every constraint."""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""How constraints are named, so that both databases and the migrations agree."""


class Base(DeclarativeBase):
    """A table of the books.

    Instants are whole seconds in UTC (``…_s``), days are dates, energy is whole Wh, money whole
    cents, exact fractions and decimals are text, documents are canonical JSON text.
    """

    metadata = MetaData(naming_convention=NAMES)
