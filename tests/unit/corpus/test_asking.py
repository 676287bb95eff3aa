"""What kind of answer a question asks for."""

import pytest

from casewright.corpus.asking import asks_amount, asks_duty, asks_meaning, asks_time


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("How soon must the bank investigate?", {"time", "duty"}),
        ("Within what period is a notice due?", {"time"}),
        ("How often is a statement sent?", {"time"}),
        ("How much can I lose?", {"amount", "duty"}),
        ("What is a remittance transfer?", {"meaning"}),
        ("Definition of business day", {"meaning"}),
        ("Sharing of account numbers", set[str]()),
        ("The timely amountless musty definite thing", set[str]()),
    ],
)
def test_the_kind_of_answer_is_read_from_whole_words(question: str, kinds: set[str]) -> None:
    asks = {"time": asks_time, "amount": asks_amount, "duty": asks_duty, "meaning": asks_meaning}
    assert {kind for kind, told in asks.items() if told(question)} == kinds
