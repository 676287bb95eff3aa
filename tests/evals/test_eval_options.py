"""The options of an evaluation: what makes no sense is refused with the way out, before anything is tried."""

from pathlib import Path
from typing import Any

import pytest

from casewright.errors import InputError
from commands.eval_run import EvalOptions

pytestmark = pytest.mark.proves("H1")


def options(**given: Any) -> EvalOptions:
    asked: dict[str, Any] = {"out": None, "resume": None, "gate": False, "allow_missing": False}
    return EvalOptions(**(asked | given))


def test_a_folder_in_which_nothing_was_begun_is_not_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no evaluation that was begun; name its folder"):
        options(resume=tmp_path / "evl-21").folder()
    (tmp_path / "plan.json").write_text("{}", encoding="utf-8")
    assert options(resume=tmp_path).folder() == tmp_path


def test_a_folder_that_holds_something_is_not_begun_in(tmp_path: Path) -> None:
    assert options(out=tmp_path).folder() == tmp_path
    (tmp_path / "plan.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="go on with --resume"):
        options(out=tmp_path).folder()


def test_what_may_be_missing_is_said_to_the_gates_alone() -> None:
    with pytest.raises(InputError, match="give it with --gate"):
        options(allow_missing=True).folder()
    assert options(allow_missing=True, gate=True).folder() is None
