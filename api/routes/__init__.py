"""The endpoints of the API, one file a noun; each asks the policy before it answers (`api.permission`)."""

from api.routes.approvals import router as approvals
from api.routes.cases import router as cases
from api.routes.drafts import router as drafts
from api.routes.explanations import router as explanations
from api.routes.feedback import router as feedback
from api.routes.health import router as health
from api.routes.questions import router as questions
from api.routes.releases import router as releases
from api.routes.reviews import router as reviews
from api.routes.run_questions import router as run_questions
from api.routes.runs import router as runs
from api.routes.steering import router as steering

ROUTERS = (
    reviews,
    runs,
    steering,
    run_questions,
    explanations,
    questions,
    approvals,
    cases,
    drafts,
    feedback,
    releases,
    health,
)
