"""Make ``.venv`` ready for a set of dependencies, on a machine that has Python and no more.

    python3 .ci/prepare.py coop              what `make demo` needs; no root, no Debian package
    python3 .ci/prepare.py dev --debian ...  what `make test` needs, Debian packages included

Versions and hashes come from ``.ci/constraints-*.txt``. Debian's Python has no pip of its own:
then pip's wheel is taken out of Debian's package, in a folder of ours, without installing it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DEBIAN_WHEELS = Path("/usr/share/python-wheels")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extra", choices=["coop", "dev"])
    parser.add_argument("--debian", nargs="*", default=[], metavar="PACKAGE")
    chosen = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - here an older Python is told so
        print(f"kwartier needs Python 3.11 or newer, this is {sys.version.split()[0]}")
        return 78
    missing = [name for name in chosen.debian if not debian_has(name)]
    if missing and not install_debian(missing):
        return 78
    constraints = ROOT / ".ci" / f"constraints-{chosen.extra}.txt"
    wanted = fingerprint(constraints, ROOT / "pyproject.toml")
    stamp = VENV / f".ready-{chosen.extra}"
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    print(f"preparing .venv ({chosen.extra}): once, a minute or two", flush=True)
    if not ensure_pip():
        return 78
    # Python compiles what is imported when it is; pip would compile pandas' own tests too.
    pip = (PYTHON, "-m", "pip", "install", "-q", "--no-compile")
    run(*pip, "--require-hashes", "-r", constraints)
    run(*pip, "--no-deps", "--no-build-isolation", "-e", ROOT)
    stamp.write_text(wanted)
    return 0


def ensure_pip() -> bool:
    """Return whether ``.venv`` has a working pip, after doing what can be done for it."""
    if PYTHON.exists() and works(PYTHON, "-m", "pip", "--version"):
        return True
    shutil.rmtree(VENV, ignore_errors=True)
    own = importlib.util.find_spec("ensurepip") is not None
    venv.EnvBuilder(with_pip=own, symlinks=True).create(VENV)
    if own:
        return True
    with tempfile.TemporaryDirectory() as folder:
        wheel = debian_pip_wheel(Path(folder))
        if wheel is None:
            print("this Python has no pip: install the package python3-venv and try again")
            return False
        os.environ["PYTHONPATH"] = str(wheel)
        try:
            run(PYTHON, "-m", "pip", "install", "-q", "--no-index", wheel)
        finally:
            del os.environ["PYTHONPATH"]
    return True


def debian_pip_wheel(folder: Path) -> Path | None:
    """Return pip's wheel out of Debian's package, installed already or fetched into ``folder``."""
    found = sorted(DEBIAN_WHEELS.glob("pip-*.whl"))
    if found:
        return found[-1]
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    ours = [f"-oDir::State={folder}/state", f"-oDir::Cache={folder}/cache"]
    ours += ["-oDir::State::status=/var/lib/dpkg/status", "-oAPT::Sandbox::User="]
    fetch = ["apt-get", "-qq", *ours]
    if not works(*fetch, "update") or not works(*fetch, "download", "python3-pip-whl", at=folder):
        return None
    for package in folder.glob("python3-pip-whl_*.deb"):
        run("dpkg-deb", "-x", package, folder / "unpacked")
    wheels = sorted((folder / "unpacked").rglob("pip-*.whl"))
    return wheels[-1] if wheels else None


def debian_has(package: str) -> bool:
    status = subprocess.run(
        ["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True, check=False
    )
    return status.stdout.endswith(" installed")


def install_debian(packages: list[str]) -> bool:
    """Install Debian packages, as root or by sudo; return whether they are there now."""
    words = " ".join(packages)
    if shutil.which("apt-get") is None:
        print(f"please install with your system's own means, then try again: {words}")
        return False
    before = [] if os.geteuid() == 0 else ["sudo"]
    if before and shutil.which("sudo") is None:
        print(f"please have an administrator run, then try again: apt-get install {words}")
        return False
    print(f"installing Debian packages: {words}", flush=True)
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    run(*before, *quiet, "update")
    run(*before, *quiet, "install", "-y", "--no-install-recommends", *packages)
    return True


def fingerprint(*files: Path) -> str:
    text = b"".join(file.read_bytes() for file in files) + sys.version.encode()
    return hashlib.sha256(text).hexdigest()


def works(*command: object, at: Path | None = None) -> bool:
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=at, capture_output=True, check=False).returncode == 0


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        print(f"this failed, see above: {' '.join(error.cmd)}")
        sys.exit(1)
