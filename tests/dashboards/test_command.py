from __future__ import annotations

import json
from pathlib import Path

import pytest

from kwartier.cli import main
from tests.dashboards.grafana_stub import TOKEN, grafana


def test_export_writes_files_and_tells_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboards", "export", str(tmp_path / "new"), "--lang", "en"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert len(told["files"]) == 6
    assert all((tmp_path / "new" / name).is_file() for name in told["files"])


def test_push_brings_everything_and_prints_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "grafana.token").write_text(TOKEN + "\n")
    (tmp_path / "influx.token").write_text("reads-the-sums\n")
    with grafana() as stub:
        code = main(
            f"dashboards push --url {stub.url} --token-file {tmp_path}/grafana.token "
            f"--influx-url http://influxdb:8086 --influx-org wijk --influx-bucket sums "
            f"--influx-token-file {tmp_path}/influx.token "
            "--prometheus-url http://prometheus:9090".split()
        )

    printed = capsys.readouterr()
    assert code == 0
    assert json.loads(printed.out)["sources"]["kwartier-influx"] == "made"
    source = stub.sources["kwartier-influx"]
    assert source["secureJsonData"] == {"token": "reads-the-sums"}
    assert isinstance(source["jsonData"], dict)
    assert source["jsonData"]["defaultBucket"] == "sums"
    assert TOKEN not in printed.out + printed.err
    assert "reads-the-sums" not in printed.out + printed.err


def test_a_wrong_token_is_a_matter_of_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "grafana.token").write_text("glsa_wrong")
    with grafana() as stub:
        code = main(
            f"dashboards push --url {stub.url} --token-file {tmp_path}/grafana.token "
            "--prometheus-url http://prometheus:9090".split()
        )

    assert code == 78
    assert "does not know the token" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["--token-file", "nowhere"], 78, "--token-file: nowhere: No such file"),
        (["--token-file", "t", "--influx-url", "http://influxdb:8086"], 2, "go together"),
    ],
)
def test_what_is_missing_is_named(
    words: list[str], code: int, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboards", "push", "--url", "http://grafana", *words]) == code

    assert named in capsys.readouterr().err
