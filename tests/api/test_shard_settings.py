"""Shards in settings: one of several collectors, and a server that reads all of their records."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.settings import read_serve_settings
from collectors.settings import read_settings
from collectors.shard import Shard
from kwartier.errors import SettingsError

COLLECT = 'coop = "wijk"\n[broker]\nurl = "mqtt://127.0.0.1"\n[store]\npath = "record.db"\n'
SERVE = 'community = "wijk.toml"\nstore = "shard-0.db"\nstate = "s"\n'


@pytest.mark.parametrize(
    ("text", "shard"),
    [
        ("", Shard(0, 1)),
        ("[shard]\nnumber = 1\nof = 2\n", Shard(1, 2)),
        ("[shard]\nof = 256\nnumber = 255\n", Shard(255, 256)),
    ],
)
def test_a_collector_knows_which_one_it_is(tmp_path: Path, text: str, shard: Shard) -> None:
    file = tmp_path / "collect.toml"
    file.write_text(COLLECT + text)

    assert read_settings(file).shard == shard


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("number = 1\n", r"shard\.number is '1': it must be a whole number from 0 to 0"),
        ("number = 2\nof = 2\n", r"shard\.number is '2'"),
        ("of = 0\n", r"shard\.of is '0'"),
        ("of = 257\n", r"shard\.of is '257'"),
        ("count = 2\n", r"shard\.count is not known here"),
    ],
)
def test_a_shard_that_cannot_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "collect.toml"
    file.write_text(COLLECT + "[shard]\n" + text)

    with pytest.raises(SettingsError, match=said):
        read_settings(file)


def test_a_server_reads_the_records_of_all_shards(tmp_path: Path) -> None:
    (tmp_path / "wijk.toml").write_text('coop = "wijk"\nname = "Wijk"\n')
    file = tmp_path / "serve.toml"
    file.write_text(
        SERVE + '[[shards]]\nstore = "shard-1.db"\n[[shards]]\nstore = "/srv/shard-2.db"\n'
    )

    assert read_serve_settings(file).records == (
        tmp_path / "shard-0.db",
        tmp_path / "shard-1.db",
        Path("/srv/shard-2.db"),
    )
    file.write_text(SERVE + '[[shards]]\npath = "shard-1.db"\n')
    with pytest.raises(SettingsError, match=r"shards\[0\]\.store is missing"):
        read_serve_settings(file)
