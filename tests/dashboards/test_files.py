from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dashboards.boards import BOARDS
from dashboards.classic import board_json
from dashboards.files import BOARDS_FOLDER, IN_COMPOSE, export, files
from dashboards.words import Language
from kwartier.errors import InputError
from tests.house.test_docs import ROOT

KEPT = ROOT / "dashboards" / "export"


def test_the_files_that_are_kept_are_those_the_code_writes() -> None:
    kept = {str(path.relative_to(KEPT)): path.read_text() for path in KEPT.rglob("*.*")}

    assert kept == files(Language.NL), "run: kwartier dashboards export dashboards/export"


def test_files_carry_the_boards_that_the_api_is_sent(tmp_path: Path) -> None:
    written = export(tmp_path, Language.EN)

    for board in BOARDS:
        name = f"boards/{board.folder.uid}/{board.uid}.json"
        assert name in written
        assert json.loads((tmp_path / name).read_text()) == board_json(board, Language.EN)


def test_settings_for_grafana_are_yaml_with_the_same_sources_as_the_api_is_sent() -> None:
    read = yaml.safe_load(files(Language.NL)["provisioning/datasources/kwartier.yaml"])

    assert read["apiVersion"] == 1
    assert read["datasources"] == [{**way.body(), "editable": False} for way in IN_COMPOSE]


def test_each_provider_looks_where_its_boards_are_written() -> None:
    made = files(Language.NL)
    read = yaml.safe_load(made["provisioning/dashboards/kwartier.yaml"])
    folders = {
        f"{BOARDS_FOLDER}/{Path(name).parent.name}" for name in made if name.startswith("boards")
    }

    assert {one["options"]["path"] for one in read["providers"]} == folders
    assert all(one["allowUiUpdates"] is False for one in read["providers"])
    assert len({one["folderUid"] for one in read["providers"]}) == 2


def test_no_secret_stands_in_any_file() -> None:
    text = files(Language.NL)["provisioning/datasources/kwartier.yaml"]

    assert yaml.safe_load(text)["datasources"][0]["secureJsonData"] == {
        "token": "$__file{/run/secrets/influx-grafana.token}"
    }


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "boards").write_text("in the way")

    with pytest.raises(InputError, match=r"boards.*name another folder"):
        export(tmp_path, Language.NL)
