"""The endpoints of the API, one file a noun; each asks the policy before it answers (`api.permission`)."""

from api.routes.health import router as health
from api.routes.questions import router as questions
from api.routes.reviews import router as reviews
from api.routes.runs import router as runs

ROUTERS = (reviews, runs, questions, health)
