"""Two models in a race, when the money is enough for one of them."""

import asyncio

import pytest

from casewright.errors import BudgetError
from casewright.models.dialogue import Answer, NoAnswer
from casewright.models.fallback import Asking, Found, first_answer
from casewright.models.selection import SelectOutput

ANSWER = Answer(output=SelectOutput(clause_ids=(), why="None bears on it."), model="m-1")


async def race(result: Answer[SelectOutput] | NoAnswer) -> Found[SelectOutput]:
    """The first one gives `result` once the second one was found to be too dear; a third one must not be asked."""
    refused = asyncio.Event()

    async def first() -> Answer[SelectOutput] | NoAnswer:
        await refused.wait()
        return result

    async def second() -> Answer[SelectOutput] | NoAnswer:
        refused.set()
        raise BudgetError("nothing is left")

    async def third() -> Answer[SelectOutput] | NoAnswer:
        raise AssertionError("it was asked")

    asked = [
        Asking(provider=name, may_race=name != "offline", ask=ask)
        for name, ask in (("one", first), ("two", second), ("offline", third))
    ]
    async with asyncio.timeout(20):
        return await first_answer(asked, hedge_after_seconds=0.001)


@pytest.mark.proves("F4", "F5")
async def test_a_second_model_that_cannot_be_paid_for_does_not_take_the_first_ones_answer_away() -> None:
    found = await race(ANSWER)
    assert (found.answer, found.provider) == (ANSWER, "one")


async def test_a_race_that_money_ended_says_so_when_nobody_has_answered() -> None:
    with pytest.raises(BudgetError, match="nothing is left"):
        await race(NoAnswer(reason="the model refused"))
