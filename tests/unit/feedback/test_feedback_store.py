"""What people say of answers: kept with what it was about, once, and only as data."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import update

from casewright.canonical import digest
from casewright.contracts.feedback import MAX_FEEDBACK_CHARACTERS, CitationRef, FeedbackExample, FeedbackText
from casewright.contracts.recommendation import Citation
from casewright.errors import ConflictError, InputError, NotFoundError, StorageError
from casewright.feedback.export import example, write_examples
from casewright.feedback.store import MOST_OF_ONE_PERSON, check, standing
from casewright.storage.run_tables import feedback
from tests.unit.audit.kernel import MARC, ROSA, SELMA, TENANT, kernel
from tests.unit.drafts.library import cite, in_force
from tests.unit.feedback.judged_runs import PINS, QUESTION, RUN, answer, begin, review, store

UP = FeedbackText(kind="up")
DOWN = FeedbackText(kind="down")


def reference(citation: Citation) -> CitationRef:
    return CitationRef(**citation.model_dump(exclude={"sha256"}))


@pytest.mark.proves("H4")
async def test_what_was_answered_and_by_which_versions_is_kept_with_what_is_said(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        draft = await review(world)
        given = await store(world).give(SELMA, RUN, FeedbackText(kind="correction", text="Ten days."))
        about = given.about
        assert about.draft is not None
        assert (about.draft.draft_id, about.draft.version, about.draft.digest) == (draft.draft_id, 1, draft.digest)
        assert about.sentences == ("One.", "Two.")
        assert about.evidence == tuple(cite(clause) for clause in in_force()[:2])
        assert [fact.path for fact in about.facts] == ["case/received_on", "case/received_on"]
        assert (about.action, about.amount_minor, about.currency) == ("issue_provisional_credit", 12550, "USD")
        assert about.versions == {
            "graph": "2",
            "prompts": PINS["prompts"],
            "index_version": "idx-1",
            "model": "offline/extractive",
        }
        assert await store(world).list(TENANT, run_id=RUN) == (given,)


async def test_the_audit_holds_the_digest_of_what_was_said_and_not_the_words(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        given = await store(world).give(ROSA, RUN, FeedbackText(kind="down", text="unfriendly words"))
        (event,) = [event for event in await world.audit.events(tenant=TENANT) if event.kind == "feedback.given"]
        said = given.model_dump(mode="json", include={"text", "citation", "about"})
        assert event.body == {"feedback_id": given.feedback_id, "kind": "down", "body_sha256": digest(said)}
        assert (event.subject, event.run_id, event.case_id) == ("rosa", RUN, "HL-1")
        assert "unfriendly" not in json.dumps(event.body)


async def test_a_draft_that_changed_since_it_was_read_is_not_judged(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        first = await review(world, "One.")
        second = await review(world, "Another.", draft_id=first.draft_id)
        with pytest.raises(ConflictError, match="another draft"):
            await store(world).give(ROSA, RUN, FeedbackText(kind="up", draft_digest=first.digest))
        given = await store(world).give(ROSA, RUN, FeedbackText(kind="up", draft_digest=second.digest))
        assert given.about.draft is not None
        assert (given.about.draft.version, given.about.sentences) == (2, ("Another.",))


async def test_a_wrong_citation_names_one_of_the_answer_word_for_word(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        meant = cite(in_force()[1])
        given = await store(world).give(ROSA, RUN, FeedbackText(kind="wrong_citation", citation=reference(meant)))
        assert given.citation == meant
        for other in (cite(in_force()[5]), meant.model_copy(update={"quote": meant.quote + " indeed"})):
            with pytest.raises(InputError, match="no citation"):
                said = FeedbackText(kind="wrong_citation", citation=reference(other))
                await store(world).give(ROSA, RUN, said)


async def test_a_question_is_judged_with_its_answer_and_quotes(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world, QUESTION, case_id="")
        quoted = cite(in_force()[0])
        body: dict[str, Any] = {
            "question": "How long?",
            "answer": "Ten days.",
            "reason": "",
            "citations": [quoted.model_dump() | {"verified": True, "problem": ""}],
            "model": "offline/extractive",
            "index_version": "idx-2",
        }
        await answer(world, body)
        about = (await store(world).give(ROSA, QUESTION, UP)).about
        assert (about.question, about.sentences, about.evidence) == ("How long?", ("Ten days.",), (quoted,))
        assert (about.draft, about.versions["index_version"]) == (None, "idx-2")


async def test_the_same_said_twice_is_one_feedback_also_when_it_is_said_at_once(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        said = FeedbackText(kind="correction", text="Ten days.")
        both = await asyncio.gather(*(store(world).give(ROSA, RUN, said) for _ in range(4)))
        assert len({item.feedback_id for item in both}) == 1
        assert len(await store(world).list(TENANT)) == 1
        assert [event.kind for event in await world.audit.events(tenant=TENANT)].count("feedback.given") == 1
        await store(world).give(SELMA, RUN, said)
        assert len(await store(world).list(TENANT)) == 2


async def test_of_two_thumbs_of_one_person_the_newer_one_counts(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        for said in (UP, DOWN, DOWN, UP):
            world.clock.advance(seconds=1)
            await store(world).give(ROSA, RUN, said)
        await store(world).give(SELMA, RUN, DOWN)
        everything = await store(world).list(TENANT)
        assert sorted(item.kind for item in everything) == ["down", "down", "up", "up"]
        counted = {(item.subject, item.kind) for item in standing(everything)}
        assert counted == {("rosa", "up"), ("selma", "down")}


async def test_pages_join_without_gap_or_repetition_also_at_one_instant(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        for number in range(7):  # the clock stands still: all have one time
            await store(world).give(ROSA, RUN, FeedbackText(kind="correction", text=f"{number}"))
        paged: list[str] = []
        before: tuple[int, str] | None = None
        while found := await store(world).list(TENANT, before=before, limit=3):
            paged += [item.feedback_id for item in found]
            before = found[-1].at_ns, found[-1].feedback_id
        assert paged == [item.feedback_id for item in await store(world).list(TENANT)]
        assert len(set(paged)) == 7


async def test_another_tenants_run_and_an_unknown_one_are_equally_absent(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        await store(world).give(ROSA, RUN, UP)
        messages: list[str] = []
        for person, run_id in ((MARC, RUN), (ROSA, "run-9")):
            with pytest.raises(NotFoundError) as refused:
                await store(world).give(person, run_id, UP)
            messages.append(str(refused.value).replace(run_id, "…"))
        assert messages[0] == messages[1]
        assert await store(world).list(MARC.tenant) == ()


async def test_a_run_without_an_answer_cannot_be_judged(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        with pytest.raises(ConflictError, match="answered nothing yet"):
            await store(world).give(ROSA, RUN, UP)


async def test_one_person_cannot_fill_the_store(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        for number in range(MOST_OF_ONE_PERSON):
            await store(world).give(ROSA, RUN, FeedbackText(kind="correction", text=str(number)))
        with pytest.raises(ConflictError, match="that is enough"):
            await store(world).give(ROSA, RUN, FeedbackText(kind="correction", text="one more"))
        await store(world).give(SELMA, RUN, UP)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (FeedbackText(kind="down", text="x" * (MAX_FEEDBACK_CHARACTERS + 1)), "shorten it"),
        (FeedbackText(kind="correction", text=" \n"), "give it a text"),
        (FeedbackText(kind="wrong_citation"), "names the citation"),
        (FeedbackText(kind="up", citation=reference(cite(in_force()[0]))), "nothing else"),
        (FeedbackText.model_construct(kind="down", text="\udcff", citation=None, draft_digest=""), "UTF-8"),
    ],
)
def test_what_could_not_be_understood_is_refused_with_the_way_out(said: FeedbackText, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        check(said)


async def test_a_feedback_that_was_changed_by_hand_is_not_used(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        await store(world).give(ROSA, RUN, UP)
        async with world.database.write() as connection:
            await connection.execute(update(feedback).values(kind="sideways"))
        with pytest.raises(StorageError, match="audit verify"):
            await store(world).list(TENANT)


@pytest.mark.proves("H4")
async def test_an_export_is_examples_that_load_again_and_do_not_say_who_said_it(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await begin(world)
        await review(world)
        words = "<script>alert(1)</script>\u202e\n{{7*7}}"
        given = await store(world).give(SELMA, RUN, FeedbackText(kind="correction", text=words))
        file = tmp_path / "examples.jsonl"
        assert write_examples(file, [given]) == 1
        (line,) = file.read_text(encoding="utf-8").splitlines()
        loaded = FeedbackExample.model_validate_json(line)
        assert loaded == example(given)
        assert (loaded.wrong, loaded.answered) == (words, given.about)
        assert "selma" not in line


def test_an_export_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="name another file"):
        write_examples(tmp_path, [])
    assert list(tmp_path.parent.glob("*.partial")) == []


@pytest.mark.parametrize(
    ("fields", "documented"),
    [(FeedbackExample.model_fields, 0), (FeedbackExample.model_fields["answered"].annotation, 1)],
)
def test_the_documented_schema_is_the_one_that_is_written(fields: Any, documented: int) -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs" / "feedback.md").read_text(encoding="utf-8")
    tables = [table.partition("\n\n")[0] for table in guide.split("|---|---|\n")[1:]]
    names = {cell for line in tables[documented].splitlines() if line.startswith("|") for cell in _names(line)}
    assert names == set(getattr(fields, "model_fields", fields))


def _names(line: str) -> list[str]:
    return [name for name in line.split("|")[1].split("`") if name.strip(" ,") not in ("", "or")]


@for_all(text=st.text(max_size=200))
def test_any_words_survive_the_way_through_json(text: str) -> None:
    """Surrogates cannot be generated here; they are refused above."""
    check(FeedbackText(kind="down", text=text))
    assert FeedbackText.model_validate_json(FeedbackText(kind="down", text=text).model_dump_json()).text == text
