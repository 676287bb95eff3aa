"""No file of the project names a machine, a registry or a secret, and the checker finds each kind."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


def run(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the checker over a folder."""
    command = [sys.executable, str(CHECKOUT / "scripts" / "leaks.py"), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


def test_no_file_names_a_machine_a_registry_or_a_secret() -> None:
    done = run(CHECKOUT)
    assert done.returncode == 0, done.stdout + done.stderr


# Joined here, so that this file does not hold what it looks for.
@pytest.mark.parametrize(
    "parts",
    [
        ("see /ho", "me/someone/notes"),
        ("see /Us", "ers/someone/notes"),
        ("cd /wo", "rk/main"),
        ("open /tm", "p/result"),
        ("https://pyp", "i.org/simple"),
        ("https://files.pytho", "nhosted.org/packages"),
        ("https://registry.npm", "js.org/node"),
        ("--index", "-url https://mirror.example"),
        ("-----BEGIN PRIVATE ", "KEY-----"),
        ("sk-an", "t-api03-0123456789abcdef"),
    ],
    ids=lambda parts: "".join(parts)[:12],
)
def test_a_leak_is_found(tmp_path: Path, parts: tuple[str, ...]) -> None:
    (tmp_path / "notes.md").write_text("first line\n" + "".join(parts) + "\n")
    done = run(tmp_path)
    assert done.returncode == 1
    assert "notes.md:2:" in done.stdout


def test_ordinary_text_and_binary_files_pass(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(
        "Settle at home/work; see docs/work/plan.md, ~/.casewright and https://opa.example.\n"
    )
    (tmp_path / "table.bin").write_bytes(bytes(range(256)))
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout


def test_in_a_checkout_only_ignored_files_are_left_out(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True, timeout=30)
    (tmp_path / ".gitignore").write_text("ignored.md\n")
    leak = "see /ho" + "me/someone"
    (tmp_path / "ignored.md").write_text(leak)
    assert run(tmp_path).returncode == 0
    (tmp_path / "new.md").write_text(leak)
    assert run(tmp_path).returncode == 1
