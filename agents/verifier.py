"""The verifier: reads the saved draft again and has every quote checked anew."""

from agents.documents import CheckReading
from agents.toolbox import Toolbox
from casewright.contracts.recommendation import DraftVersion


async def verify(tools: Toolbox, *, draft_id: str, version: int, digest: str) -> tuple[str, ...]:
    """Problems of the saved draft; none means that it stands."""
    draft = await tools.call("get_draft", {"draft_id": draft_id, "draft_version": version}, DraftVersion)
    if draft.digest != digest:
        return (f"draft {draft_id!r} version {version} is not the one that was saved",)
    arguments = {"recommendation": draft.recommendation.model_dump(mode="json")}
    checked = await tools.call("verify_draft", arguments, CheckReading)
    return () if checked.ok else checked.problems
