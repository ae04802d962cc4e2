"""Updates: two people sign, every byte counts, and the old program stays until the new proves."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random

import pytest

from gateway.care.bundle import (
    ANY,
    Bundle,
    checked_bundle,
    make_bundle,
    read_bundle,
    signed_too,
    this_machine,
)
from gateway.care.keys import SigningKey, make_key, read_signing_key
from gateway.care.slots import MOST_STARTS, Slots
from gateway.care.wheel import files_of
from kwartier.cli import main
from kwartier.configuration import SignatureError
from kwartier.errors import ContractError, InputError
from tests.gateway.cut_disk import CutDisk, PowerCutError


@dataclass(frozen=True)
class Releasers:
    """Two people with a key each, and a stranger."""

    first: SigningKey
    second: SigningKey
    stranger: SigningKey

    @property
    def keys(self) -> list[SigningKey]:
        return [self.first, self.second]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Releasers:
    folder = tmp_path_factory.mktemp("keys")
    keys = []
    for name in ("first", "second", "stranger"):
        make_key(folder / name)
        keys.append(read_signing_key(folder / name))
    return Releasers(*keys)


def wheel_of(files: Mapping[str, str | bytes]) -> bytes:
    """Return a wheel with some files."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def make(
    folder: Path, people: Releasers, version: str, minimum: str = "0.0", cli: str = ""
) -> Path:
    """Write an update of two small wheels."""
    wheels = {
        "kwartier-1-py3-none-any.whl": {
            "kwartier/__init__.py": "",
            "kwartier/say.py": version,
            "kwartier/cli.py": cli,
        },
        "zon-1-py3-none-any.whl": {"zon/__init__.py": f"VERSION = {version!r}\n", "zon/a/b.py": ""},
    }
    for name, files in wheels.items():
        (folder / name).write_bytes(wheel_of(files))
    bundle = make_bundle([folder / name for name in wheels], version, minimum, [ANY], people.keys)
    file = folder / f"{version}.update"
    file.write_bytes(bundle)
    return file


def install(slots: Slots, file: Path, people: Releasers) -> str:
    """Install an update as the command does."""
    return slots.install(read_bundle(file, [key.public for key in people.keys]), {this_machine()})


@pytest.fixture
def running(tmp_path: Path, people: Releasers) -> Slots:
    """A Pi on which version 0.1.0 runs and is trusted."""
    slots = Slots(tmp_path / "opt", CutDisk())
    install(slots, make(tmp_path, people, "0.1.0"), people)
    return slots


def said(slots: Slots, link: str = "current") -> str:
    """Return the version that the files behind a link say; they must all be there."""
    place = slots.root / link
    version = (place / "complete").read_text().strip()
    assert (place / "lib/kwartier/say.py").read_text() == version
    assert (place / "lib/zon/__init__.py").read_text() == f"VERSION = {version!r}\n"
    assert (place / "lib/zon/a/b.py").exists()
    assert (place / "bin/kwartier").stat().st_mode & stat.S_IXUSR
    return version


def test_the_first_program_is_trusted_and_a_later_one_is_on_trial(
    running: Slots, tmp_path: Path, people: Releasers
) -> None:
    assert (said(running), running.on_trial) == ("0.1.0", False)

    install(running, make(tmp_path, people, "0.2.0"), people)

    assert (said(running), said(running, "trusted"), running.on_trial) == ("0.2.0", "0.1.0", True)
    running.confirm()
    assert (said(running, "trusted"), running.highest) == ("0.2.0", "0.2.0")


def test_what_is_not_confirmed_is_taken_back_at_its_fourth_start(
    running: Slots, tmp_path: Path, people: Releasers
) -> None:
    install(running, make(tmp_path, people, "0.2.0"), people)

    assert [running.begin() for _ in range(MOST_STARTS + 1)] == [True, True, True, False]

    assert (said(running), running.highest) == ("0.1.0", "0.1.0")
    install(running, make(tmp_path, people, "0.2.0"), people)  # it may be tried again
    assert said(running) == "0.2.0"


def test_the_same_wheels_version_and_keys_make_the_same_bytes(
    tmp_path: Path, people: Releasers
) -> None:
    wheel = tmp_path / "a-1-py3-none-any.whl"
    wheel.write_bytes(wheel_of({"a.py": ""}))

    at_once = make_bundle([wheel], "1.0", "0.0", ["any"], people.keys)
    file = tmp_path / "apart.update"
    file.write_bytes(make_bundle([wheel], "1.0", "0.0", ["any"], [people.second]))

    assert signed_too(file, people.first) == at_once


def test_an_older_program_is_refused_also_after_the_newer_one_has_gone(
    running: Slots, tmp_path: Path, people: Releasers
) -> None:
    install(running, make(tmp_path, people, "0.3.0"), people)
    running.confirm()

    for version in ("0.1.0", "0.2.9", "0.3.0"):
        with pytest.raises(InputError, match=r"is not above 0\.3\.0"):
            install(running, make(tmp_path, people, version), people)
    assert said(running) == "0.3.0"


def test_an_update_that_needs_one_in_between_or_another_machine_is_refused(
    running: Slots, tmp_path: Path, people: Releasers
) -> None:
    with pytest.raises(InputError, match="install one in between"):
        install(running, make(tmp_path, people, "0.4.0", minimum="0.2.0"), people)

    wheel = tmp_path / "zon-1-py3-none-any.whl"
    other = tmp_path / "other.update"
    other.write_bytes(make_bundle([wheel], "0.4.0", "0.0", ["vax-cp313"], people.keys))
    with pytest.raises(InputError, match="for vax-cp313"):
        install(running, other, people)


def test_a_second_update_waits_until_the_trial_is_over(
    running: Slots, tmp_path: Path, people: Releasers
) -> None:
    install(running, make(tmp_path, people, "0.2.0"), people)

    with pytest.raises(InputError, match="another update is on trial"):
        install(running, make(tmp_path, people, "0.3.0"), people)


def test_one_signature_a_strangers_or_the_same_twice_is_refused(
    running: Slots, tmp_path: Path, people: Releasers
) -> None:
    wheel = make(tmp_path, people, "0.2.0").with_name("zon-1-py3-none-any.whl")
    file = tmp_path / "half.update"

    for keys in ([people.first], [people.first, people.stranger], [people.stranger]):
        file.write_bytes(make_bundle([wheel], "0.2.0", "0.0", [ANY], keys))
        with pytest.raises(SignatureError):
            install(running, file, people)
    with pytest.raises(SignatureError, match="2 different keys"):
        read_bundle(tmp_path / "0.2.0.update", [people.first.public] * 2)
    assert said(running) == "0.1.0"


def mutated(whole: bytes, random: Random) -> bytes:
    """Return an update with one thing changed."""
    head = whole.index(b"\n", whole.index(b"\n", whole.index(b"\n") + 1) + 1) + 1
    manifest, wheels = whole[:head], whole[head:]
    place = random.randrange(len(whole))
    kind = random.randrange(7)
    if kind == 0:
        return whole[:place] + bytes([whole[place] ^ 1 << random.randrange(8)]) + whole[place + 1 :]
    if kind == 1:
        return whole[:place]
    if kind == 2:
        return whole[:place] + random.randbytes(random.randint(1, 40)) + whole[place:]
    if kind == 3:  # two pieces of the wheels change places
        at = random.randrange(1, len(wheels))
        return manifest + wheels[at:] + wheels[:at]
    if kind == 4:  # one member more
        return whole + wheel_of({"more.py": "import os"})
    if kind == 5:  # another wheel in the place of a signed one, of the same length
        return manifest + random.randbytes(len(wheels))
    name = random.choice(
        [b"../../etc/passwd", b"/root/x.whl", b"..\\\\x.whl", b"zon-2-py3-none-any.whl"]
    )
    return whole.replace(b"zon-1-py3-none-any.whl", name, 1)


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.nightly)])
def test_of_a_thousand_changed_updates_none_is_installed(
    running: Slots, tmp_path: Path, people: Releasers, count: int
) -> None:
    whole = make(tmp_path, people, "0.2.0").read_bytes()
    random = Random(20)  # noqa: S311 - no secret hangs on it
    file = tmp_path / "changed.update"
    refused = tried = 0
    while tried < count:
        changed = mutated(whole, random)
        if changed == whole:
            continue
        tried += 1
        file.write_bytes(changed)
        try:
            install(running, file, people)
        except InputError:
            refused += 1

    assert (refused, said(running), running.on_trial) == (count, "0.1.0", False)
    assert not list((running.root / "slots").glob("*.building"))


@pytest.mark.parametrize(
    "name",
    ["../x.py", "/x.py", "a/../../x.py", "a//x.py", "a\\x.py", "c:x.py", "a/./x.py", "a\n.py"],
)
def test_a_signed_wheel_that_reaches_outside_its_folder_is_refused(
    running: Slots, tmp_path: Path, people: Releasers, name: str
) -> None:
    wheel = tmp_path / "bad-1-py3-none-any.whl"
    wheel.write_bytes(wheel_of({name: "x"}))
    file = tmp_path / "bad.update"
    file.write_bytes(make_bundle([wheel], "0.2.0", "0.0", [ANY], people.keys))
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(ContractError, match="holds a file named"):
        install(running, file, people)

    assert sorted(tmp_path.rglob("*")) == before
    assert said(running) == "0.1.0"


def test_a_link_or_a_bomb_in_a_wheel_is_refused() -> None:
    link = zipfile.ZipInfo("zon/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    bomb = wheel_of({f"zeros{n}": bytes(1_000_000) for n in range(3)})
    lying = bytearray(wheel_of({"zeros": bytes(100_000)}))
    size = (100_000).to_bytes(4, "little")
    at = lying.rindex(size)
    lying[at : at + 4] = (10).to_bytes(4, "little")

    with pytest.raises(ContractError, match="no plain file"):
        list(files_of("link", out.getvalue()))
    assert len(bomb) < 10_000
    with pytest.raises(ContractError, match="more than fits"):
        list(files_of("bomb", bomb, room=2_000_000))
    with pytest.raises(ContractError):
        list(files_of("lying", bytes(lying)))


def test_a_file_that_two_wheels_bring_is_refused(
    running: Slots, tmp_path: Path, people: Releasers
) -> None:
    wheels = [tmp_path / f"{name}-1-py3-none-any.whl" for name in ("one", "two")]
    for wheel in wheels:
        wheel.write_bytes(wheel_of({"same.py": ""}))
    file = tmp_path / "twice.update"
    file.write_bytes(make_bundle(wheels, "0.2.0", "0.0", [ANY], people.keys))

    with pytest.raises(ContractError, match=r"same\.py is there twice"):
        install(running, file, people)


def test_the_commands_make_sign_check_and_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wheel = "kwartier-0.2.0-py3-none-any.whl"
    Path(wheel).write_bytes(wheel_of({"kwartier/__init__.py": ""}))
    public = ["--key", "one.pub", "--key", "two.pub"]

    codes = [
        main(["update", *words])
        for words in (
            ["key", "one"],
            ["key", "two"],
            ["make", "--wheel", wheel, "--version", "0.3.0", "--key", "one", "--out", "it"],
            ["make", "--wheel", wheel, "--version", "0.2.0", "--key", "one", "--out", "it"],
            ["check", "it", *public],
            ["sign", "it", "--key", "two"],
            ["check", "it", *public],
            ["install", "it", *public, "--root", "opt"],
            ["back", "--root", "opt"],
        )
    ]

    assert codes == [0, 0, 1, 0, 1, 0, 0, 0, 1]
    assert stat.S_IMODE(Path("one").stat().st_mode) == 0o400
    capsys.readouterr()
    main(["update", "status", "--root", "opt"])
    assert json.loads(capsys.readouterr().out) == {
        "current": "0.2.0",
        "trusted": "0.2.0",
        "on_trial": False,
        "highest": "0.2.0",
    }


def life(slots: Slots, bundle: Bundle, *, proves: bool) -> None:
    """Install an update, start it, and confirm it or take it back."""
    slots.install(bundle, {this_machine()})
    slots.begin()
    if proves:
        slots.confirm()
    else:
        slots.take_back("it said nothing")


@pytest.mark.parametrize(
    ("turns", "step", "at_least"),
    [(2, 3, 30), pytest.param(5, 1, 200, marks=pytest.mark.nightly)],
)
def test_wherever_the_power_goes_the_old_program_runs_or_the_new_one_whole(
    tmp_path: Path, people: Releasers, turns: int, step: int, at_least: int
) -> None:
    old = [make(tmp_path, people, version) for version in ("0.1.0", "0.1.1")]
    new = checked_bundle(make(tmp_path, people, "0.2.0"), [key.public for key in people.keys])
    cuts = 0
    for turn in range(turns):
        cut_at = turn % step
        while True:
            root = tmp_path / f"{turn}-{cut_at}"
            slots = Slots(root, CutDisk())
            for file in old:  # both places are taken, as after a year
                install(slots, file, people)
                slots.confirm()
            try:
                life(Slots(root, CutDisk(cut_at, seed=turn)), new, proves=turn % 2 == 0)
            except PowerCutError:
                cuts += 1
            else:
                break
            assert said(slots) in {"0.1.1", "0.2.0"}, (turn, cut_at)
            assert said(slots, "trusted") in {"0.1.1", "0.2.0"}
            assert said(slots) == "0.2.0" or said(slots, "trusted") == "0.1.1"
            slots.begin()
            assert slots.highest == json.loads((root / "highest.json").read_text())["version"]
            cut_at += step
    assert cuts >= at_least


def test_a_cut_during_the_very_first_install_leaves_nothing_or_a_whole_program(
    tmp_path: Path, people: Releasers
) -> None:
    first = checked_bundle(make(tmp_path, people, "0.1.0"), [key.public for key in people.keys])
    cut_at = 0
    while True:
        root = tmp_path / str(cut_at)
        root.mkdir()
        try:
            Slots(root, CutDisk(cut_at)).install(first, {this_machine()})
        except PowerCutError:
            pass
        else:
            break
        slots = Slots(root)
        slots.begin()
        if slots.current is None:
            slots.install(first, {this_machine()})
        assert (said(slots), said(slots, "trusted")) == ("0.1.0", "0.1.0")
        cut_at += 3
