"""The migration makes exactly the tables that the store writes to."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from casewright.cases.collections import COLLECTIONS, item_fields
from casewright.cases.tables import case_people, cases
from casewright.storage.metadata import METADATA
from casewright.storage.migrate import upgrade

NAMES = [cases.name, case_people.name, *(collection.table.name for collection in COLLECTIONS.values())]


def _shape(path: Path, table: str) -> dict[str, Any]:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    found = inspect(engine)
    shape = {
        "columns": {entry["name"]: (str(entry["type"]), entry["nullable"]) for entry in found.get_columns(table)},
        "key": found.get_pk_constraint(table),
        "references": found.get_foreign_keys(table),
    }
    engine.dispose()
    return shape


@pytest.mark.proves("B1", "K1")
@pytest.mark.parametrize("table", NAMES)
def test_the_migrated_table_is_the_declared_table(tmp_path: Path, table: str) -> None:
    upgrade(tmp_path / "migrated.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'declared.db'}", poolclass=NullPool)
    METADATA.create_all(engine)
    engine.dispose()
    assert _shape(tmp_path / "migrated.db", table) == _shape(tmp_path / "declared.db", table)


@pytest.mark.proves("B1")
@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_field_of_an_item_has_its_column_and_required_ones_hold_no_null(name: str) -> None:
    collection = COLLECTIONS[name]
    for field in item_fields(collection.model):
        annotation = collection.model.model_fields[field].annotation
        optional = type(None) in getattr(annotation, "__args__", ())
        assert collection.table.c[field].nullable == optional, field
