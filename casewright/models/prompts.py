"""Prompt files, and how a task's input becomes the text a model reads.

A prompt file is Markdown with YAML front matter; its body is the instructions and nothing is
ever substituted into it. Input goes into the user's turn, in blocks: facts by themselves, every
untrusted field by itself, delimited by a marker drawn anew for each call. Delimiting is *not* a
security boundary: what a model may cause is bounded by the servers.
"""

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import Field, ValidationError

from casewright.canonical import digest
from casewright.contracts.base import Contract
from casewright.errors import InputError
from casewright.models.provider import Turn
from casewright.models.task import Task

InputT = TypeVar("InputT", bound=Contract)
REPAIR_PROMPT = "repair.md"
JSON_PROMPT = "json_only.md"
SECTIONS = ("# Task", "# How to read the message", "# What to answer")
"""What the instructions of every task have: without the second one a model cannot tell quoted text from its task."""
_FRONT_MATTER = re.compile(r"\A---\r?\n(?P<head>.*?)\r?\n---\r?\n(?P<body>.*)\Z", re.DOTALL)
_OPENING = re.compile("[\\[\uff3b\ufe5d\u2045\u27e6\u301a\u3010]{2,}|[\u27e6\u301a\u3010]")
_CLOSING = re.compile("[\\]\uff3d\ufe5e\u2046\u27e7\u301b\u3011]{2,}|[\u27e7\u301b\u3011]")
"""Whole runs, so that what a look-alike becomes cannot join its neighbour to a delimiter."""
_ANNOUNCEMENT = re.compile("(?im)^([^\\S\n]*)marker\\s*[:\uff1a]")
_PERHAPS_HIDDEN = re.compile(r"[^\x20-\x7e\n\t]")


class PromptExample(Contract):
    """One input with an answer that would be right."""

    about: str
    """What it shows."""
    input: dict[str, Any]
    output: dict[str, Any]


class PromptHead(Contract):
    """The front matter of a prompt file."""

    id: str
    version: int = Field(ge=1)
    purpose: str
    variables: tuple[str, ...]
    """Names of the input fields the instructions speak of."""
    examples: tuple[PromptExample, ...] = ()
    """Shown to the model after the instructions, in a block of their own; each is valid for the task."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One prompt file."""

    head: PromptHead
    instructions: str
    sha256: str
    """Of the file's bytes."""

    @cached_property
    def system(self) -> str:
        """What stands before the input, the same for every call: instructions, then the examples."""
        shown = [f"{one.about}\n\n{_json({'input': one.input, 'output': one.output})}" for one in self.head.examples]
        return "\n\n".join([self.instructions, *(["# Examples"] if shown else []), *shown])


class PromptLibrary:
    """The prompt files of its folders, read once; a file that cannot be used is an error at once."""

    def __init__(self, *folders: Path) -> None:
        self._prompts: dict[str, Prompt] = {}
        for folder in folders:
            if not folder.is_dir():
                raise InputError(f"the prompts folder {str(folder)!r} is not there; reinstall or name the right folder")
            self._prompts |= {path.name: load_prompt(path) for path in sorted(folder.glob("*.md"))}
        self._fitting: set[tuple[object, ...]] = set()
        """What is known of tasks whose prompts fit them; it is looked at once."""

    @property
    def files(self) -> tuple[tuple[str, Prompt], ...]:
        """Every prompt with the name of its file, in order."""
        return tuple(self._prompts.items())

    @cached_property
    def sha256(self) -> str:
        """Of all of them together: what a model is told also depends on those that no task names."""
        return digest({name: prompt.sha256 for name, prompt in self._prompts.items()})

    def get(self, name: str) -> Prompt:
        prompt = self._prompts.get(name)
        if prompt is None:
            known = ", ".join(sorted(self._prompts)) or "none"
            raise InputError(f"the prompt file {name!r} is missing; there are: {known}")
        return prompt

    def for_task(self, task: Task[Any, Any]) -> Prompt:
        """The prompt of a task.

        Raises:
            InputError: its id is not the task's name, its variables are not the task's input, it lacks a section, or
                an example is not valid for the task.
        """
        prompt = self.get(task.prompt)
        about = (task.name, task.prompt, task.input, task.output, task.check)
        if about not in self._fitting:
            _must_fit(task, prompt)
            self._fitting.add(about)
        return prompt


def load_prompt(path: Path) -> Prompt:
    """Read one prompt file.

    Raises:
        InputError: it is not UTF-8, or its front matter is malformed.
    """
    content = path.read_bytes()
    try:
        match = _FRONT_MATTER.match(content.decode())
        head: object = yaml.safe_load(match["head"]) if match else None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"the prompt file {path.name!r} cannot be read: {type(error).__name__}; mend it") from error
    if match is None or not isinstance(head, dict):
        raise InputError(f"the prompt file {path.name!r} has no front matter; begin it with --- and id, version, ...")
    try:
        checked = PromptHead.model_validate(head)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise InputError(f"the front matter of prompt {path.name!r} is wrong in: {wrong}") from error
    return Prompt(head=checked, instructions=match["body"].strip(), sha256=hashlib.sha256(content).hexdigest())


def _must_fit(task: Task[Any, Any], prompt: Prompt) -> None:
    if prompt.head.id != task.name:
        raise InputError(f"prompt {task.prompt!r} has the id {prompt.head.id!r}; task {task.name!r} needs its own")
    missing = sorted(set(task.input.model_fields) ^ set(prompt.head.variables))
    if missing:
        raise InputError(f"prompt {task.prompt!r} and the input of task {task.name!r} differ in {missing}")
    absent = [section for section in SECTIONS if section not in prompt.instructions.splitlines()]
    if absent:
        raise InputError(f"prompt {task.prompt!r} is missing its section {absent[0]!r}; every task's prompt has it")
    for number, example in enumerate(prompt.head.examples, start=1):
        if wrong := _example_problem(task, example):
            raise InputError(f"example {number} of prompt {task.prompt!r} is not valid for its task: {wrong}")


def _example_problem(task: Task[Any, Any], example: PromptExample) -> str:
    """What is wrong with an example; empty: nothing."""
    try:
        value = task.input.model_validate_json(json.dumps(example.input))
        output = task.output.model_validate_json(json.dumps(example.output))
    except (ValidationError, TypeError) as error:
        return str(error)
    return "; ".join(task.check(value, output))


def render(task: Task[InputT, Any], value: InputT) -> Turn:
    """The user's turn for one input: the marker, the facts, then each untrusted field."""
    document = value.model_dump(mode="json", exclude=dict(task.hidden) or None)
    marker = _fresh_marker(document)
    facts = {name: item for name, item in document.items() if name not in task.untrusted_fields}
    blocks = [f"marker: {marker}", _block(marker, "facts", facts)]
    blocks += [_block(marker, f"evidence {name}", document[name]) for name in task.untrusted_fields]
    return Turn(role="user", text="\n\n".join(blocks))


def render_problems(prompt: Prompt, problems: tuple[str, ...]) -> str:
    """The text that asks for a correction: the prompt's instructions, then the exact problems."""
    marker = _fresh_marker(list(problems))
    return f"{prompt.instructions}\n\nmarker: {marker}\n\n{_block(marker, 'problems', list(problems))}"


def render_schema(prompt: Prompt, output: type[Contract]) -> str:
    """The text that asks for JSON from a model that cannot be held to a schema."""
    return f"{prompt.instructions}\n\n{json.dumps(output.model_json_schema(), ensure_ascii=False, sort_keys=True)}"


def neutral(text: str) -> str:
    """`text` without invisible characters and without anything that looks like our delimiters."""
    visible = _PERHAPS_HIDDEN.sub(_shown, text)
    single = _CLOSING.sub("]", _OPENING.sub("[", visible))
    return _ANNOUNCEMENT.sub(r"\1marker -", single)


def _shown(match: re.Match[str]) -> str:
    return "" if unicodedata.category(match[0]) in ("Cc", "Cf", "Cs", "Co", "Cn") else match[0]


def _block(marker: str, title: str, content: object) -> str:
    shown = neutral(content) if isinstance(content, str) else _json(content)
    return f"[[{marker} {title}]]\n{shown}\n[[{marker} end]]"


def _json(content: object) -> str:
    return json.dumps(_neutral_deep(content), ensure_ascii=False, indent=1, sort_keys=True)


def _neutral_deep(content: object) -> object:
    if isinstance(content, str):
        return neutral(content)
    if isinstance(content, Mapping):
        return {str(key): _neutral_deep(item) for key, item in cast(Mapping[object, object], content).items()}
    if isinstance(content, list):
        return [_neutral_deep(item) for item in cast(list[object], content)]
    return content


def _fresh_marker(document: object) -> str:
    texts = tuple(_texts(document))
    while True:
        marker = secrets.token_hex(12)
        if not any(marker in text for text in texts):
            return marker


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for item in cast(Mapping[object, object], content).values():
            yield from _texts(item)
    elif isinstance(content, list):
        for item in cast(list[object], content):
            yield from _texts(item)
