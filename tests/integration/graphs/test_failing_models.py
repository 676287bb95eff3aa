"""Models that give no valid output: a review ends incomplete and says because of what, and a later one goes on."""

from pathlib import Path

import pytest

from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import opened
from tests.support.scripted_provider import FINAL


class Unwilling:
    """Replies to nothing, or to nothing as it was asked to."""

    name, model = "offline", "offline/extractive"  # a model that is permitted in every installation
    capabilities = Capabilities(structured_output=True, leaves_process=False)

    def __init__(self, reply: ModelReply | NoReply) -> None:
        self._reply = reply

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        return self._reply

    async def aclose(self) -> None:
        return None


@pytest.mark.thorough
@pytest.mark.proves("F3", "F4")
@pytest.mark.parametrize(
    ("reply", "because"),
    [
        (FINAL, "no valid output for task 'intake.classify': offline: the model refused"),
        (
            ModelReply(text="I would rather not.", model="offline/extractive", usage=Usage()),
            "offline: the output was still not valid after 2 corrections (1 problem: json_invalid)",
        ),
    ],
    ids=["refused", "not valid"],
)
async def test_a_review_without_a_model_that_answers_is_incomplete_because_of_that(
    home: Path, reply: ModelReply | NoReply, because: str
) -> None:
    async with opened(home, provider=Unwilling(reply)) as world:
        report = await world.start(CREDIT_CASE)
        assert report.status == "incomplete" and because in report.because
        assert (report.draft_id, report.pending, report.receipt) == ("", (), None)
        assert await world.audited("draft.saved") == 0
    async with opened(home) as world:
        assert (await world.start(CREDIT_CASE)).status == "waiting_approval"
