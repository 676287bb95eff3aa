"""The evidence checker: asks the server for the rules' own assessment; computes nothing itself."""

from agents.toolbox import Toolbox
from casewright.contracts.recommendation import CaseAssessment


async def assess(tools: Toolbox) -> CaseAssessment:
    """Evidence, deadlines, limits and outcome as the rules give them now."""
    return await tools.call("assess_case", {}, CaseAssessment)
