"""What other policies, prompts, models or another index would change in a run: what stays, changes, is unknown.

What a candidate does not touch is as recorded. What it touches is asked anew, read-only: recorded decisions of both
policies, recorded searches of both states of the index, recorded model calls with the other prompts. What would have
come after the first change is not made up: from there on a step is unknown, unless nothing that it stands on changed.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from casewright.access.flips import PERMISSIVE
from casewright.access.replay import ReplayReport
from casewright.contracts.clause import SearchFilters, SearchResult
from casewright.contracts.recommendation import CaseAssessment
from casewright.corpus.corpus import Corpus
from casewright.errors import CasewrightError
from casewright.models.kept_calls import KeptCall, LostCall
from casewright.models.replaying import Replayer
from casewright.replay.made_call import MadeCall
from graphs.replay.parting import first_difference

Touch = Literal["policy", "rules", "egress", "index", "prompt", "model", "record"]
Verdict = Literal["stays", "changes", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Touched:
    """One thing of a run that the candidate answers otherwise, or of which nobody can tell."""

    step: int
    node: str
    by: Touch
    verdict: Verdict
    what: str
    """In one phrase; it holds no text of a case."""
    permissive: bool = False
    """It lets through more than before."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A step of a run and when it ended."""

    step: int
    node: str
    ended_ns: int
    calls: Sequence[MadeCall]
    lacks: str = ""
    """Why its calls are not on record; empty: they are, or it made none."""


def of_records(places: Sequence[Place]) -> list[Touched]:
    """Steps of which nobody can tell, since what their tools answered is not there."""
    return [
        Touched(step=place.step, node=place.node, by="record", verdict="unknown", what=place.lacks)
        for place in places
        if place.lacks
    ]


def place_at(places: Sequence[Place], at_ns: int) -> Place:
    """The step in which something was recorded; what came after the last one belongs to that."""
    return next((place for place in places if at_ns <= place.ended_ns), places[-1])


def of_decisions(report: ReplayReport, times: dict[str, int], places: Sequence[Place]) -> list[Touched]:
    """Flips, what lets through more first, and decisions that the policies in force do not give again."""
    found: list[Touched] = []
    for flip in report.flips:
        place = place_at(places, times[flip.input])
        what = f"{flip.kind.replace('_', ' ')}: {flip.tool} for {flip.role}, {flip.before.shown} -> {flip.after.shown}"
        changed = f" ({', '.join(flip.changes)})" if flip.changes else ""
        found.append(
            Touched(
                step=place.step,
                node=place.node,
                by="policy",
                verdict="changes",
                what=f"{what}{changed}; decision {flip.input}",
                permissive=flip.kind in PERMISSIVE,
            )
        )
    for one in report.not_reproducible:
        place = place_at(places, times[one.input])
        what = f"decision {one.input}: {one.reason}"
        found.append(Touched(step=place.step, node=place.node, by="policy", verdict="unknown", what=what))
    return sorted(found, key=lambda one: (not one.permissive, one.verdict == "unknown"))


def of_rules(places: Sequence[Place], now: CaseAssessment | None, candidate: CaseAssessment | None) -> list[Touched]:
    """What the candidate's rules say wherever the case was assessed; it must still be assessed as it was recorded.

    Args:
        now: what the policies in force say of the case as it is; None: they cannot, or the reader may not see all.
        candidate: what the candidate's say.
    """
    found: list[Touched] = []
    for place in places:
        for call in place.calls:
            told = _assessed(call, now, candidate) if call.tool == "assess_case" and call.result else None
            if told is not None:
                verdict, what = told
                found.append(Touched(step=place.step, node=place.node, by="rules", verdict=verdict, what=what))
    return found


def of_egress(places: Sequence[Place], times: Mapping[str, int]) -> list[Touched]:
    """Steps that asked a model, where what may leave for one is decided by other rules."""
    what = "what may leave for a model is decided by other rules; whom it would ask is unknown"
    asked = {place_at(places, at_ns).step for at_ns in times.values()}
    return [
        Touched(step=place.step, node=place.node, by="egress", verdict="unknown", what=what)
        for place in places
        if place.step in asked
    ]


def of_searches(places: Sequence[Place], corpora: tuple[Corpus, Corpus], filters: SearchFilters) -> list[Touched]:
    """Recorded searches and readings in the run's own state of the index and in the candidate.

    Args:
        filters: under which the reader may search; where these do not give what was recorded, nothing is claimed.
    """
    found: list[Touched] = []
    for place in places:
        for call in place.calls:
            told = _search(call, corpora, filters)
            if told is not None:
                verdict, what = told
                found.append(Touched(step=place.step, node=place.node, by="index", verdict=verdict, what=what))
    return found


async def of_prompts(
    places: Sequence[Place], calls: Sequence[KeptCall | LostCall], times: dict[str, int], replayer: Replayer
) -> list[Touched]:
    """Model calls that would be asked otherwise; what would be answered is unknown from here."""
    found: list[Touched] = []
    for call in calls:
        replayed = await replayer.replay(call)
        if replayed.verdict == "same":
            continue
        place = place_at(places, times.get(replayed.call_id, 0))
        what = f"{replayed.task}: {replayed.where}; the answer is unknown from here"
        found.append(Touched(step=place.step, node=place.node, by="prompt", verdict="unknown", what=what))
    return found


def told_by_step(places: Sequence[Place], touched: Sequence[Touched]) -> list[tuple[Place, Verdict, str]]:
    """Each step with what becomes of it."""
    told: list[tuple[Place, Verdict, str]] = []
    first: Place | None = None
    for place in places:
        own = [one for one in touched if one.step == place.step]
        verdict: Verdict = "stays"
        because = ""
        if own:
            verdict = "changes" if any(one.verdict == "changes" for one in own) else "unknown"
            because = own[0].what
        elif first is not None:
            verdict, because = "unknown", f"it follows on step {first.step} ({first.node})"
        if own and first is None:
            first = place
        told.append((place, verdict, because))
    return told


def _assessed(
    call: MadeCall, now: CaseAssessment | None, candidate: CaseAssessment | None
) -> tuple[Verdict, str] | None:
    recorded = _rules(cast("dict[str, Any]", call.result))
    if now is None or candidate is None or first_difference(recorded, _rules(now.model_dump(mode="json"))) is not None:
        what = "the case, the day or what you may see is not what was assessed, so the other rules cannot be tried"
        return "unknown", what
    found = first_difference(recorded, _rules(candidate.model_dump(mode="json")))
    return None if found is None else ("changes", f"the rules: {found[0]} was {found[1]} and is {found[2]}")


def _rules(assessment: dict[str, Any]) -> dict[str, Any]:
    return {name: assessment.get(name) for name in ("evidence", "deadlines", "limits", "outcome")}


def _search(call: MadeCall, corpora: tuple[Corpus, Corpus], filters: SearchFilters) -> tuple[Verdict, str] | None:
    """How a recorded reading of the rules differs; None: it does not, or it is none."""
    if call.tool not in ("search_policies", "get_clauses") or call.result is None:
        return None
    as_of = call.arguments.get("as_of")
    here = filters.model_copy(update={"as_of": dt.date.fromisoformat(str(as_of))}) if as_of else filters
    try:
        before, after = (_read(call, corpus, here) for corpus in corpora)
    except CasewrightError as error:
        return "unknown", f"{call.tool}: {error}"
    recorded = _recorded(call)
    if before != recorded:
        return "unknown", f"{call.tool}: with your labels, or since, it does not find what the run found"
    if after == before:
        return None
    lost, new = [one for one in before if one not in after], [one for one in after if one not in before]
    told = [f"loses {', '.join(lost)}" if lost else "", f"gains {', '.join(new)}" if new else ""]
    return "changes", f"{call.tool}: {'; '.join(filter(None, told)) or 'the same clauses in another order'}"


def _recorded(call: MadeCall) -> list[str]:
    result = cast("dict[str, Any]", call.result)
    if call.tool == "search_policies":
        return _named(SearchResult.model_validate(result))
    return [_clause(found["clause"]) for found in result["found"]]


def _read(call: MadeCall, corpus: Corpus, filters: SearchFilters) -> list[str]:
    if call.tool == "search_policies":
        return _named(corpus.search(str(call.arguments["query"]), filters, limit=int(call.arguments.get("limit", 10))))
    found: list[str] = []
    for name in call.arguments["clauses"]:
        try:
            one = corpus.clause(filters, document_id=name["document_id"], label=name["label"])
        except CasewrightError:  # absent there: named by its absence from the list
            continue
        found.append(_clause(one.clause.model_dump(mode="json")))
    return found


def _named(result: SearchResult) -> list[str]:
    verdict = [] if result.sufficient else ["(not sufficient)"]
    return [*verdict, *(_clause(hit.model_dump(mode="json")) for hit in result.hits)]


def _clause(clause: dict[str, Any]) -> str:
    return f"{clause['document_id']} {clause['version']} {clause['label']} ({str(clause['sha256'])[:8]})"
