"""The executor: asks for the approval of an action, and later executes exactly that action."""

from typing import Any, Literal

from agents.documents import GatedReading
from agents.toolbox import Toolbox


async def act(tools: Toolbox, tool: Literal["submit_action", "execute_action"], action: dict[str, Any]) -> GatedReading:
    """One gated call; the server compares the arguments with the draft and the approval."""
    return await tools.call(tool, action, GatedReading)
