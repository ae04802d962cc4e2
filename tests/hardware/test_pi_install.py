"""The card's own install.sh, run below a root of its own, with kwartier's real wheel contents."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest

from gateway.care.bundle import ANY, make_bundle, this_machine
from gateway.care.first import Machine, card_wheels, compiled
from gateway.care.inbox import look
from gateway.care.keys import SigningKey, make_key, read_signing_key
from gateway.care.slots import MOST_STARTS, Slots
from gateway.care.trial import NotedTrial, note_of, plain_file, settle
from kwartier.cli import main
from kwartier.errors import InputError
from tests.gateway.cut_disk import CutDisk, PowerCutError
from tests.journeys.command import kwartier_here

HOUSE = Path(__file__).parent.parent.parent
ON_A_CARD = ("kwartier", "gateway/__init__.py", "gateway/care")
PI = Machine("aarch64", (3, 13), 41)


def small_wheel(folder: Path, name: str, files: dict[str, str], needs: str = "") -> Path:
    """Write a wheel with a name, a version and what it needs."""
    path = folder / name
    project, version, *_ = name.split("-")
    inside = f"{project}-{version}.dist-info"
    with ZipFile(path, "w") as made:
        for file, content in files.items():
            made.writestr(file, content)
        made.writestr(f"{inside}/METADATA", f"Name: {project}\nVersion: {version}\n{needs}")
    return path


def own_wheel(folder: Path) -> Path:
    """Write kwartier's wheel as a build would, with what installing and updating needs."""
    told = distribution("kwartier")
    inside = f"kwartier-{told.version}.dist-info"
    path = folder / f"kwartier-{told.version}-py3-none-any.whl"
    with ZipFile(path, "w") as made:
        for room in ON_A_CARD:
            for file in (HOUSE / room, *sorted((HOUSE / room).rglob("*"))):
                if file.is_file() and file.suffix != ".pyc":
                    made.write(file, str(file.relative_to(HOUSE)))
        made.writestr(f"{inside}/METADATA", f"Name: kwartier\nVersion: {told.version}\n")
        made.writestr(f"{inside}/entry_points.txt", told.read_text("entry_points.txt") or "")
    return path


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card with programs, keys of two people, and one for settings."""
    folder = tmp_path_factory.mktemp("card")
    (folder / "wheels").mkdir()
    own_wheel(folder / "wheels")
    for name in ("first", "second", "board"):
        make_key(folder / name)
    words: list[str | Path] = ["--address", "Zonnehof 14", "--gateway", "gw-14"]
    words += ["--coop", "zonnehof", "--out", folder / "boot", "--wheels", folder / "wheels"]
    words += ["--update-key", folder / "first.pub", "--update-key", folder / "second.pub"]
    words += ["--config-key", folder / "board.pub"]
    ran = kwartier_here("provision", *words)
    assert ran.returncode == 0, ran.stderr
    return folder / "boot" / "kwartier"


def install(card: Path, root: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", card / "install.sh", card],
        env={**os.environ, "KWARTIER_ROOT": str(root), **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_script_installs_a_program_that_runs_and_a_second_time_changes_nothing(
    card: Path, tmp_path: Path
) -> None:
    code = (card / "wizard.code").read_text()
    ran = install(card, tmp_path)
    assert ran.returncode == 0, ran.stderr
    programs = tmp_path / "opt/kwartier"
    before = {path: path.lstat().st_mtime_ns for path in programs.glob("*")}

    again = install(card, tmp_path)
    said = subprocess.run(
        [programs / "current/bin/kwartier", "update", "status", "--root", programs],
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert again.returncode == 0, again.stderr
    assert "kwartier 0." in again.stdout
    assert (said.returncode, said.stderr) == (0, "")
    assert json.loads(said.stdout)["current"] == distribution("kwartier").version
    slots = Slots(programs)
    assert (slots.current, slots.trusted, slots.on_trial, slots.installs) == ("a", "a", False, 1)
    after = {path: path.lstat().st_mtime_ns for path in programs.glob("*")}
    before.pop(programs / "keys")
    after.pop(programs / "keys")
    assert after == before
    assert list(programs.glob("slots/a/lib/kwartier/__pycache__/cli.*.pyc"))
    assert len(list((programs / "keys").iterdir())) == 2
    state = tmp_path / "var/lib/kwartier"
    kept = sorted(path.name for path in state.iterdir())
    assert kept == ["config.pub", "inbox", "site.toml", "wizard.code"]
    assert (state / "wizard.code").read_text() == code
    assert (state / "wizard.code").stat().st_mode & 0o777 == 0o600
    assert not (card / "wizard.code").exists()  # any computer could read it there
    assert (tmp_path / "etc/udev/rules.d/60-kwartier.rules").exists()
    for unit in ("kwartier-update.path", "kwartier-fetch.service", "kwartier-fetch.timer"):
        assert (tmp_path / "etc/systemd/system" / unit).exists()


def test_a_card_without_programs_is_refused_before_anything_is_set_up(
    card: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(card, bare, ignore=shutil.ignore_patterns("wheels"))

    ran = install(bare, tmp_path / "root")

    assert ran.returncode == 1
    assert "--wheels" in ran.stdout
    assert not (tmp_path / "root/etc").exists()


def test_the_first_program_is_installed_where_there_is_no_cryptography_yet(
    card: Path, tmp_path: Path
) -> None:
    (wheel,) = (card / "wheels").iterdir()
    (tmp_path / "wheels").mkdir()
    own_bytes(tmp_path / "wheels")
    words = ["update", "first", "--wheels", str(tmp_path / "wheels")]
    words += ["--root", str(tmp_path / "opt")]
    start = (
        "import sys; sys.modules['cryptography'] = None; sys.path.insert(0, sys.argv.pop(1));"
        "from kwartier.cli import main; sys.exit(main())"
    )

    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start, wheel, *words], capture_output=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["current"] == "0.1.0"


def test_units_hang_together(card: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt install systemd")
    for unit in (card / "units").iterdir():
        text = unit.read_text().replace("/opt/kwartier/trusted/bin/kwartier", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = sorted(tmp_path.glob("kwartier-*.*"))

    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [line for line in judged.stderr.splitlines() if "kwartier" in line]
    assert (judged.returncode, ours) == (0, [])


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("a-1-py3-none-any.whl", True),
        ("a-1-py2.py3-none-any.whl", True),
        ("a-1-2-py3-none-any.whl", True),
        ("a-1-cp313-cp313-manylinux_2_28_aarch64.whl", True),
        ("a-1-cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", True),
        ("a-1-cp311-abi3-manylinux_2_28_aarch64.whl", True),
        ("a-1-cp313-cp313-linux_aarch64.whl", True),
        ("a-1-cp314-abi3-manylinux_2_28_aarch64.whl", False),
        ("a-1-cp312-cp312-manylinux_2_28_aarch64.whl", False),
        ("a-1-cp313-cp313t-manylinux_2_28_aarch64.whl", False),
        ("a-1-cp313-cp313-manylinux_2_28_x86_64.whl", False),
        ("a-1-cp313-cp313-manylinux_2_42_aarch64.whl", False),
        ("a-1-cp313-cp313-musllinux_1_2_aarch64.whl", False),
        ("a-1-cp313-cp313-win_arm64.whl", False),
        ("a-1-py2-none-any.whl", False),
        ("a.whl", False),
    ],
)
def test_a_wheel_says_by_its_name_whether_it_runs_on_a_pi(name: str, fits: bool) -> None:
    assert PI.takes(name) is fits


def test_a_card_with_foreign_cut_double_or_missing_wheels_is_refused_by_name(
    tmp_path: Path,
) -> None:
    def refusal(*others: str, needs: str = "") -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        small_wheel(folder, "kwartier-0.1.0-py3-none-any.whl", {"kwartier.py": "x" * 99}, needs)
        for other in others:
            small_wheel(folder, other, {})
        try:
            card_wheels(folder, PI)
        except InputError as error:
            return str(error)
        return ""

    needs = 'Requires-Dist: paho-mqtt>=2.1; extra == "gateway"\n'
    needs += 'Requires-Dist: fastapi>=1; extra == "serve"\nRequires-Dist: ifaddr\n'

    assert refusal() == ""
    assert (
        refusal("paho_mqtt-2.2.0-py3-none-any.whl", "ifaddr-1-py3-none-any.whl", needs=needs) == ""
    )
    assert "missing: ifaddr, paho-mqtt" in refusal(needs=needs)
    assert "another machine or Python" in refusal("b-1-cp312-cp312-manylinux_2_28_aarch64.whl")
    assert "two wheels of b-c" in refusal("b_c-1-py3-none-any.whl", "b.c-2-py3-none-any.whl")
    whole = tmp_path / "0/kwartier-0.1.0-py3-none-any.whl"
    whole.write_bytes(whole.read_bytes().replace(b"xxx", b"xyx"))
    with pytest.raises(InputError, match="cut off"):
        card_wheels(tmp_path / "0", PI)


def test_a_first_installation_that_loses_its_power_anywhere_ends_whole(tmp_path: Path) -> None:
    wheels = [("kwartier-1.whl", own_bytes(tmp_path))]
    cuts = 0
    while True:
        root = tmp_path / f"cut-{cuts}"
        try:
            Slots(root, CutDisk(cuts, seed=cuts)).install_first("0.1.0", wheels)
        except PowerCutError:
            Slots(root, CutDisk()).install_first("0.1.0", wheels)
            slots = Slots(root)
            assert (slots.current, slots.trusted, slots.highest) == ("a", "a", "0.1.0")
            assert (root / "current/lib/kwartier/say.py").read_text() == "0.1.0"
            cuts += 1
        else:
            break
    assert cuts > 20


def own_bytes(folder: Path) -> bytes:
    files = {"kwartier/__init__.py": "", "kwartier/say.py": "0.1.0"}
    return small_wheel(folder, "kwartier-0.1.0-py3-none-any.whl", files).read_bytes()


class Pi:
    """Programs that are root's, and the folder that is the gateway's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "var"
        (self.folder / "inbox").mkdir(parents=True)
        self.slots = Slots(folder / "opt", prepare=compiled)
        self.slots.install_first("0.1.0", [("kwartier-0.1.0.whl", own_bytes(folder))])
        self.people: list[SigningKey] = []
        (folder / "opt/keys").mkdir()
        for name in ("first", "second"):
            make_key(folder / name)
            shutil.copy(folder / f"{name}.pub", folder / "opt/keys")
            self.people.append(read_signing_key(folder / name))
        self.wheel = folder / "kwartier-0.1.0-py3-none-any.whl"
        self.trial = NotedTrial(Slots(folder / "opt"), self.folder / "trial.json")

    def receive(self, version: str, keys: list[SigningKey] | None = None) -> None:
        bundle = make_bundle([self.wheel], version, "0.0", [ANY], keys or self.people)
        (self.folder / "inbox/next.update").write_bytes(bundle)

    def look(self) -> bool:
        return look(self.slots, self.folder, {this_machine()})


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    return Pi(tmp_path)


def test_root_installs_once_what_arrived_and_the_gateway_only_notes_what_came_of_it(
    pi: Pi,
) -> None:
    pi.receive("0.2.0")
    assert [pi.look(), pi.look()] == [True, False]
    before = {path: path.lstat().st_mtime_ns for path in pi.slots.root.rglob("*")}

    assert (pi.trial.begin(), pi.trial.current, pi.trial.on_trial) == (True, "b", True)
    pi.trial.confirm()

    assert {path: path.lstat().st_mtime_ns for path in pi.slots.root.rglob("*")} == before
    assert (pi.trial.on_trial, pi.slots.on_trial) == (False, True)
    assert not pi.look()
    assert (pi.slots.trusted, pi.slots.highest) == ("b", "0.2.0")


def test_a_program_that_fails_is_left_at_once_and_not_installed_again(pi: Pi) -> None:
    pi.receive("0.2.0")
    assert pi.look()

    starts = [pi.trial.begin() for _ in range(MOST_STARTS + 1)]

    assert starts == [True, True, True, False]
    assert (pi.trial.current, pi.slots.current) == ("a", "b")
    assert not pi.look()
    assert (pi.slots.current, pi.slots.highest) == ("a", "0.1.0")
    assert not pi.look()
    pi.receive("0.2.1")
    assert pi.look()
    assert pi.trial.on_trial  # notes on the one before say nothing about this one


def test_what_one_person_signed_or_is_no_file_reaches_no_slot(pi: Pi) -> None:
    arrived = pi.folder / "inbox/next.update"
    pi.receive("0.2.0", pi.people[:1])
    assert not pi.look()
    arrived.write_bytes(b"kwartier update 1\n" + base64.b64encode(b"x" * 999))
    assert not pi.look()

    pi.receive("0.2.0")
    arrived.rename(pi.folder / "whole")
    arrived.symlink_to(pi.folder / "whole")
    assert not pi.look()
    arrived.unlink()
    os.mkfifo(arrived)
    assert not pi.look()

    assert (pi.slots.current, pi.slots.installs) == ("a", 1)


@pytest.mark.parametrize(
    "note",
    [
        '{"installs": 1, "starts": 0, "outcome": "confirmed"}',
        '{"installs": 2, "starts": 0, "outcome": "trusted"}',
        '{"installs": 2, "starts": "x", "outcome": "confirmed"}',
        '["confirmed"]',
        "[" * 4000,
        "x" * 5000,
        "",
    ],
)
def test_a_note_that_is_not_about_this_trial_moves_no_link(pi: Pi, note: str) -> None:
    pi.receive("0.2.0")
    assert pi.look()
    file = pi.folder / "trial.json"
    file.write_text(note)

    settle(pi.slots, file)

    assert pi.slots.on_trial
    assert note_of(pi.slots, file).starts == 0


def test_without_a_disk_for_notes_the_trusted_program_runs(pi: Pi) -> None:
    pi.receive("0.2.0")
    assert pi.look()
    trial = NotedTrial(Slots(pi.slots.root), pi.folder / "away/trial.json")

    assert (trial.begin(), trial.current, trial.on_trial) == (False, "a", False)


def test_an_empty_inbox_is_code_1_which_restarts_nothing(
    pi: Pi, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["update", "inbox", "--root", str(pi.slots.root), "--folder", str(pi.folder)]

    assert main(words) == 1
    pi.receive("0.2.0")
    assert [main(words), main(words)] == [0, 1]
    assert capsys.readouterr().out == ""


def test_a_plain_file_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")

    assert plain_file(tmp_path / "file", 5) == b"12345"
    with pytest.raises(InputError, match="longer than 4 bytes"):
        plain_file(tmp_path / "file", 4)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no plain file"):
        plain_file(tmp_path / "pipe", 5)
