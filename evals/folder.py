"""The folder of one evaluation: what was planned, every result as soon as it is there, logs, and the report.

plan.json       what is tried, so that a stopped evaluation can go on
results.jsonl   one line per case
logs/           what each process said
work/           data folders of the processes in which a case did not pass; `trace` names them
report.json     see `casewright.contracts.evaluation.EvalReport`; its SHA-256 in report.json.sha256
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult, EvalReport, Selection
from casewright.errors import InputError


class PlanFile(Contract):
    """What an evaluation tries."""

    eval_id: str
    at: str
    """UTC, ISO 8601, when it began."""
    selection: Selection
    suites: tuple[str, ...]
    controls: bool
    options: dict[str, str]
    digests: dict[str, str]
    """By suite, with ` control` for the positive control: the digest of the planned cases."""
    versions: str
    """Digest of the versions that are evaluated."""


class ResultLine(Contract):
    suite: str
    enforced: bool
    result: CaseResult


@dataclass(frozen=True)
class EvalFolder:
    """Paths and files of one evaluation."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def report_file(self) -> Path:
        return self.path / "report.json"

    def log(self, process: str) -> Path:
        """Where a process's log goes; the folder is made."""
        logs = self.path / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        return logs / f"{process}.log"

    def work(self, process: str) -> Path:
        """An empty folder for a process; what an earlier try left is under another name."""
        number = 0
        while True:
            path = self.path / "work" / (process if not number else f"{process}-{number + 1}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return path

    def plan(self) -> PlanFile:
        """What was planned.

        Raises:
            InputError: there is no plan, or it is not in the format.
        """
        try:
            return PlanFile.model_validate_json((self.path / "plan.json").read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise InputError(
                f"{str(self.path)!r} holds no evaluation that can go on ({error}); begin another"
            ) from error

    def write_plan(self, plan: PlanFile) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        _replaced(self.path / "plan.json", plan.model_dump_json(indent=1))

    def append(self, line: ResultLine) -> None:
        """Add a result; it is in the file when this returns."""
        with (self.path / "results.jsonl").open("a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                whole = file.read(1) == b"\n"
                file.write(b"" if whole else b"\n")  # what follows half a line would be lost with it
            file.write(line.model_dump_json().encode() + b"\n")

    def results(self) -> Iterator[ResultLine]:
        """Every whole line; the last one of a process that was killed may be half a line.

        Lines end with a line feed alone: texts of cases hold other characters that `splitlines` parts at.
        """
        file = self.path / "results.jsonl"
        for line in file.read_bytes().split(b"\n") if file.exists() else ():
            try:
                yield ResultLine.model_validate_json(line)
            except ValidationError:
                continue

    def write_report(self, report: EvalReport) -> None:
        """Write it, and the digest of its file beside it, which whoever makes a release of it compares."""
        text = json.dumps(report.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
        _replaced(self.report_file, text)
        named = self.report_file.name
        _replaced(self.path / f"{named}.sha256", f"{hashlib.sha256(text.encode()).hexdigest()}  {named}\n")


def _replaced(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
