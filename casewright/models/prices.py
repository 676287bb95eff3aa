"""What model calls cost: prices as data with dates (`prices.toml`), applied to call records.

In millionths of one currency, rounded up. A call costs as the dearest line where nobody can say what it cost: the
model has no price yet, no model answered, or another provider was asked before the one that did. It is *not* where a
budget is held against the cost; see `graphs.budget`.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, ValidationError

from casewright.contracts.base import Contract
from casewright.errors import InputError
from casewright.models.provider import Usage

Price = Annotated[int, Field(ge=0, le=10_000_000_000)]
"""Of a million tokens, in millionths of the currency."""
_PER = 1_000_000
_DATED = re.compile(r"-\d{8}\Z")


class PriceLine(Contract):
    """What one model costs from a date on."""

    model: Annotated[str, Field(min_length=1)]
    valid_from: Annotated[dt.date, Field(alias="from")]
    input: Price
    output: Price
    cache_read: Price
    cache_write: Price


class PriceTable(Contract):
    """All lines, in one currency."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    price: Annotated[tuple[PriceLine, ...], Field(min_length=1)]

    def cost(self, usage: Usage, *, model: str, on: dt.date, certain: bool = True) -> int:
        """What `usage` of a model cost on a date; not `certain` that it was this model alone: the dearest."""
        known = self._known(model, on) if certain else None
        if known is not None:
            return _cost(usage, (known.input, known.output, known.cache_read, known.cache_write))
        return _cost(usage, self._dearest)

    def _known(self, model: str, on: dt.date) -> PriceLine | None:
        """The newest line that is valid; a name with a date of its own comes before the name without."""
        for name in (model, _DATED.sub("", model)):
            lines = [line for line in self.price if line.model == name and line.valid_from <= on]
            if lines:
                return max(lines, key=lambda line: line.valid_from)
        return None

    @property
    def _dearest(self) -> Sequence[int]:
        lines = [(line.input, line.output, line.cache_read, line.cache_write) for line in self.price]
        return [max(column) for column in zip(*lines, strict=True)]


@cache
def prices() -> PriceTable:
    """The table that ships."""
    return read_prices(files("casewright.models").joinpath("prices.toml").read_text(encoding="utf-8"))


def read_prices(text: str) -> PriceTable:
    """A price table from TOML.

    Raises:
        InputError: it is malformed, or two lines are about the same model and date.
    """
    try:
        table = PriceTable.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputError(f"the price table cannot be read: {error}; correct it") from error
    named = [(line.model, line.valid_from) for line in table.price]
    double = next((line for line in named if named.count(line) > 1), None)
    if double is not None:
        raise InputError(f"the price table has two lines for {double[0]!r} from {double[1]}; keep one")
    return table


def _cost(usage: Usage, line: Sequence[int]) -> int:
    counted = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    total = sum(tokens * price for tokens, price in zip(counted, line, strict=True))
    return -(-total // _PER)
