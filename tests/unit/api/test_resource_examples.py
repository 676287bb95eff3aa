"""Examples in the API's document are what its models take and give."""

from typing import Any

import pytest
from pydantic import BaseModel

from api import resource_examples as examples
from api.approval_views import ApprovalView, NoticeView
from api.pages import Page
from api.routes.cases import CaseView
from api.routes.drafts import DraftVersions, DraftView
from api.routes.feedback import FeedbackView
from api.routes.releases import ReleaseList
from casewright.contracts.explanation import Explanation
from servers.case_facts.tools import CaseListing
from servers.drafting.tools import DraftDiff


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (Page[ApprovalView], examples.APPROVALS),
        (Page[NoticeView], examples.NOTICES),
        (Page[CaseListing], examples.CASES),
        (CaseView, examples.CASE),
        (DraftView, examples.DRAFT),
        (DraftVersions, examples.DRAFT_VERSIONS),
        (DraftDiff, examples.DRAFT_DIFF),
        (Page[FeedbackView], examples.FEEDBACKS),
        (Explanation, examples.EXPLANATION),
        (ReleaseList, examples.RELEASES),
    ],
)
def test_every_example_is_what_its_model_gives(model: type[BaseModel], example: dict[str, Any]) -> None:
    assert model.model_validate(example).model_dump(mode="json") == example
