"""The client beside the API's OpenAPI document: every operation, its parameters, its body, its answer."""

import inspect
import re
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.routes import ROUTERS
from casewright.client import operations
from casewright.client.calls import Call, PageCall
from casewright.contracts.feedback import CitationRef

SENT_BY_THE_CLIENT = {"If-None-Match", "If-Match", "Idempotency-Key", "Last-Event-ID", "cursor"}
"""What calls carry without being asked: `if_match`, `keyed`, `follow`, `pages`."""
ARGUMENTS: dict[str, Any] = {
    "case_id": "case/1",
    "run_id": "run 1",
    "approval_id": "apr?1",
    "question_id": "q#1",
    "draft_id": "../drf",
    "value": "stop",
    "question": "How long?",
    "approve": True,
    "digest": "0" * 64,
    "why": "because",
    "assignee": "selma",
    "version": 1,
    "from_version": 1,
    "to_version": 2,
    "kind": "wrong_citation",
    "citation": CitationRef(document_id="d", version="1", label="1", quote="q"),
}


def document() -> dict[str, Any]:
    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    return get_openapi(title="", version="1", routes=app.routes)


DOCUMENT = document()


def offered() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        yield from ((path, method.upper(), operation) for method, operation in item.items())


OPERATIONS = {operation["operationId"]: (path, method, operation) for path, method, operation in offered()}


def made(name: str) -> Call[Any]:
    """The call of an operation, with every argument that it takes."""
    function: Callable[..., Call[Any]] = getattr(operations, name)
    wanted = inspect.signature(function).parameters
    given = {key: ARGUMENTS[key] for key, found in wanted.items() if key in ARGUMENTS or found.default is found.empty}
    return function(**given)


def test_every_operation_has_a_function_and_every_function_an_operation() -> None:
    functions = {
        name
        for name, found in vars(operations).items()
        if inspect.isfunction(found) and found.__module__ == operations.__name__ and not name.startswith("_")
    }
    assert functions == set(OPERATIONS)
    assert len(functions) > 30


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_call_goes_where_the_operation_is_with_what_it_takes(name: str) -> None:
    path, method, operation = OPERATIONS[name]
    call = made(name)
    assert (call.operation_id, call.method) == (name, method)
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/?#]+", path), call.path), "an argument must stay in its segment"
    parameters = operation.get("parameters", [])
    taken = {item["name"] for item in parameters if item["in"] == "query"} - SENT_BY_THE_CLIENT
    named = set(inspect.signature(getattr(operations, name)).parameters)
    assert taken <= named
    assert set(call.params) <= taken
    assert {item["name"] for item in parameters if item["in"] == "header"} <= SENT_BY_THE_CLIENT
    assert ("idempotency-key" in call.headers) == any(item["name"] == "Idempotency-Key" for item in parameters)
    assert isinstance(call, PageCall) == any(item["name"] == "cursor" for item in parameters)


@pytest.mark.parametrize("name", [name for name, found in sorted(OPERATIONS.items()) if "requestBody" in found[2]])
def test_a_body_is_what_the_operation_takes(name: str) -> None:
    content = OPERATIONS[name][2]["requestBody"]["content"]["application/json"]["schema"]
    schema = resolved(content)
    body = dict(made(name).body or {})
    assert set(body) <= set(schema["properties"])
    assert set(schema.get("required", ())) <= set(body)
    settable = {key for key in schema["properties"] if key not in ("as_of",)}
    assert settable <= set(body) | set(inspect.signature(getattr(operations, name)).parameters)


def test_no_body_is_sent_where_none_is_taken() -> None:
    bare = {name for name, (_, _, operation) in OPERATIONS.items() if "requestBody" not in operation}
    assert {name for name in bare if made(name).body is not None} == set()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_answer_is_read_as_the_document_describes_it(name: str) -> None:
    answers = OPERATIONS[name][2]["responses"]
    (status,) = (status for status in answers if status.startswith("2"))
    schema = answers[status]["content"]["application/json"]["schema"]
    assert list(differences(made(name).answer, schema, name)) == []


def differences(model: type[BaseModel], schema: dict[str, Any], where: str) -> Iterator[str]:
    """Fields that only the client reads, or that only the API gives, here and in what is inside."""
    found = resolved(schema)
    for odd in sorted(set(model.model_fields) ^ set(found["properties"])):
        yield f"{where}.{odd}"
    for name, field in model.model_fields.items():
        inner = next(models_in(field.annotation), None)
        below = next(objects_in(found["properties"][name]), None)
        if inner is not None and below is not None and inner.__module__.startswith("casewright.client"):
            yield from differences(inner, below, f"{where}.{name}")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    if get_origin(annotation) in (tuple, dict, Union, UnionType):
        for argument in get_args(annotation):
            yield from models_in(argument)


def objects_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    found = resolved(schema)
    if "properties" in found:
        yield found
    for part in [found.get("items"), found.get("additionalProperties"), *found.get("anyOf", [])]:
        if isinstance(part, dict):
            yield from objects_in(cast("dict[str, Any]", part))


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found
