"""The OpenAPI document: complete, with examples that are what they stand for, and the same as its copy.

After a change of the API, write the copy anew with

    python -m tests.unit.api.test_document
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from api.docs import openapi_of
from tests.support.installation import CHECKOUT

COPY = CHECKOUT / "docs" / "openapi.json"
METHODS = ("get", "put", "post", "delete", "patch")


def document() -> dict[str, Any]:
    """The document of an application over nothing: it says what is offered, whatever the data."""
    from fastapi import FastAPI

    from api.auth import PUBLIC
    from api.routes import ROUTERS

    app = FastAPI(openapi_url=None)
    for router in ROUTERS:
        app.include_router(router)
    return openapi_of(app, PUBLIC)


def text_of(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@pytest.fixture(scope="module", name="found")
def found_document() -> dict[str, Any]:
    return document()


def operations(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in found["paths"].items():
        yield from ((f"{method} {path}", item[method]) for method in METHODS if method in item)


@pytest.mark.proves("E8")
def test_the_copy_in_the_documentation_is_the_document(found: dict[str, Any]) -> None:
    assert COPY.read_text(encoding="utf-8") == text_of(found), (
        "the API has changed; write its document anew with: python -m tests.unit.api.test_document"
    )


def test_every_operation_says_what_it_is(found: dict[str, Any]) -> None:
    known = {tag["name"] for tag in found["tags"]}
    names = [operation["operationId"] for _, operation in operations(found)]
    assert len(names) == len(set(names))
    for place, operation in operations(found):
        assert operation["summary"] and operation["description"], place
        assert operation["tags"] and set(operation["tags"]) <= known, place
        assert operation["operationId"].replace("_", "").isalpha(), place


def test_every_operation_names_its_refusals_as_problem_documents(found: dict[str, Any]) -> None:
    for place, operation in operations(found):
        open_to_all = operation.get("security") == []
        assert open_to_all or {"401", "429", "500"} <= set(operation["responses"]), place
        for status, answer in operation["responses"].items():
            whole = resolved(found, answer)
            assert "X-Request-Id" in whole["headers"], place
            if status >= "400" and not (open_to_all and status == "503"):
                (media,) = whole["content"]
                assert media == "application/problem+json", f"{place} {status}"


def test_every_operation_has_examples_that_are_what_it_takes_and_gives(found: dict[str, Any]) -> None:
    for place, operation in operations(found):
        taken = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if taken is not None:
            for example in taken["examples"].values():
                check(found, taken["schema"], example["value"], place)
        given = [answer for status, answer in operation["responses"].items() if status < "300"]
        assert given, place
        for answer in given:
            content = answer["content"]["application/json"]
            check(found, content["schema"], content["example"], place)


def resolved(found: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """An answer, or the shared one that it refers to."""
    name = answer.get("$ref", "").rpartition("/")[2]
    return found["components"]["responses"][name] if name else answer


def check(found: dict[str, Any], schema: dict[str, Any], value: Any, place: str) -> None:
    whole = {**schema, "components": found["components"]}
    problems = [error.message for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(value)]
    assert not problems, f"{place}: {problems[:3]}"


def test_the_document_is_one(found: dict[str, Any]) -> None:
    """Every reference leads somewhere, and every schema is a schema."""
    assert found["openapi"].startswith("3.1")
    assert found["security"] == [{"bearer": []}]
    for reference in references(found):
        target: Any = found
        for part in reference.removeprefix("#/").split("/"):
            assert part in target, reference
            target = target[part]
    for schema in found["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():  # pyright: ignore[reportUnknownVariableType]
            if name == "$ref" and isinstance(part, str):
                yield part
            else:
                yield from references(part)
    elif isinstance(value, list):
        for part in value:  # pyright: ignore[reportUnknownVariableType]
            yield from references(part)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else COPY
    target.write_text(text_of(document()), encoding="utf-8")
