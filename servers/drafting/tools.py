"""Tools of the drafting server.

A draft is saved only when every sentence is backed by an exact quote that this run retrieved,
or by case facts, and when its action is the one that the rules give. An action is executed only
with the approval of exactly that call; asking for one changes nothing.

The gate and the stores are imported when a tool runs: a client that asks for the tools does not
wait for them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import anyio.to_thread
from mcp_types import InputRequiredResult
from pydantic import Field

from casewright.contracts.approval import GatedResult
from casewright.contracts.base import Contract
from casewright.contracts.case import Currency
from casewright.contracts.clause import SearchFilters
from casewright.contracts.decision import Verb
from casewright.contracts.recommendation import (
    CONSEQUENTIAL_ACTIONS,
    ActionKind,
    CaseAssessment,
    Citation,
    DraftVersion,
    Outcome,
    Recommendation,
    VerifiedCitation,
)
from casewright.errors import ConflictError, InputError, NotFoundError
from casewright.services import Services
from servers.case_facts.tools import load_case_file, visible_assessment
from servers.client_side import tell_progress
from servers.guard import Call, Guard, current_call
from servers.shown import shown_draft
from servers.spec import MetByTool, ResourceKind, ToolDefinition, ToolSpec

DraftId = Annotated[str, Field(min_length=1, max_length=100)]
DraftNumber = Annotated[int, Field(ge=1, le=10_000)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Digest of the draft version.")]
Amount = Annotated[int, Field(ge=0, le=10**13, description="Minor units, e.g. cents.")]

_NAME = re.compile(r"[A-Za-z0-9._:/@+-]{0,200}")
"""A model or a state of the index; no sentence fits into it."""
REDACTS: frozenset[MetByTool] = frozenset({"redact"})
"""A draft is read as its reader may see the case; what else is answered holds no value of it."""


class DraftCheck(Contract):
    ok: bool
    problems: tuple[str, ...]
    citations: tuple[VerifiedCitation, ...]


class SavedDraft(DraftCheck):
    draft_id: str = ""
    version: int = 0
    digest: str = ""


class DraftListing(Contract):
    draft_id: str
    version: int
    author: str
    agent: str
    digest: str


class DraftList(Contract):
    drafts: tuple[DraftListing, ...]


class DraftDiff(Contract):
    draft_id: str
    from_version: int
    to_version: int
    diff: str


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a recommendation may stand on."""

    run_id: str
    """The run that has to have retrieved what is quoted."""
    above: Literal["public", "internal", "confidential"] | None
    """Values classified above this are no facts, or whoever asks could find them out by guessing; None: of a draft that
    is there, written by somebody who saw them."""
    agent: str
    """The agent that wrote it; empty: a person did, who may add a reason and questions of their own."""


class DraftingTools:
    """The tool functions, bound to the stores and to the guard that asks for approvals."""

    def __init__(self, services: Services, guard: Guard) -> None:
        self._services = services
        self._guard = guard
        self._execute = ToolDefinition.of(self._execute_spec())

    def specs(self) -> tuple[ToolSpec, ...]:
        plain: tuple[tuple[Callable[..., Any], str, Verb, ResourceKind], ...] = (
            (self.verify_draft, "Verify a draft", "check", "case"),
            (self.save_draft, "Save a draft", "write", "case"),
            (self.get_draft, "Read a draft", "read", "draft"),
            (self.list_drafts, "List drafts", "list", "case"),
            (self.diff_drafts, "Compare drafts", "read", "draft"),
            (self.submit_action, "Ask for approval", "write", "action"),
        )
        return (
            *(
                ToolSpec(
                    fn=fn,
                    title=title,
                    verb=verb,
                    risk="medium" if verb == "write" else "low",
                    resource=resource,
                    meets=REDACTS,
                )
                for fn, title, verb, resource in plain
            ),
            self._execute_spec(),
        )

    def _execute_spec(self) -> ToolSpec:
        return ToolSpec(
            fn=self.execute_action,
            title="Execute",
            verb="execute",
            risk="high",
            resource="action",
            meets=REDACTS,
            precondition=self._check_execution,
        )

    async def verify_draft(self, recommendation: Recommendation) -> DraftCheck:
        """Check a recommendation as `save_draft` would, without saving it; all problems are listed."""
        problems, citations = await self._own_problems(recommendation)
        return DraftCheck(ok=not problems, problems=problems, citations=citations)

    async def save_draft(
        self,
        recommendation: Recommendation,
        draft_id: Annotated[str, Field(max_length=100, description="Empty for a new draft.")] = "",
    ) -> SavedDraft:
        """Save a recommendation as a draft, or as the next version of one.

        Refused, with every problem named, unless each sentence is backed by a whole sentence
        quoted word for word from a clause this run retrieved, or by case facts, and unless the
        action is the one the rules give.
        """
        call = current_call()
        await self._check_own_run(call, draft_id)
        await tell_progress(0, "checking every sentence, quote and fact")
        problems, citations = await self._own_problems(recommendation)
        if problems:
            return SavedDraft(ok=False, problems=problems, citations=citations)
        await tell_progress(1, "saving")
        saved = await self._services.drafts.save(recommendation, caller=call.caller, draft_id=draft_id or None)
        return SavedDraft(
            ok=True,
            problems=(),
            citations=citations,
            draft_id=saved.draft_id,
            version=saved.version,
            digest=saved.digest,
        )

    async def get_draft(
        self, draft_id: DraftId, draft_version: Annotated[int, Field(ge=0, description="0 for the latest.")] = 0
    ) -> DraftVersion:
        """Read a draft; the latest version unless one is named."""
        return await self._shown(await self._draft(draft_id, draft_version or None))

    async def list_drafts(self) -> DraftList:
        """List the drafts of the case with their versions."""
        call = current_call()
        found = await self._services.drafts.list(call.filters.tenant, call.caller.actor.case_id)
        return DraftList(
            drafts=tuple(
                DraftListing(
                    draft_id=draft.draft_id,
                    version=draft.version,
                    author=draft.author,
                    agent=draft.agent,
                    digest=draft.digest,
                )
                for draft in found
            )
        )

    async def diff_drafts(self, draft_id: DraftId, from_version: DraftNumber, to_version: DraftNumber) -> DraftDiff:
        """Show what changed between two versions of a draft."""
        from casewright.drafts.diff import unified

        older, newer = [await self._shown(await self._draft(draft_id, one)) for one in (from_version, to_version)]
        diff = unified(older, newer)
        return DraftDiff(draft_id=draft_id, from_version=from_version, to_version=to_version, diff=diff)

    async def submit_action(
        self,
        draft_id: DraftId,
        draft_version: DraftNumber,
        draft_digest: Digest,
        action: ActionKind,
        amount_minor: Amount,
        currency: Currency,
    ) -> GatedResult | InputRequiredResult:
        """Ask for approval of exactly this action. Nothing is done yet; people decide."""
        from servers.deciding import Deciding

        call = current_call()
        await tell_progress(0, "checking that it could be executed")
        await self._check_execution()
        await tell_progress(1, "asking for the approval")
        wanted = await self._guard.evaluate(call.caller, self._execute, call.action.arguments)
        waiting = await Deciding(self._services).settled(self._guard, self._execute, wanted)
        if waiting is not None:
            return waiting
        return await self._guard.agreed(wanted)

    async def execute_action(
        self,
        draft_id: DraftId,
        draft_version: DraftNumber,
        draft_digest: Digest,
        action: ActionKind,
        amount_minor: Amount,
        currency: Currency,
    ) -> GatedResult:
        """Execute an approved action once. Without its approval the answer is `approval_required`.

        Calling again with the same arguments gives the first receipt again.
        """
        call = current_call()
        receipt = await self._services.outbox.execute(call.action, caller=call.caller)
        approval = await self._services.approvals.get(call.filters.tenant, receipt.approval_id)
        return GatedResult(status="executed", approval=approval, receipt=receipt, how="done; the receipt is the proof")

    async def _draft(self, draft_id: str, version: int | None) -> DraftVersion:
        draft = await self._services.drafts.find(current_call().filters.tenant, draft_id, version)
        if draft is None:
            raise NotFoundError(
                f"there is no draft {draft_id!r} with version {version or 'latest'}; `list_drafts` shows what there is"
            )
        return draft

    async def _check_own_run(self, call: Call, draft_id: str) -> None:
        """A next version outdates what people were asked to approve, so an agent gives one to its own run's draft only.

        Raises:
            NotFoundError: the draft is another run's; it reads like one that is not there.
        """
        if not draft_id or call.caller.actor.kind == "user":
            return
        if (await self._draft(draft_id, None)).run_id != call.caller.actor.run_id:
            raise NotFoundError(
                f"there is no draft {draft_id!r} with version 'latest'; `list_drafts` shows what there is"
            )

    async def _shown(self, draft: DraftVersion) -> DraftVersion:
        """A draft as this caller may read it."""
        call = current_call()
        own = draft.author == call.caller.principal.id
        return await shown_draft(self._services, draft, filters=call.filters, duties=call.duties, own=own)

    async def _check_execution(self) -> None:
        """Refuse an action that could not be executed anyway: nobody is asked to approve it."""
        call = current_call()
        draft = await self._check_action(call)
        if not await self._is_executed(call):
            await self._check_once(call)
            await self._check_standing(call, draft)

    async def _is_executed(self, call: Call) -> bool:
        """Whether exactly this call has its receipt already: then it is given again, whatever changed since."""
        from casewright.effects.history import receipt_of

        known = await self._services.approvals.find(call.action)
        if known is None:
            return False
        return await receipt_of(self._services.database, call.filters.tenant, known.approval_id) is not None

    async def _check_standing(self, call: Call, draft: DraftVersion) -> None:
        """The draft must still pass the gate, and its action still be the rules' outcome, on the case as it is."""
        problems, _ = await self._problems(
            call, draft.recommendation, _Asked(run_id=draft.run_id, above=None, agent=draft.agent)
        )
        if problems:
            raise ConflictError(f"the case or the rules changed after the proposal: {'; '.join(problems)}")

    async def _check_action(self, call: Call) -> DraftVersion:
        """The action asked for must be the saved draft's latest version, unchanged."""
        asked = call.action.arguments
        draft = await self._draft(asked["draft_id"], asked["draft_version"])
        proposed = draft.recommendation.action
        if asked["draft_digest"] != draft.digest:
            raise ConflictError(f"draft {draft.draft_id!r} version {draft.version} has another digest; read it again")
        if (asked["action"], asked["amount_minor"], asked["currency"]) != (
            proposed.kind,
            proposed.amount_minor,
            proposed.currency,
        ):
            raise InputError(f"draft {draft.draft_id!r} proposes another action; ask for what it proposes")
        if proposed.kind not in CONSEQUENTIAL_ACTIONS:
            raise InputError(f"{proposed.kind!r} has no effect to execute; nothing needs approval")
        latest = await self._draft(draft.draft_id, None)
        if latest.version != draft.version:
            raise ConflictError(f"draft {draft.draft_id!r} has a newer version {latest.version}; review that one")
        return draft

    async def _check_once(self, call: Call) -> None:
        """A case gets the same kind of action once, whatever draft or run asks for it again."""
        from casewright.effects.history import receipts_of_case

        database, arguments = self._services.database, call.action.arguments
        done = await receipts_of_case(database, call.filters.tenant, call.caller.actor.case_id)
        known = await self._services.approvals.find(call.action)
        for receipt in done:
            if receipt.action == arguments["action"] and (known is None or receipt.approval_id != known.approval_id):
                raise ConflictError(
                    f"{receipt.action!r} was executed on this case already (effect {receipt.effect_id!r}); "
                    "open a new case for another one"
                )

    async def _own_problems(
        self, recommendation: Recommendation
    ) -> tuple[tuple[str, ...], tuple[VerifiedCitation, ...]]:
        call = current_call()
        actor = call.caller.actor
        asked = _Asked(run_id=actor.run_id, above=call.redact_above, agent=actor.agent)
        return await self._problems(call, recommendation, asked)

    async def _problems(
        self, call: Call, recommendation: Recommendation, asked: _Asked
    ) -> tuple[tuple[str, ...], tuple[VerifiedCitation, ...]]:
        from casewright.cases.computed import computed_facts, computed_values
        from casewright.cases.facts import is_typed, known_values, resolve_fact
        from casewright.cases.views import view
        from casewright.drafts.gate import GateContext, check

        if recommendation.case_id != call.caller.actor.case_id:
            own = call.caller.actor.case_id
            raise InputError(f"the recommendation is about another case than the token's; set case_id to {own!r}")
        stored = await load_case_file(self._services, call)
        if recommendation.as_of != stored.received_on:
            raise InputError(f"the rules of {stored.received_on.isoformat()} apply to this case; set as_of to it")
        case = view(stored, filters=call.filters, above=asked.above)
        retrieved = await self._services.retrievals.of_run(call.filters.tenant, asked.run_id)
        filters = SearchFilters(tenant=call.filters.tenant, labels=call.filters.labels, as_of=recommendation.as_of)

        def verify(citation: Citation) -> VerifiedCitation:
            return self._services.corpus.verify(citation, filters)

        assessment = await visible_assessment(self._services, call)
        computed = computed_facts(assessment)
        context = GateContext(
            verify=verify,
            retrieved=retrieved,
            resolve_fact=lambda path: computed.get(path) or (resolve_fact(case, path) if is_typed(path) else None),
            known_values=known_values(case) | computed_values(assessment, case.currency),
        )
        gate = await anyio.to_thread.run_sync(partial(check, recommendation, context=context))
        own_words = _own_words(recommendation, assessment.outcome) if asked.agent else ()
        return (*gate.problems, *_outcome_problems(recommendation, assessment), *own_words), gate.citations


def _outcome_problems(recommendation: Recommendation, assessment: CaseAssessment) -> tuple[str, ...]:
    """The action is computed by rules; a draft that proposes another one is refused."""
    outcome, action = assessment.outcome, recommendation.action
    if (action.kind, action.amount_minor) != (outcome.action, outcome.amount_minor):
        return (
            f"the action {action.kind!r} of {action.amount_minor} is not what the rules give: "
            f"{outcome.action!r} of {outcome.amount_minor}",
        )
    return ()


def _own_words(recommendation: Recommendation, outcome: Outcome) -> Iterator[str]:
    """What an agent's draft says beside its findings, where no quote backs it, and the rules do not say."""
    action = recommendation.action
    if action.reason not in {basis.because for basis in outcome.basis}:
        yield f"the reason {action.reason!r} is not one of the rules; take the one that the outcome gives"
    if recommendation.open_questions != outcome.questions:
        yield "the open questions are not those of the rules; take the ones that the outcome gives"
    if recommendation.risk != outcome.risk:
        yield f"the risk {recommendation.risk!r} is not what the rules give: {outcome.risk!r}"
    for name, value in (("model", recommendation.model), ("index version", recommendation.index_version)):
        if not _NAME.fullmatch(value):
            yield f"the {name} {value!r} is not a name; say which it was, without spaces"
