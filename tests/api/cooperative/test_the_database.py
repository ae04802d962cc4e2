"""The books' database: one transaction, kept whole or not at all, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from api.cooperative.database import Books
from api.cooperative.errors import BooksError
from api.cooperative.officers import Officer


def test_books_can_be_read(books: Books, auditor: Officer) -> None:
    with books.reading(auditor) as desk:
        version = desk.session.scalar(text("SELECT version_num FROM alembic_version"))

    assert version


def test_a_database_without_tables_says_what_to_do(books: Books, auditor: Officer) -> None:
    with (
        pytest.raises(BooksError, match="kwartier coop init"),
        books.reading(auditor) as desk,
    ):
        desk.session.execute(text("SELECT 1 FROM nobody_made_this"))
