"""The sample organization's rules, evaluated in process over one case at a time."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from casewright.access.native import new_engine
from casewright.cases.measures import days
from casewright.contracts.case import CaseFile

CHECKOUT = Path(__file__).resolve().parents[3]
POLICIES = CHECKOUT / "policies"
PACKAGES = ("evidence", "parameters", "outcome")
DATA = ("checklists", "parameters", "outcomes")
TODAY = dt.date(2026, 11, 1)

Document = dict[str, Any]


def modules() -> list[Path]:
    """The modules of the three packages, without their tests."""
    found = [path for name in PACKAGES for path in sorted((POLICIES / "casewright" / name).glob("*.rego"))]
    return [path for path in found if not path.name.endswith("_test.rego")]


def data() -> Document:
    """What the rules read as `data.data`."""
    return {name: json.loads((POLICIES / "data" / name / "data.json").read_text("utf-8")) for name in DATA}


class Rulebook:
    """One engine with the sample rules; belongs to the thread that made it."""

    def __init__(self) -> None:
        self._engine = new_engine()
        for path in modules():
            self._engine.add_policy(path.name, path.read_text("utf-8"))
        self._engine.add_data_json(json.dumps({"data": data()}))

    def evaluate(self, rule: str, document: Document) -> Any:
        """The value of `data.casewright.<rule>` for an input document."""
        self._engine.set_input_json(json.dumps(document))
        return json.loads(self._engine.eval_rule_as_json(f"data.casewright.{rule}"))

    def judge(self, case: CaseFile) -> Document:
        """The evidence report, the parameters and the proposal for a case."""
        document = outcome_input(case, {})
        report = self.evaluate("evidence.report", document)
        document["evidence"] = report
        return {
            "report": report,
            "parameters": self.evaluate("parameters.rules", document),
            "proposal": self.evaluate("outcome.proposal", document),
        }


def outcome_input(case: CaseFile, evidence: Document) -> Document:
    """The input of the outcome rules; the other packages read a part of it."""
    return {
        "case": case.model_dump(mode="json", exclude_none=True),
        "days": days(case, today=TODAY),
        "evidence": evidence,
    }
