"""What does not fit a model: the lowest-ranked evidence is left out and counted, or nothing is sent."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.config import app_root
from casewright.models.accounting import MemoryRecorder
from casewright.models.fitting import Fitted, TooLong, fitted
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import Capabilities, ModelRequest, Turn
from casewright.models.selection import CandidateClause, SelectInput
from casewright.models.tasks import ANSWER_QUESTION, DRAFT_RECOMMENDATION, INTAKE_CLASSIFY, RESEARCH_SELECT, TASKS
from tests.support.model_permission import OnlyModels
from tests.support.model_requests import model_request
from tests.support.scripted_provider import GOOD, REMOTE, ScriptedProvider

CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="a")
LOCAL = Capabilities(structured_output=True, leaves_process=False)


def select_input(*scores: float, text: str = "Credit is due. ") -> SelectInput:
    clauses = (
        CandidateClause(
            clause_id="x" if score == max(scores) else f"c{at}", label=str(at), lead_in="", text=text * 20, score=score
        )
        for at, score in enumerate(scores)
    )
    return SelectInput(topic="credit", clauses=tuple(clauses))


def rendered(value: SelectInput) -> ModelRequest:
    return model_request(system="", turns=(Turn(role="user", text=value.model_dump_json()),))


def size(value: SelectInput) -> int:
    return len(value.model_dump_json())


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=12, unique=True), st.integers(0, 6_000))
def test_what_is_sent_fits_is_the_best_there_is_and_as_much_of_it_as_fits(scores: list[float], most: int) -> None:
    task, value = replace(RESEARCH_SELECT, max_input_characters=most), select_input(*scores)
    found = fitted(task, value, REMOTE, rendered)
    if isinstance(found, TooLong):
        best = max(value.clauses, key=lambda one: one.score)
        assert size(value.model_copy(update={"clauses": (best,)})) > most == found.characters
        return
    kept, order = found.value.clauses, [one.clause_id for one in value.clauses]
    assert size(found.value) <= most or (found.left_out == 0 and size(value) <= most)
    assert len(kept) + found.left_out == len(value.clauses)
    assert [one.clause_id for one in kept] == [name for name in order if name in {one.clause_id for one in kept}]
    left = [one for one in value.clauses if one not in kept]
    assert all(gone.score < one.score for gone in left for one in kept)
    if left:
        best = max(left, key=lambda one: one.score)
        more = tuple(one for one in value.clauses if one in kept or one is best)
        assert size(value.model_copy(update={"clauses": more})) > most


def test_what_stays_in_the_process_is_never_cut() -> None:
    value = select_input(0.5, 0.6)
    assert fitted(replace(RESEARCH_SELECT, max_input_characters=1), value, LOCAL, rendered) == Fitted(
        value=value, request=rendered(value), left_out=0
    )


def test_a_model_that_reads_less_than_the_task_allows_gets_less() -> None:
    value = select_input(0.5, 0.6, 0.7)
    small = replace(REMOTE, max_input_tokens=(size(value) - 10) // 3)
    found = fitted(RESEARCH_SELECT, value, small, rendered)
    assert isinstance(found, Fitted) and found.left_out == 1
    assert [one.score for one in found.value.clauses] == [0.6, 0.7]


@pytest.mark.proves("F1")
async def test_the_record_says_how_much_was_left_out_and_only_what_was_sent_may_be_chosen() -> None:
    value = select_input(0.1, 0.9, 0.2, text="Credit is due at once. " * 5)
    task = replace(RESEARCH_SELECT, max_input_characters=7_000)
    unsent = replace(GOOD, text='{"clause_ids": ["c0"], "why": "y"}')
    provider, recorder = ScriptedProvider(unsent, GOOD), MemoryRecorder()
    made = Gateway(
        [provider, OfflineProvider()],
        PromptLibrary(app_root() / "agents" / "prompts"),
        recorder,
        permission=OnlyModels("scripted/m-1"),
    )
    result = await made.run(task, value, context=CONTEXT)
    sent = provider.requests[0].turns[0].text
    assert '"x"' in sent and '"c0"' not in sent
    assert "'c0' is not among the clauses given" in provider.requests[1].turns[-1].text
    assert (result.record.left_out, result.output.clause_ids) == (1, ("x",))
    assert (result.record.degraded, recorder.records) == (False, (result.record,))


@pytest.mark.proves("F1")
def test_every_task_says_whether_its_evidence_may_be_cut() -> None:
    may = {name: task.evidence is not None for name, task in TASKS.items()}
    assert may == {
        ANSWER_QUESTION.name: True,
        DRAFT_RECOMMENDATION.name: True,
        INTAKE_CLASSIFY.name: False,  # a customer's words are read whole or not at all
        RESEARCH_SELECT.name: True,
    }
