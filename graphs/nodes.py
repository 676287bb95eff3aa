"""The nodes of a review: each one delegates to a specialist and keeps ids and small values.

What every step has around it is in `graphs.stepping`. The nodes that wait are not here (see `graphs.gate`):
nothing in this file interrupts.
"""

from contextlib import AbstractAsyncContextManager

from agents import drafter, evidence_checker, executor, facts_analyst, intake, policy_researcher, verifier
from agents.specialist import (
    DRAFTER,
    EVIDENCE_CHECKER,
    EXECUTOR,
    FACTS_ANALYST,
    INTAKE,
    POLICY_RESEARCHER,
    VERIFIER,
    Specialist,
)
from agents.toolbox import Toolbox, ToolBudget
from casewright.cases.computed import computed_facts
from casewright.contracts.recommendation import CaseAssessment, ClauseRef
from casewright.models.recommendation import CaseFact
from graphs.desk import Desk
from graphs.inquiry import AS_RECORDED, heeded, question
from graphs.progress import found
from graphs.state import ReviewState, ReviewUpdate
from graphs.stepping import LONGEST_REASON


class ReviewNodes:
    """The nodes, bound to a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def intake(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        clarified = state.get("clarified", "")
        topic = "" if clarified == AS_RECORDED else clarified
        async with self._open(INTAKE, state, budget) as tools:
            context = self._desk.context(state, INTAKE.name)
            note = await intake.classify(tools, self._desk.gateway, context, clarified=topic)
        if not clarified:
            await self._inspect(state)
        unclear = bool(note.candidates) and not clarified
        return {
            "classified": True,
            "case_type": note.case_type,
            "as_of": note.as_of,
            "currency": note.currency,
            "topics": list(note.topics),
            "queries": list(note.queries),
            "candidates": list(note.candidates),
            "doubt": "clarification" if unclear else "",
            "model": note.model,
        }

    async def _inspect(self, state: ReviewState) -> None:
        """Tell people what in the case looks as if it were written to steer a model; nothing else comes of it."""
        suspicious = await self._desk.inspection.of(state["tenant"], state["case_id"])
        if suspicious:
            body: dict[str, object] = {"suspicions": [one.model_dump(mode="json") for one in suspicious]}
            await self._desk.recorder.step(state["run_id"], "suspected", body)

    async def analyse_facts(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        async with self._open(FACTS_ANALYST, state, budget) as tools:
            facts = await facts_analyst.survey(tools)
        values = [[fact.path, fact.value] for fact in facts]
        return {
            "fact_paths": [fact.path for fact in facts],
            "evidence": found("facts_analyst", state, values),
        }

    async def check_evidence(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        assessment = await self._assess(state, budget)
        body = assessment.model_dump(mode="json")
        await self._desk.recorder.step(state["run_id"], "assessed", body)
        return {
            "evidence_complete": assessment.evidence.complete,
            "missing": [item.id for item in assessment.evidence.missing],
            "action": assessment.outcome.action,
            "amount_minor": assessment.outcome.amount_minor,
            "refs": [[ref.document_id, ref.label] for ref in _named_clauses(assessment)],
            "evidence": found("evidence_checker", state, body),
        }

    async def research(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        brief = policy_researcher.Brief(
            as_of=state.get("as_of", ""),
            refs=tuple(ClauseRef(document_id=ref[0], label=ref[1]) for ref in state.get("refs", [])),
            queries=tuple(state.get("queries", [])),
            known=tuple((found[0], found[1], found[2]) for found in state.get("clauses", [])),
            index_version=state.get("index_version", ""),
        )
        context = self._desk.context(state, POLICY_RESEARCHER.name)
        async with self._open(POLICY_RESEARCHER, state, budget) as tools:
            note = await policy_researcher.research(tools, self._desk.gateway, context, brief)
        body: dict[str, object] = {"clauses": [list(handle) for handle in note.clauses], "gaps": list(note.gaps)}
        await self._desk.recorder.step(state["run_id"], "researched", body)
        return {
            "clauses": [list(handle) for handle in note.clauses],
            "gaps": list(note.gaps),
            "index_version": note.index_version,
            "evidence": found("policy_researcher", state, [sorted(map(list, note.clauses)), sorted(note.gaps)]),
        }

    async def draft(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        materials = await self._materials(state, budget)
        context = self._desk.context(state, DRAFTER.name)
        async with self._open(DRAFTER, state, budget) as tools:
            note = await drafter.draft(
                tools, self._desk.gateway, context, materials, draft_id=state.get("draft_id", "")
            )
        body: dict[str, object] = {
            "draft_id": note.draft_id,
            "version": note.version,
            "dropped": note.dropped,
            "problems": list(note.problems),
        }
        await self._desk.recorder.step(state["run_id"], "drafted", body)
        if not note.draft_id:
            return {"stop": f"no draft passed the citation gate: {'; '.join(note.problems)}"[:LONGEST_REASON]}
        return {
            "draft_id": note.draft_id,
            "draft_version": note.version,
            "draft_digest": note.digest,
            "verified": False,
            "model": note.model,
            "evidence": found("drafter", state, note.stands_on),
        }

    async def verify(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        problems = await self._verify(state, budget)
        if problems:
            return {"stop": f"the saved draft did not verify: {'; '.join(problems)}"[:LONGEST_REASON]}
        return {"verified": True}

    async def propose(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        async with self._open(EXECUTOR, state, budget) as tools:
            gated = await executor.act(tools, "submit_action", _action(state))
        if gated.status in ("rejected", "expired", "revoked"):
            return {"stop": f"the action was {gated.status} before"}
        approval_id = str(gated.approval["approval_id"])
        await self._desk.recorder.step(state["run_id"], "proposed", {"approval_id": approval_id})
        return {"approval_id": approval_id}

    async def act(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        """Execute what people approved; the server looks whether the draft still stands on the case as it is."""
        async with self._open(EXECUTOR, state, budget) as tools:
            gated = await executor.act(tools, "execute_action", _action(state))
        match gated.status:
            case "executed" if gated.receipt is not None:
                effect_id = str(gated.receipt["effect_id"])
                await self._desk.recorder.step(state["run_id"], "executed", {"effect_id": effect_id})
                return {"effect_id": effect_id}
            case "approval_required":  # nobody decided in time, or the rules changed: it was asked for anew
                return {"approval_id": str(gated.approval["approval_id"])}
            case "rejected":
                return {"declined": "the action was rejected by an approver; nothing was executed"}
            case _:
                return {"stop": f"the action was {gated.status}; nothing was executed"}

    async def record(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        if state.get("effect_id"):
            return {"status": "completed", "because": "the approved action was executed"}
        return {"status": "completed", "because": state.get("declined") or "the rules ask for no action"}

    async def inquire(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        """Write the question that a person has to answer; the same one again if the step is repeated."""
        asked = await self._desk.questions.ask(question(state))
        body: dict[str, object] = {"question_id": asked.question_id, "kind": asked.kind}
        await self._desk.recorder.step(state["run_id"], "asked", body)
        return {"question_id": asked.question_id}

    async def heed(self, state: ReviewState, budget: ToolBudget) -> ReviewUpdate:
        """Do what the answer in the store says, whatever woke the run."""
        answered = await self._desk.questions.get(state["tenant"], state.get("question_id", ""))
        body: dict[str, object] = {"question_id": answered.question_id, "answer": answered.answer}
        await self._desk.recorder.step(state["run_id"], "heeded", body)
        return heeded(state, answered)

    def _open(
        self, specialist: Specialist, state: ReviewState, budget: ToolBudget
    ) -> AbstractAsyncContextManager[Toolbox]:
        return self._desk.connections.open(specialist, self._desk.identity(state), budget)

    async def _verify(self, state: ReviewState, budget: ToolBudget) -> tuple[str, ...]:
        async with self._open(VERIFIER, state, budget) as tools:
            return await verifier.verify(
                tools,
                draft_id=state.get("draft_id", ""),
                version=state.get("draft_version", 0),
                digest=state.get("draft_digest", ""),
            )

    async def _assess(self, state: ReviewState, budget: ToolBudget) -> CaseAssessment:
        async with self._open(EVIDENCE_CHECKER, state, budget) as tools:
            return await evidence_checker.assess(tools)

    async def _materials(self, state: ReviewState, budget: ToolBudget) -> drafter.Materials:
        """Read again, with their owners' tokens, what the state names only by id."""
        async with self._open(FACTS_ANALYST, state, budget) as tools:
            facts = await facts_analyst.survey(tools)
        async with self._open(POLICY_RESEARCHER, state, budget) as tools:
            clauses = await policy_researcher.read(tools, state.get("clauses", []), as_of=state.get("as_of", ""))
        wanted = set(state.get("fact_paths", []))
        assessment = await self._assess(state, budget)
        computed = [
            CaseFact(path=path, value=value, label="computed by rules")
            for path, value in computed_facts(assessment).items()
        ]
        return drafter.Materials(
            case_id=state["case_id"],
            as_of=state.get("as_of", ""),
            currency=state.get("currency", "USD"),
            facts=(*(fact for fact in facts if fact.path in wanted), *computed),
            assessment=assessment,
            clauses=clauses,
            index_version=state.get("index_version", ""),
        )


def _named_clauses(assessment: CaseAssessment) -> tuple[ClauseRef, ...]:
    """Every clause that a rule named, in order of weight, each once."""
    checks = [item.clause for item in assessment.evidence.items if item.needed and item.status != "not_applicable"]
    named = [
        *(basis.clause for basis in assessment.outcome.basis),
        *checks,
        *(deadline.clause for deadline in assessment.deadlines),
        *(limit.clause for limit in assessment.limits),
    ]
    return tuple(dict.fromkeys(named))


def _action(state: ReviewState) -> dict[str, object]:
    return {
        "draft_id": state.get("draft_id", ""),
        "draft_version": state.get("draft_version", 0),
        "draft_digest": state.get("draft_digest", ""),
        "action": state.get("action", ""),
        "amount_minor": state.get("amount_minor", 0),
        "currency": state.get("currency", "USD"),
    }
