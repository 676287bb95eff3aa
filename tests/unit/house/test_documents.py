"""What the documents say to type exists, and what they link to is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from commands.main import COMMANDS, build

CHECKOUT = Path(__file__).resolve().parents[3]
REPORT = CHECKOUT / "docs" / "evals" / "current" / "report.md"
"""Written by a command; what it tells to open stood in the folder of that evaluation."""
DOCUMENTS = sorted({*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")} - {REPORT})
SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)")


def typed(text: str) -> Iterator[list[str]]:
    """Words of every command line in code spans and shell blocks, without comments."""
    lines = [*SPAN.findall(text), *(line for block in FENCE.findall(text) for line in block.splitlines())]
    for line in lines:
        words = line.partition("#")[0].split()
        if words and words[0].removeprefix(".venv/bin/") in {"casewright", "make"} and len(words) > 1:
            yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


def is_known(words: list[str], targets: set[str]) -> bool:
    """Whether a command line names an existing make target or subcommand."""
    if words[0] == "make":
        goals = [word for word in words[1:] if "=" not in word and word != "..."]
        return set(goals) <= targets
    named = [word for word in words[1:] if not word.startswith("-")]
    if not named or named[0] not in COMMANDS:
        return not named
    below = subcommands(named[0])
    return not below or len(named) == 1 or named[1] in below or named[1].isupper()  # NAME stands for any of them


def subcommands(command: str) -> set[str]:
    """Names below one command; none where what follows are arguments."""
    root = typer.main.get_command(build(command))
    group = root.commands[command] if isinstance(root, TyperGroup) else root
    return set(group.commands) if isinstance(group, TyperGroup) else set()


def make_targets() -> set[str]:
    """Targets of the Makefile."""
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))


def test_every_command_in_the_documents_exists() -> None:
    targets = make_targets()
    found = [(path, words) for path in DOCUMENTS for words in typed(path.read_text(encoding="utf-8"))]
    unknown = [f"{path.name}: {' '.join(words)}" for path, words in found if not is_known(words, targets)]
    assert unknown == []
    assert len(found) > 15, "the documents hold far fewer commands than they did; is the reading still right?"


@pytest.mark.parametrize("line", ["make nonsense", "casewright nonsense", "casewright policy nonsense"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    (words,) = typed(f"type `{line}` now")
    assert not is_known(words, make_targets())


@pytest.mark.parametrize("line", ["make demo", "casewright review CASE", "casewright policy test --json", "casewright"])
def test_a_command_that_exists_is_known(line: str) -> None:
    assert is_known(line.split(), make_targets())


def test_every_command_of_the_tool_is_in_the_readme() -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    shown = {words[1] for words in typed(readme) if words[0] == "casewright"}
    assert set(COMMANDS) - shown == set()


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{path.name}: {target}"
        for path in DOCUMENTS
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_the_guide_for_changes_stays_short() -> None:
    assert len((CHECKOUT / "AGENTS.md").read_text(encoding="utf-8").splitlines()) <= 170
