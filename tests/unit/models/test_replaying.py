"""Recordings of model calls and their replay: the same bytes again, or the place where they part."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from casewright.models.differences import document_difference
from casewright.models.exchange import unmarked
from casewright.models.kept_calls import KeptCall
from casewright.models.layer import CallContext
from casewright.models.numbering import renumbered, renumbering
from casewright.models.offline import OfflineProvider
from casewright.models.protection.known import KnownValue
from casewright.models.protection.redaction import ProtectionLayer
from casewright.models.provider import ModelReply, NoReply, Provider, Usage
from casewright.models.selection import CandidateClause, SelectInput, SelectOutput
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.counting_provider import ScriptedModel
from tests.support.protection import KnownCases, known_case
from tests.support.recorded_calls import PROMPTS, Desk, call_context

CANARY = "Zebulon Quackenbush"
OTHER_PERSON = "Philomena Featherstonehaugh"
VALUE = SelectInput(
    topic=f"credit for {CANARY}",
    clauses=(CandidateClause(clause_id="x", label="1", lead_in="", text="Credit is due § 1.", score=1.0),),
)
GOOD = ModelReply(
    text='{"clause_ids": ["x"], "why": "it \\u00a7 fits"}', model="m-1", usage=Usage(input_tokens=9), request_id="req-1"
)
UNKNOWN_CLAUSE = replace(GOOD, text='{"clause_ids": ["y"], "why": ""}', request_id="req-2")
HALF = replace(GOOD, text='{"clause_ids": ["x"', cut_off=True)
BUSY = NoReply(reason="HTTP 529", retryable=True, retry_after_seconds=0.25, usage=Usage(input_tokens=3))
REFUSED = NoReply(reason="the model refused", retryable=False, request_id="req-3")


class Redacting(ProtectionLayer):
    """The protection of the product, with a case in which the canary is a party."""

    def __init__(self, *people: str) -> None:
        known = [KnownValue(kind="PERSON", text=text) for text in people or (CANARY,)]
        super().__init__(KnownCases(known_case(*known)), notice="Placeholders like [PERSON_1].")


async def asked(desk: Desk, *providers: Provider, of: CallContext | None = None) -> None:
    async with desk.gateway(*providers, layers=[Redacting()]) as gateway:
        await gateway.run(RESEARCH_SELECT, VALUE, context=of or call_context())


async def replayed(desk: Desk, *, prompts: Path = PROMPTS) -> list[tuple[str, str]]:
    return [(one.verdict, one.where) for one in await desk.replay(layers=[Redacting()], prompts=prompts)]


def nothing_wrong(value: SelectInput, output: SelectOutput) -> tuple[str, ...]:
    """A check that lets everything pass."""
    return ()


SAME = [("same", "")]


@pytest.mark.proves("F8", "G4")
@pytest.mark.parametrize(
    ("providers", "exchanges"),
    [
        ([ScriptedModel(GOOD)], 1),
        ([OfflineProvider()], 1),
        ([ScriptedModel(UNKNOWN_CLAUSE, HALF, GOOD)], 3),
        ([ScriptedModel(BUSY, BUSY, GOOD)], 3),
        ([ScriptedModel(BUSY, UNKNOWN_CLAUSE, GOOD)], 3),
        ([ScriptedModel(REFUSED), OfflineProvider()], 2),
        ([ScriptedModel(REFUSED), ScriptedModel(GOOD, model="m-2")], 2),
        ([ScriptedModel(replace(GOOD, text="\ud800"), GOOD)], 2),
    ],
    ids=["reply", "offline", "repaired", "retried", "both", "degraded", "next model", "half a character"],
)
async def test_a_call_is_replayed_byte_for_byte_from_its_recording(
    desk: Desk, providers: list[Provider], exchanges: int
) -> None:
    await asked(desk, *providers)
    assert await replayed(desk) == SAME
    (call,) = await desk.calls.of_run("t-1", "run-1")
    assert isinstance(call, KeptCall) and len(call.exchanges) == exchanges == len(call.record.cassettes)


@pytest.mark.thorough
@pytest.mark.proves("F8")
async def test_calls_that_failed_replay_as_failed(desk: Desk) -> None:
    for script in ([REFUSED], [BUSY, BUSY, BUSY], [UNKNOWN_CLAUSE, UNKNOWN_CLAUSE, UNKNOWN_CLAUSE]):
        with pytest.raises(Exception, match="no valid output"):
            await asked(desk, ScriptedModel(*script))
    assert await replayed(desk) == 3 * SAME


@pytest.mark.proves("F8", "G4")
async def test_a_run_whose_placeholders_are_numbered_anew_is_the_same_and_its_values_are_put_back(desk: Desk) -> None:
    value = VALUE.model_copy(update={"topic": f"{CANARY} and {OTHER_PERSON}"})
    reply = replace(GOOD, text='{"clause_ids": ["x"], "why": "[PERSON_2] asks, [PERSON_1] pays"}')
    async with desk.gateway(ScriptedModel(UNKNOWN_CLAUSE, reply), layers=[Redacting(CANARY, OTHER_PERSON)]) as gateway:
        result = await gateway.run(RESEARCH_SELECT, value, context=call_context())
    assert result.output.why == f"{OTHER_PERSON} asks, {CANARY} pays"
    for people in ((CANARY, OTHER_PERSON), (OTHER_PERSON, CANARY), ("Somebody Else", OTHER_PERSON, CANARY)):
        (again,) = await desk.replay(layers=[Redacting(*people)])
        assert (again.verdict, again.where) == ("same", "")
    (other,) = await desk.replay(layers=[Redacting(CANARY)])
    assert other.verdict == "differs" and "turn 1 parts at character" in other.where
    assert "Featherstonehaugh" not in other.where


@pytest.mark.parametrize(
    ("before", "after", "numbers"),
    [
        (
            ["[PERSON_1] [PERSON_2.1]"],
            ["[PERSON_4] [PERSON_1.1]"],
            {"[PERSON_1]": "[PERSON_4]", "[PERSON_2.1]": "[PERSON_1.1]"},
        ),
        (["[PERSON_1] [PERSON_1]"], ["[PERSON_1] [PERSON_2]"], {}),
        (["[PERSON_1] [PERSON_2]"], ["[PERSON_1] [PERSON_1]"], {}),
        (["[PERSON_1]"], ["[EMAIL_1]"], {}),
        (["[PERSON_1]", "[PERSON_2]"], ["[PERSON_1]"], {}),
        (["none"], ["none"], {}),
    ],
)
def test_placeholders_are_renumbered_one_to_one_or_not_at_all(
    before: list[str], after: list[str], numbers: dict[str, str]
) -> None:
    assert renumbering(before, after) == numbers
    assert renumbered(" ".join(before), numbers) == (" ".join(after) if numbers else " ".join(before))


@pytest.mark.proves("F8")
async def test_what_left_the_process_is_kept_in_the_words_in_which_it_left(desk: Desk) -> None:
    model = ScriptedModel(UNKNOWN_CLAUSE, GOOD)
    await asked(desk, model)
    (call,) = await desk.calls.of_run("t-1", "run-1")
    assert isinstance(call, KeptCall)
    kept = [
        (call.texts[one.request.system], [(turn.role, call.texts[turn.text]) for turn in one.request.turns])
        for one in call.exchanges
    ]
    sent = [(one.system, [(turn.role, turn.text) for turn in one.turns]) for one in model.requests]
    assert kept == sent and "[PERSON_1]" in sent[0][1][0][1]
    assert [call.texts[one.outcome.text] for one in call.exchanges] == [UNKNOWN_CLAUSE.text, GOOD.text]
    assert [one.outcome.request_id for one in call.exchanges] == ["req-2", "req-1"] == list(call.record.request_ids)


@pytest.mark.proves("F7", "F8")
async def test_no_canary_can_be_read_in_a_recording_without_the_key(desk: Desk) -> None:
    await asked(desk, ScriptedModel(replace(GOOD, text='{"clause_ids": ["x"], "why": "[PERSON_1]"}')))
    await asked(desk, OfflineProvider())
    (remote, local) = await desk.calls.of_run("t-1", "run-1")
    assert isinstance(remote, KeptCall) and isinstance(local, KeptCall)
    assert CANARY in remote.input and CANARY in remote.output and CANARY in local.input, "nothing was planted"
    bodies = await desk.rows("SELECT address, body FROM model_contents")
    readable = {address: desk.contents.open("t-1", address, body) for address, body in bodies if "sha256" in address}
    assert len(readable) >= 5 and not [address for address, text in readable.items() if "Quackenbush" in text]
    stored = b"".join(path.read_bytes() for path in desk.folder.glob("casewright.db*"))
    assert b"Quackenbush" not in stored


@pytest.mark.thorough
@pytest.mark.proves("F8")
async def test_a_text_is_stored_once_for_a_tenant_however_often_it_is_exchanged(desk: Desk) -> None:
    for _ in range(3):
        await asked(desk, OfflineProvider())
    (calls, contents) = await desk.rows(
        "SELECT count(*) FROM model_calls UNION ALL SELECT count(*) FROM model_contents"
    )
    assert (calls, contents) == ((3,), (3,)), "input, exchange, and a reply that is the answer"
    await asked(desk, OfflineProvider(), of=call_context(tenant="t-2"))
    assert await desk.rows("SELECT tenant, count(*) FROM model_contents GROUP BY tenant") == [("t-1", 3), ("t-2", 3)]


@pytest.mark.proves("F8", "G4")
async def test_another_prompt_is_named_as_the_first_difference_and_nobody_is_asked(desk: Desk, tmp_path: Path) -> None:
    await asked(desk, ScriptedModel(GOOD))
    changed = tmp_path / "prompts"
    shutil.copytree(PROMPTS, changed)
    file = changed / RESEARCH_SELECT.prompt
    file.write_text(file.read_text(encoding="utf-8").replace("You ", "We ", 1), encoding="utf-8")
    ((verdict, where),) = await replayed(desk, prompts=changed)
    assert verdict == "differs"
    assert re.search(r"request 1 to 'scripted' is not the recorded one: system parts at character \d+ .*: \"You", where)


@pytest.mark.proves("F8")
async def test_a_reply_that_would_not_pass_today_needs_the_network_and_says_so(desk: Desk) -> None:
    lenient = replace(RESEARCH_SELECT, check=nothing_wrong)
    async with desk.gateway(ScriptedModel(UNKNOWN_CLAUSE), layers=[Redacting()]) as gateway:
        await gateway.run(lenient, VALUE, context=call_context())
    assert await replayed(desk) == [("differs", "a request 2 to 'scripted' would be sent now, and the record has none")]


@pytest.mark.thorough
@pytest.mark.proves("F8", "G4")
@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE model_contents SET body = :other WHERE address = (SELECT address FROM model_exchanges)",
            "not what was",
        ),
        ("UPDATE model_contents SET body = :other WHERE address LIKE 'sealed:%'", "not what was"),
        ("UPDATE model_contents SET body = 'AAAA' || body WHERE address LIKE 'sealed:%'", "does not open"),
        ("UPDATE model_contents SET address = 'sha256:0' WHERE address LIKE 'sha256:%'", "are not there"),
        ("DELETE FROM model_contents WHERE address LIKE 'sealed:%'", "are not there"),
        ("DELETE FROM model_calls", "is not there"),
        ("UPDATE model_calls SET output = input", "is not the one in the audit"),
        ("UPDATE model_calls SET tenant = 't-2'", "is not there"),
    ],
)
async def test_a_recording_that_was_changed_or_removed_is_refused(desk: Desk, statement: str, problem: str) -> None:
    await asked(desk, OfflineProvider())
    other = desk.contents.pack("t-1", desk.contents.readable("something else"))
    assert await desk.change(statement, **({"other": other} if ":other" in statement else {}))
    ((verdict, where),) = await replayed(desk)
    assert verdict == "missing" and problem in where


async def test_a_body_of_another_tenant_does_not_open(desk: Desk) -> None:
    sealed = desk.contents.sealed("a secret")
    packed = desk.contents.pack("t-1", sealed)
    assert desk.contents.open("t-1", sealed.address, packed) == "a secret"
    with pytest.raises(Exception, match="does not open"):
        desk.contents.open("t-2", sealed.address, packed)


@pytest.mark.proves("F5", "F8")
async def test_a_call_adds_to_what_its_tenant_spent_that_day_and_the_audit_tells_its_cost(desk: Desk) -> None:
    await asked(desk, ScriptedModel(BUSY, GOOD))
    (event,) = [event for event in await desk.audit.events(tenant="t-1") if event.kind == "model.called"]
    body = event.body
    assert (body["cost_micro"], body["priced"], body["currency"], len(body["attempts"])) == (180, False, "USD", 2)
    assert await desk.rows("SELECT * FROM model_spending") == [("t-1", "2026-11-06", 1, 12, 180, 1)]
    await asked(desk, OfflineProvider())
    assert await desk.rows("SELECT calls, tokens, cost_micro, unpriced FROM model_spending") == [(2, 12, 180, 1)]


async def test_a_call_whose_recording_cannot_be_kept_leaves_nothing_at_all(desk: Desk) -> None:
    await asked(desk, OfflineProvider())
    await desk.change("CREATE TRIGGER full BEFORE INSERT ON model_exchanges BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(Exception, match="full"):
        await asked(desk, OfflineProvider())
    counts = await desk.rows("SELECT count(*) FROM audit_events UNION ALL SELECT count(*) FROM model_calls")
    assert counts == [(1,), (1,)] and (await desk.audit.verify()).ok


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ('{"a": [1, {"b": "secret"}]}', '{"a": [1, {"b": "other"}]}', "parts at a.1.b"),
        ('{"a": 1}', '{"a": 1, "secret": 2}', "parts at secret"),
        ('{"a": [1]}', '{"a": [1, "secret"]}', "parts at a.1"),
        ("[1]", '{"0": 1}', "parts at the whole"),
        ('{"a": 1}', '{ "a": 1}', "parts at no member, only in its form"),
        ("", '{"a": "secret"}', "was not there and is there"),
    ],
)
def test_a_difference_between_documents_is_told_by_its_path_and_never_by_its_content(
    before: str, after: str, where: str
) -> None:
    assert document_difference("the answer", before, after) == f"the answer {where}"


def test_markers_are_numbered_over_all_turns_and_nothing_else_is_changed() -> None:
    first, second = "marker: 0123456789abcdef01234567", "marker: fedcba9876543210fedcba98"
    texts = (
        f"{first}\n[[0123456789abcdef01234567 facts]]",
        "0123456789abcdef",
        f"no\n{second}\nfedcba9876543210fedcba98",
    )
    assert unmarked(texts) == (
        "marker: marker-1\n[[marker-1 facts]]",
        "0123456789abcdef",
        "no\nmarker: marker-2\nmarker-2",
    )
