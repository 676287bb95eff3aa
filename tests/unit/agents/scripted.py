"""A strict toolbox: it answers the calls of a script in order, and any other call fails the test."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from agents.toolbox import ToolRefusedError

ModelT = TypeVar("ModelT", bound=BaseModel)


class ScriptedToolbox:
    """Answers `(tool, document)` pairs in order; None as a document is a refusal."""

    def __init__(self, *script: tuple[str, dict[str, Any] | None]) -> None:
        self._script = list(script)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def call(self, tool: str, arguments: Mapping[str, Any], result: type[ModelT]) -> ModelT:
        self.calls.append((tool, dict(arguments)))
        assert self._script, f"one call more than the script has: {tool!r}"
        expected, document = self._script.pop(0)
        assert tool == expected
        if document is None:
            raise ToolRefusedError(f"{tool!r} was refused: not available")
        return result.model_validate(document)

    @property
    def spent(self) -> bool:
        return not self._script
