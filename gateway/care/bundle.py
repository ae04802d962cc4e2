"""An update as one file: a manifest, the signatures of two people, and wheels one after another.

The file is plain so that little can go wrong before the signatures are checked: a line that says
what it is, a line of JSON that names every wheel with its size and SHA-256, a line of JSON with
the signatures of that manifest, then the wheels' bytes and nothing else. The same wheels, version
and keys give the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from kwartier.configuration import SignatureError
from kwartier.errors import ContractError, InputError
from kwartier.packing import Json, shown

if TYPE_CHECKING:  # the first program is installed where no cryptography is yet
    from gateway.care.keys import PublicKey, SigningKey

Version: TypeAlias = tuple[int, ...]
"""Numbers between dots, compared one by one; missing ones are 0."""

SIGNATURES = 2
"""So many people must have signed an update, each with a key of their own."""
MAX_WHEELS = 64
MAX_WHEEL_BYTES = 64 * 1024 * 1024
MAX_BUNDLE_BYTES = 128 * 1024 * 1024
MAX_FILE_BYTES = MAX_BUNDLE_BYTES + 128 * 1024
"""The wheels, and the head before them [bytes]."""
ANY = "any"
_MAGIC = b"kwartier update 1\n"
_MAX_MANIFEST_BYTES = 64 * 1024
_MAX_SIGNATURES_BYTES = 4 * 1024
_MOST_SIGNATURES = 8
_VERSION = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){1,3}", re.ASCII)
_WHEEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,150}\.whl", re.ASCII)
_TARGET = re.compile(r"[a-z0-9_]{1,32}-cp[0-9]{2,4}|any", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel of an update: its file name, how long it is [bytes] and its fingerprint."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an update holds.

    Attributes:
        version: What it brings.
        minimum: The lowest version that it may follow.
        targets: The machines it is for, such as ``aarch64-cp313``, or ``any``.
        wheels: All of it, in the order in which it lies in the file.
    """

    version: str
    minimum: str
    targets: tuple[str, ...]
    wheels: tuple[Wheel, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """An update whose signatures are right; its wheels are checked as they are read."""

    manifest: Manifest
    file: Path
    start: int

    def wheels(self) -> Iterator[tuple[str, bytes]]:
        """Yield each wheel's name and content.

        Raises:
            ContractError: A wheel is not the one that was signed.
        """
        try:
            with self.file.open("rb") as opened:
                opened.seek(self.start)
                for wheel in self.manifest.wheels:
                    content = opened.read(wheel.size)
                    if hashlib.sha256(content).hexdigest() != wheel.sha256:
                        raise ContractError(f"{wheel.name} is not the wheel that was signed")
                    yield wheel.name, content
        except OSError as error:
            raise InputError(f"{self.file}: cannot be read: {error.strerror}") from error


def version_of(text: str) -> Version:
    """Return a version as numbers.

    Raises:
        ContractError: It is none.
    """
    if _VERSION.fullmatch(text) is None:
        raise ContractError(f"version {shown(text)}: write two to four numbers, such as 0.2.0")
    numbers = [int(word) for word in text.split(".")]
    return (*numbers, *[0] * (4 - len(numbers)))


def this_machine() -> str:
    """Return the target that this machine is."""
    return f"{platform.machine().lower()}-cp{sys.version_info.major}{sys.version_info.minor}"


def make_bundle(
    wheels: Sequence[Path],
    version: str,
    minimum: str,
    targets: Sequence[str],
    keys: Sequence[SigningKey],
) -> bytes:
    """Return an update, signed by each key.

    Raises:
        InputError: A wheel cannot be read, or a part is not allowed.
    """
    contents = {path.name: _content(path) for path in wheels}
    if len(contents) != len(wheels):
        raise InputError("two wheels have one name: give each once")
    listed = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(contents.items())
    ]
    body: dict[str, object] = {
        "version": version,
        "minimum": minimum,
        "targets": sorted(set(targets)),
        "wheels": listed,
    }
    manifest = json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    _manifest(manifest)
    signatures = {key.public.name: _signature(key, manifest) for key in keys}
    return _joined(
        manifest, signatures, b"".join(content for _, content in sorted(contents.items()))
    )


def signed_too(file: Path, key: SigningKey) -> bytes:
    """Return an update with one more signature, as the second person adds it.

    Raises:
        InputError: It cannot be read, or is no update.
    """
    with _opened(file) as opened:
        manifest, signatures = _head(opened)
        _manifest(manifest)
        rest = opened.read(MAX_BUNDLE_BYTES)
    return _joined(manifest, {**signatures, key.public.name: _signature(key, manifest)}, rest)


def read_bundle(file: Path, keys: Sequence[PublicKey]) -> Bundle:
    """Return an update that every one of the keys has signed.

    Raises:
        InputError: It cannot be read.
        ContractError: It is no update, or holds more or less than its manifest says.
        SignatureError: A signature is missing or wrong, or the keys are fewer than two.
    """
    if len({key.raw for key in keys}) < SIGNATURES:
        raise SignatureError(f"{SIGNATURES} different keys are needed: two people release")
    with _opened(file) as opened:
        manifest, signatures = _head(opened)
        for key in keys:
            _check(key, signatures, manifest)
        understood = _manifest(manifest)
        start = opened.tell()
    held = file.stat().st_size - start
    named = sum(wheel.size for wheel in understood.wheels)
    if held != named:
        raise ContractError(f"{file}: holds {held} bytes of wheels, {named} were signed")
    return Bundle(understood, file, start)


def manifest_of(file: Path) -> Manifest:
    """Return what a file says of itself; whether anybody signed that is not looked at.

    Raises:
        InputError: It cannot be read.
        ContractError: It is no update.
    """
    with _opened(file) as opened:
        return _manifest(_head(opened)[0])


def checked_bundle(file: Path, keys: Sequence[PublicKey]) -> Bundle:
    """Return an update of which every byte was checked.

    Raises:
        InputError: As ``read_bundle``, or a wheel is not the one that was signed.
    """
    bundle = read_bundle(file, keys)
    for _ in bundle.wheels():
        pass
    return bundle


def _check(key: PublicKey, signatures: Mapping[str, str], manifest: bytes) -> None:
    signature = signatures.get(key.name)
    if signature is None:
        raise SignatureError(f"the update is not signed by key {key.name}")
    try:
        right = key.verifies(base64.b64decode(signature, validate=True), _MAGIC + manifest)
    except (binascii.Error, ValueError):
        right = False
    if not right:
        raise SignatureError(f"the signature by key {key.name} is wrong: the update was changed")


def _signature(key: SigningKey, manifest: bytes) -> str:
    return base64.b64encode(key.sign(_MAGIC + manifest)).decode()


def _joined(manifest: bytes, signatures: Mapping[str, str], rest: bytes) -> bytes:
    told = json.dumps(signatures, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return _MAGIC + manifest + told + rest


def _head(opened: BinaryIO) -> tuple[bytes, dict[str, str]]:
    """Return the manifest's line and the signatures, of bounded size."""
    if opened.read(len(_MAGIC)) != _MAGIC:
        raise ContractError("this is no update: it does not begin as one")
    manifest = opened.readline(_MAX_MANIFEST_BYTES)
    line = opened.readline(_MAX_SIGNATURES_BYTES)
    if not manifest.endswith(b"\n") or not line.endswith(b"\n"):
        raise ContractError("this update is cut off, or its head is too long")
    told = _json(line)
    if not isinstance(told, dict) or len(told) > _MOST_SIGNATURES:
        raise ContractError("this update's signatures cannot be read")
    return manifest, {name: word for name, word in told.items() if isinstance(word, str)}


def _manifest(line: bytes) -> Manifest:
    told = _json(line)
    if not isinstance(told, dict):
        raise ContractError("the manifest is no JSON object")
    version, minimum = told.get("version"), told.get("minimum")
    targets, wheels = told.get("targets"), told.get("wheels")
    if not isinstance(version, str) or not isinstance(minimum, str):
        raise ContractError("the manifest needs 'version' and 'minimum'")
    version_of(version)
    version_of(minimum)
    if not isinstance(targets, list) or not isinstance(wheels, list):
        raise ContractError("the manifest needs lists 'targets' and 'wheels'")
    if not 1 <= len(wheels) <= MAX_WHEELS or not targets:
        raise ContractError(f"the manifest needs 1 to {MAX_WHEELS} wheels, and a target")
    named = tuple(_target(word) for word in targets)
    listed = tuple(_wheel(row) for row in wheels)
    if len({wheel.name for wheel in listed}) != len(listed):
        raise ContractError("the manifest names a wheel twice")
    if sum(wheel.size for wheel in listed) > MAX_BUNDLE_BYTES:
        raise ContractError(f"the wheels are more than {MAX_BUNDLE_BYTES} bytes")
    return Manifest(version, minimum, named, listed)


def _target(word: Json) -> str:
    if not isinstance(word, str) or _TARGET.fullmatch(word) is None:
        raise ContractError(f"target {shown(word)}: write such as aarch64-cp313, or any")
    return word


def _wheel(row: Json) -> Wheel:
    if not isinstance(row, dict):
        raise ContractError("a wheel of the manifest is no object")
    name, size, sha256 = row.get("name"), row.get("size"), row.get("sha256")
    if not isinstance(name, str) or _WHEEL.fullmatch(name) is None:
        raise ContractError(f"wheel {shown(name)}: a plain file name ending in .whl is wanted")
    if type(size) is not int or not 1 <= size <= MAX_WHEEL_BYTES:
        raise ContractError(f"{name}: its size must be 1 to {MAX_WHEEL_BYTES} bytes")
    if not isinstance(sha256, str) or _SHA256.fullmatch(sha256) is None:
        raise ContractError(f"{name}: its fingerprint must be 64 hex digits")
    return Wheel(name, size, sha256)


def _json(line: bytes) -> Json:
    try:
        told: Json = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"this update's head is no JSON: {shown(error)}") from error
    return told


def _content(path: Path) -> bytes:
    with _opened(path) as opened:
        content = opened.read(MAX_WHEEL_BYTES + 1)
    if len(content) > MAX_WHEEL_BYTES:
        raise InputError(f"{path}: is longer than {MAX_WHEEL_BYTES} bytes")
    return content


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
