"""Where prices come from: the ``[prices]`` of a TOML file; docs/settings.md lists every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from collectors.prices.agreement import Limits
from collectors.prices.awattar import URLS, Awattar
from collectors.prices.energyzero import GRAPHQL_URL, REST_URL, EnergyZero, EnergyZeroGraphql
from collectors.prices.entsoe import AREAS, Entsoe
from collectors.prices.fetching import NamedSource
from collectors.prices.file import FilePrices
from collectors.prices.nordpool import NordPool
from kwartier.errors import SettingsError
from kwartier.settings import Table, read_secret

KINDS = ("energyzero", "energyzero_graphql", "entsoe", "nordpool", "awattar", "file")
MOST_SOURCES = 6


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One source.

    Attributes:
        kind: One of ``KINDS``.
        area: Its bidding zone, such as ``NL``.
        token: The key it asks for; empty where it asks none.
        file: The file of prices; None for a service.
    """

    kind: str
    area: str = "NL"
    token: str = ""
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """Where prices come from.

    Attributes:
        sources: The most trusted first.
        limits: What is no price.
    """

    sources: tuple[SourceSettings, ...] = (SourceSettings("energyzero"),)
    limits: Limits = field(default_factory=Limits)


def read_price_settings(table: Table, folder: Path) -> PriceSettings:
    """Return the settings of ``[prices]``; files are sought in ``folder``.

    Raises:
        SettingsError: A key is wrong; it is named.
    """
    usual = Limits()
    area = table.text("area", "NL")
    if area not in AREAS:
        raise SettingsError(f"{table.place}area is {area[:20]!r}: use {', '.join(AREAS)}")
    limits = Limits(
        Decimal(table.whole("lowest_eur_per_mwh", int(usual.lowest), low=-1000, high=0)),
        Decimal(table.whole("highest_eur_per_mwh", int(usual.highest), low=0, high=10_000)),
    )
    rows = table.tables("source", MOST_SOURCES)
    sources = tuple(_source(row, area, folder) for row in rows)
    kinds = [source.kind for source in sources]
    if len(set(kinds)) != len(kinds):
        raise SettingsError(f"{table.place}source: one kind stands there twice: keep one of them")
    table.refuse_the_rest()
    return PriceSettings(sources or PriceSettings().sources, limits)


def source_of(settings: SourceSettings) -> NamedSource:
    """Return a source, not asked yet; it must be closed.

    Raises:
        PriceFileError: A file of prices cannot be read.
    """
    if settings.kind == "energyzero":
        return EnergyZero(REST_URL)
    if settings.kind == "energyzero_graphql":
        return EnergyZeroGraphql(GRAPHQL_URL)
    if settings.kind == "entsoe":
        return Entsoe(settings.token, area=settings.area)
    if settings.kind == "nordpool":
        return NordPool(area=settings.area)
    if settings.kind == "awattar":
        return Awattar(URLS[settings.area])
    assert settings.file is not None, settings
    return FilePrices(settings.file)


def checked_kind(kind: str, area: str, place: str) -> str:
    """Return a kind of source, or refuse one that does not tell of an area."""
    if kind not in KINDS:
        raise SettingsError(f"{place} is {kind[:30]!r}: use {', '.join(KINDS)}")
    if kind == "awattar" and area not in URLS:
        raise SettingsError(f"{place}: aWATTar tells of {' and '.join(URLS)}, not of {area}")
    if kind.startswith("energyzero") and area != "NL":
        raise SettingsError(f"{place}: EnergyZero tells of NL, not of {area}")
    return kind


def _source(row: Table, area: str, folder: Path) -> SourceSettings:
    kind = checked_kind(row.text("kind"), area, f"{row.place}kind")
    token = read_secret(row, "token_file", folder) if kind == "entsoe" else ""
    file = folder / row.text("file") if kind == "file" else None
    if file is not None and not file.is_file():
        raise SettingsError(f"{row.place}file: there is no file {file}: name one")
    row.refuse_the_rest()
    return SourceSettings(kind, area, token, file)
