"""The first program of a Pi: the wheels of its card, fit for this machine and complete.

No update has been signed for a machine that has no keys yet: who holds the card is trusted, as is
the system on it.

Source:
    PyPA, Platform compatibility tags (file names of wheels; ``manylinux_X_Y``, ``abi3``).
"""

from __future__ import annotations

import compileall
import platform
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from py_compile import PycInvalidationMode

from gateway.care.bundle import MAX_WHEEL_BYTES, MAX_WHEELS
from gateway.care.disk import RealDisk
from kwartier.errors import InputError

_NEEDED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)[^;]*(?:;\s*extra\s*==\s*['\"]gateway['\"])?")
_GLIBC = re.compile(r"manylinux_2_(\d{1,3})_(.+)")
_OLD_GLIBC = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
_SERVERS = re.compile(r"/lib/(api|collectors|optimizer|dashboards)/")
"""Our rooms that no Pi runs; they are left as they came."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What wheels must fit.

    Attributes:
        name: As the kernel says it, such as ``aarch64``.
        python: Of which version, such as ``(3, 13)``.
        glibc: The second number of its C library's version; 0 for another library.
    """

    name: str
    python: tuple[int, int]
    glibc: int

    @classmethod
    def this(cls) -> Machine:
        """Return the machine that this is."""
        library, version = platform.libc_ver()
        glibc = int(version.split(".")[1]) if library == "glibc" else 0
        return cls(platform.machine().lower(), sys.version_info[:2], glibc)

    def takes(self, wheel: str) -> bool:
        """Return whether a wheel of this file name runs here."""
        parts = wheel.removesuffix(".whl").split("-")
        if len(parts) not in {5, 6}:
            return False
        pythons, abis, platforms = (part.split(".") for part in parts[-3:])
        return (
            any(self._python(word, abis) for word in pythons)
            and any(abi in {"none", "abi3", "cp{}{}".format(*self.python)} for abi in abis)
            and any(self._platform(word) for word in platforms)
        )

    def _python(self, word: str, abis: Sequence[str]) -> bool:
        if word in {"py3", "py{}{}".format(*self.python), "cp{}{}".format(*self.python)}:
            return True
        older = re.fullmatch(r"cp3(\d{1,2})", word)
        return "abi3" in abis and older is not None and int(older[1]) <= self.python[1]

    def _platform(self, word: str) -> bool:
        if word in {"any", f"linux_{self.name}"}:
            return True
        found = _GLIBC.fullmatch(word)
        if found is not None:
            return found[2] == self.name and int(found[1]) <= self.glibc
        old, _, name = word.partition("_")
        return name == self.name and _OLD_GLIBC.get(old, 1000) <= self.glibc


@dataclass(frozen=True, slots=True)
class CardWheels:
    """The wheels of one program: its version, and the files."""

    version: str
    files: tuple[Path, ...]

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield each wheel's name and content.

        Raises:
            InputError: One cannot be read.
        """
        for file in self.files:
            try:
                yield file.name, file.read_bytes()
            except OSError as error:
                raise InputError(f"{file}: cannot be read: {error.strerror}") from error


def card_wheels(folder: Path, machine: Machine) -> CardWheels:
    """Return the program in a folder of wheels.

    Raises:
        InputError: A wheel is for another machine or Python, cut off, there twice or away.
    """
    files = tuple(sorted(folder.glob("*.whl")))
    if not 1 <= len(files) <= MAX_WHEELS:
        raise InputError(f"{folder}: holds {len(files)} wheels, 1 to {MAX_WHEELS} are wanted")
    needed, found, version = set[str](), set[str](), ""
    for file in files:
        if not machine.takes(file.name):
            raise InputError(
                f"{file.name} is for another machine or Python: here is {machine.name} with "
                "Python {}.{}".format(*machine.python)
            )
        name, told, needs = _metadata(file)
        if name in found:
            raise InputError(f"{folder}: holds two wheels of {name}: leave one")
        found.add(name)
        needed |= needs
        if name == "kwartier":
            version = told
    if not version:
        raise InputError(f"{folder}: kwartier's own wheel is not there")
    if missing := sorted(needed - found):
        raise InputError(f"{folder}: wheels are missing: {', '.join(missing)}")
    return CardWheels(version, files)


def compiled(lib: Path) -> None:
    """Compile a program once, durably, so that it starts fast where it may not be written.

    Bytecode that was not compiled here is not believed: it is compiled anew.
    """
    disk = RealDisk()
    compileall.compile_dir(
        lib,
        rx=_SERVERS,
        quiet=2,
        force=True,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    for path in (lib, *lib.rglob("*")):
        if path.suffix == ".pyc" or path.is_dir():
            disk.sync(path)


def _metadata(file: Path) -> tuple[str, str, set[str]]:
    """Return a wheel's name and version, and the names of what it always needs."""
    try:
        if file.stat().st_size > MAX_WHEEL_BYTES:
            raise InputError(f"{file}: is longer than {MAX_WHEEL_BYTES} bytes")
        with zipfile.ZipFile(file) as opened:
            inside = next(
                one for one in opened.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one)
            )
            told = BytesHeaderParser().parsebytes(opened.read(inside))
            for one in opened.namelist():
                opened.read(one)  # each has a checksum
    except (OSError, zipfile.BadZipFile, zlib.error, StopIteration, EOFError) as error:
        raise InputError(f"{file}: is no wheel, or was cut off: copy the card anew") from error
    name = _plain(str(told.get("Name", "")))
    needs = (_NEEDED.fullmatch(str(row).strip()) for row in told.get_all("Requires-Dist", []))
    return name, str(told.get("Version", "")), {_plain(row[1]) for row in needs if row is not None}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
