"""The size limits hold for the whole tree, and the checker finds an excess of each kind."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


def run(script: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the checkers of `scripts/` over a folder."""
    command = [sys.executable, str(CHECKOUT / "scripts" / script), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


def test_every_file_function_and_parameter_list_is_within_its_limit() -> None:
    done = run("sizes.py", CHECKOUT)
    assert done.returncode == 0, done.stdout + done.stderr


def function(lines: int = 1, parameters: str = "") -> str:
    return f"def f({parameters}) -> None:\n" + "    ...\n" * (lines - 1)


@pytest.mark.parametrize(
    ("name", "text", "excess"),
    [
        ("long.py", "x = 1\n" * 501, "501 lines (500 at most)"),
        ("function.py", function(lines=61), "'f' has 61 lines (60 at most)"),
        ("many.py", function(2, "a, b, /, c, *, d, e, f, g"), "'f' has 7 parameters (6 at most)"),
        ("stars.py", function(2, "a, b, c, d, e, *f, **g"), "'f' has 7 parameters (6 at most)"),
        ("rule.rego", "package p\n" * 121, "121 lines (120 at most)"),
    ],
)
def test_an_excess_is_found(tmp_path: Path, name: str, text: str, excess: str) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / name).write_text(text)
    done = run("sizes.py", tmp_path)
    assert done.returncode == 1
    assert excess in done.stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("long.py", "x = 1\n" * 500),
        ("function.py", function(lines=60)),
        ("method.py", "class C:\n    def m(self, a, b, c, d, e, f) -> None: ...\n"),
        ("rule.rego", "package p\n" * 120),
    ],
)
def test_what_is_just_within_its_limit_passes(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    done = run("sizes.py", tmp_path)
    assert done.returncode == 0, done.stdout


def test_an_empty_folder_is_not_taken_for_a_pass(tmp_path: Path) -> None:
    assert run("sizes.py", tmp_path).returncode == 1
