"""The most that a request can use, known before it is sent: an upper bound from its length, or the service's own count.

Every token stands for at least one byte of text, whatever the model, so the bytes bound the tokens; mostly there are
four times as many. The answer counts as if it were as long as it may be.
"""

import datetime as dt
import json
from dataclasses import dataclass
from functools import cache

from casewright.contracts.base import Contract
from casewright.models.prices import NOTHING, Cost, PriceTable
from casewright.models.provider import CountsTokens, ModelRequest, Provider, Usage

FRAME_TOKENS = 64
"""What a service puts around each message."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The most that one request can use."""

    input_tokens: int
    output_tokens: int
    cost: Cost

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


FREE = Estimate(input_tokens=0, output_tokens=0, cost=NOTHING)
"""Of a request that is answered in this process."""


def bound(request: ModelRequest, provider: Provider, prices: PriceTable, on: dt.date) -> Estimate:
    """The most the request can use, by its length."""
    if not provider.capabilities.leaves_process:
        return FREE
    texts = (request.system, _schema(request.output), *(turn.text for turn in request.turns))
    tokens = sum(len(text.encode("utf-8", "surrogatepass")) + FRAME_TOKENS for text in texts)
    return _estimate(tokens, request, provider, prices, on)


async def counted(request: ModelRequest, provider: Provider, prices: PriceTable, on: dt.date) -> Estimate | None:
    """The most it can use, by the service's count of its input; None: the provider cannot count it."""
    if not (provider.capabilities.token_counting and isinstance(provider, CountsTokens)):
        return None
    tokens = await provider.count(request)
    return None if tokens is None else _estimate(tokens, request, provider, prices, on)


def _estimate(tokens: int, request: ModelRequest, provider: Provider, prices: PriceTable, on: dt.date) -> Estimate:
    """What is written to a cache costs more than plain input, so the dearer of the two."""
    plain = Usage(input_tokens=tokens, output_tokens=request.max_output_tokens)
    cached = Usage(cache_write_tokens=tokens, output_tokens=request.max_output_tokens)
    costs = [prices.priced(usage, model=provider.model, on=on) for usage in (plain, cached)]
    dearer = max(costs, key=lambda cost: cost.micro)
    return Estimate(input_tokens=tokens, output_tokens=request.max_output_tokens, cost=dearer)


@cache
def _schema(model: type[Contract]) -> str:
    return json.dumps(model.model_json_schema(), ensure_ascii=False)
