"""The OpenAPI document: what FastAPI derives from the routes, and what it cannot know.

That is: the bearer token, problem documents, the request id of every answer. No page renders it
here, because that would load scripts from elsewhere; `docs/openapi.json` is a copy that a test
holds to this one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from api.errors import KINDS, MEDIA_TYPE, PREFIX, Problem, ProblemName
from casewright import __version__

TITLE = "Casewright API"
DESCRIPTION = """Begin, follow, answer and steer case reviews; see and decide what waits for approval.

Every request carries a bearer token for the audience `casewright:orchestrator`. The same policies decide as in the
tool servers, so what you may not read looks absent. A `POST` takes an `Idempotency-Key`. Refusals are problem
documents (RFC 9457); name their `request_id` when you ask about one. No run is driven here: workers do that."""
TAGS = [
    {"name": "reviews", "description": "Begin a review of a case."},
    {"name": "runs", "description": "Runs: their state, report, events; and what is asked of them."},
    {"name": "questions", "description": "Questions about the rules, answered with verified quotes or not at all."},
    {"name": "approvals", "description": "What waits for people, exactly as it would be executed, and their votes."},
    {"name": "cases", "description": "Cases as the case facts server shows them to you."},
    {"name": "drafts", "description": "Drafts, their versions, and what changed between two."},
    {"name": "feedback", "description": "What people say is right or wrong with an answer."},
    {"name": "releases", "description": "Which release is in force."},
    {"name": "health", "description": "Whether this process lives, and whether everything that it needs is there."},
]
READING: tuple[ProblemName, ...] = (
    "unreadable",
    "unauthenticated",
    "not-found",
    "uri-too-long",
    "invalid",
    "too-many-requests",
    "headers-too-large",
    "internal",
    "unavailable",
)
"""What any read may be refused with."""
CHANGING: tuple[ProblemName, ...] = (
    *READING,
    "denied",
    "timeout",
    "conflict",
    "in-flight",
    "too-large",
    "unsupported-media-type",
    "key-reused",
)
"""What any change may be refused with."""
_METHODS = ("get", "put", "post", "delete", "patch")


def problems(*names: ProblemName) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for these refusals, each with an example."""
    found: dict[int | str, dict[str, Any]] = {}
    for name in names:
        status, title = KINDS[name]
        media = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        answer = found.setdefault(status, {"description": title, "content": {MEDIA_TYPE: media}})
        answer["content"][MEDIA_TYPE]["examples"][name] = {"value": _example(name)}
    return found


def example(
    value: Any, description: str, headers: Mapping[str, str] | None = None, *, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for its success, with an example and the headers that it sets."""
    said = {name: {"description": text, "schema": {"type": "string"}} for name, text in (headers or {}).items()}
    return {
        status: {
            "description": description,
            "content": {"application/json": {"example": value}},
            **({"headers": said} if said else {}),
        }
    }


def _example(name: ProblemName) -> dict[str, Any]:
    status, title = KINDS[name]
    problem = Problem(type=PREFIX + name, title=title, status=status, detail=title, request_id="req-5f2d9c0b7a416e38")
    return problem.model_dump(mode="json")


def openapi_of(app: FastAPI, public: tuple[str, ...]) -> dict[str, Any]:
    """The whole document; made once for each application.

    Args:
        public: paths that are answered without a token.
    """
    if app.openapi_schema is None:
        document = get_openapi(title=TITLE, version=__version__, description=DESCRIPTION, routes=app.routes, tags=TAGS)
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas |= _schemas()
        components["securitySchemes"] = {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A token for the orchestrator: of the issuer, or with local identities "
                "`casewright token orchestrator --as NAME`.",
            }
        }
        components["headers"] = {
            "RequestId": {"description": "The id of the request, in log and audit.", "schema": {"type": "string"}}
        }
        document["security"] = [{"bearer": []}]
        _restore_examples(document, app)
        for path, operation in _operations(document):
            if path in public:
                operation["security"] = []
            _mend_parameters(operation)
            for answer in operation["responses"].values():
                answer.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/RequestId"}
            _share_refusals(operation["responses"], components.setdefault("responses", {}))
        app.openapi_schema = document
    return app.openapi_schema


def _restore_examples(document: dict[str, Any], app: FastAPI) -> None:
    """Put back what the framework leaves out of examples: everything that is null."""
    for context in iter_route_contexts(app.routes):
        for method in context.methods or ():
            operation = document["paths"].get(context.path, {}).get(method.lower(), {})
            for status, answer in context.responses.items():
                for media, content in answer.get("content", {}).items():
                    if "example" in content:
                        operation["responses"][str(status)]["content"][media]["example"] = content["example"]


def _mend_parameters(operation: dict[str, Any]) -> None:
    """A parameter is there or not and never null; one that names what is known may be answered with nothing."""
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        others = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
        parameter["schema"] = {**schema, **others[0]} if len(others) == 1 else {**schema, **_any_of(others)}
        if parameter["name"] == "If-None-Match":
            tag = {"ETag": {"description": "The tag that still holds.", "schema": {"type": "string"}}}
            operation["responses"]["304"] = {"description": "It is what you know already.", "headers": tag}


def _any_of(kinds: list[Any]) -> dict[str, Any]:
    return {"anyOf": kinds} if kinds else {}


def _share_refusals(answers: dict[str, Any], shared: dict[str, Any]) -> None:
    """Say each refusal once for the whole document."""
    for status, answer in answers.items():
        media = answer.get("content", {}).get(MEDIA_TYPE)
        if media is not None and len(answer["content"]) == 1:
            words = "-or-".join(sorted(media["examples"])).split("-")
            name = "".join(word.capitalize() for word in words)
            shared[name] = answer
            answers[status] = {"$ref": f"#/components/responses/{name}"}


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((path, item[method]) for method in _METHODS if method in item)


def _schemas() -> dict[str, Any]:
    from pydantic.json_schema import models_json_schema

    template = "#/components/schemas/{model}"
    _, defined = models_json_schema([(Problem, "serialization")], ref_template=template)
    found: dict[str, Any] = defined["$defs"]
    return found
