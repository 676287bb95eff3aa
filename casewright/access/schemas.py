"""JSON schemas of the decision language, for those who write policies or engines elsewhere.

`policies/schemas/` holds what this gives; a test compares both. To renew them after a change of
the contracts: `python -c "from casewright.access.schemas import write; write()"` in the checkout.
"""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from casewright.config import app_root
from casewright.contracts.decision import Decision, DecisionInput


class _TotalSchema(GenerateJsonSchema):
    """Requires every field, also those with a default in Python: documents are written out whole."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return True


def schema_files() -> dict[str, str]:
    """File name to content. All fields of the input are required: it is total."""
    schemas = {
        "input-v1.json": DecisionInput.model_json_schema(by_alias=True, schema_generator=_TotalSchema),
        "decision-v1.json": Decision.model_json_schema(by_alias=True, schema_generator=_TotalSchema),
    }
    return {name: json.dumps(schema, indent=2, sort_keys=True) + "\n" for name, schema in schemas.items()}


def write(folder: Path | None = None) -> None:
    """Write the schemas; by default where they belong in this checkout."""
    target = folder or app_root() / "policies" / "schemas"
    target.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (target / name).write_text(text)
