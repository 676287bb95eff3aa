"""A scripted model behind the local Messages server: it reads the prompt it is sent and answers by the offline rules.

It knows nothing but the text of the request, so what the gateway takes out of it (hidden fields, personal values) it
does not see; placeholders that stand for values are text to it and come back as they are. A test may spoil what it
answers.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from casewright.models.extractive.answering import answer
from casewright.models.extractive.drafting import draft
from casewright.models.extractive.intake import classify
from casewright.models.extractive.research import select
from casewright.models.task import Task
from casewright.models.tasks import TASKS
from tests.support.anthropic_messages import message
from tests.support.anthropic_server import Step

_MARKER = re.compile(r"\Amarker: (?P<marker>[0-9a-f]+)$", re.MULTILINE)
_LAST_PART = re.compile(r"(?:\.\w+|\(\w+\))\Z")
_RULES: Mapping[str, Callable[[Any], Any]] = {
    "intake.classify": classify,
    "research.select": select,
    "draft.recommendation": draft,
    "answer.question": answer,
}
_UNSEEN: dict[str, Any] = {
    "sha256": "0" * 64,
    "position": 0,
    "parents": [],
    "score": 1.0,
    "rank": 1,
    "exact_reference": False,
    "status": "published",
}
"""Stands for fields that are not shown to a model; the rules do not read them."""
Spoiling = Callable[[str, dict[str, Any]], dict[str, Any]]
"""The name of the task and the answer in; the answer that is sent out."""


class ScriptedModel:
    """Answers every task; counts what it was asked."""

    def __init__(self, spoil: Spoiling | None = None) -> None:
        self._spoil = spoil
        self.asked: list[str] = []
        """The names of the tasks, in order."""
        self.prompts: list[str] = []
        """The whole of each request, as JSON."""

    def __call__(self, request: dict[str, Any]) -> Step:
        task = task_of(request)
        self.asked.append(task.name)
        self.prompts.append(json.dumps(request, ensure_ascii=False))
        value = task.input.model_validate_json(json.dumps(_document(task, request["messages"][0]["content"])))
        answered: dict[str, Any] = json.loads(_RULES[task.name](value).model_dump_json())
        said = self._spoil(task.name, answered) if self._spoil else answered
        return Step(body=message(json.dumps(said, ensure_ascii=False), model=request["model"]))


def task_of(request: Mapping[str, Any]) -> Task[Any, Any]:
    """Which task a request is of, by the schema that it asks for."""
    by_tool = request.get("tools")
    schema = by_tool[0]["input_schema"] if by_tool else request["output_config"]["format"]["schema"]
    (found,) = [one for one in TASKS.values() if set(one.output.model_fields) == set(schema["properties"])]
    return found


def _document(task: Task[Any, Any], prompt: str) -> dict[str, Any]:
    """The input of the task, from the blocks of the prompt."""
    opened = _MARKER.search(prompt)
    assert opened, "the prompt does not begin with its marker"
    marker = opened["marker"]
    block = re.compile(rf"^\[\[{marker} (?P<title>[^\]]+)\]\]\n(?P<body>.*?)\n\[\[{marker} end\]\]$", re.M | re.S)
    found = {one["title"]: one["body"] for one in block.finditer(prompt)}
    document: dict[str, Any] = json.loads(found["facts"])
    for name in task.untrusted_fields:
        body = found[f"evidence {name}"]
        document[name] = body if task.input.model_fields[name].annotation is str else json.loads(body)
    return _completed(document, task.hidden)


def _completed(document: Any, hidden: Mapping[str, Any]) -> Any:
    """With something for each field that is hidden from models."""
    for name, what in hidden.items():
        inner = document[name]
        if "__all__" in what:
            unseen = {key: _UNSEEN[key] for key in cast(Mapping[str, Any], what)["__all__"]}
            document[name] = [unseen | _parents(one, unseen) | one for one in inner]
        else:
            document[name] = _completed(inner, what)
    return document


def _parents(clause: Mapping[str, Any], unseen: Mapping[str, Any]) -> dict[str, list[str]]:
    """The clause above, which a reader knows by the label."""
    above = _LAST_PART.sub("", clause["label"]) if "parents" in unseen else ""
    return {"parents": [above]} if above else {}
