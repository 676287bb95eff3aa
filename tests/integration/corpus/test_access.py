"""Tenant and access labels hold as prefilters, whatever the names look like."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewright.contracts.clause import SearchFilters
from casewright.contracts.recommendation import Citation
from casewright.corpus.corpus import Corpus
from casewright.corpus.embedding import default_embedder
from casewright.corpus.filters import literal, visible_label_sets
from casewright.corpus.memory import MAX_ROWS
from casewright.corpus.reranking import default_ranker
from casewright.corpus.search import Searcher, find
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.state import read_state
from casewright.errors import NotFoundError, StorageError
from tests.integration.corpus.indexed import APPROVED, WriteDocument, filters

pytestmark = pytest.mark.timeout(120)
HOSTILE = (
    "x' OR '1'='1",
    "harborline' --",
    "'; DROP TABLE clauses; --",
    "\\' OR 1=1",
    '" OR ""="',
    "%",
    "*",
    "",
    "\x00",
)


@pytest.fixture
def labelled(tmp_path: Path, write_document: WriteDocument) -> Corpus:
    corpus = Corpus(tmp_path / "index")
    for name, labels in {"open": "[]", "fraud": "[fraud-ops]", "both": "[fraud-ops, audit]"}.items():
        path = write_document(f"**1.1** The {name} limit.", document_id=f"hl-{name}", labels=labels)
        corpus.ingest([path], tenant="harborline", submission=APPROVED)
    corpus.ingest(
        [write_document("**1.1** A limit elsewhere.", document_id="mb-limit")], tenant="millbrook", submission=APPROVED
    )
    return corpus


def seen(corpus: Corpus, given: SearchFilters) -> set[str]:
    return {hit.text for hit in corpus.search("limit", given, limit=50).hits}


@pytest.mark.proves("A4")
@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ((), {"open"}),
        (("audit",), {"open"}),
        (("fraud-ops",), {"open", "fraud"}),
        (("audit", "fraud-ops"), {"open", "fraud", "both"}),
        (("fraud-ops#audit",), {"open"}),
        (HOSTILE, {"open"}),
    ],
)
def test_a_clause_is_visible_only_to_holders_of_all_its_labels(
    labelled: Corpus, labels: tuple[str, ...], names: set[str]
) -> None:
    given = filters("harborline", "2026-01-01", labels=labels)
    assert seen(labelled, given) == {f"The {name} limit." for name in names}
    assert {item.document_id for item in labelled.documents(given)} == {f"hl-{name}" for name in names}


@pytest.mark.proves("A4")
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_see_nothing_and_break_nothing(labelled: Corpus, hostile: str) -> None:
    assert seen(labelled, filters(hostile, "2026-01-01", labels=("fraud-ops", "audit"))) == set()
    assert seen(labelled, filters("harborline", "2026-01-01", document_ids=(hostile,))) == set()
    with pytest.raises(NotFoundError):
        labelled.clause(filters("harborline", "2026-01-01"), document_id=hostile, label="1.1")
    with pytest.raises(NotFoundError):
        labelled.clause(filters("harborline", "2026-01-01"), document_id="hl-open", label=f"1.1{hostile or 'x'}")
    named = filters(
        "harborline", "2026-01-01", include="named_version", version=hostile or "x", document_ids=("hl-open",)
    )
    assert seen(labelled, named) == set()


@pytest.mark.proves("A4")
@pytest.mark.parametrize("reader", ["clause", "compare", "verify"])
def test_restricted_clauses_look_like_absent_ones(labelled: Corpus, reader: str) -> None:
    given = filters("harborline", "2026-01-01")

    def read(document_id: str) -> str:
        if reader == "verify":
            citation = Citation(document_id=document_id, version="1", label="1.1", quote="x", sha256="0")
            return labelled.verify(citation, given).problem
        with pytest.raises(NotFoundError) as caught:
            if reader == "clause":
                labelled.clause(given, document_id=document_id, label="1.1")
            else:
                labelled.compare(given, document_id=document_id, label="1.1", from_version="1", to_version="1")
        return str(caught.value)

    absent = read("hl-nothing")
    for hidden in ("hl-fraud", "mb-limit"):
        assert read(hidden).replace(hidden, "hl-nothing") == absent


@pytest.mark.proves("A4")
def test_a_clause_that_was_read_is_kept_for_nobody_else(labelled: Corpus) -> None:
    day = "2026-01-01"
    holder = filters("harborline", day, labels=("fraud-ops",))
    others = (filters("harborline", day), filters("millbrook", day, labels=("fraud-ops",)))
    first = labelled.clause(holder, document_id="hl-fraud", label="1.1")
    for given_filters in others:
        with pytest.raises(NotFoundError):
            labelled.clause(given_filters, document_id="hl-fraud", label="1.1")
    assert labelled.clause(holder, document_id="hl-fraud", label="1.1") is first


@pytest.mark.proves("A4")
def test_the_table_and_memory_filter_alike(labelled: Corpus, tmp_path: Path) -> None:
    state = read_state(tmp_path / "index")
    assert state is not None
    for labels in ((), ("fraud-ops",), ("fraud-ops", "audit")):
        given = filters("harborline", "2026-01-01", labels=labels)
        found: list[set[str]] = []
        for most in (MAX_ROWS, 0):
            snapshot = Snapshot.open(tmp_path / "index", state, max_rows_in_memory=most)
            assert snapshot.in_memory == (most > 0)
            searcher = Searcher(
                snapshot=snapshot, embedder=default_embedder(), ranker=default_ranker(in_memory=most > 0)
            )
            found.append({hit.text for hit in find(searcher, "limit 1.1", given, limit=50).hits})
        assert found[0] == found[1] == seen(labelled, given)
        assert len(found[0]) == 1 + len(labels)


@pytest.mark.proves("A4")
@pytest.mark.parametrize("most", [MAX_ROWS, 0])
def test_a_clause_out_of_scope_is_never_handed_out_even_by_its_handle(
    labelled: Corpus, tmp_path: Path, most: int
) -> None:
    state = read_state(tmp_path / "index")
    assert state is not None
    source = Snapshot.open(tmp_path / "index", state, max_rows_in_memory=most)
    wide = source.scope(filters("harborline", "2026-01-01", labels=("fraud-ops", "audit")))
    narrow = source.scope(filters("harborline", "2026-01-01"))
    handles = list(source.source.named({"1.1"}, wide))
    assert len(handles) == 3
    assert len(source.source.named({"1.1"}, narrow)) == 1
    assert len(source.source.rows(handles, wide)) == 3
    with pytest.raises(StorageError, match="excludes"):
        source.source.rows(handles, narrow)


@pytest.mark.proves("A4")
def test_scores_do_not_depend_on_what_the_caller_may_not_see(tmp_path: Path, write_document: WriteDocument) -> None:
    texts = "**1.1** The daily limit is 50 USD.\n\n**1.2** The weekly amount is 90 USD."
    scores: list[list[float]] = []
    corpus = Corpus(tmp_path / "index")
    for hidden in (None, "millbrook", "harborline"):
        if hidden:
            secret = "\n\n".join(f"**{n}.1** A limit of {n} USD on the weekly amount." for n in range(1, 30))
            labels = "[fraud-ops]" if hidden == "harborline" else "[]"
            corpus.ingest(
                [write_document(secret, document_id=f"{hidden}-hidden", labels=labels)],
                tenant=hidden,
                submission=APPROVED,
            )
        else:
            corpus.ingest([write_document(texts)], tenant="harborline", submission=APPROVED)
        result = corpus.search("weekly limit", filters("harborline", "2026-01-01"))
        scores.append([hit.score for hit in result.hits])
    assert len(scores[0]) == 2
    assert scores[0] == scores[1] == scores[2]


NAMES = st.text(min_size=1, max_size=12) | st.text("'\"\\;-% ()=#", min_size=1, max_size=12)


@pytest.mark.proves("A4")
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(NAMES, st.lists(NAMES, max_size=3), NAMES)
def test_no_tenant_label_or_document_name_widens_what_is_seen(
    labelled: Corpus, tenant: str, labels: list[str], document: str
) -> None:
    try:
        (tenant + document + "".join(labels)).encode()
    except UnicodeEncodeError:
        return
    assert seen(labelled, filters(tenant, "2026-01-01", labels=tuple(labels))) == set()
    assert seen(labelled, filters("harborline", "2026-01-01", labels=tuple(labels))) == {"The open limit."}
    assert seen(labelled, filters("harborline", "2026-01-01", document_ids=(document,))) == set()


@pytest.mark.proves("A4")
@given(st.text(max_size=50))
def test_a_quoted_value_ends_exactly_where_it_should(value: str) -> None:
    quoted = literal(value)
    assert quoted[0] == quoted[-1] == "'"
    assert quoted[1:-1].replace("''", "").count("'") == 0
    assert quoted[1:-1].replace("''", "'") == value


@pytest.mark.proves("A4")
@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from(["", "a", "a#b", "b#c", "d"])))
def test_more_labels_never_hide_and_fewer_never_show(held: list[str], sets: list[str]) -> None:
    assert set(visible_label_sets(held, sets)) <= set(visible_label_sets([*held, "d"], sets))
    assert all(set(name.split("#")) - {""} <= set(held) for name in visible_label_sets(held, sets))


@pytest.mark.proves("A4")
def test_rules_are_found_where_they_hold(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    paths = [write_document("**1.1** The anywhere limit.", document_id="hl-anywhere")]
    for code in ("US", "US-CA", "DE"):
        paths.append(write_document(f"**1.1** The {code} limit.", document_id=f"hl-{code}", jurisdiction=code))
    corpus.ingest(paths, tenant="harborline", submission=APPROVED)
    holding: dict[tuple[str, ...], set[str]] = {
        (): {"anywhere", "US", "US-CA", "DE"},
        ("US",): {"anywhere", "US"},
        ("US-CA",): {"anywhere", "US", "US-CA"},
        ("DE", "US"): {"anywhere", "US", "DE"},
        ("FR",): {"anywhere"},
        ("us", "U", "' OR '1'='1"): {"anywhere"},
    }
    for asked, names in holding.items():
        narrowed = filters("harborline", "2026-01-01", jurisdictions=asked)
        assert seen(corpus, narrowed) == {f"The {name} limit." for name in names}, asked
        assert {document.document_id for document in corpus.documents(narrowed)} == {f"hl-{name}" for name in names}


@pytest.mark.proves("A1")
def test_a_jurisdiction_that_is_no_code_sets_the_document_aside(tmp_path: Path, write_document: WriteDocument) -> None:
    odd = ("usa", "US-", "United States", "[US]", "1")
    paths = [write_document(jurisdiction=code, document_id=f"hl-{number}") for number, code in enumerate(odd)]
    report = Corpus(tmp_path / "index").ingest(paths, tenant="harborline", submission=APPROVED)
    assert len(report.quarantined) == len(odd)
    assert all("jurisdiction" in refused.reason for refused in report.quarantined)
