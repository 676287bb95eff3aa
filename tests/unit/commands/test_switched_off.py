"""What a command says while a model or everything is switched off, and that one can look and switch back."""

import pytest

from tests.unit.commands.conftest import Casewright

QUESTION = "When is provisional credit due?"
WHY = ("--why", "it invents clauses", "--as", "selma")


@pytest.mark.thorough
@pytest.mark.proves("D6")
def test_ask_says_in_one_sentence_that_the_model_is_switched_off_and_answers_when_it_is_back(
    casewright: Casewright,
) -> None:
    assert casewright("policy", "data", "set", "switches.models", "+offline/extractive", *WHY, "--json").code == 0
    refused = casewright("ask", QUESTION, "--as", "rosa", "--json")
    assert refused.code == 3
    assert refused.refusal == (
        "the model 'offline/extractive' is switched off, so no model is called; "
        "`casewright policy data show` has the switches"
    )
    assert casewright("policy", "data", "set", "switches.models", "-offline/extractive", *WHY, "--json").code == 0
    assert casewright("ask", QUESTION, "--as", "rosa", "--json").document["abstained"] is False


@pytest.mark.proves("D6", "D1")
def test_controls_are_shown_to_supervisors_authors_and_auditors_while_everything_is_off(casewright: Casewright) -> None:
    assert casewright("policy", "data", "set", "switches.everything", "true", *WHY, "--json").code == 0
    for person in ("selma", "petra", "avery"):
        assert casewright("policy", "data", "show", "--as", person, "--json").document["version"] == 1
        shown = casewright("policy", "data", "history", "--as", person, "--json").document
        assert [change["by"] for change in shown["changes"]] == ["selma"]
    for command in ("show", "history"):
        refused = casewright("policy", "data", command, "--as", "rosa", "--json")
        assert (refused.code, "read_policy_data" in refused.refusal) == (3, True)
        other = casewright("policy", "data", command, "--as", "marc", "--json").document
        assert other.get("version", 0) == 0 and other.get("changes", []) == []
