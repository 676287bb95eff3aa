"""The sample organization as its tests read it."""

import json
from collections.abc import Mapping

import pytest

from casewright.contracts.case import CaseFile
from tests.unit.sample.documents import SAMPLE, Document, read_documents
from tests.unit.sample.rulebook import Rulebook


@pytest.fixture(scope="session")
def documents() -> tuple[Document, ...]:
    return read_documents()


@pytest.fixture(scope="session")
def cases() -> Mapping[str, CaseFile]:
    found: dict[str, CaseFile] = {}
    for path in sorted(SAMPLE.glob("*/cases.json")):
        for row in json.loads(path.read_text("utf-8")):
            case = CaseFile.model_validate_json(json.dumps(row))
            assert case.tenant == path.parent.name
            assert case.case_id not in found
            found[case.case_id] = case
    return found


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return Rulebook()
