"""The collector's settings: read strictly, and every complaint names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.ingest import Limits
from collectors.settings import Keeping, read_settings
from kwartier.broker import Broker, Tls, broker_at
from kwartier.errors import SettingsError

SMALLEST = """
coop = "straat"
[broker]
url = "mqtt://127.0.0.1"
[store]
path = "record.db"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "collect.toml"
    path.write_text(text)
    return path


def test_the_smallest_file_is_enough(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, SMALLEST))

    assert settings.coop == "straat"
    assert settings.broker == Broker("127.0.0.1", 1883)
    assert settings.keeping == Keeping(tmp_path / "record.db", None, 31)
    assert settings.limits == Limits()
    assert settings.influx is None


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    (tmp_path / "token").write_text("t0ken\n")
    path = written(
        tmp_path,
        """
coop = "straat"
[broker]
url = "mqtts://broker.example:9883"
username = "collector"
password_file = "password"
[store]
path = "/tmp/record.db"
max_mib = 10
detail_days = 7
months_kept = 6
[ingest]
inbox = 100
batch = 10
gather_s = 0.1
patience_s = 3
[influx]
url = "http://127.0.0.1:8086"
organisation = "straat"
bucket = "energy"
token_file = "token"
""",
    )

    settings = read_settings(path)

    assert settings.broker == Broker("broker.example", 9883, Tls(), "collector", "geheim")
    assert settings.keeping == Keeping(Path("/tmp/record.db"), 10 * 1024 * 1024, 7, 6)
    assert settings.limits == Limits(inbox=100, batch=10, gather_s=0.1, patience_s=3.0)
    assert settings.influx is not None
    assert settings.influx.token == "t0ken"


def test_secrets_are_in_no_text(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    text = SMALLEST.replace("[store]", 'username = "x"\npassword_file = "password"\n[store]')

    assert "geheim" not in repr(read_settings(written(tmp_path, text)))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('coop = "straat"', "", "coop"),
        ('coop = "straat"', 'coop = "Straat!"', "coop"),
        ("mqtt://127.0.0.1", "http://127.0.0.1", "broker.url"),
        ("mqtt://127.0.0.1", "mqtt://", "broker.url"),
        ("mqtt://127.0.0.1", "mqtt://a:99999", "broker.url"),
        ("mqtt://127.0.0.1", "mqtt://user:secret@a", "broker.url"),
        ("[store]", 'ca_file = "ca.pem"\n[store]', "broker.url"),
        ("[store]", 'username = "x"\n[store]', "broker.password_file"),
        ("[store]", 'username = "x"\npassword_file = "none"\n[store]', "broker.password_file"),
        ("[store]", "urll = 1\n[store]", "broker.urll"),
        ('path = "record.db"', "", "store.path"),
        ('path = "record.db"', 'path = "no/such/folder/record.db"', "store.path"),
        ('path = "record.db"', 'path = "r.db"\nmax_mib = -1', "store.max_mib"),
        ('path = "record.db"', 'path = "r.db"\ndetail_days = 0', "store.detail_days"),
        ("[store]", "[ingest]\nbatch = 0\n[store]", "ingest.batch"),
        ("[store]", "[ingest]\npatience_s = 31\n[store]", "ingest.patience_s"),
        ("[store]", '[influx]\nurl = "http://a"\n[store]', "influx.organisation"),
        ("[store]", "[stores]\nx = 1\n[store]", "stores"),
        ("[store]", "[store", "is no TOML"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = written(tmp_path, SMALLEST.replace(old, new))

    with pytest.raises(SettingsError) as refused:
        read_settings(path)

    assert str(path) in str(refused.value)
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)
    assert refused.value.exit_code == 78


def test_an_ipv6_broker_is_written_in_brackets() -> None:
    assert broker_at("mqtt://[::1]:1884") == Broker("::1", 1884)
    assert Broker("::1", 1884).url == "mqtt://[::1]:1884"
