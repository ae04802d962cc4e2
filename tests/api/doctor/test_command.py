"""The command tells each link, also when all is down, and no secret."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from api.doctor.examine import read_services
from kwartier.cli import main
from kwartier.errors import SettingsError
from tests.api.doctor.town import EAN, NAME, NOW, TOKEN, VALUE, Town


@pytest.mark.broker
def test_when_all_is_down_every_link_still_has_its_line(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    collect, serve = town.folder / "collect.toml", town.folder / "serve.toml"
    for url in [town.broker.broker.url, f"a:{town.door.port}", *(each.url for each in town.web)]:
        town.away(url)
    (town.folder / "record.db").write_bytes(b"\x00garbage" * 1_000)

    code = main(["doctor", "--json", "--config", str(collect), "--config", str(serve)])

    told = capsys.readouterr().out
    links = {one["link"]: one["state"] for one in json.loads(told)["links"]}
    del links["disk"]  # that of the machine the tests run on
    assert (code, json.loads(told)["worst"]) == (2, "broken")
    assert {name for name, state in links.items() if state == "broken"} == {
        "meters", "broker", "collector", "record", "dead letters", "influx", "grafana", "pages",
    }  # fmt: skip


@pytest.mark.broker
def test_no_secret_name_or_reading_is_ever_told(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    files = ["--config", str(town.folder / "collect.toml")]
    files += ["--config", str(town.folder / "serve.toml")]
    codes = [main(["doctor", *files])]
    town.ask("record.db", "UPDATE latest SET at_s = ?", (NOW - 90_000,))
    town.ask("state/plans.db", "DELETE FROM plan")
    codes += [main(["doctor", *files]), main(["doctor", "--json", *files])]

    told = capsys.readouterr().out
    assert codes[1:] == [2, 2]
    assert "\x1b" not in told
    for secret in (EAN, NAME, TOKEN, str(VALUE)):
        assert secret not in told


def test_settings_that_cannot_be_read_are_a_finding_and_the_rest_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "collect.toml").write_text('coop = "straat"\n[store]\npath = "record.db"\n')
    (tmp_path / "gateway.toml").write_text('coop = "straat"\ngateway = "gw-1"\n')

    code = main(["doctor", "--config", str(tmp_path / "collect.toml"), "--json"])
    told = json.loads(capsys.readouterr().out)
    refused = main(["doctor", "--config", str(tmp_path / "gateway.toml")])

    assert (code, told["links"][0]["link"], refused) == (2, "settings", 78)
    assert "broker.url is missing" in told["links"][0]["what"]
    assert "kwartier gateway check" in capsys.readouterr().err


@pytest.mark.broker
def test_a_second_service_of_one_kind_is_not_passed_over(town: Town) -> None:
    for file, kind in (("collect.toml", "collector"), ("serve.toml", "server")):
        first, second = town.folder / file, town.folder / f"second-{file}"
        shutil.copy(first, second)
        with pytest.raises(SettingsError, match=f"second-{file} is of a second {kind}"):
            read_services([first, second])
