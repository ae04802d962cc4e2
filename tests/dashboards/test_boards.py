from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations

import pytest

from api.cooperative.runs.states import State
from api.health.gateways import Link
from dashboards import promql
from dashboards.boards import BOARDS
from dashboards.boards.board import STATES
from dashboards.boards.folders import FOLDERS
from dashboards.boards.operations import LINKS
from dashboards.classic import SCHEMA, board_json
from dashboards.panels import Board, Chart, Colour, Panel, Shape
from dashboards.sources import INFLUX, PROMETHEUS, SOURCES
from dashboards.words import Language, Text
from kwartier.charts import PLAN, PLAN_FIELDS, SUM_FIELDS, SUMS

JsonBoard = dict[str, object]
MOST_PANELS = 13
LIGHT, DARK = "#ffffff", "#181b1f"
"""What panels stand on in Grafana's two themes."""


def rendered(board: Board, language: Language = Language.NL) -> JsonBoard:
    made: JsonBoard = json.loads(json.dumps(board_json(board, language), allow_nan=False))
    return made


def panels_of(board: JsonBoard) -> list[JsonBoard]:
    panels = board["panels"]
    assert isinstance(panels, list)
    return panels


def panels() -> list[Panel]:
    return [panel for board in BOARDS for row in board.rows for panel in row.panels]


every_board = pytest.mark.parametrize("board", BOARDS, ids=[board.uid for board in BOARDS])


def test_no_two_boards_or_folders_have_one_uid() -> None:
    uids = [one.uid for one in (*BOARDS, *FOLDERS)]

    assert len(set(uids)) == len(uids) == 6
    assert all(re.fullmatch(r"[a-z-]{1,40}", uid) for uid in uids)


@every_board
def test_a_board_is_of_the_classic_schema_in_the_time_of_amsterdam(board: Board) -> None:
    made = rendered(board)

    assert made["schemaVersion"] == SCHEMA == 42
    assert made["timezone"] == "Europe/Amsterdam"
    assert made["weekStart"] == "monday"
    assert made["editable"] is False
    assert "id" not in made


@every_board
def test_panels_have_numbers_of_their_own_and_do_not_overlap(board: Board) -> None:
    found = panels_of(rendered(board))
    taken = [cells(panel["gridPos"]) for panel in found]

    assert [panel["id"] for panel in found] == list(range(1, len(found) + 1))
    assert len(found) <= MOST_PANELS
    assert not any(one & other for one, other in combinations(taken, 2))
    assert max(x for one in taken for x, _ in one) == 23


def cells(place: object) -> set[tuple[int, int]]:
    assert isinstance(place, dict)
    x, y, w, h = (place[name] for name in "xywh")
    return {(column, row) for column in range(x, x + w) for row in range(y, y + h)}


@every_board
def test_every_question_goes_to_a_source_we_bring(board: Board) -> None:
    known = [{"type": source.plugin, "uid": source.uid} for source in SOURCES]

    for panel in panels_of(rendered(board)):
        targets = panel["targets"]
        assert isinstance(targets, list)
        assert panel["datasource"] in known
        assert [target["refId"] for target in targets] == list("ABCD"[: len(targets)])
        for target in targets:
            assert target["datasource"] == panel["datasource"]
            assert ("query" in target) == (target["datasource"]["uid"] == INFLUX.uid)
            assert ("expr" in target) == (target["datasource"]["uid"] == PROMETHEUS.uid)


@every_board
def test_a_gap_is_drawn_as_a_gap_and_nothing_is_called_so(board: Board) -> None:
    for panel in panels_of(rendered(board)):
        config = panel["fieldConfig"]
        assert isinstance(config, dict)
        assert config["defaults"]["noValue"] == "Geen gegevens"
        assert config["defaults"]["unit"]
        if panel["type"] == "timeseries":
            assert config["defaults"]["custom"]["spanNulls"] is False


@every_board
def test_the_two_languages_differ_in_words_only(board: Board) -> None:
    words = {text.nl: text.en for text in texts()}

    def translated(value: object) -> object:
        if isinstance(value, dict):
            return {key: translated(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [translated(inner) for inner in value]
        return words.get(value, value) if isinstance(value, str) else value

    assert translated(rendered(board)) == rendered(board, Language.EN)


def texts() -> Iterator[Text]:
    """Yield everything that boards say."""
    from dashboards.words import NO_DATA

    yield NO_DATA
    for board in BOARDS:
        yield from (board.title, board.help, board.folder.title)
    for panel in panels():
        yield from (panel.title, panel.help)
        yield from (line.name for line in panel.lines if line.name is not None)
        yield from (name for line in panel.lines for name in line.names.values())
        if not isinstance(panel, Chart):
            yield from (one.text for one in panel.said)


def test_sentences_are_short_and_plain() -> None:
    for text in texts():
        for said in (text.nl, text.en):
            assert said.strip() == said != ""
            for sentence in re.split(r"[.?!:] ", said):
                assert len(sentence.split()) <= 20, sentence
        assert not re.search(r"\bword(t|en)\b|teveel|te veel", text.nl), text.nl


def test_residents_read_at_most_fifteen_words_and_nothing_is_red() -> None:
    wijk = BOARDS[0]
    for panel in (panel for row in wijk.rows for panel in row.panels):
        assert all(len(part.split()) <= 15 for part in re.split(r"[.?] ", panel.help.nl))
        assert Colour.ACT not in {line.colour for line in panel.lines}
    assert len(wijk.rows[0].panels) == 1  # the first thing on the screen is one answer


def test_residents_are_shown_the_bucket_of_sums_only() -> None:
    assert {line.source for row in BOARDS[0].rows for panel in row.panels for line in panel.lines
            } == {INFLUX}  # fmt: skip


def test_what_is_expected_has_dashes_beside_its_colour() -> None:
    for panel in panels():
        shapes = [(line.shape, line.colour) for line in panel.lines]
        assert isinstance(panel, Chart) or len(shapes) == 1
        if len(shapes) == 2 and Shape.BARS not in {shape for shape, _ in shapes}:
            assert len({shape for shape, _ in shapes}) == 2, panel.title.en


@pytest.mark.parametrize("colour", list(Colour))
def test_a_colour_is_seen_on_a_light_page_and_on_a_dark_one(colour: Colour) -> None:
    for page in (LIGHT, DARK):
        high, low = sorted((luminance(colour.value), luminance(page)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3  # WCAG 2.2, 1.4.11


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_flux_names_only_fields_that_are_written() -> None:
    written = {SUMS: SUM_FIELDS, PLAN: PLAN_FIELDS}
    for panel in panels():
        for line in panel.lines:
            if line.source is INFLUX:
                found = re.search(r'r\._measurement == "(\w+)" and \(([^)]*)\)', line.question)
                assert found is not None, line.question
                assert set(re.findall(r'"(\w+)"', found[2])) <= written[found[1]].keys()


def test_promql_names_only_measures_that_stand_in_one_list() -> None:
    named: set[str] = set()
    for panel in panels():
        for line in panel.lines:
            if line.source is PROMETHEUS:
                named |= set(re.findall(r"kwartier_\w+", line.question))

    assert named == set(promql.MEASURES)


def test_every_state_and_every_link_has_its_words() -> None:
    assert set(STATES) == {state.value for state in State}
    assert set(LINKS) == {link.value for link in Link}
