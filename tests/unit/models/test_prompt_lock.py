"""The lock on prompts: a version never gets another text, and the gateway is not built over one that did."""

import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.config import Settings, app_root
from casewright.errors import InputError
from casewright.models.accounting import MemoryRecorder
from casewright.models.assembly import from_settings
from casewright.models.prompt_lock import LOCK_FILE, LockedPrompt, check_lock, lock_text, read_lock, renewed
from casewright.models.prompts import PromptLibrary
from casewright.models.tasks import INTAKE_CLASSIFY, TASKS
from tests.support.model_layers import NO_LAYERS
from tests.support.model_permission import offline_only

PROMPTS = app_root() / "agents" / "prompts"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A copy of the prompts, which a test may change."""
    return Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))


def by_name(locked: Iterable[LockedPrompt]) -> list[LockedPrompt]:
    return sorted(locked, key=lambda one: (one.id, one.version))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.proves("F1")
def test_every_prompt_that_ships_has_the_text_that_its_version_was_locked_with() -> None:
    check_lock(PromptLibrary(PROMPTS), PROMPTS)


@pytest.mark.proves("F1")
def test_a_gateway_is_not_built_over_a_prompt_whose_text_changed_under_its_version(prompts: Path) -> None:
    change(prompts / "research.md", "most decisive first", "least decisive first")
    installation = Settings(home=prompts, policies=prompts)
    with pytest.raises(
        InputError, match=r"'research\.md' has another text than its version 1 .*to 2 and run `casewright models lock`"
    ):
        from_settings(installation, prompts, MemoryRecorder(), offline_only(), NO_LAYERS)


@pytest.mark.proves("F1")
def test_a_raised_version_is_refused_until_it_is_locked_and_locking_keeps_the_old_ones(prompts: Path) -> None:
    change(prompts / "research.md", "most decisive first", "least decisive first")
    change(prompts / "research.md", "version: 1", "version: 2")
    library, before = PromptLibrary(prompts), read_lock(prompts)
    with pytest.raises(InputError, match=r"version 2 of the prompt 'research\.md' is not locked"):
        check_lock(library, prompts)
    new = renewed(library, before)
    assert [(one.id, one.version) for one in new] == [("research.select", 2)]
    (prompts / LOCK_FILE).write_text(lock_text((*before.prompt, *new)), encoding="utf-8")
    check_lock(library, prompts)
    assert by_name(read_lock(prompts).prompt) == by_name((*before.prompt, *new))
    assert renewed(library, read_lock(prompts)) == ()


@pytest.mark.proves("F1")
@pytest.mark.parametrize("version", ["version: 1", "version: 2"], ids=["same", "lower"])
def test_a_lock_is_not_renewed_for_a_text_under_an_old_version(prompts: Path, version: str) -> None:
    change(prompts / "intake.md", "version: 3", version)
    change(prompts / "intake.md", "one plain sentence", "one sentence")
    if version == "version: 2":
        change(prompts / "intake.md", "version: 2", "version: 3")
    library, lock = PromptLibrary(prompts), read_lock(prompts)
    with pytest.raises(InputError, match=r"'intake\.md' .*to 4 and run"):
        renewed(library, lock)
    with pytest.raises(InputError, match=r"'intake\.md' .*to 4 and run"):
        check_lock(library, prompts)


def test_without_a_lock_no_prompt_is_good_and_a_broken_one_is_named(prompts: Path) -> None:
    entry = '[[prompt]]\nid = "repair"\nversion = 1\nsha256 = "' + "0" * 64 + '"\n'
    library = PromptLibrary(prompts)
    (prompts / LOCK_FILE).unlink()
    with pytest.raises(InputError, match="is not locked"):
        check_lock(library, prompts)
    for broken, problem in (("[[prompt", "cannot be read"), ("x = 1", "cannot be read"), (entry * 2, "two lines")):
        (prompts / LOCK_FILE).write_text(broken, encoding="utf-8")
        with pytest.raises(InputError, match=problem):
            check_lock(library, prompts)


LOCKED = st.builds(
    LockedPrompt,
    id=st.text("aZ0._-", min_size=1, max_size=20),
    version=st.integers(1, 999),
    sha256=st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}"),
)


@settings(max_examples=30)
@given(st.lists(LOCKED, max_size=4, unique_by=lambda one: (one.id, one.version)))
def test_what_is_locked_is_read_back_as_it_was(locked: list[LockedPrompt]) -> None:
    read = [LockedPrompt(**one) for one in tomllib.loads(lock_text(locked)).get("prompt", [])]
    assert read == by_name(locked)


@pytest.mark.proves("F1")
def test_examples_are_shown_after_the_instructions_and_belong_to_the_hash(prompts: Path) -> None:
    before = PromptLibrary(prompts).for_task(INTAKE_CLASSIFY)
    assert before.head.examples, "the intake prompt has an example"
    assert before.system.startswith(before.instructions + "\n\n# Examples\n\n")
    assert '"queries": [' in before.system and before.head.examples[0].about.strip() in before.system
    change(prompts / "intake.md", "5571034482", "5571034483")
    assert PromptLibrary(prompts).for_task(INTAKE_CLASSIFY).sha256 != before.sha256


@pytest.mark.proves("F1")
@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("topics: [unauthorized_transfer, ", "topics: [witchcraft, ", r"topics\.0"),
        ("- consumer liability limits timely notice", "- account 5571034482 liability", r"queries\.1: leave out"),
        ("case_type: unauthorized_transfer", "case_type: 7", "case_type"),
        ("      language: en\n", "", "language"),
        ("known_facts: [accounts", "known_facts: [2020-01-01, accounts", "not valid for its task"),
    ],
)
def test_an_example_that_is_not_valid_for_its_task_is_refused(prompts: Path, old: str, new: str, problem: str) -> None:
    change(prompts / "intake.md", old, new)
    with pytest.raises(InputError, match=rf"(?s)example 1 of prompt 'intake\.md'.*{problem}"):
        PromptLibrary(prompts).for_task(INTAKE_CLASSIFY)


@pytest.mark.proves("F1")
@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_prompt_without_one_of_its_sections_is_refused(prompts: Path, name: str) -> None:
    task = TASKS[name]
    path = prompts / task.prompt
    path.write_text(re.sub(r"(?m)^# How to read the message$", "# Notes", path.read_text(encoding="utf-8")), "utf-8")
    with pytest.raises(InputError, match=rf"'{task.prompt}' is missing its section '# How to read the message'"):
        PromptLibrary(prompts).for_task(task)
