"""What leaves the process is decided by the policy, and everything that is no clear yes is a no."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from casewright.access.embedded import EmbeddedEngine
from casewright.access.scripted import ScriptedAnswer, ScriptedEngine
from casewright.config import app_root
from casewright.contracts.case import Classification
from casewright.errors import PolicyError
from casewright.models.egress import EGRESS_RULE, EgressLayer
from casewright.models.layer import CallNotes
from casewright.models.provider import Capabilities, DataLabel, ModelReply, NoReply
from casewright.models.region import region_of
from tests.support.model_requests import model_request
from tests.support.protection import CONTEXT, HERE, RemoteModel

LABEL = DataLabel(classification=Classification.CONFIDENTIAL, sealed=False, redacted=True)
YES = {"schema": "egress_decision/v1", "allow": True, "reasons": [{"code": "egress_redacted", "message": "may go"}]}
NO = {"schema": "egress_decision/v1", "allow": False, "reasons": [{"code": "egress_no_route", "message": "no route"}]}


@pytest.fixture(scope="module")
def shipped() -> Iterator[EmbeddedEngine]:
    """The policies as they are shipped."""
    policy = EmbeddedEngine.load(app_root() / "policies")
    yield policy
    policy.close()


def engine(*steps: object, blocking: bool = False) -> ScriptedEngine:
    answers = [
        ScriptedAnswer(rule=EGRESS_RULE, error=one)
        if isinstance(one, BaseException)
        else ScriptedAnswer(rule=EGRESS_RULE, value=one)
        for one in steps
    ]
    return ScriptedEngine(answers, revision="r1", blocking=blocking)


@pytest.mark.proves("F7")
@pytest.mark.parametrize("blocking", [False, True])
async def test_what_the_policy_lets_go_is_sent(blocking: bool) -> None:
    model, policy = RemoteModel("{}"), engine(YES, blocking=blocking)
    context = replace(CONTEXT, notes=CallNotes())
    reply = await EgressLayer(lambda: policy).around(model, context).complete(model_request(label=LABEL))
    assert isinstance(reply, ModelReply)
    assert context.notes.sent == ["confidential data, redacted, to anthropic/model-1 in 'us', by r1"]
    policy.finish()


@pytest.mark.proves("F7")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (NO, "egress_no_route"),
        ({**NO, "reasons": []}, "egress_denied"),
        ({**YES, "allow": "true"}, "egress_undecided"),
        ({**YES, "allow": 1}, "egress_undecided"),
        ({**YES, "schema": "egress_decision/v2"}, "egress_undecided"),
        ({**YES, "more": 1}, "egress_undecided"),
        ({"allow": True}, "egress_undecided"),
        ({"schema": "egress_decision/v1", "allow": True}, "egress_undecided"),
        (True, "egress_undecided"),
        ([YES], "egress_undecided"),
        (None, "egress_undecided"),
        (PolicyError("down"), "egress_undecided"),
        (TimeoutError(), "egress_undecided"),
        (RuntimeError("broken"), "egress_undecided"),
    ],
)
async def test_what_is_no_clear_yes_is_not_sent_and_says_why(answer: object, code: str) -> None:
    model = RemoteModel("{}")
    policy = engine(answer)
    outcome = await EgressLayer(lambda: policy).around(model, CONTEXT).complete(model_request(label=LABEL))
    assert isinstance(outcome, NoReply)
    assert (outcome.denied, outcome.retryable, outcome.calls) == (code, False, 0)
    assert outcome.reason.startswith("may not leave: ")
    assert model.requests == []


@pytest.mark.proves("F7")
async def test_what_nobody_labelled_is_not_sent_and_the_policy_not_asked() -> None:
    model, policy = RemoteModel("{}"), engine()
    outcome = await EgressLayer(lambda: policy).around(model, CONTEXT).complete(model_request())
    assert isinstance(outcome, NoReply)
    assert outcome.denied == "egress_no_label"
    assert model.requests == []


async def test_policies_that_change_while_they_are_asked_are_asked_again_once() -> None:
    moving = [ScriptedAnswer(rule=EGRESS_RULE, value=YES, next_revision=revision) for revision in ("r2", "r3")]
    policy = ScriptedEngine(moving, revision="r1")
    model = RemoteModel("{}")
    outcome = await EgressLayer(lambda: policy).around(model, CONTEXT).complete(model_request(label=LABEL))
    assert isinstance(outcome, NoReply)
    policy.finish()


async def test_a_model_in_this_process_needs_no_decision() -> None:
    model, policy = RemoteModel("{}", capabilities=HERE), engine()
    assert isinstance(await EgressLayer(lambda: policy).around(model, CONTEXT).complete(model_request()), ModelReply)


@pytest.mark.proves("F7")
async def test_what_may_not_leave_is_not_sent_to_be_counted_either() -> None:
    model, policy = RemoteModel(), engine(NO, YES)
    provider = EgressLayer(lambda: policy).around(model, CONTEXT)
    counts = [await provider.count(model_request(label=LABEL)) for _ in range(2)]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    assert counts == [None, 1]


@pytest.mark.proves("F7")
@pytest.mark.parametrize(
    ("label", "region", "goes"),
    [
        (LABEL, "us", True),
        (DataLabel(classification=Classification.PUBLIC, sealed=False, redacted=True), "eu", True),
        (DataLabel(classification=Classification.CONFIDENTIAL, sealed=False, redacted=False), "us", False),
        (DataLabel(classification=Classification.RESTRICTED, sealed=False, redacted=True), "us", False),
        (DataLabel(classification=Classification.PUBLIC, sealed=True, redacted=True), "us", False),
        (LABEL, "", False),
        (LABEL, "moon", False),
    ],
)
async def test_the_shipped_policy_decides_on_class_model_and_region(
    shipped: EmbeddedEngine, label: DataLabel, region: str, goes: bool
) -> None:
    model = RemoteModel("{}", capabilities=Capabilities(structured_output=True, leaves_process=True, region=region))
    await EgressLayer(lambda: shipped).around(model, CONTEXT).complete(model_request(label=label))
    assert len(model.requests) == goes


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("", "global"),
        ("http://127.0.0.1:8080", "local"),
        ("http://localhost:8080/v1", "local"),
        ("http://[::1]:80", "local"),
        ("https://models.example", ""),
        ("https://10.0.0.5", ""),
        ("not an address", ""),
        ("http://[", ""),
    ],
)
def test_an_address_that_the_installation_chose_has_no_region_unless_it_is_this_machine(
    address: str, region: str
) -> None:
    assert region_of(address) == region
