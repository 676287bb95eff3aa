"""Reading one document: structure where it is sound, a reason where it is not."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.corpus.documents import parse_document
from casewright.corpus.front_matter import UnreadableDocumentError

MATTER = """---
title: 'Dispute Policy'
document_id: hl-disputes
version: '2025.1'
effective_from: 2025-02-01
status: published
labels: [fraud-ops, audit]
issuer: Harborline Bank
---
"""
BODY = """
# Dispute Policy

## 3 Time limits

**3.2** The time is 90 days, if the transfer:

**3.2(a)** was not initiated within a state; or

**3.2(a)(i)** within a territory.

### 4 Records

**** Records are kept as follows.

**4.1** Keep them
for two years.
"""


def document(matter: str = MATTER, body: str = BODY) -> bytes:
    return (matter + body).encode()


@pytest.mark.proves("A1")
def test_clauses_carry_label_heading_parents_and_lead_in() -> None:
    parsed = parse_document(document(), tenant="harborline")
    by_label = {clause.label: clause for clause in parsed.clauses}
    item = by_label["3.2(a)(i)"]
    assert item.heading == "Dispute Policy > 3 Time limits"
    assert item.parents == ("3.2", "3.2(a)")
    assert by_label["3.2(a)"].lead_in == ("The time is 90 days, if the transfer:",)
    assert by_label["4.1"].text == "Keep them for two years."
    assert by_label["4"].text == "Records are kept as follows."
    assert [clause.position for clause in parsed.clauses] == list(range(5))


@pytest.mark.proves("A1")
def test_front_matter_gives_dates_status_and_sorted_labels() -> None:
    matter = parse_document(document(), tenant="harborline").matter
    assert matter.effective_from == dt.date(2025, 2, 1)
    assert matter.effective_to is None
    assert matter.status == "published"
    assert matter.labels == ("audit", "fraud-ops")


@pytest.mark.proves("A1")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"# No front matter\n\n**1** text", "front matter"),
        (b"---\ntitle: x\n", "not closed"),
        (document(MATTER.replace("title: 'Dispute Policy'", "title: [")), "not YAML"),
        (document("---\n- a\n---\n"), "name: value"),
        (document(MATTER.replace("published", "final")), "published, draft or withdrawn"),
        (document(MATTER.replace("document_id: hl-disputes\n", "")), "document_id"),
        (document(MATTER.replace("version: '2025.1'", "version: 2025.1")), "in quotes"),
        (document(MATTER.replace("2025-02-01", "soon")), "YYYY-MM-DD"),
        (document(MATTER.replace("[fraud-ops, audit]", "fraud-ops")), "a list such as"),
        (document(MATTER.replace("[fraud-ops, audit]", "")), "a list such as"),
        (document(MATTER.replace("[fraud-ops, audit]", "['a#b']")), "not a name"),
        (document(MATTER.replace("issuer:", "effective_to: 2024-01-01\nissuer:")), "before effective_from"),
        (document(MATTER.replace("issuer:", "tenant: millbrook\nissuer:")), "names the tenant 'millbrook'"),
        (document(body=BODY + "\n**3.2(a)** again\n"), "occurs twice"),
        (document(body=BODY + "\n**§ 4.1** the same to a reader\n"), "occurs twice"),
        (document(body="\n# Only a heading\n"), "no text"),
        (document(body="\n**5.1**\n"), "has 0 characters"),
        (b"\x00\x01\x02PK", "binary"),
        (document() + b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_document_that_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocumentError, match=r".") as caught:
        parse_document(content, tenant="harborline")
    assert reason in str(caught.value)


@pytest.mark.proves("A1")
def test_yaml_tags_that_build_objects_are_refused() -> None:
    hostile = document(MATTER.replace("title: 'Dispute Policy'", "title: !!python/object/apply:os.system ['true']"))
    with pytest.raises(UnreadableDocumentError, match="not YAML"):
        parse_document(hostile, tenant="harborline")


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_with_a_reason(content: bytes) -> None:
    try:
        parse_document(content, tenant="harborline")
    except UnreadableDocumentError as error:
        assert str(error)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_body_is_read_or_refused_with_a_reason(body: str) -> None:
    try:
        parsed = parse_document(document(body=body), tenant="harborline")
    except (UnreadableDocumentError, UnicodeEncodeError) as error:
        assert str(error)
    else:
        assert len({clause.label for clause in parsed.clauses}) == len(parsed.clauses)
