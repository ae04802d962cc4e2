"""The settings of the books stand in their file as people type them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from api.cooperative.settings import FILE, read_settings, toml_text
from tests.api.cooperative.street import SETTINGS

URL = {"url": "sqlite:///books.db"}


def test_letters_with_signs_stand_there_as_they_are_typed(tmp_path: Path) -> None:
    text = toml_text(SETTINGS, URL)
    (tmp_path / FILE).write_text(text, encoding="utf-8")

    assert 'name = "Coöperatie Straat U.A."\n' in text
    assert read_settings(tmp_path).name == "Coöperatie Straat U.A."


@given(name=st.text(min_size=1, max_size=70))
@example(name="Straat\u00a0\U0001f3e0")
@example(name="Straat\x7f")
def test_every_name_is_read_as_it_was_written(name: str) -> None:
    text = toml_text(replace(SETTINGS, name=name), URL)

    assert tomllib.loads(text)["cooperative"]["name"] == name
