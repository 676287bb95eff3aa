"""The published schemas are the contracts' own."""

import json

import pytest

from casewright.access.schemas import schema_files
from tests.unit.access.inputs import EXECUTE, POLICIES, READ_CASE, shipped_engine, typed


@pytest.mark.proves("D4")
def test_the_published_schemas_equal_the_contracts() -> None:
    for name, text in schema_files().items():
        published = (POLICIES / "schemas" / name).read_text()
        assert published == text, f"{name} is old; run casewright.access.schemas.write()"


@pytest.mark.proves("D4")
def test_the_shape_in_rego_names_the_fields_of_the_schema() -> None:
    schema = json.loads((POLICIES / "schemas" / "input-v1.json").read_text())
    engine = shipped_engine()
    assert engine.evaluate("casewright.access.problems", READ_CASE) == []
    assert set(schema["required"]) == set(READ_CASE)
    for section in ("principal", "actor", "tool", "resource", "context"):
        part = schema["$defs"][f"{section.capitalize()}Input"]
        assert set(part["required"]) == set(READ_CASE[section]) == set(part["properties"])


@pytest.mark.proves("D4")
def test_every_field_of_the_input_is_written_out() -> None:
    for document in (READ_CASE, EXECUTE):
        assert typed(document).model_dump(mode="json", by_alias=True) == document
