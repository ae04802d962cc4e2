"""`kwartier provision`: what stands on a card, judged by the readers it is written for."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from tests.journeys.command import kwartier_here

HOME = ["--address", "Zonnehof 14", "--gateway", "gw-14", "--coop", "zonnehof"]
KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDsNkzZ4hbYQ7Yp1n0bW5jv4nBGJw3uYyVQpG0aWqT0k installateur"
)


def provision(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return kwartier_here("provision", *HOME, *words)


def wheel(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    with ZipFile(path, "w") as made:
        made.writestr(f"{name.partition('-')[0]}-1.dist-info/METADATA", "Name: x\n")
    return path


def test_a_card_has_a_name_no_password_and_installs_the_gateway(tmp_path: Path) -> None:
    card = tmp_path / "card"

    ran = provision("--out", card, "--server", "https://wijk.example")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "http://kwartier-gw-14.local" in ran.stdout
    user = (card / "user-data").read_text()
    assert user.startswith("#cloud-config\n")
    first_start = yaml.safe_load(user)
    assert first_start["hostname"] == "kwartier-gw-14"
    assert first_start["users"] == []
    assert first_start["ssh_pwauth"] is False
    assert first_start["runcmd"] == [
        ["sh", "/boot/firmware/kwartier/install.sh", "/boot/firmware/kwartier"],
        ["systemctl", "disable", "--now", "ssh"],
    ]
    assert yaml.safe_load((card / "network-config").read_text()) == {
        "network": {"version": 2, "ethernets": {"eth0": {"dhcp4": True, "optional": True}}}
    }
    assert tomllib.loads((card / "kwartier" / "site.toml").read_text()) == {
        "coop": "zonnehof",
        "gateway": "gw-14",
        "address": "Zonnehof 14",
        "server": "https://wijk.example",
        "slots": "/opt/kwartier",
    }
    assert (card / "kwartier" / "units" / "kwartier-gateway.service").exists()


def test_the_box_has_a_code_for_its_sticker_and_keeps_it_when_its_card_is_written_again(
    tmp_path: Path,
) -> None:
    def code(told: str) -> str:
        found = re.search(r"code on the box: (\S+)", told)
        assert found is not None
        return found[1]

    first, again = (provision("--out", tmp_path / "card").stdout for _ in range(2))
    other = provision("--out", tmp_path / "other").stdout

    assert code(first) == code(again) != code(other)
    assert (tmp_path / "card" / "kwartier" / "wizard.code").read_text() == code(first) + "\n"


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text('a: "b" #c\\ {d}')

    ran = provision(
        "--out", tmp_path / "card", "--wifi", "Piet's: [net] # 1", "--wifi-password-file", password
    )

    assert ran.returncode == 0, ran.stderr
    told = yaml.safe_load((tmp_path / "card" / "network-config").read_text())
    assert told["network"]["wifis"]["wlan0"]["access-points"] == {
        "Piet's: [net] # 1": {"password": 'a: "b" #c\\ {d}'}
    }
    assert told["network"]["wifis"]["wlan0"]["regulatory-domain"] == "NL"
    assert password.read_text() not in ran.stdout


def test_who_has_a_key_may_log_in_and_nobody_has_a_password(tmp_path: Path) -> None:
    key = tmp_path / "key.pub"
    key.write_text(KEY + "\n")

    ran = provision("--out", tmp_path / "card", "--ssh-key", key, "--read-only")

    assert ran.returncode == 0, ran.stderr
    told = yaml.safe_load((tmp_path / "card" / "user-data").read_text())
    (user,) = told["users"]
    assert user["ssh_authorized_keys"] == [KEY]
    assert user["lock_passwd"] is True
    assert told["runcmd"] == [
        ["sh", "/boot/firmware/kwartier/install.sh", "/boot/firmware/kwartier", "--read-only"]
    ]


def test_a_card_written_anew_is_taken_in_anew_and_the_same_card_is_not(tmp_path: Path) -> None:
    def instance(folder: str, *more: str) -> str:
        assert provision("--out", tmp_path / folder, *more).returncode == 0
        return str(yaml.safe_load((tmp_path / folder / "meta-data").read_text())["instance-id"])

    first, again, other = instance("a"), instance("b"), instance("c", "--wifi", "elders")

    assert first == again
    assert first != other
    assert first.startswith("gw-14-")


def test_wheels_are_taken_when_they_are_whole_and_for_a_pi(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheel(wheels, "kwartier-0.1.0-py3-none-any.whl")
    wheel(wheels, "cffi-2.1.1-cp313-cp313-manylinux_2_28_aarch64.whl")
    assert provision("--out", tmp_path / "card", "--wheels", wheels).returncode == 0
    foreign = wheel(wheels, "zeroconf-1-cp313-cp313-manylinux_2_28_x86_64.whl")

    refused = provision("--out", tmp_path / "other", "--wheels", wheels)
    foreign.write_bytes(b"half")
    cut = provision("--out", tmp_path / "other", "--wheels", wheels)

    assert len(list((tmp_path / "card" / "kwartier" / "wheels").iterdir())) == 2
    assert refused.returncode == 1
    assert "for another machine" in refused.stderr
    assert cut.returncode == 1
    assert "cut off" in cut.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--gateway", "gw 14/.."], 1, "--gateway"),
        (["--address", "  "], 2, "--address"),
        (["--address", "Zonnehof 14\nroot"], 0, ""),
        (["--server", "http://wijk.example"], 2, "https://"),
        (["--server", "https://wijk.example/pad?x=1"], 2, "https://"),
        (["--wifi", "x" * 33], 2, "32 characters"),
        (["--wifi", "x", "--country", "nl"], 2, "two capitals"),
        (["--wifi-password-file", "p"], 2, "name the network"),
        (["--ssh-key", "away"], 1, "away"),
        (["--wheels", "away"], 1, "kwartier's own wheel"),
        (["--config-key", "away"], 1, "--config-key away"),
    ],
)
def test_nonsense_is_refused_by_name(
    words: list[str], code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ran = provision("--out", "card", *words)

    assert ran.returncode == code, ran.stderr
    assert says in ran.stderr
    assert len(ran.stderr.splitlines()) == (1 if code else 0)
    assert (tmp_path / "card").exists() == (code == 0)


def test_a_private_key_is_never_put_on_a_card(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")
    (tmp_path / "one").write_text("-----BEGIN OPENSSH PRIVATE KEY-----")

    told = [provision("--out", tmp_path / "card", "--ssh-key", tmp_path / n) for n in ("id", "one")]

    assert [each.returncode for each in told] == [1, 1]
    assert not (tmp_path / "card").exists()


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "vakantie.jpg").write_text("x")
    boot = tmp_path / "boot"
    boot.mkdir()
    (boot / "cmdline.txt").write_text("console=tty1")

    refused = provision("--out", tmp_path / "card")
    taken = provision("--out", boot)

    assert refused.returncode == 2
    assert "boot partition" in refused.stderr
    assert [each.name for each in (tmp_path / "card").iterdir()] == ["vakantie.jpg"]
    assert taken.returncode == 0
    assert (boot / "cmdline.txt").read_text() == "console=tty1"


def test_the_install_script_is_one_that_a_shell_understands(tmp_path: Path) -> None:
    assert provision("--out", tmp_path / "card").returncode == 0

    read = subprocess.run(
        ["sh", "-n", tmp_path / "card" / "kwartier" / "install.sh"],
        capture_output=True,
        check=False,
    )

    assert (read.returncode, read.stderr) == (0, b"")


@pytest.mark.parametrize(
    "unit", ["kwartier-gateway.service", "kwartier-wizard.service", "kwartier-fetch.service"]
)
def test_units_let_a_process_do_little(unit: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt install systemd")
    assert provision("--out", tmp_path / "card").returncode == 0
    path = tmp_path / "card" / "kwartier" / "units" / unit

    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert judged.returncode == 0, judged.stdout[-500:]
