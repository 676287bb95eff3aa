"""Wheel, sdist and editable install: the command works from anywhere and site-packages gains nothing but ours.

Builds and installs run offline with the dependencies of the running environment; each install has a fresh
environment of its own that sees them through a path file.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

# Each test starts half a dozen processes; on a busy machine that takes longer than the usual limit.
pytestmark = pytest.mark.timeout(150)

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = ("commands", "servers", "agents", "graphs", "api", "policies", "evals")


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing of this process's Python settings, bounded in time."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_", "CASEWRIGHT_"))}
    environment = kept | {"HOME": str(folder), "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=55)
    assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


@dataclass(frozen=True, kw_only=True)
class Built:
    """What the two ways of building left."""

    sdist: Path
    wheel: Path
    """Built from the sdist."""
    checkout_wheel: Path
    """Built from the checkout."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist, the wheel built from it, and the wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("built")
    build = (sys.executable, "-m", "build", "--no-isolation", CHECKOUT, "--outdir")
    run(*build, folder / "both", folder=folder)
    run(*build, folder / "direct", "--wheel", folder=folder)
    return Built(
        sdist=next((folder / "both").glob("*.tar.gz")),
        wheel=next((folder / "both").glob("*.whl")),
        checkout_wheel=next((folder / "direct").glob("*.whl")),
    )


def contents(wheel: Path) -> dict[str, bytes]:
    """Name and bytes of every file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_from_the_sdist_equals_the_wheel_from_the_checkout(built: Built) -> None:
    assert contents(built.wheel) == contents(built.checkout_wheel)


def test_the_wheel_carries_the_project_and_its_data_under_one_name(built: Built) -> None:
    names = set(contents(built.wheel))
    assert {name.partition("/")[0] for name in names} == {"casewright", "casewright-0.1.0.dist-info"}
    rooms = {path.relative_to(CHECKOUT).parts[0] for room in ROOMS for path in (CHECKOUT / room).glob("**/*.*")}
    assert {name.split("/")[2] for name in names if name.startswith("casewright/_app/")} == rooms
    assert any(name.startswith("casewright/corpus/models/") and name.endswith(".safetensors") for name in names)
    assert any(name.startswith("casewright/sample/") and name.endswith(".md") for name in names)
    assert any(name.startswith("casewright/storage/migrations/versions/") for name in names)
    assert any(name.startswith("casewright/_app/policies/") and name.endswith(".rego") for name in names)
    assert {"casewright-0.1.0.dist-info/licenses/LICENSE", "casewright-0.1.0.dist-info/licenses/NOTICE"} <= names
    stray = [name for name in names if "__pycache__" in name or "/tests/" in name or name.endswith(".pem")]
    assert stray == []


def test_the_sdist_carries_what_a_check_needs(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "requirements.lock", "requirements-dev.lock", "Makefile", "scripts/check", "README.md"}
    assert needed | {"tests/conftest.py", "scripts/venv", "LICENSE", "NOTICE"} <= names


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A fresh environment with the project in it."""

    scripts: Path
    app_root: Path
    gained: frozenset[str]
    """Names new in site-packages."""


def install(folder: Path, *what: str | Path) -> Installed:
    """Install into a fresh environment that borrows the dependencies of this one, and nothing else of it."""
    environment = folder / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, folder=folder)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", ask, folder=folder).stdout.strip())
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (site / "borrowed.pth").write_text("".join(f"{path}\n" for path in borrowed))
    before = {path.name for path in site.iterdir()}
    # The borrowed packages may hold an install of the project; this one goes beside it, not in its place.
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--ignore-installed", "--no-compile")
    run(python, "-m", "pip", "install", *options, *what, folder=folder)
    where = "from casewright.config import app_root; print(app_root())"
    return Installed(
        scripts=scripts,
        app_root=Path(run(python, "-c", where, folder=folder).stdout.strip()),
        gained=frozenset({path.name for path in site.iterdir()} - before),
    )


def check_command(installed: Installed, folder: Path) -> None:
    """The command answers from a folder that is not the checkout, with the policies it was installed with."""
    command = installed.scripts / "casewright"
    assert "policy" in run(command, "--help", folder=folder).stdout
    checked = json.loads(run(command, "policy", "check", "--json", folder=folder).stdout)
    assert not checked["failed"]
    assert checked["passed"]


def test_the_installed_wheel_works_from_another_folder(built: Built, tmp_path: Path) -> None:
    installed = install(tmp_path, built.wheel)
    assert installed.gained == {"casewright", "casewright-0.1.0.dist-info"}
    assert installed.app_root.name == "_app"
    assert tmp_path in installed.app_root.parents
    check_command(installed, tmp_path)


def test_the_installed_sdist_works_from_another_folder(built: Built, tmp_path: Path) -> None:
    installed = install(tmp_path, built.sdist)
    assert installed.gained == {"casewright", "casewright-0.1.0.dist-info"}
    assert installed.app_root.name == "_app"
    check_command(installed, tmp_path)


def test_an_editable_install_works_from_another_folder_and_copies_nothing(tmp_path: Path) -> None:
    installed = install(tmp_path, "--editable", CHECKOUT)
    assert installed.gained == {"_casewright.pth", "casewright-0.1.0.dist-info"}
    assert installed.app_root == CHECKOUT
    check_command(installed, tmp_path)
