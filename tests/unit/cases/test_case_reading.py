"""Reading case files and complaints: good rows are cases, bad rows say why, bad files are refused."""

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.cases.complaints import CASE_ID_PREFIX, TYPE_RULES, Complaint, case_from, case_type_of
from casewright.cases.importing import MAX_BYTES, read_cases
from casewright.cases.provenance import provenance
from casewright.contracts.case import CaseFile, CaseType
from casewright.errors import InputError
from tests.unit.cases.case_files import case_files, small_case, some_examples

pytestmark = pytest.mark.proves("B1")

COMPLAINT: dict[str, Any] = {
    "complaint_id": "7276128",
    "received": "2023-07-18",
    "product": "Checking or savings account",
    "sub_product": "Savings account",
    "issue": "Opening an account",
    "sub_issue": "Didn't receive terms that were advertised",
    "narrative": 'I was promised {$520.00} on XX/XX/XXXX, "in writing".\nNobody paid.',
    "state": "NJ",
    "submitted_via": "Web",
    "company_response": "Closed with monetary relief",
    "timely": "Yes",
}


def written(folder: Path, content: object, name: str = "cases.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def as_csv(folder: Path, rows: list[dict[str, Any]], *, header: list[str] | None = None) -> Path:
    path = folder / "complaints.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header or list(COMPLAINT))
        writer.writeheader()
        writer.writerows(rows)
    return path


@some_examples
@given(st.lists(case_files(), max_size=3))
def test_exported_cases_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, cases: list[CaseFile]
) -> None:
    path = written(tmp_path_factory.mktemp("cases"), [case.model_dump(mode="json") for case in cases])
    assert [row.case for row in read_cases(path)] == cases


def test_a_complaint_becomes_a_case_with_what_it_holds(tmp_path: Path) -> None:
    (row,) = read_cases(written(tmp_path, [COMPLAINT]))
    assert row.case is not None
    case = row.case
    assert case.case_id == "CFPB-7276128"
    assert case.case_type == CaseType.COMPLAINT
    assert case.received_on == dt.date(2023, 7, 18)
    assert case.narrative == COMPLAINT["narrative"]
    assert case.source == "CFPB consumer complaint database 7276128"
    assert case.parties[0].state == "NJ"
    assert "Closed with monetary relief" in case.notes[0].text


@pytest.mark.proves("B6")
def test_a_complaint_gains_no_transaction_account_notice_evidence_or_trust(tmp_path: Path) -> None:
    (row,) = read_cases(written(tmp_path, [COMPLAINT]))
    assert row.case is not None
    case = row.case
    assert (case.transactions, case.accounts, case.notices, case.evidence, case.communications) == ((), (), (), (), ())
    assert case.claimed_amount_minor is None
    assert case.tenant is None
    assert case.assigned_to == ()
    labels = provenance(case)
    assert labels["case/narrative"]["trust"] == "untrusted"
    assert labels["notes/company-response/text"]["trust"] == "untrusted"


def test_csv_and_json_give_the_same_cases(tmp_path: Path) -> None:
    rows = [COMPLAINT, COMPLAINT | {"complaint_id": "2", "narrative": 'a, "b"\r\nc; d'}]
    assert read_cases(as_csv(tmp_path, rows)) == read_cases(written(tmp_path, rows))


def test_a_csv_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = as_csv(tmp_path, [COMPLAINT])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_cases(path)[0].case is not None


def test_each_type_rule_names_its_choice_and_reason() -> None:
    assert all(rule.reason and rule.case_type != CaseType.COMPLAINT for rule in TYPE_RULES)
    for rule in TYPE_RULES:
        chosen = {"product": rule.product, "issue": rule.issue, "sub_issue": rule.sub_issue}
        assert case_type_of(Complaint.model_validate(COMPLAINT | chosen)) == rule.case_type
        assert case_type_of(Complaint.model_validate(COMPLAINT | chosen | {"sub_issue": ""})) == CaseType.COMPLAINT


def test_a_narrative_that_claims_fraud_does_not_change_the_case_type() -> None:
    complaint = Complaint.model_validate(
        COMPLAINT | {"narrative": "Transaction was not authorized! Unauthorized transfer!"}
    )
    assert case_from(complaint).case_type == CaseType.COMPLAINT


def test_one_bad_row_is_reported_by_number_and_field_and_the_rest_are_read(tmp_path: Path) -> None:
    good = small_case().model_dump(mode="json")
    rows: list[object] = [
        good,
        "not a case",
        good | {"received_on": 20260304},
        good | {"surprise": 1},
        good | {"transactions": [{"transaction_id": "t1", "amount_minor": "12550", "channel": "atm"}]},
        COMPLAINT | {"received": "July"},
        COMPLAINT | {"complaint_id": "../../x"},
        None,
        good | {"narrative": "\ud800"},
        good | {"title": None},
        COMPLAINT,
    ]
    found = read_cases(written(tmp_path, rows))
    assert [row.row for row in found if row.case is not None] == [1, 11]
    problems = {row.row: row.problem for row in found if row.case is None}
    assert "text" in problems[2]
    assert "received_on" in problems[3]
    assert "surprise" in problems[4]
    assert "transactions.0.amount_minor" in problems[5]
    assert "received" in problems[6]
    assert "complaint_id" in problems[7]
    assert "null" in problems[8]
    assert problems[9]
    assert "title" in problems[10]


def test_a_problem_never_repeats_the_value(tmp_path: Path) -> None:
    (row,) = read_cases(written(tmp_path, [COMPLAINT | {"received": "SSN 078-05-1120"}]))
    assert "078-05" not in row.problem


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{not json", "line 1, column 2"),
        ("", "line 1, column 1"),
        ("{}", "holds a JSON object, not a list"),
        ("7", "holds a JSON number, not a list"),
        ("[NaN]", "NaN is no JSON number"),
        ("[" * 200_000, "not usable JSON|not JSON"),
        (f"[{'9' * 5000}]", "not usable JSON"),
    ],
)
def test_a_file_that_is_no_list_of_cases_is_refused_with_the_place(
    tmp_path: Path, content: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        read_cases(written(tmp_path, content))
    assert "cases.json" in str(caught.value)


def test_another_encoding_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_bytes(json.dumps([COMPLAINT]).encode("utf-16"))
    with pytest.raises(InputError, match="save it as UTF-8"):
        read_cases(path)


def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="split it"):
        read_cases(path)


@pytest.mark.parametrize("name", ["absent.json", "folder.json", "cases.xlsx", "cases"])
def test_a_name_that_is_no_readable_case_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "cases.xlsx").write_bytes(b"PK")
    (tmp_path / "cases").write_bytes(b"[]")
    with pytest.raises(InputError, match=name):
        read_cases(tmp_path / name)


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (["complaint_id", "received"], "lacks the column 'product'"),
        ([*COMPLAINT, "score"], "unknown column 'score'"),
        ([*COMPLAINT, "state"], "has the column 'state' twice"),
    ],
)
def test_a_csv_header_with_other_columns_is_refused_by_name(tmp_path: Path, header: list[str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_cases(written(tmp_path, ",".join(header) + "\n", "complaints.csv"))


def test_a_csv_row_with_a_field_too_many_is_a_bad_row(tmp_path: Path) -> None:
    path = as_csv(tmp_path, [COMPLAINT])
    path.write_text(path.read_text() + "1,2,3\n")
    assert [row.case is None for row in read_cases(path)] == [False, True]


def test_a_csv_file_with_an_open_quote_is_refused(tmp_path: Path) -> None:
    path = as_csv(tmp_path, [COMPLAINT])
    path.write_text(path.read_text() + '"1,2,3\n')
    with pytest.raises(InputError, match="correct the quotes"):
        read_cases(path)


def test_an_empty_csv_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks the column"):
        read_cases(written(tmp_path, "", "complaints.csv"))


@given(st.binary(max_size=400), st.sampled_from([".json", ".csv"]))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str) -> None:
    path = tmp_path_factory.mktemp("bytes") / f"cases{suffix}"
    path.write_bytes(content)
    try:
        rows = read_cases(path)
    except InputError as error:
        assert "cases" in str(error)
    else:
        assert all((row.case is None) == bool(row.problem) for row in rows)


def test_the_complaint_corpus_is_read_whole(shared: Path) -> None:
    rows = read_cases(shared / "corpora" / "complaints.json")
    assert len(rows) == 80
    assert all(row.case is not None and row.case.case_id.startswith(CASE_ID_PREFIX) for row in rows)
    assert all(row.case is not None and row.case.transactions == () for row in rows)
