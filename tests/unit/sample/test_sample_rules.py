"""What policy authors keep as data agrees with the documents it cites, and both engines read it alike."""

import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.case import CaseFile
from tests.unit.sample.documents import Document, in_force
from tests.unit.sample.rulebook import DATA, PACKAGES, POLICIES, Rulebook, data, outcome_input


def _clauses(tree: Any) -> Iterator[Mapping[str, str]]:
    """Every clause reference anywhere in a data document."""
    if isinstance(tree, dict):
        nodes: dict[str, Any] = tree  # pyright: ignore[reportUnknownVariableType]
        if "document_id" in nodes:
            yield nodes
        for node in nodes.values():
            yield from _clauses(node)
    elif isinstance(tree, list):
        for node in tree:  # pyright: ignore[reportUnknownVariableType]
            yield from _clauses(node)


@pytest.mark.proves("B3", "B4")
@pytest.mark.parametrize("name", DATA)
def test_every_clause_exists_in_every_version_of_its_document(documents: tuple[Document, ...], name: str) -> None:
    found = [
        (tenant, clause["document_id"], clause["label"])
        for tenant, tree in data()[name].items()
        for clause in _clauses(tree)
    ]
    assert len(found) > 20
    for tenant, document_id, label in found:
        versions = [document for document in documents if document.document_id == document_id]
        assert versions, document_id
        assert min(version.effective_from for version in versions) <= dt.date(2020, 1, 1)
        for version in versions:
            assert label in version.text_of, f"{version.path.name} lacks {label}"
            assert version.matter["tenant"] == tenant
            assert version.matter["labels"] == []
            assert version.matter["status"] == "published"


def _stated(entry: Mapping[str, Any], text: str) -> bool:
    """Whether a clause states the count or the amount that the data takes from it."""
    if "count" in entry:
        unit = entry["unit"].replace("_", " ")
        singular = unit.removesuffix("s")
        return f"{entry['count']} {unit}" in text or f"{entry['count']} {singular}" in text
    amount = f"{entry['amount_minor'] / 100:,.2f} USD"
    return amount in text or (entry["amount_minor"] == 0 and "withhold nothing" in text)


def _entries(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for variants in (*values["deadlines"].values(), *values["limits"].values()):
        yield from variants.values()


@pytest.mark.proves("B4")
@pytest.mark.parametrize("tenant", ["harborline", "millbrook"])
def test_every_number_stands_in_the_clause_on_each_day_something_changes(
    documents: tuple[Document, ...], tenant: str
) -> None:
    sets = sorted(data()["parameters"][tenant], key=lambda values: values["effective_from"])
    first = dt.date.fromisoformat(sets[0]["effective_from"])
    starts = {dt.date.fromisoformat(values["effective_from"]) for values in sets}
    starts |= {
        document.effective_from
        for document in documents
        if document.matter["tenant"] == tenant and document.effective_from >= first
    }
    for on in sorted(starts):
        values = [values for values in sets if values["effective_from"] <= on.isoformat()][-1]
        for entry in _entries(values):
            version = in_force(documents, entry["clause"]["document_id"], on)
            text = version.text_of[entry["clause"]["label"]]
            assert _stated(entry, text), f"{on} {version.path.name}: {entry} against {text!r}"


@pytest.mark.proves("B3")
def test_every_checklist_checks_that_its_evidence_agrees() -> None:
    for tenant, checklists in data()["checklists"].items():
        for case_type, items in checklists.items():
            facts = {condition.get("fact") for item in items for condition in item["satisfied_by"]}
            assert "consistent_evidence" in facts, f"{tenant} {case_type}"
            assert len({item["id"] for item in items}) == len(items)
            assert all(item["satisfied_by"] and item["why"] for item in items)


def _opa() -> str:
    found = os.environ.get("CASEWRIGHT_OPA") or shutil.which("opa")
    if not found:
        pytest.skip("no OPA binary: set CASEWRIGHT_OPA or put opa on the PATH")
    return found


def _bundle(folder: Path) -> Path:
    """The sample rules alone, so that another package does not decide this test."""
    for name in PACKAGES:
        shutil.copytree(POLICIES / "casewright" / name, folder / "casewright" / name)
    for name in DATA:
        shutil.copytree(POLICIES / "data" / name, folder / "data" / name)
    return folder


@pytest.mark.proves("D9")
def test_opa_reads_every_sample_case_alike(cases: Mapping[str, CaseFile], rulebook: Rulebook, tmp_path: Path) -> None:
    opa = _opa()
    bundle = _bundle(tmp_path / "bundle")
    documents = [outcome_input(case, rulebook.judge(case)["report"]) for case in cases.values()]
    (tmp_path / "documents.json").write_text(json.dumps({"documents": documents}), "utf-8")
    query = (
        "answers := [answer | some document in input.documents; answer := {"
        '"report": data.casewright.evidence.report, "parameters": data.casewright.parameters.rules, '
        '"proposal": data.casewright.outcome.proposal} with input as document]'
    )
    command = [opa, "eval", "--format=json", f"--bundle={bundle}", f"--input={tmp_path / 'documents.json'}", query]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
    answers = json.loads(done.stdout)["result"][0]["bindings"]["answers"]
    assert answers == [rulebook.judge(case) for case in cases.values()]


@pytest.mark.thorough
@pytest.mark.proves("D8")
def test_the_rules_are_covered_to_the_last_line_by_their_own_tests(tmp_path: Path) -> None:
    bundle = _bundle(tmp_path / "bundle")
    command = [_opa(), "test", "--coverage", "--threshold=100", "--fail-on-empty", "--bundle", str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
