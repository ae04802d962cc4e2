"""``kwartier influx setup``: from nothing to all that is wanted, and again to the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.influx_setup import Did, SetupPlace, set_up
from collectors.influx_wanted import TASKS, TOKENS, Right
from kwartier.charts import COMMUNITY, QUARTER, RAW
from kwartier.cli import main
from kwartier.errors import LinkDownError, SettingsError
from kwartier.series import SERIES
from tests.collectors.influx_office_side import InfluxOfficeSide, influx_office

EVERYTHING = [
    "organisation wijk", "bucket raw", "bucket quarter", "bucket community",
    "task kwartier-quarters", "task kwartier-late-quarters", "token kwartier-writer",
    "token kwartier-reader", "token kwartier-community", "token kwartier-grafana",
]  # fmt: skip


@pytest.fixture
def server() -> Iterator[InfluxOfficeSide]:
    with influx_office() as server:
        yield server


def place(
    server: InfluxOfficeSide, folder: Path, *, dry_run: bool = False, shorten: bool = False
) -> SetupPlace:
    return SetupPlace(server.url, "wijk", folder, dry_run=dry_run, shorten=shorten)


def did(server: InfluxOfficeSide, folder: Path, **how: bool) -> dict[str, Did]:
    return {step.what: step.did for step in set_up(place(server, folder, **how))}


def test_a_new_server_is_made_ready(server: InfluxOfficeSide, tmp_path: Path) -> None:
    steps = set_up(place(server, tmp_path))

    assert [step.what for step in steps] == ["server", *EVERYTHING]
    assert server.changes[0] == "POST setup"
    keeps = {
        name: server.named("buckets", name)["retentionRules"]
        for name in ("raw", "quarter", "community")
    }
    assert keeps == {
        "raw": [{"type": "expire", "everySeconds": 2_678_400}],
        "quarter": [{"type": "expire", "everySeconds": 315_619_200}],
        "community": [{"type": "expire", "everySeconds": 315_619_200}],
    }


def test_secrets_are_in_files_of_their_owner_and_in_no_answer(
    server: InfluxOfficeSide, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--url", server.url, "--organisation", "wijk", "--tokens", str(tmp_path)]
    assert main(["influx", "setup", *words]) == 0

    told = capsys.readouterr().out
    files = {path.name: path for path in tmp_path.iterdir()}
    assert set(files) == {
        "admin.token", "admin.password", "writer.token", "reader.token", "community.token",
        "grafana.token",
    }  # fmt: skip
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files.values())
    assert not [path for path in files.values() if path.read_text().strip() in told]
    assert json.loads(told)[0]["what"] == "server"


def test_no_token_may_do_what_another_is_for(server: InfluxOfficeSide, tmp_path: Path) -> None:
    set_up(place(server, tmp_path))

    names = {bucket["id"]: bucket["name"] for bucket in server.things["buckets"]}
    rights: dict[object, set[tuple[object, object]]] = {}
    for token in server.things["authorizations"]:
        permissions = token["permissions"]
        assert isinstance(permissions, list)
        rights[token["description"]] = {
            (one["action"], names[one["resource"]["id"]]) for one in permissions
        }
    assert rights == {
        "kwartier-writer": {("write", "raw")},
        "kwartier-reader": {("read", "raw"), ("read", "quarter")},
        "kwartier-community": {("write", "community")},
        "kwartier-grafana": {("read", "community")},
    }


def test_twice_the_same_changes_nothing(server: InfluxOfficeSide, tmp_path: Path) -> None:
    set_up(place(server, tmp_path))
    files = {path: path.read_text() for path in tmp_path.iterdir()}
    server.changes.clear()

    assert did(server, tmp_path) == dict.fromkeys(EVERYTHING, Did.THERE)

    assert server.changes == []
    assert {path: path.read_text() for path in tmp_path.iterdir()} == files


def test_a_server_that_does_not_tell_secrets_is_asked_with_them(
    server: InfluxOfficeSide, tmp_path: Path
) -> None:
    set_up(place(server, tmp_path))
    server.tells_secrets = False
    (tmp_path / "reader.token").write_text("of another server")

    told = did(server, tmp_path)

    assert told.pop("token kwartier-reader") is Did.REPAIRED
    assert set(told.values()) == {Did.THERE}


@pytest.mark.parametrize("more", ["admin.token", "reader.token"])
def test_a_file_with_the_token_of_more_rights_is_put_right(
    server: InfluxOfficeSide, tmp_path: Path, more: str
) -> None:
    set_up(place(server, tmp_path))
    server.tells_secrets = False
    (tmp_path / "grafana.token").write_bytes((tmp_path / more).read_bytes())

    told = did(server, tmp_path)

    assert told["token kwartier-grafana"] is Did.REPAIRED
    assert (tmp_path / "grafana.token").read_bytes() != (tmp_path / more).read_bytes()
    assert set(did(server, tmp_path).values()) == {Did.THERE}


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "there"])
def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    server: InfluxOfficeSide, tmp_path: Path, is_new: bool
) -> None:
    if not is_new:
        server.admin = "all"
        (tmp_path / "admin.token").write_text("all\n")

    told = did(server, tmp_path, dry_run=True)

    assert set(told.values()) == {Did.MADE}
    assert len(told) == len(EVERYTHING) + is_new
    assert server.changes == []
    assert len(list(tmp_path.iterdir())) == (0 if is_new else 1)


def test_what_somebody_changed_is_put_right(server: InfluxOfficeSide, tmp_path: Path) -> None:
    set_up(place(server, tmp_path))
    server.named("buckets", "raw")["retentionRules"] = [{"type": "expire", "everySeconds": 3600}]
    server.named("tasks", "kwartier-quarters")["status"] = "inactive"
    server.named("tasks", "kwartier-late-quarters")["flux"] = "mine"
    permissions = server.named("authorizations", "kwartier-grafana")["permissions"]
    assert isinstance(permissions, list)
    permissions.append({"action": "read", "resource": {"type": "buckets"}})
    before = (tmp_path / "grafana.token").read_text()
    (tmp_path / "writer.token").unlink()
    (tmp_path / "reader.token").chmod(0o644)

    told = did(server, tmp_path)

    changed = {what for what, became in told.items() if became is Did.REPAIRED}
    assert changed == {
        "bucket raw", "task kwartier-quarters", "task kwartier-late-quarters",
        "token kwartier-writer", "token kwartier-reader", "token kwartier-grafana",
    }  # fmt: skip
    assert (tmp_path / "grafana.token").read_text() != before
    assert len(server.things["authorizations"]) == len(TOKENS)
    assert set(did(server, tmp_path).values()) == {Did.THERE}


def test_a_bucket_that_keeps_longer_is_shortened_only_when_it_is_asked_for(
    server: InfluxOfficeSide, tmp_path: Path
) -> None:
    set_up(place(server, tmp_path))
    server.named("buckets", "raw")["retentionRules"] = []

    assert did(server, tmp_path)["bucket raw"] is Did.LEFT
    assert did(server, tmp_path, shorten=True)["bucket raw"] is Did.REPAIRED
    assert did(server, tmp_path)["bucket raw"] is Did.THERE


def test_what_was_broken_off_is_finished(server: InfluxOfficeSide, tmp_path: Path) -> None:
    set_up(place(server, tmp_path))
    secret = (tmp_path / "writer.token").read_text()
    server.things["authorizations"][:] = server.things["authorizations"][:1]
    server.things["tasks"].clear()

    told = did(server, tmp_path)

    assert told["token kwartier-writer"] is Did.THERE
    assert (tmp_path / "writer.token").read_text() == secret
    assert [what for what, became in told.items() if became is Did.MADE] == [
        *EVERYTHING[4:6], *EVERYTHING[7:]
    ]  # fmt: skip


def test_without_the_first_token_it_says_which_file_is_missing(
    server: InfluxOfficeSide, tmp_path: Path
) -> None:
    server.admin = "all"

    with pytest.raises(SettingsError, match=r"admin\.token: is away or empty: put a token"):
        set_up(place(server, tmp_path))


def test_a_wrong_first_token_and_a_folder_that_is_none_are_settings(
    server: InfluxOfficeSide, tmp_path: Path
) -> None:
    server.admin = "all"
    (tmp_path / "admin.token").write_text("other\n")

    with pytest.raises(SettingsError, match=r"401 .*check the token"):
        set_up(place(server, tmp_path))
    with pytest.raises(SettingsError, match="is no folder"):
        set_up(place(server, tmp_path / "none"))


def test_a_server_that_is_away_is_a_link_that_is_down(
    server: InfluxOfficeSide, tmp_path: Path
) -> None:
    gone = SetupPlace("http://127.0.0.1:9", "wijk", tmp_path)

    with pytest.raises(LinkDownError):
        set_up(gone)


def test_the_rollups_tell_every_series_once(server: InfluxOfficeSide) -> None:
    assert server.url
    for task in TASKS:
        assert [task.flux.count(f'"{name}"') for name in SERIES] == [1] * len(SERIES)


def test_no_task_adds_homes_up_or_writes_what_grafana_reads() -> None:
    for task in TASKS:
        assert COMMUNITY.name not in task.flux
        assert task.flux.count(f'bucket: "{RAW.name}"') == 1
        assert task.flux.count(f'to(bucket: "{QUARTER.name}")') == 2
        assert "sum" not in task.flux
    assert [Right("read", COMMUNITY.name)] == [
        right for token in TOKENS for right in token.rights if token.name.endswith("grafana")
    ]
