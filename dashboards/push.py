"""Boards, their folders and data sources brought to a Grafana that is there already, by its API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dashboards.boards import BOARDS
from dashboards.boards.folders import FOLDERS
from dashboards.classic import board_json
from dashboards.grafana import Grafana, GrafanaRefusedError
from dashboards.panels import Board
from dashboards.sources import SOURCES, InfluxAccess, PrometheusAccess
from dashboards.words import Language
from kwartier.errors import InputError

MESSAGE = "kwartier dashboards push"
"""What stands in a board's history of versions."""
_PROVISIONED = "provisioned"
"""How Grafana says that what it was sent comes from a file on its own disk."""


class Deed(StrEnum):
    """What was done about one thing."""

    MADE = "made"
    CHANGED = "changed"
    KEPT = "kept"


class ProvisionedError(InputError):
    """A board of this uid comes from a file on Grafana's own disk: its API may not change it."""

    def __init__(self, board: Board) -> None:
        """Say which way out there is."""
        super().__init__(
            f"board {board.uid} comes from a file on that Grafana's disk (provisioning), so its "
            "API may not change it: write the files anew with 'kwartier dashboards export', "
            "or take them away there and push again; not both"
        )
        self.board = board.uid


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of it.

    Attributes:
        version: Of Grafana; empty when it did not say.
        sources: What was done about each data source, by uid.
        said: What each of them said when Grafana tried it, by uid.
        folders: What was done about each folder, by uid.
        boards: Where each board is, by uid.
    """

    version: str
    sources: dict[str, Deed] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    folders: dict[str, Deed] = field(default_factory=dict)
    boards: dict[str, str] = field(default_factory=dict)


def push(
    grafana: Grafana, language: Language, ways: Sequence[InfluxAccess | PrometheusAccess] = ()
) -> Pushed:
    """Bring everything over; what is there already is replaced.

    Args:
        grafana: Where to.
        language: In which the boards speak.
        ways: How Grafana reaches its sources; one that is not named must be there already.

    Raises:
        GrafanaSettingsError: The address, the token or its rights are wrong.
        GrafanaDownError: Grafana does not answer.
        GrafanaRefusedError: It refused something, and would again.
        ProvisionedError: A board comes from a file.
        InputError: A data source is neither named nor there.
    """
    done = Pushed(grafana.health())
    for way in ways:
        done.sources[way.source.uid] = _bring_source(grafana, way)
    _refuse_missing(grafana, done)
    for source in SOURCES:
        done.said[source.uid] = grafana.source_says(source.uid)
    for folder in FOLDERS:
        done.folders[folder.uid] = Deed.KEPT
        if grafana.folder(folder.uid) is None:
            grafana.make_folder(folder.uid, folder.title.said(language))
            done.folders[folder.uid] = Deed.MADE
    for board in BOARDS:
        done.boards[board.uid] = _bring_board(grafana, board, language)
    return done


def _bring_source(grafana: Grafana, way: InfluxAccess | PrometheusAccess) -> Deed:
    """Make or replace a data source; one that comes from a file is kept as it is."""
    uid = way.source.uid
    there = grafana.source(uid)
    if there is None:
        grafana.make_source(way.body())
        return Deed.MADE
    if there.get("readOnly") is True:
        return Deed.KEPT
    grafana.change_source(uid, way.body())
    return Deed.CHANGED


def _refuse_missing(grafana: Grafana, done: Pushed) -> None:
    for source in SOURCES:
        if source.uid in done.sources:
            continue
        if grafana.source(source.uid) is None:
            raise InputError(
                f"Grafana has no data source {source.uid}, and boards ask it: "
                f"name --{source.plugin.removesuffix('db')}-url, or make one with that uid there"
            )
        done.sources[source.uid] = Deed.KEPT


def _bring_board(grafana: Grafana, board: Board, language: Language) -> str:
    try:
        return grafana.save_board(board_json(board, language), board.folder.uid, MESSAGE)
    except GrafanaRefusedError as refused:
        if _PROVISIONED in refused.reason.lower():
            raise ProvisionedError(board) from refused
        raise
