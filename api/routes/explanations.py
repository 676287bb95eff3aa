"""The explanation of a run: the auditor's questions, answered from records, as JSON or Markdown."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.docs import READING, problems
from api.errors import ApiProblemError
from api.etags import TAGGED, tagged
from api.permission import AskerDep, GovernedRoute
from api.resource_examples import EXPLANATION, EXPLANATION_MARKDOWN
from api.run_views import RunId, recorded_run
from casewright.contracts.explanation import Explanation
from graphs.explanation.explain import explain_run
from graphs.explanation.markdown import explanation_markdown

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=GovernedRoute)
LONGEST_CHAIN = 20_000
"""Events of an audit that is verified in passing; a longer one takes too long for one answer, which says so."""
MARKDOWN = "text/markdown"


@router.get(
    "/{run_id}/explanation",
    operation_id="explain_run",
    summary="Read what a run said, why, from what, under what permission, and how one would know if it was wrong",
    response_model=Explanation,
    dependencies=[TAGGED],
    responses={
        200: {
            "description": "Each statement names the events that it stands on.",
            "content": {
                "application/json": {"example": EXPLANATION},
                MARKDOWN: {"schema": {"type": "string"}, "example": EXPLANATION_MARKDOWN},
            },
            "headers": {"ETag": {"description": "Of the JSON.", "schema": {"type": "string"}}},
        }
    }
    | problems(*READING, "not-acceptable"),
)
async def explain(asker: AskerDep, request: Request, run_id: RunId) -> Response:
    """`Accept: text/markdown` gives a report for people, in which no text of a record is markup."""
    parts = asker.parts
    row, reader = await recorded_run(asker, run_id)
    told = await explain_run(parts.services, parts.records, row, longest_chain=LONGEST_CHAIN)
    explanation = reader.explanation(told)
    if _wants_markdown(request):
        return Response(explanation_markdown(explanation), media_type=MARKDOWN)
    return tagged(request, explanation)


def _wants_markdown(request: Request) -> bool:
    """Whether the client asks for Markdown; everything else that it takes is JSON.

    Raises:
        ApiProblemError: it takes neither.
    """
    accepted = [part.partition(";") for part in request.headers.get("accept", "*/*").lower().split(",")]
    types = {kind.strip() for kind, _, rest in accepted if rest.replace(" ", "") not in ("q=0", "q=0.0")}
    if types & {"*/*", "application/*", "application/json", ""}:
        return False
    if types & {MARKDOWN, "text/*"}:
        return True
    raise ApiProblemError("not-acceptable", "an explanation comes as application/json or text/markdown")
