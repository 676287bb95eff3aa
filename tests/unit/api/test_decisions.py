"""No endpoint answers without a decision of the policy that is on record."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.routing import Route

from api.auth import METADATA, PUBLIC
from api.permission import GovernedRoute
from api.routes import ROUTERS
from tests.support.api import Api, problem
from tests.support.installation import CASE

UNDECIDED = {*PUBLIC, "/openapi.json"}
"""The only paths that answer without a decision: they say nothing of anybody."""


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of everything that the document offers."""
    for path, item in document["paths"].items():
        yield from ((method.upper(), path, item[method]) for method in item)


def example_body(operation: dict[str, Any]) -> Any:
    """The body that the document gives as an example; None: it takes none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    (first, *_) = content["examples"].values()
    return first["value"]


def test_every_route_is_a_governed_one_or_named_as_an_exception() -> None:
    paths = {context.path for router in ROUTERS for context in iter_route_contexts(router.routes)}
    assert len(paths) > 10
    routes = [route for router in ROUTERS for route in router.routes]
    bare = {route.path for route in routes if isinstance(route, Route) and not isinstance(route, GovernedRoute)}
    assert all(isinstance(route, Route) for route in routes)
    assert bare == set(PUBLIC) - {METADATA}


async def test_every_operation_leaves_a_decision_in_the_audit(api: Api) -> None:
    run_id = await api.begun()
    known = {"run_id": run_id, "question_id": await api.asked(run_id), "case_id": CASE}
    asked = (await api.post("/v1/questions", {"question": "How long?"})).json()["run_id"]
    checked: list[str] = []
    for method, path, operation in operations(api.app.openapi()):
        if path in UNDECIDED:
            continue
        values = {**known, "run_id": asked} if path.startswith("/v1/questions") else known
        if set(operation_parameters(operation)) - set(values):
            continue  # of other resources; their own tests make one
        body = example_body(operation)
        answer = await api.ask(method, path.format(**values), **({} if body is None else {"json": body}))
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        assert await api.decisions(answer), f"{method} {path} answered {answer.status_code} without a decision"
        checked.append(operation["operationId"])
    assert {"start_review", "list_runs", "get_run", "cancel_run", "answer_run_question", "ask_question"} <= {*checked}


def operation_parameters(operation: dict[str, Any]) -> list[str]:
    return [item["name"] for item in operation.get("parameters", []) if item["in"] == "path"]


async def test_an_answer_that_nobody_decided_on_is_held_back(api: Api) -> None:
    router = APIRouter(route_class=GovernedRoute)

    @router.get("/v1/forgotten")
    async def forgotten() -> dict[str, str]:
        return {"secret": "of somebody"}

    api.app.include_router(router)
    answer = await api.get("/v1/forgotten")
    problem(answer, 500, "internal")
    assert "somebody" not in answer.text


@pytest.mark.parametrize("path", sorted({"/v1/runs", "/v1/runs/run-x", "/openapi.json", "/v1/nothing", "/docs", "/"}))
async def test_nothing_else_is_answered_without_a_token(api: Api, path: str) -> None:
    answer = await api.http.get(path)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == (f'Bearer resource_metadata="http://127.0.0.1:8760{METADATA}"')


async def test_what_is_public_says_nothing_of_anybody(api: Api) -> None:
    assert (await api.http.get("/v1/health")).json()["status"] == "ok"
    ready = await api.http.get("/v1/ready")
    assert ready.status_code == 503
    assert {part["name"] for part in ready.json()["parts"] if not part["ready"]} == {"worker"}
    assert (await api.http.get(METADATA)).json()["bearer_methods_supported"] == ["header"]
