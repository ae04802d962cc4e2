"""Where the book of people is kept stands in a file, as it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.people.place import address_of, write_place


@pytest.mark.parametrize("password", ["regen", "zon\U0001f31e", 'a\\"b', "caf\u00e9"])
def test_an_address_is_read_as_it_was_written(tmp_path: Path, password: str) -> None:
    url = f"postgresql+psycopg://kwartier:{password}@db.example/people"

    write_place(tmp_path, url)

    assert address_of(tmp_path) == url
