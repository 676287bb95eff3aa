"""Questions answered offline from a real index of the sample policies."""

import datetime as dt
from pathlib import Path

import pytest

from casewright.config import app_root
from casewright.contracts.clause import SearchFilters
from casewright.contracts.recommendation import Citation
from casewright.corpus.corpus import Corpus
from casewright.models.accounting import MemoryRecorder
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.question import AnswerInput, AnswerOutput
from casewright.models.tasks import ANSWER_QUESTION
from tests.integration.corpus.indexed import APPROVED
from tests.support.model_permission import offline_only

FILTERS = SearchFilters(tenant="harborline", labels=(), as_of=dt.date(2026, 3, 2))
CONTEXT = CallContext(run_id="run-1", case_id="", tenant="harborline", agent="")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    made = Corpus(tmp_path_factory.mktemp("index"))
    folder = Path(app_root() / "casewright" / "sample" / "harborline" / "documents")
    made.ingest([folder], tenant="harborline", submission=APPROVED)
    return made


async def ask(corpus: Corpus, question: str) -> tuple[AnswerInput, AnswerOutput]:
    value = AnswerInput(question=question, result=corpus.search(question, FILTERS))
    gateway = Gateway(
        [OfflineProvider()],
        PromptLibrary(app_root() / "agents" / "prompts"),
        MemoryRecorder(),
        permission=offline_only(),
    )
    return value, (await gateway.run(ANSWER_QUESTION, value, context=CONTEXT)).output


@pytest.mark.proves("A6", "F2")
@pytest.mark.parametrize(
    "question",
    [
        "How long may the investigation take when the transfer was made at a point of sale?",
        "When must a provisional credit be on the account?",
        "Within how many days must a complaint be acknowledged?",
    ],
)
async def test_an_offline_answer_is_made_of_verified_quotes(corpus: Corpus, question: str) -> None:
    value, output = await ask(corpus, question)
    assert not output.abstained and [one.text for one in output.sentences] == [one.quote for one in output.citations]
    hits = {hit.clause_id: hit for hit in value.result.hits}
    for one in output.citations:
        hit = hits[one.clause_id]
        cited = Citation(
            document_id=hit.document_id, version=hit.version, label=hit.label, quote=one.quote, sha256=hit.sha256
        )
        assert corpus.verify(cited, FILTERS).verified


@pytest.mark.proves("A7", "F2")
async def test_an_offline_answer_abstains_where_the_policies_say_nothing(corpus: Corpus) -> None:
    _, output = await ask(corpus, "What is the boiling point of mercury?")
    assert output.abstained and output.reason and not output.citations
