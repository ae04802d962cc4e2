from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from collectors.prices.agreement import Limits
from collectors.prices.settings import PriceSettings, SourceSettings, read_price_settings, source_of
from kwartier.errors import SettingsError
from kwartier.settings import read_toml


def settings(folder: Path, text: str) -> PriceSettings:
    (folder / "prices.toml").write_text(text)
    return read_toml(folder / "prices.toml", lambda top: read_price_settings(top, folder))


def test_two_sources_are_read_with_their_key_and_area(tmp_path: Path) -> None:
    (tmp_path / "entsoe.token").write_text("abc\n")

    told = settings(
        tmp_path,
        'highest_eur_per_mwh = 5000\n[[source]]\nkind = "nordpool"\n'
        '[[source]]\nkind = "entsoe"\ntoken_file = "entsoe.token"\n',
    )

    assert told.sources == (SourceSettings("nordpool"), SourceSettings("entsoe", token="abc"))
    assert told.limits == Limits(Decimal(-500), Decimal(5000))


def test_without_a_source_it_is_energyzero(tmp_path: Path) -> None:
    assert settings(tmp_path, "") == PriceSettings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('area = "XX"', "use NL, BE"),
        ('[[source]]\nkind = "epex"', r"source\[0\].kind is 'epex': use energyzero"),
        ('[[source]]\nkind = "awattar"', "aWATTar tells of DE-LU and AT, not of NL"),
        ('area = "BE"\n[[source]]\nkind = "energyzero"', "EnergyZero tells of NL"),
        ('[[source]]\nkind = "nordpool"\n[[source]]\nkind = "nordpool"', "stands there twice"),
        ('[[source]]\nkind = "file"\nfile = "away.csv"', "there is no file"),
        ('[[source]]\nkind = "entsoe"\ntoken_file = "away"', "token_file"),
        ('[[source]]\nkind = "nordpool"\nkey = "x"', "key is not known"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        settings(tmp_path, text)


@pytest.mark.parametrize("kind", ["energyzero", "energyzero_graphql", "entsoe", "nordpool"])
def test_every_kind_is_a_source_of_that_name(kind: str) -> None:
    source = source_of(SourceSettings(kind, token="abc"))

    assert source.name == kind
    source.close()
