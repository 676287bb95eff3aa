"""The command line in this process: one call, its exit code and what it wrote."""

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands.main import run


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one command line did."""

    code: int
    out: str
    errors: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; anything else there is a failure."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value  # pyright: ignore[reportUnknownVariableType]

    @property
    def refusal(self) -> str:
        """The message of the error document, which is the last line on stderr as well."""
        found = self.document["error"]
        assert found["exit_code"] == self.code
        assert f"casewright: {found['message']}" in self.errors
        return str(found["message"])


Casewright = Callable[..., Outcome]


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Casewright:
    """`casewright ARGUMENTS` in an empty folder of its own, without any data folder named."""
    for name in ("CASEWRIGHT_HOME", "CASEWRIGHT_POLICIES", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run(list(arguments))
        written = capsys.readouterr()
        return Outcome(code=code, out=written.out, errors=written.err)

    return call


@pytest.fixture
def casewright(alone: Casewright, home: Path, monkeypatch: pytest.MonkeyPatch) -> Casewright:
    """`casewright ARGUMENTS` over this test's own copy of the sample installation."""
    monkeypatch.setenv("CASEWRIGHT_HOME", str(home))
    return alone


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """An installation in which one case waits for approval."""

    home: Path
    report: dict[str, Any]

    @property
    def run_id(self) -> str:
        return str(self.report["run_id"])

    @property
    def approval_id(self) -> str:
        return str(self.report["pending"][0]["approval_id"])


@pytest.fixture(scope="session")
def reviewed_once(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    """The sample case HL-2026-0001 after its review by rosa; copy it before you write to it."""
    home = Path(shutil.copytree(installation, tmp_path_factory.mktemp("reviewed") / "home"))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run(["review", "HL-2026-0001", "--home", str(home), "--as", "rosa", "--json"])
    assert code == 4
    return Reviewed(home=home, report=json.loads(out.getvalue()))


@pytest.fixture
def reviewed(reviewed_once: Reviewed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reviewed:
    """A copy of it that this test may change, named by CASEWRIGHT_HOME."""
    home = Path(shutil.copytree(reviewed_once.home, tmp_path / "reviewed"))
    monkeypatch.setenv("CASEWRIGHT_HOME", str(home))
    return Reviewed(home=home, report=reviewed_once.report)
