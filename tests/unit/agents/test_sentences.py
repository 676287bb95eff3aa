"""Sentences of an answer that are shown while the model writes: never one whose quotes were not verified."""

import asyncio
import datetime as dt
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.answerer import Answer, Asked, answer
from agents.sentences import BROKE_OFF, CORRECTED, QuoteVerifier, SentenceStream, ShownSentence
from agents.toolbox import BudgetSpentError, ModelT
from casewright.canonical import sha256_text
from casewright.config import app_root
from casewright.contracts.clause import ClauseHit, SearchResult
from casewright.contracts.recommendation import Citation
from casewright.corpus.citations import verify_quote
from casewright.models.accounting import MemoryRecorder
from casewright.models.anthropic import AnthropicProvider
from casewright.models.conduct import Conduct
from casewright.models.excerpt import Quotation
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.retry import RetryPolicy
from tests.support.anthropic_messages import MODEL, message
from tests.support.anthropic_server import API_KEY, Step, messages_server
from tests.support.model_permission import OnlyModels

importlib.import_module("anthropic")
"""Beforehand: the import takes longer than the shortest time limit here."""
PROMPTS = PromptLibrary(app_root() / "agents" / "prompts")
CONTEXT = CallContext(run_id="ask-1", case_id="", tenant="harborline", agent="answerer")
TEXT = "The bank must answer within ten days. It must say why. Nothing else is due."
TEN, WHY, ELSE = "The bank must answer within ten days.", "It must say why.", "Nothing else is due."
CLAUSE = "hl-a@1#1.1"


def hit() -> ClauseHit:
    return ClauseHit(
        clause_id=CLAUSE,
        document_id="hl-a",
        version="1",
        label="1.1",
        title="A",
        heading="A",
        text=TEXT,
        sha256=sha256_text(TEXT),
        parents=(),
        position=0,
        effective_from=dt.date(2020, 1, 1),
        effective_to=None,
        status="published",
        score=1.0,
        rank=1,
    )


FOUND = SearchResult(hits=(hit(),), index_version="1", as_of=dt.date(2026, 1, 1), sufficient=True)


def said(*sentences: tuple[str, str]) -> dict[str, Any]:
    """An answer of sentences, each with its quote."""
    entries = [{"citations": [{"clause_id": CLAUSE, "quote": quote}], "text": text} for text, quote in sentences]
    return {"sentences": entries, "abstained": False, "reason": ""}


def streamed(*sentences: tuple[str, str], breaks: Any = "") -> Step:
    return Step(body=message(said(*sentences)), breaks=breaks)


@dataclass
class PolicySearch:
    """The search and the verification of quotes, over one clause."""

    found: SearchResult = FOUND
    calls: int = 100
    quotes: list[str] = field(default_factory=list[str])

    async def call(self, tool: str, arguments: Mapping[str, Any], result: type[ModelT]) -> ModelT:
        if tool == "search_policies":
            return result.model_validate(self.found.model_dump())
        assert tool == "verify_quote", f"{tool!r} is not expected here"
        if not self.calls:
            raise BudgetSpentError("the run has used its tool calls")
        self.calls -= 1
        self.quotes.append(arguments["quote"])
        given = {name: arguments[name] for name in ("document_id", "version", "label", "quote")}
        verdict = verify_quote(Citation(**given, sha256=hit().sha256), hit())
        return result.model_validate(verdict.model_dump())


@dataclass
class Client:
    """What a client sees: every event, and what stands."""

    events: list[tuple[str, object]] = field(default_factory=list[tuple[str, object]])
    standing: list[str] = field(default_factory=list[str])
    ever: list[ShownSentence] = field(default_factory=list[ShownSentence])

    async def show(self, number: int, sentence: ShownSentence) -> None:
        assert number == len(self.standing) + 1
        self.events.append(("sentence", sentence.text))
        self.standing.append(sentence.text)
        self.ever.append(sentence)

    async def withdraw(self, first: int, because: str) -> None:
        assert 1 <= first <= len(self.standing)
        self.events.append(("withdrawn", because))
        del self.standing[first - 1 :]


async def asked(
    *script: Step, tools: PolicySearch | None = None, seconds: float = 20.0, attempts: int = 2
) -> tuple[Client, Answer]:
    async def pause(_: float) -> None:
        return None

    client = Client()
    conduct = Conduct(retry=RetryPolicy(attempts=attempts, pause=pause), call_seconds=seconds)
    async with messages_server(*script) as server:
        providers = [AnthropicProvider(api_key=API_KEY, model=MODEL, base_url=server.base_url), OfflineProvider()]
        permission = OnlyModels(f"anthropic/{MODEL}", "offline/extractive")
        async with Gateway(providers, PROMPTS, MemoryRecorder(), permission=permission, conduct=conduct) as gateway:
            question = Asked(question="When must the bank answer?", as_of="2026-01-01", outlet=client)
            found = await answer(tools or PolicySearch(), gateway, CONTEXT, question)
    assert client.standing == [sentence.text for sentence in found.sentences]
    assert all(citation.verified for sentence in client.ever for citation in sentence.citations)
    return client, found


@pytest.mark.proves("F9", "A6")
async def test_a_sentence_with_a_fabricated_quote_is_never_shown_and_its_correction_is() -> None:
    fabricated = ("The bank must say why.", "The bank must say why in writing.")
    client, found = await asked(streamed((TEN, TEN), fabricated), streamed((TEN, TEN), (WHY, WHY)))
    assert client.events == [("sentence", TEN), ("sentence", WHY)]
    assert found.text == f"{TEN} {WHY}"
    assert found.record.repairs == 1


@pytest.mark.proves("F9")
async def test_a_sentence_is_shown_while_the_reply_is_still_written() -> None:
    endless = streamed((TEN, TEN), (WHY, WHY), (ELSE, ELSE), breaks="stall")
    client, found = await asked(endless, seconds=1.0, attempts=1)
    assert found.record.degraded
    assert client.events[0] == ("sentence", TEN)


@pytest.mark.proves("F9")
@pytest.mark.parametrize(
    ("first", "because"),
    [
        (streamed((TEN, TEN), (WHY, WHY), (ELSE, ELSE), breaks="drop"), BROKE_OFF),
        (streamed((TEN, TEN), ("Nine.", WHY)), CORRECTED),
    ],
    ids=["dropped", "corrected"],
)
async def test_what_a_second_reply_says_otherwise_is_withdrawn_with_the_reason(first: Step, because: str) -> None:
    client, found = await asked(first, streamed((WHY, WHY)))
    assert client.events == [("sentence", TEN), ("withdrawn", because), ("sentence", WHY)]
    assert found.text == WHY


@pytest.mark.proves("F9")
async def test_sentences_of_a_model_that_another_one_replaces_are_withdrawn() -> None:
    dropped = streamed((WHY, WHY), (TEN, TEN), (ELSE, ELSE), breaks="drop")
    client, found = await asked(dropped, dropped)
    assert found.record.degraded
    assert client.events[:2] == [("sentence", WHY), ("withdrawn", "another model answered in the end")]


@pytest.mark.proves("F9", "A7")
async def test_a_quote_that_only_the_server_refuses_is_held_back_and_ends_in_an_abstention() -> None:
    partial = "It must say"
    client, found = await asked(streamed((TEN, TEN), (partial, partial)))
    assert found.abstained
    assert "not a whole sentence" in found.reason
    (shown, withdrawn) = client.events
    assert shown == ("sentence", TEN)
    assert withdrawn[0] == "withdrawn"
    assert "the question is not answered" in str(withdrawn[1])


@pytest.mark.proves("F9", "A7")
async def test_nothing_is_shown_of_an_answer_to_what_the_search_did_not_find() -> None:
    lacking = PolicySearch(found=FOUND.model_copy(update={"sufficient": False, "missing": "days"}))
    abstention = Step(body=message({"sentences": [], "abstained": True, "reason": "Nothing on it."}))
    client, found = await asked(streamed((TEN, TEN)), abstention, tools=lacking)
    assert found.abstained
    assert client.events == []


async def test_each_quote_is_verified_once_whether_it_was_shown_or_not() -> None:
    tools = PolicySearch()
    await asked(
        streamed((TEN, TEN), ("Within ten days it must say why.", WHY + " "), (WHY, WHY)),
        streamed((TEN, TEN)),
        tools=tools,
    )
    assert tools.quotes.count(TEN) == 1


async def test_an_answer_that_cannot_be_verified_for_want_of_calls_fails_as_it_does_unstreamed() -> None:
    with pytest.raises(BudgetSpentError):
        await asked(streamed((TEN, TEN)), tools=PolicySearch(calls=0))


QUOTES = st.sampled_from([TEN, WHY, ELSE, "Invented.", "It must"])
ENTRIES = st.lists(st.tuples(QUOTES, QUOTES), max_size=4)


@pytest.mark.proves("F9")
@settings(max_examples=40)
@given(
    st.lists(st.tuples(ENTRIES, st.integers(0, 400)), max_size=4),
    st.lists(st.sampled_from([TEN, WHY, ELSE]), max_size=3),
)
def test_whatever_is_heard_only_verified_sentences_show_and_in_the_end_exactly_the_answer(
    replies: Sequence[tuple[list[tuple[str, str]], int]], final: Sequence[str]
) -> None:
    async def play() -> Client:
        client, verifier = Client(), QuoteVerifier(PolicySearch(), FOUND, "2026-01-01")
        stream = SentenceStream(verifier, FOUND, client)
        for entries, length in replies:
            await stream.begin()
            text = str(said(*entries)).replace("'", '"').replace("False", "false")
            for at in range(0, min(length, len(text)), 7):
                await stream.hear(text[at : min(at + 7, length)])
        shown = [
            ShownSentence(text=one, citations=await verifier.verified([Quotation(clause_id=CLAUSE, quote=one)]))
            for one in final
        ]
        await stream.settle(shown)
        return client

    client = asyncio.run(play())
    assert client.standing == list(final)
    assert all(one.citations and all(citation.verified for citation in one.citations) for one in client.ever)
