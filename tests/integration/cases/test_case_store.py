"""The case store on a real SQLite file: nothing is invented, lost, mixed up or taken over."""

import asyncio
import datetime as dt
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given

from casewright.cases.importing import read_cases
from casewright.cases.records import ImportReport, ImportRow
from casewright.cases.store import CaseStore
from casewright.clock import NANOSECONDS, ManualClock
from casewright.contracts.case import CaseFile, Classification, Communication, Note, Transaction, Trust
from casewright.errors import NotFoundError
from casewright.storage.database import Database
from casewright.storage.migrate import upgrade
from tests.unit.cases.case_files import TENANT, case_files, person, small_case, some_examples

pytestmark = pytest.mark.proves("B1")
NOW_NS = int(dt.datetime(2026, 3, 14, 9, tzinfo=dt.UTC).timestamp()) * NANOSECONDS
ROSA, TOMAS, SELMA = person("rosa"), person("tomas"), person("selma", role="supervisor")
SERIAL = itertools.count()
"""A tenant of its own for each example, in one database."""
LENA = person("lena", tenant="millbrook")


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[tuple[CaseStore, Database]]:
    upgrade(folder / "cases.db")
    database = Database.sqlite(folder / "cases.db")
    try:
        yield CaseStore(database, ManualClock(NOW_NS)), database
    finally:
        await database.close()


async def test_a_case_is_loaded_as_it_was_imported(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, _):
        report = await store.import_cases([small_case()], importer=ROSA)
        stored = await store.load(TENANT, "HL-1")
    assert report == ImportReport(imported=("HL-1",))
    assert stored is not None
    assert stored.case == small_case()
    assert (stored.revision, stored.imported_by, stored.imported_ns) == (1, "rosa", NOW_NS)


@some_examples
@given(case_files())
def test_any_case_survives_the_store_unchanged(tmp_path_factory: pytest.TempPathFactory, case: CaseFile) -> None:
    importer = person("selma", tenant=f"tenant-{next(SERIAL)}", role="supervisor")
    given_case = case.model_copy(update={"tenant": importer.tenant if case.tenant else None})

    async def round_trip() -> None:
        async with opened(tmp_path_factory.getbasetemp() / "round-trip") as (store, _):
            report = await store.import_cases([given_case], importer=importer)
            stored = await store.load(importer.tenant, case.case_id)
            again = await store.import_cases([given_case], importer=importer)
        assert report.imported == again.unchanged == (case.case_id,)
        assert stored is not None
        assert stored.case == case.model_copy(update={"tenant": importer.tenant})

    asyncio.run(round_trip())


async def test_the_same_import_twice_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, _):
        await store.import_cases([small_case()], importer=ROSA)
        report = await store.import_cases([small_case(), small_case(tenant=None)], importer=ROSA)
        stored = await store.load(TENANT, "HL-1")
    assert report == ImportReport(unchanged=("HL-1", "HL-1"))
    assert stored is not None
    assert stored.revision == 1


async def test_changed_content_is_a_new_revision_and_the_old_one_stays(tmp_path: Path) -> None:
    changed = small_case(title="Two unknown purchases", evidence=small_case().evidence[:1])
    first = small_case(evidence=small_case().evidence[:1])
    async with opened(tmp_path) as (store, _):
        await store.import_cases([first], importer=ROSA)
        report = await store.import_cases([changed], importer=ROSA)
        now, before = await store.load(TENANT, "HL-1"), await store.load(TENANT, "HL-1", revision=1)
        listed = await store.list(TENANT)
    assert now is not None
    assert before is not None
    assert (now.case, now.revision) == (changed, 2)
    assert (before.case, before.revision) == (first, 1)
    assert [(item.case_id, item.revision) for item in report.revised] == [("HL-1", 2)]
    assert report.revised[0].previous_digest == before.digest
    assert [(case.case_id, case.revision, case.title) for case in listed] == [("HL-1", 2, "Two unknown purchases")]


async def test_what_was_recorded_outlives_a_new_revision(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, database):
        await store.import_cases([small_case()], importer=SELMA)
        async with database.write() as connection:
            await store.record_effect(connection, TENANT, "HL-1", "Credit of 125.50 USD issued", NOW_NS)
            note_id = await store.add_note(connection, TENANT, "HL-1", author="rosa", text="told the customer")
        unchanged = await store.import_cases([small_case()], importer=SELMA)
        await store.import_cases([small_case(title="Changed", notes=())], importer=SELMA)
        async with database.write() as connection:
            await store.record_effect(connection, TENANT, "HL-1", "Letter sent", NOW_NS)
        stored = await store.load(TENANT, "HL-1")
    assert unchanged.unchanged == ("HL-1",)
    assert stored is not None
    assert [event.what for event in stored.case.timeline[-2:]] == ["Credit of 125.50 USD issued", "Letter sent"]
    assert [event.event_id for event in stored.case.timeline[-2:]] == ["recorded:1", "recorded:2"]
    assert stored.case.timeline[-1].on == dt.date(2026, 3, 14)
    assert stored.case.notes == (
        Note(note_id=note_id, author="rosa", on=dt.date(2026, 3, 14), text="told the customer"),
    )


@pytest.mark.proves("C4")
async def test_an_effect_that_is_rolled_back_is_not_on_the_case(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, database):
        await store.import_cases([small_case()], importer=ROSA)
        with pytest.raises(RuntimeError, match="power cut"):
            async with database.write() as connection:
                await store.record_effect(connection, TENANT, "HL-1", "Credit issued", NOW_NS)
                raise RuntimeError("power cut")
        stored = await store.load(TENANT, "HL-1")
    assert stored is not None
    assert stored.case == small_case()


async def test_an_effect_on_an_absent_case_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, database):
        await store.import_cases([small_case()], importer=ROSA)
        for tenant, case_id in ((TENANT, "HL-2"), ("millbrook", "HL-1")):
            with pytest.raises(NotFoundError, match=case_id):
                async with database.write() as connection:
                    await store.record_effect(connection, tenant, case_id, "Credit issued", NOW_NS)


async def test_a_case_without_assignment_is_the_importers(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, _):
        await store.import_cases([small_case(assigned_to=(), tenant=None)], importer=TOMAS)
        attributes = await store.attributes(TENANT, "HL-1")
    assert attributes is not None
    assert attributes.assigned_to == ("tomas",)
    assert attributes.classification == Classification.CONFIDENTIAL


@pytest.mark.proves("B2")
async def test_tenants_share_ids_and_see_nothing_of_each_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, _):
        await store.import_cases([small_case()], importer=ROSA)
        await store.import_cases([small_case(tenant="millbrook", title="Theirs", assigned_to=())], importer=LENA)
        ours, theirs = await store.load(TENANT, "HL-1"), await store.load("millbrook", "HL-1")
        assert ours is not None
        assert theirs is not None
        assert (ours.case.title, theirs.case.title) == ("Unknown purchase", "Theirs")
        assert [case.title for case in await store.list("millbrook")] == ["Theirs"]
        for stranger in ("", "HARBORLINE", "harborline%", "harborline' OR 1=1 --"):
            assert await store.load(stranger, "HL-1") is None
            assert await store.attributes(stranger, "HL-1") is None
            assert await store.list(stranger) == ()


@pytest.mark.proves("B2")
async def test_a_case_of_another_tenant_is_skipped_with_the_reason(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, _):
        report = await store.import_cases([small_case(tenant="millbrook"), small_case()], importer=ROSA)
        assert await store.attributes("millbrook", "HL-1") is None
    assert report.imported == ("HL-1",)
    assert [row.row for row in report.skipped] == [1]
    assert "'millbrook'" in report.skipped[0].reason


def _moved(name: str) -> Transaction:
    return Transaction(transaction_id=name, account_id="nowhere", amount_minor=1, channel="atm")


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (
            small_case(notes=(Note(note_id="m", author="a", text="1"), Note(note_id="m", author="a", text="2"))),
            "'m' 2 times",
        ),
        (small_case(notes=(Note(note_id="recorded:1", author="a", text="forged"),)), "reserved"),
        (small_case(transactions=(_moved("t1"),)), "the account 'nowhere'"),
        (small_case(transactions=()), "names the transaction 't1'"),
        (small_case(narrative="cut\0here"), "case/narrative holds a NUL"),
    ],
)
async def test_a_case_that_contradicts_itself_is_skipped_and_the_rest_land(
    tmp_path: Path, case: CaseFile, reason: str
) -> None:
    async with opened(tmp_path) as (store, _):
        report = await store.import_cases([case, small_case(case_id="HL-2")], importer=ROSA)
    assert report.imported == ("HL-2",)
    assert reason in report.skipped[0].reason


async def test_rows_that_could_not_be_read_are_reported_with_their_number(tmp_path: Path) -> None:
    rows = [ImportRow(row=4, problem="title: Field required"), ImportRow(row=5, case=small_case())]
    async with opened(tmp_path) as (store, _):
        report = await store.import_rows(rows, importer=ROSA)
    assert report.imported == ("HL-1",)
    assert [(row.row, row.reason) for row in report.skipped] == [(4, "title: Field required")]


async def test_one_id_with_two_contents_in_one_import_is_no_revision(tmp_path: Path) -> None:
    async with opened(tmp_path) as (store, _):
        report = await store.import_cases([small_case(), small_case(title="Other")], importer=ROSA)
        stored = await store.load(TENANT, "HL-1")
    assert report.imported == ("HL-1",)
    assert "already in row 1" in report.skipped[0].reason
    assert stored is not None
    assert stored.case.title == "Unknown purchase"


@pytest.mark.proves("B2", "D1")
async def test_an_import_is_no_way_into_a_case_of_somebody_else(tmp_path: Path) -> None:
    takeover = small_case(title="Mine now", assigned_to=("tomas",))
    async with opened(tmp_path) as (store, _):
        await store.import_cases([small_case()], importer=ROSA)
        report = await store.import_cases([takeover], importer=TOMAS)
        attributes = await store.attributes(TENANT, "HL-1")
    assert "may not revise" in report.skipped[0].reason
    assert attributes is not None
    assert (attributes.assigned_to, attributes.revision) == (("rosa",), 1)


@pytest.mark.proves("D1")
async def test_a_person_in_conflict_cannot_import_the_conflict_away(tmp_path: Path) -> None:
    held = small_case(conflicts=("rosa", "selma"), evidence=())
    async with opened(tmp_path) as (store, _):
        await store.import_cases([held], importer=TOMAS)
        cleared = small_case(conflicts=(), evidence=())
        for importer in (ROSA, SELMA):
            assert (await store.import_cases([cleared], importer=importer)).skipped
        attributes = await store.attributes(TENANT, "HL-1")
    assert attributes is not None
    assert attributes.conflicts == ("rosa", "selma")


@pytest.mark.proves("D1")
async def test_a_reviewers_revision_never_widens_access(tmp_path: Path) -> None:
    before = small_case(conflicts=("idris",), classification=Classification.RESTRICTED, evidence=())
    after = small_case(title="Changed", classification=Classification.PUBLIC, assigned_to=(), evidence=())
    async with opened(tmp_path) as (store, _):
        await store.import_cases([before], importer=ROSA)
        await store.import_cases([after], importer=ROSA)
        kept = await store.attributes(TENANT, "HL-1")
        await store.import_cases([after], importer=ROSA)
        await store.import_cases([after.model_copy(update={"team": "fraud"})], importer=SELMA)
        decided = await store.attributes(TENANT, "HL-1")
    assert kept is not None
    assert decided is not None
    assert (kept.conflicts, kept.classification, kept.revision) == (("idris",), Classification.RESTRICTED, 2)
    assert (decided.conflicts, decided.classification, decided.assigned_to) == ((), Classification.PUBLIC, ("rosa",))


@pytest.mark.proves("B2")
async def test_a_case_with_sealed_evidence_is_revised_by_a_supervisor_only(tmp_path: Path) -> None:
    opened_up = small_case(evidence=small_case().evidence[:1])
    async with opened(tmp_path) as (store, _):
        await store.import_cases([small_case()], importer=SELMA)
        refused = await store.import_cases([opened_up], importer=ROSA)
        done = await store.import_cases([opened_up], importer=SELMA)
    assert refused.skipped
    assert "sealed" not in refused.skipped[0].reason
    assert len(done.revised) == 1


@pytest.mark.proves("B6")
async def test_a_trust_label_that_was_claimed_too_high_is_lowered_and_reported(tmp_path: Path) -> None:
    letter = Communication(communication_id="c9", direction="inbound", channel="letter", text="x", trust=Trust.SYSTEM)
    async with opened(tmp_path) as (store, _):
        report = await store.import_cases([small_case(communications=(letter,))], importer=ROSA)
        stored = await store.load(TENANT, "HL-1")
        again = await store.import_cases([small_case(communications=(letter,))], importer=ROSA)
    assert [(item.path, item.claimed, item.given) for item in report.relabelled] == [
        ("HL-1/communications/c9", "system", "untrusted")
    ]
    assert stored is not None
    assert stored.case.communications[0].trust == Trust.UNTRUSTED
    assert again.unchanged == ("HL-1",)


async def test_the_complaint_corpus_lands_whole_and_once(tmp_path: Path, shared: Path) -> None:
    rows = read_cases(shared / "corpora" / "complaints.json")
    async with opened(tmp_path) as (store, _):
        first = await store.import_rows(rows, importer=ROSA)
        second = await store.import_rows(rows, importer=TOMAS)
        listed = await store.list(TENANT)
    assert (len(first.imported), first.skipped) == (80, ())
    assert (len(second.unchanged), second.skipped) == (80, ())
    assert all(case.assigned_to == ("rosa",) for case in listed)
    assert [case.received_on for case in listed] == sorted(case.received_on for case in listed)


async def test_more_cases_than_one_statement_takes_are_imported_and_found_again(tmp_path: Path) -> None:
    many = [small_case(case_id=f"HL-{number}") for number in range(1100)]
    async with opened(tmp_path) as (store, _):
        first = await store.import_cases(many, importer=SELMA)
        second = await store.import_cases(many, importer=SELMA)
    assert len(first.imported) == len(second.unchanged) == 1100
