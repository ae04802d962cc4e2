"""What a Grafana that reads files is given: boards as JSON, and two files that tell it to look.

Secrets stand in none of them: Grafana reads the token of InfluxDB from a file of its own. The two
files of settings are JSON too, which is YAML.

Source:
    grafana.com/docs, "Provision Grafana", which also says how ``$__file{}`` is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from dashboards.boards import BOARDS
from dashboards.boards.folders import FOLDERS
from dashboards.classic import board_json
from dashboards.json_form import Json
from dashboards.panels import Folder
from dashboards.sources import InfluxAccess, PrometheusAccess
from dashboards.words import Language
from kwartier.durable import replace_file
from kwartier.errors import InputError

BOARDS_FOLDER = "/etc/grafana/kwartier"
"""Where Grafana finds the boards."""
TOKEN_FILE = "/run/secrets/influx-grafana.token"  # noqa: S105 - a place, not a secret
"""Where Grafana finds the token that may read the sums."""
IN_COMPOSE = (
    InfluxAccess("http://influxdb:8086", "kwartier", f"$__file{{{TOKEN_FILE}}}"),
    PrometheusAccess("http://prometheus:9090"),
)
"""How Grafana reaches its sources beside our own services."""
_LOOK_AGAIN_S = 60


def export(folder: Path, language: Language) -> list[str]:
    """Write everything into a folder and return the names of the files, in it.

    Raises:
        InputError: The folder cannot be written.
    """
    written = files(language)
    try:
        for name, text in written.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text.encode())
    except OSError as error:
        raise InputError(f"{error.filename or folder}: cannot be written: {error.strerror}; "
                         "name another folder") from error  # fmt: skip
    return sorted(written)


def files(language: Language) -> dict[str, str]:
    """Return every file: its name in the folder, and its text."""
    made = {
        f"boards/{board.folder.uid}/{board.uid}.json": board_json(board, language)
        for board in BOARDS
    }
    made["provisioning/datasources/kwartier.yaml"] = _datasources(IN_COMPOSE)
    made["provisioning/dashboards/kwartier.yaml"] = _providers(FOLDERS, language)
    return {name: json.dumps(form, ensure_ascii=False, indent=1) + "\n"
            for name, form in made.items()}  # fmt: skip


def _datasources(ways: Sequence[InfluxAccess | PrometheusAccess]) -> dict[str, Json]:
    return {
        "apiVersion": 1,
        "prune": True,
        "datasources": [{**way.body(), "editable": False} for way in ways],
    }


def _providers(folders: Sequence[Folder], language: Language) -> dict[str, Json]:
    return {"apiVersion": 1, "providers": [_provider(folder, language) for folder in folders]}


def _provider(folder: Folder, language: Language) -> Mapping[str, Json]:
    return {
        "name": folder.uid,
        "orgId": 1,
        "type": "file",
        "folder": folder.title.said(language),
        "folderUid": folder.uid,
        "disableDeletion": True,
        "allowUiUpdates": False,
        "updateIntervalSeconds": _LOOK_AGAIN_S,
        "options": {"path": f"{BOARDS_FOLDER}/{folder.uid}", "foldersFromFilesStructure": False},
    }
