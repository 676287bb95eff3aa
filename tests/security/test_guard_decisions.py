"""What the guard makes of a decision: its name in the audit, its record, its obligations, its trust, its reloads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from mcp_types import CallToolResult, InputRequiredResult

from casewright.access.engine import EngineName, PolicyChange, PolicyEngine, ReloadCounts
from casewright.audit.recording import input_digest
from casewright.audit.records import RecordedDecision, RecordQuery
from casewright.contracts.decision import (
    ApprovalObligation,
    AuditObligation,
    Decision,
    DecisionFilters,
    LimitObligation,
    Obligation,
    Reason,
    RedactObligation,
    WatermarkObligation,
)
from casewright.contracts.event import AuditEvent
from casewright.errors import DeniedError, PolicyError
from servers.boundary import WATERMARK_KEY, watermarked
from servers.obligations import MET_BY_GUARD, Duties, ObligationKind
from tests.support.drafting import DRAFTING_BEARER, saved
from tests.support.installation import CASE, RUN, Bearer, World, opened, said, structured

ANALYST = Bearer(agent="facts_analyst", scopes=("get_case", "get_evidence", "list_evidence"))
CHECKER = Bearer(agent="evidence_checker", scopes=("check_evidence", "assess_case"))
AUDITOR = Bearer(identity="avery")


class Obliging(PolicyEngine):
    """The shipped policies, whose permissions also carry other obligations; it decides nothing itself."""

    def __init__(self, engine: PolicyEngine, *obligations: dict[str, Any], drops: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._added = obligations
        self._dropped = {*drops, *(obligation["kind"] for obligation in obligations)}

    @property
    def name(self) -> EngineName:
        return self._engine.name

    @property
    def blocking(self) -> bool:
        return True  # so that the guard asks from a worker thread, as it asks an OPA server

    @property
    def revision(self) -> str:
        return self._engine.revision

    @property
    def last_error(self) -> PolicyError | None:
        return self._engine.last_error

    def reload_if_changed(self) -> bool:
        return self._engine.reload_if_changed()

    def take_changes(self) -> tuple[PolicyChange, ...]:
        return self._engine.take_changes()

    @property
    def reloads(self) -> ReloadCounts:
        return self._engine.reloads

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        answer = cast("dict[str, Any]", self._engine.evaluate(rule, document))
        if not answer["allow"]:
            return answer
        kept = [obligation for obligation in answer["obligations"] if obligation["kind"] not in self._dropped]
        return answer | {"obligations": [*kept, *self._added]}

    def probe(self) -> str:
        return self._engine.probe()

    def close(self) -> None:
        self._engine.close()


def oblige(world: World, *obligations: dict[str, Any], drops: tuple[str, ...] = ()) -> None:
    """From now on every permission carries these obligations, too."""
    world.services.engine = Obliging(world.services.engine, *obligations, drops=drops)


async def records(world: World, **query: Any) -> list[RecordedDecision]:
    return [record async for record in world.services.decisions.read(RecordQuery(tenant="harborline", **query))]


async def events(world: World, kind: str, *, run_id: str = RUN) -> list[AuditEvent]:
    return [event for event in await world.events(run_id=run_id) if event.kind == kind]


@pytest.mark.proves("G1", "D2", "D7")
async def test_every_decision_has_an_id_by_which_its_input_is_found_again(world: World) -> None:
    structured(await world.call("case-facts", "get_case"))
    await world.call("case-facts", "get_case", bearer=Bearer(identity="tomas", run_id="run-2"))
    (allowed,) = await events(world, "call.allowed")
    (denied,) = await events(world, "call.denied", run_id="run-2")
    for event in (allowed, denied):
        (record,) = await records(world, run_id=event.run_id)
        assert record.decision_id == event.body["decision_id"]
        assert record.input_digest == event.body["input_digest"] == input_digest(record.input)
        assert record.revision == event.body["policy_revision"] == world.services.engine.revision
        assert (record.engine, record.mode, record.server, record.tool) == (
            "embedded",
            "call",
            "case-facts",
            "get_case",
        )
        assert record.input["actor"]["case_id"] == CASE
    assert allowed.body["decision_id"] != denied.body["decision_id"]
    assert allowed.body["engine"] == "embedded"
    assert sorted(allowed.body["obligations"]) == ["audit", "redact"]
    assert (await world.services.audit.verify()).ok


@pytest.mark.proves("G1", "D3")
async def test_what_a_listing_withheld_is_named_with_decision_digest_and_revision(world: World) -> None:
    async with world.client("case-facts", CHECKER) as client:
        await client.list_tools()
    (event,) = await events(world, "listing.withheld")
    named = event.body["decisions"]
    assert {entry["name"] for entry in named} == set(event.body["tools"])
    assert len({entry["decision_id"] for entry in named}) == len(named)
    for entry in named:
        assert (len(entry["input_digest"]), entry["policy_revision"]) == (64, world.services.engine.revision)


@pytest.mark.proves("D2", "G1")
async def test_the_audit_level_decides_whether_arguments_are_kept_and_the_digest_always_is(world: World) -> None:
    arguments = {"evidence_id": "EV-nothing"}
    await world.call("case-facts", "get_evidence", arguments)
    oblige(world, {"kind": "audit", "level": "full"})
    await world.call("case-facts", "get_evidence", arguments)
    summary, full = await events(world, "call.allowed")
    assert "arguments" not in summary.body
    assert full.body["arguments"] == arguments
    assert summary.body["arguments_digest"] == full.body["arguments_digest"]


@pytest.mark.proves("D2")
async def test_a_decision_that_says_nothing_of_the_audit_keeps_everything(world: World) -> None:
    oblige(world, drops=("audit",))
    await world.call("case-facts", "get_evidence", {"evidence_id": "EV-nothing"})
    (event,) = await events(world, "call.allowed")
    assert event.body["arguments"] == {"evidence_id": "EV-nothing"}


@pytest.mark.proves("D2", "B5")
async def test_an_auditor_gets_every_case_answer_with_a_watermark(world: World) -> None:
    marked = await world.call("case-facts", "get_case", bearer=AUDITOR)
    assert structured(marked)["case_id"] == CASE
    assert marked.meta is not None
    text = marked.meta[WATERMARK_KEY]
    assert "avery" in text
    assert marked.content[-1].type == "text" and marked.content[-1].text == text
    plain = await world.call("case-facts", "get_case")
    assert WATERMARK_KEY not in (plain.meta or {})


@pytest.mark.proves("D2")
async def test_an_obligation_that_the_tool_does_not_meet_denies_it(world: World) -> None:
    oblige(world, {"kind": "limit", "max_results": 5})
    result = await world.call("case-facts", "get_case")
    assert "not available" in said(result)
    (event,) = await events(world, "call.denied")
    assert event.body["code"] == "obligation_unmet"


@pytest.mark.proves("D2", "D4")
async def test_an_obligation_of_a_kind_that_nobody_knows_denies_the_call(world: World) -> None:
    oblige(world, {"kind": "call_back", "number": "+1"})
    assert "not available" in said(await world.call("case-facts", "get_case"))
    (event,) = await events(world, "call.denied")
    assert event.body["code"] == "malformed"


def decision(*obligations: Obligation) -> Decision:
    return Decision(
        schema="decision/v1",
        allow=True,
        effect="permit",
        reasons=(Reason(code="open_to_role", message=""),),
        obligations=obligations,
        filters=DecisionFilters(tenant="harborline", labels=(), sealed=False),
        ttl_seconds=0,
        package="casewright.access",
        revision="0" * 64,
    )


@pytest.mark.proves("D2", "D4")
def test_an_obligation_that_only_a_later_contract_knows_is_a_denial() -> None:
    known = decision()
    later = known.model_copy(update={"obligations": (Reason(code="call_back", message=""),)})
    with pytest.raises(DeniedError) as refused:
        Duties.of(later)
    assert refused.value.code == "obligation_unknown"


@pytest.mark.proves("D2")
@pytest.mark.parametrize(
    "obligation",
    [
        ApprovalObligation(kind="approval", roles=("supervisor",), quorum=1, author_excluded=True, ttl_seconds=60),
        RedactObligation(kind="redact", above="public"),
        LimitObligation(kind="limit", max_results=1),
        WatermarkObligation(kind="watermark", text="for avery"),
    ],
    ids=lambda obligation: obligation.kind,
)
def test_what_nobody_meets_is_a_denial_and_what_somebody_meets_is_not(obligation: Obligation) -> None:
    duties = Duties.of(decision(obligation, AuditObligation(kind="audit", level="summary")))
    with pytest.raises(DeniedError) as refused:
        duties.check(frozenset())
    assert refused.value.code == "obligation_unmet"
    met: frozenset[ObligationKind] = frozenset({"redact", "limit"})
    duties.check(MET_BY_GUARD | met)


def test_a_result_without_a_place_for_the_watermark_is_withheld() -> None:
    with pytest.raises(DeniedError):
        watermarked(InputRequiredResult(request_state="x"), "for avery")
    result = CallToolResult(content=[], _meta={"kept": 1})
    marked = watermarked(result, "for avery")
    assert marked.meta == {"kept": 1, WATERMARK_KEY: "for avery"}
    assert watermarked(result, "") is result


@pytest.mark.proves("D2", "I3")
async def test_a_denied_tool_an_unknown_one_and_one_of_another_server_read_the_same(world: World) -> None:
    told: list[str] = []
    async with world.client("case-facts", CHECKER) as client:
        for name in ("get_case", "get_cash", "save_draft", "set_policy_data"):
            for arguments in ({}, {"x": 1}):
                result: CallToolResult = await client.call_tool(name, arguments)
                shown = result.model_dump(mode="json")
                told.append(json.dumps(shown, sort_keys=True).replace(name, "NAME"))
    assert len(set(told)) == 1
    denials = await events(world, "call.denied")
    assert len(denials) == 8 and all(event.body["decision_id"] for event in denials)


@pytest.mark.proves("D2", "D1")
async def test_a_run_is_tainted_by_what_an_agent_reads_and_by_nothing_else(world: World) -> None:
    async def tainted() -> bool:
        return (await world.services.standing.read("harborline", RUN)).untrusted

    structured(await world.call("case-facts", "get_case"))  # a person reads
    structured(await world.call("case-facts", "assess_case", bearer=CHECKER))  # computed, not quoted
    await world.call("case-facts", "get_evidence", bearer=ANALYST)  # refused: it lacks its argument
    assert not await tainted()
    structured(await world.call("case-facts", "get_case", bearer=ANALYST))
    assert await tainted()
    await world.call("case-facts", "get_evidence", {"evidence_id": "EV-nothing"}, bearer=ANALYST)
    (last,) = [record for record in await records(world, run_id=RUN) if record.input["arguments"]]
    assert last.input["provenance"] == {"evidence_id": "untrusted"}


@pytest.mark.proves("D2", "D1")
async def test_before_it_reads_what_people_wrote_an_agents_words_are_the_models_own(world: World) -> None:
    await world.call("case-facts", "get_evidence", {"evidence_id": "EV-nothing"}, bearer=ANALYST)
    (record,) = await records(world, run_id=RUN)
    assert record.input["provenance"] == {"evidence_id": "model"}


@pytest.mark.proves("D7", "G1")
async def test_every_reload_is_audited_once_with_its_revision_and_reason(home: Path, own_policies: Path) -> None:
    async with opened(home, own_policies) as world:
        draft = await saved(world)
        first = world.services.engine.revision
        data = own_policies / "data" / "access" / "data.json"
        good = data.read_text()
        again = {"recommendation": draft["recommendation"], "draft_id": draft["draft_id"]}
        for text in (good.replace('"search_results": 50', '"search_results": 40'), "{", "{", good):
            data.write_text(text)
            for _ in range(2):  # what changes something looks at the files every time
                structured(await world.call("drafting", "save_draft", again, bearer=DRAFTING_BEARER))
        loaded = [event for event in await world.events(run_id="", tenant="") if event.kind.startswith("policy.")]
        kinds = [event.kind for event in loaded]
        assert kinds == ["policy.loaded", "policy.refused", "policy.loaded"]
        assert loaded[0].body["previous"] == first
        assert loaded[1].body["revision"] == loaded[0].body["revision"]
        assert "not valid policy data" in loaded[1].body["detail"]
        assert loaded[2].body["revision"] == first
