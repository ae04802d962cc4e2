"""The operators' guide works: its commands, in their order, on a folder instead of a machine."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from api.people.opening import open_people
from kwartier.cli import main
from kwartier.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "operators.md"
TRIED = ("kwartier", "cp", "chmod", "install")
OF_THE_MACHINE = {
    "apt-get", "chgrp", "chown", "docker", "journalctl", "ln", "openssl", "python3", "systemctl",
    "useradd", "/opt/kwartier/bin/pip",
}  # fmt: skip
"""What only a machine of one's own can be asked to do."""


def lines(part: str) -> list[str]:
    """Return the command lines of a part of the guide, in order."""
    text = GUIDE.read_text().split(f"\n## {part}", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return "".join(blocks).splitlines()


class Machine:
    """A folder that stands for a machine's disk."""

    def __init__(self, folder: Path, told: Callable[[], tuple[str, str]]) -> None:
        """Lay out a disk in a folder; ``told`` returns what was printed."""
        self.folder = folder
        self.told = told
        for each in ("etc/kwartier", "etc/systemd/system", "var/lib", "var/backups"):
            (folder / each).mkdir(parents=True)
        (folder / "passphrase.txt").write_text("zeven sloten en een brug\n")
        self.skipped: set[str] = set()

    def do(self, line: str) -> tuple[int, str]:
        """Do a line of the guide; its exit code, and what it said."""
        text = re.sub(r"(?<![\w/])/(etc|var)/", rf"{self.folder}/\1/", line)
        text = re.sub(r" --(owner|group) \w+", "", text).replace(
            " passphrase.txt", f" {self.folder}/passphrase.txt"
        )
        words = shlex.split(text.removeprefix("runuser --user kwartier -- "))
        environment: dict[str, str] = {}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        if words[0] not in TRIED:
            self.skipped.add(words[0])
            return 0, ""
        expanded = [
            found
            for word in words
            for found in (sorted(map(str, Path("/").glob(word[1:]))) if "*" in word else [word])
        ]
        if "deploy/systemd/kwartier-*" in words:
            expanded = ["cp", *map(str, (ROOT / "deploy/systemd").iterdir()), words[-1]]
        if words[0] == "kwartier":
            with pytest.MonkeyPatch.context() as patched:
                for name, value in environment.items():
                    patched.setenv(name, value)
                code = main(words[1:])
            said = "".join(self.told())
        else:
            done = subprocess.run(expanded, cwd=ROOT, capture_output=True, text=True, check=False)
            code, said = done.returncode, done.stdout + done.stderr
        if words[:2] == ["kwartier", "serve"]:  # its first start makes the books of people
            state = self.folder / "var/lib/kwartier/state"
            open_people(state, SystemClock(), None).close()
        self.make_readable()
        return code, said

    def make_readable(self) -> None:
        """Give settings places of this folder, as the guide's machine has them."""
        for file in (self.folder / "etc/kwartier").glob("*.toml"):
            text = file.read_text()
            if str(self.folder) not in text:
                file.write_text(text.replace('"/var/', f'"{self.folder}/var/'))


@pytest.fixture
def machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Machine:
    """An empty machine."""

    def told() -> tuple[str, str]:
        read = capsys.readouterr()
        return read.out, read.err

    return Machine(tmp_path, told)


def test_every_command_for_debian_works_in_its_order(machine: Machine) -> None:
    said: dict[str, str] = {}

    for line in lines("Debian, as root"):
        code, said[line] = machine.do(line)
        if "kwartier doctor" in line:
            assert code == 2, said[line]  # nothing was started here
        else:
            assert code == 0, f"{line}\n{said[line]}"

    assert machine.skipped <= OF_THE_MACHINE
    told = "".join(text for line, text in said.items() if "kwartier doctor" in line)
    for link in ("broker", "collector", "record", "pages", "certificates", "revoked list"):
        assert link in told
    assert "backup of people made 0 days ago" in " ".join(told.split())
    assert len(list((machine.folder / "var/backups/kwartier").iterdir())) == 1


def test_only_root_may_read_what_services_are_handed_as_credentials(machine: Machine) -> None:
    for line in lines("Debian, as root"):
        if line.startswith(("kwartier ca", "kwartier broker", "chmod")):
            machine.do(line)

    broker = machine.folder / "etc/kwartier/broker"
    units = "".join(file.read_text() for file in (ROOT / "deploy/systemd").glob("*.service"))
    handed = set(re.findall(r"^LoadCredential=([\w.]+):", units, re.MULTILINE))
    assert handed == {"collector.key", "server.key"}
    assert {(broker / name).stat().st_mode & 0o777 for name in handed} == {0o600}
    assert (broker / "broker.key").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("part", ["Debian, as root", "Containers"])
def test_programs_of_the_guide_are_where_a_bare_machine_has_them(part: str) -> None:
    before = lines("Debian, as root") if part != "Debian, as root" else []
    every = [*before, *lines(part)]
    first = next(place for place, line in enumerate(every) if re.search(r"(^| )kwartier ", line))

    assert any(line.startswith("ln ") for line in every[:first])
    assert not any(line.startswith("python3 -m pip") for line in every)  # Debian has none


def test_every_command_for_containers_works_in_its_order(machine: Machine) -> None:

    for line in lines("Containers"):
        code, said = machine.do(line)
        assert code == 0 or "influx/grafana.token" in line, f"{line}\n{said}"

    assert machine.skipped <= OF_THE_MACHINE
    conf = (machine.folder / "etc/kwartier/broker/kwartier.conf").read_text()
    assert "listener 8884 0.0.0.0" in conf
    assert "persistence_location /mosquitto/data/" in conf


@pytest.mark.parametrize("link", ["meters", "revoked list", "clock"])
def test_the_guide_explains_each_link_that_the_doctor_names(link: str) -> None:
    assert f"| {link} |" in GUIDE.read_text()


def test_the_measures_of_the_guide_are_told() -> None:
    named = set(re.findall(r"`(kwartier_\w+)`", GUIDE.read_text()))
    sources = "".join(
        (ROOT / file).read_text()
        for file in (
            "api/metrics.py", "collectors/measures.py", "gateway/measures.py",
            "kwartier/metrics_text.py",
        )
    )  # fmt: skip

    assert {name for name in named if f'"{name}"' not in sources} == set()
