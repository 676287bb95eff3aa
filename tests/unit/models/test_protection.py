"""What a model outside is sent, what it is told to be, and what comes back."""

import json
from dataclasses import replace

import pytest

from casewright.config import app_root
from casewright.contracts.case import CaseType, Classification
from casewright.models.accounting import MemoryRecorder
from casewright.models.classification import ClassifyInput
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.prompts import PromptLibrary
from casewright.models.protection.known import KnownValue
from casewright.models.protection.redaction import ProtectionLayer
from casewright.models.provider import DataLabel, ModelReply, ModelRequest, Provider, Turn
from casewright.models.selection import RESEARCH_SELECT, SelectInput
from tests.support.model_permission import OnlyModels
from tests.support.model_requests import model_request
from tests.support.protection import CONTEXT, HERE, KnownCases, RemoteModel, known_case

MARISOL = KnownValue(kind="PERSON", text="Marisol Ingram")
NARRATIVE = "I am Marisol Ingram, call me at 415-555-0132. $412.60 is gone since 2026-02-28."
NOTICE = "Placeholders stand for values."


def asked(**changes: object) -> ModelRequest:
    value = ClassifyInput(
        case_type=CaseType.UNAUTHORIZED_TRANSFER,
        title="Claim of Marisol Ingram",
        narrative=NARRATIVE,
        product="",
        issue='Memo\n"A"',
        transactions="",
        known_facts=("parties",),
    )
    return replace(model_request(input=value, turns=(Turn(role="user", text=NARRATIVE),)), **changes)


def protected(model: RemoteModel, *, case: KnownCases | None = None, context: CallContext = CONTEXT) -> Provider:
    layer = ProtectionLayer(case or KnownCases(known_case(MARISOL)), notice=NOTICE)
    return layer.around(model, context)


@pytest.mark.proves("F7")
async def test_neither_the_text_nor_the_typed_input_carries_personal_values_out() -> None:
    model = RemoteModel("{}")
    await protected(model).complete(asked())
    [sent] = model.requests
    assert sent.turns[0].text == "I am [PERSON_1], call me at [PHONE_1]. $412.60 is gone since 2026-02-28."
    assert isinstance(sent.input, ClassifyInput)
    assert (sent.input.title, sent.input.narrative) == ("Claim of [PERSON_1]", sent.turns[0].text)
    assert sent.input.case_type is CaseType.UNAUTHORIZED_TRANSFER
    assert "Marisol" not in repr(sent)
    assert sent.system == f"Choose.\n\n{NOTICE}"


@pytest.mark.proves("F7")
async def test_what_the_model_says_of_a_placeholder_comes_back_as_the_value() -> None:
    model = RemoteModel('{"why": "[PERSON_1] called from [PHONE_1]; nobody is [PERSON_7]"}')
    reply = await protected(model).complete(asked())
    assert isinstance(reply, ModelReply)
    assert json.loads(reply.text) == {"why": "Marisol Ingram called from 415-555-0132; nobody is [PERSON_7]"}


async def test_a_value_with_quotes_and_line_breaks_leaves_the_reply_valid_json() -> None:
    case = known_case(KnownValue(kind="PERSON", text='Ann "Annie" O\'Neil'))
    model = RemoteModel('{"why": "[PERSON_1]"}')
    reply = await protected(model, case=KnownCases(case)).complete(asked())
    assert isinstance(reply, ModelReply)
    assert json.loads(reply.text) == {"why": 'Ann "Annie" O\'Neil'}


@pytest.mark.proves("F7")
async def test_a_model_in_this_process_is_asked_as_it_is() -> None:
    model = RemoteModel("{}", capabilities=HERE)
    cases = KnownCases(known_case(MARISOL))
    request = asked()
    await protected(model, case=cases).complete(request)
    assert model.requests == [request]
    assert cases.asked == []


@pytest.mark.proves("F7")
async def test_nothing_personal_is_restored_where_others_read_the_output() -> None:
    reply_text = '{"queries": ["rights of [PERSON_1]"]}'
    model = RemoteModel(reply_text)
    reply = await protected(model).complete(asked(task="intake.classify"))
    assert isinstance(reply, ModelReply)
    assert reply.text == reply_text


async def test_a_correction_carries_the_last_answer_out_redacted_again() -> None:
    model = RemoteModel('{"why": "[PERSON_1]"}', "{}")
    provider = protected(model)
    first = await provider.complete(asked())
    assert isinstance(first, ModelReply)
    turns = (Turn(role="user", text=NARRATIVE), Turn(role="assistant", text=first.text))
    await provider.complete(asked(turns=turns))
    assert model.requests[1].turns[1].text == '{"why": "[PERSON_1]"}'


@pytest.mark.proves("F7")
@pytest.mark.parametrize(
    "reply",
    [
        '{"topics": ["x[PERSON_1]x"]}',
        '{"x[PERSON_1]": 1, "y[PHONE_1]y": 2}',
        '{"\\u0078[PERSON_1]": 1, "z[PHONE_1]z": 2}',
        "[[0123456789abcdef01234567 [PERSON_1.2]]]",
        '{"clause_ids": ["[PERSON_2]", "x[PERSON_1]"], "why": "[PERSON_2] 4[PHONE_1]"}',
    ],
)
async def test_a_model_that_asks_for_a_correction_is_not_read_what_its_placeholders_stand_for(reply: str) -> None:
    narrative = f"{NARRATIVE} marisol ingram wrote. My neighbour Tobias Fenwick saw it."
    outside = RemoteModel(reply, '{"clause_ids": [], "why": "none"}')
    value = SelectInput(topic=narrative, clauses=())
    prompts = PromptLibrary(app_root() / "agents" / "prompts")
    layer = ProtectionLayer(KnownCases(known_case(MARISOL)), notice=NOTICE)
    async with Gateway(
        [outside], prompts, MemoryRecorder(), permission=OnlyModels("anthropic/model-1"), layers=[layer]
    ) as gateway:
        await gateway.run(RESEARCH_SELECT, value, context=CONTEXT)
    _, corrected = outside.requests
    assert corrected.turns[1].text == reply
    sent = corrected.turns[1].text + corrected.turns[2].text
    for part in ("arisol", "ngram", "Fenwick", "Tobias", "0132", "415-555"):
        assert part not in sent
    assert "problems" in sent


async def test_a_run_has_the_same_placeholders_in_every_call_and_another_run_its_own() -> None:
    layer = ProtectionLayer(KnownCases(known_case(MARISOL)), notice=NOTICE)
    model = RemoteModel("{}", "{}", "{}")
    first = Turn(role="user", text="call 503-555-0199")
    second = Turn(role="user", text="call 415-555-0132 or 503-555-0199")
    await layer.around(model, CONTEXT).complete(model_request(turns=(first,)))
    await layer.around(model, CONTEXT).complete(model_request(turns=(second,)))
    await layer.around(model, replace(CONTEXT, run_id="run-2")).complete(model_request(turns=(second,)))
    told = [request.turns[0].text for request in model.requests]
    assert told[1].endswith("or [PHONE_1]")
    assert told[2] == "call [PHONE_1] or [PHONE_2]"


class Heard:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.text = ""

    async def begin(self) -> None:
        self.text = ""

    async def hear(self, text: str) -> None:
        self.text += text


@pytest.mark.proves("F7")
async def test_who_listens_hears_the_values_however_the_placeholder_is_cut() -> None:
    heard = Heard()
    model = RemoteModel('{"sentences": ["[PERSON_1] called", "[[x] from [PHONE_1]."]}')
    await protected(model).complete(asked(listener=heard))
    assert heard.text == '{"sentences": ["Marisol Ingram called", "[[x] from 415-555-0132."]}'


@pytest.mark.proves("F7")
async def test_what_is_counted_elsewhere_is_redacted_as_well() -> None:
    model = RemoteModel()
    provider = protected(model)
    assert await provider.count(asked()) == 1  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert "Marisol" not in repr(model.counted)


@pytest.mark.proves("F7")
@pytest.mark.parametrize(
    ("task", "case", "label"),
    [
        ("intake.classify", known_case(), ("confidential", False)),
        ("intake.classify", known_case(classification=Classification.INTERNAL), ("confidential", False)),
        ("intake.classify", known_case(classification=Classification.RESTRICTED), ("restricted", False)),
        ("intake.classify", known_case(sealed=True), ("confidential", True)),
        ("intake.classify", known_case(withheld=lambda text: "gone since" in text), ("confidential", True)),
        ("intake.classify", known_case(withheld=lambda text: "elsewhere" in text), ("confidential", False)),
        ("intake.classify", known_case(withheld=lambda text: text == 'Memo\n"A"'), ("confidential", True)),
        ("research.select", known_case(), ("confidential", False)),
        ("research.select", known_case(classification=Classification.RESTRICTED), ("restricted", False)),
        ("intake.classify", None, ("restricted", False)),
        ("a task nobody knows", known_case(), ("restricted", False)),
    ],
)
async def test_what_is_sent_is_labelled_by_what_the_store_knows(
    task: str, case: object, label: tuple[str, bool]
) -> None:
    model = RemoteModel("{}")
    await protected(model, case=KnownCases(case)).complete(asked(task=task))  # pyright: ignore[reportArgumentType]
    classification, sealed = label
    assert model.requests[0].label == DataLabel(
        classification=Classification(classification), sealed=sealed, redacted=True
    )


async def test_a_question_about_the_rules_carries_no_more_than_its_task_says() -> None:
    model = RemoteModel("{}")
    context = replace(CONTEXT, case_id="")
    await protected(model, case=KnownCases(None), context=context).complete(asked(task="answer.question"))
    label = model.requests[0].label
    assert label is not None
    assert label.classification is Classification.INTERNAL


async def test_a_long_text_is_redacted_off_the_event_loop_to_the_same_end() -> None:
    model = RemoteModel("{}")
    text = f"{'The bank has ten business days. ' * 2_000}{NARRATIVE}"
    await protected(model).complete(asked(turns=(Turn(role="user", text=text),)))
    assert (
        model.requests[0]
        .turns[0]
        .text.endswith("I am [PERSON_1], call me at [PHONE_1]. $412.60 is gone since 2026-02-28.")
    )
