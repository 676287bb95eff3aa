"""Arguments in the one form that is decided on, hashed for the approval, audited and run.

Of tools, and of what entries make of a URI or of a prompt's arguments.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from casewright.canonical import canonical_json
from casewright.errors import InputError
from servers.spec import ToolDefinition

MAX_ARGUMENT_BYTES = 1_000_000
LONGEST_ECHO = 300
"""Characters of a caller's own words that an error repeats."""


def canonical_arguments(definition: ToolDefinition, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as the tool will see them, defaults filled in: what is decided, hashed and run.

    Raises:
        InputError: they are not the tool's arguments, or not JSON that can be hashed.
    """
    tool = definition.tool
    unknown = sorted(set(arguments) - set(tool.parameters.get("properties", {})))
    if unknown:
        raise InputError(f"{tool.name!r} has no argument {_short(unknown[0])!r}; it takes {_names(tool.parameters)}")
    try:
        if len(json.dumps(dict(arguments))) > MAX_ARGUMENT_BYTES:
            raise InputError(f"the arguments of {tool.name!r} are larger than {MAX_ARGUMENT_BYTES} bytes; send less")
        model = tool.fn_metadata.arg_model.model_validate(tool.fn_metadata.pre_parse_json(dict(arguments)))
        canonical = model.model_dump(mode="json", exclude_none=True)
        canonical_json(canonical)
    except ValidationError as error:
        raise InputError(f"the arguments of {tool.name!r} do not fit: {_problems(error)}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"the arguments of {tool.name!r} cannot be written as canonical JSON: they hold a number beyond 2^53, "
            "half a character or too many levels"
        ) from error
    return canonical


def _names(schema: Mapping[str, Any]) -> str:
    return ", ".join(sorted(schema.get("properties", {}))) or "no arguments"


def _problems(error: ValidationError) -> str:
    shown = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()[:5]]
    return "; ".join(_short(problem) for problem in shown)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}…"
