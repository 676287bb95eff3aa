"""What model calls cost: prices as data with dates (`prices.toml`), applied to call records.

In millionths of one currency, rounded up. Where nobody can say what something cost, because the model has no price on
that day, it counts as the dearest line there is and is said to be no more than that: the most it can have cost
(`Cost.exact`). An installation adds its own lines in a `prices.toml` in the data folder. It is *not* where a budget is
held against the cost; see `casewright.models.affordable` and `graphs.budget`.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from casewright.contracts.base import Contract
from casewright.contracts.faults import faults
from casewright.errors import InputError
from casewright.models.provider import Usage

Price = Annotated[int, Field(ge=0, le=10_000_000_000)]
"""Of a million tokens, in millionths of the currency."""
PRICE_FILE = "prices.toml"
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


@dataclass(frozen=True, kw_only=True)
class Cost:
    """An amount, and whether it is one."""

    micro: int
    """Millionths of the table's currency."""
    exact: bool
    """False: the most it can have cost."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(micro=self.micro + other.micro, exact=self.exact and other.exact)


NOTHING = Cost(micro=0, exact=True)


class PriceTable(Contract):
    """All lines, in one currency."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    price: Annotated[tuple[PriceLine, ...], Field(min_length=1)]

    def cost(self, usage: Usage, *, model: str, on: dt.date, certain: bool = True) -> int:
        """What `usage` of a model cost on a date; not `certain` that it was this model alone: the dearest."""
        return self.priced(usage, model=model if certain else "", on=on).micro

    def priced(self, usage: Usage, *, model: str, on: dt.date) -> Cost:
        """What `usage` of a model cost on a date; of one without a price on that day, the most it can have cost."""
        known = self._known(model, on)
        if known is not None:
            line = (known.input, known.output, known.cache_read, known.cache_write)
            return Cost(micro=_cost(usage, line), exact=True)
        return Cost(micro=_cost(usage, self._dearest), exact=not usage.total_tokens)

    def sum(self, used: Iterable[tuple[str, Usage]], *, on: dt.date) -> Cost:
        """What several models cost together, each by its own price."""
        total = NOTHING
        for model, usage in used:
            total = total + self.priced(usage, model=model, on=on)
        return total

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


def prices_of(home: Path) -> PriceTable:
    """The table that ships, with the lines of `prices.toml` in a data folder; of the same model and date theirs holds.

    Raises:
        InputError: the file cannot be read or is malformed, or is in another currency.
    """
    path, shipped = home / PRICE_FILE, prices()
    try:
        own = read_prices(path.read_text(encoding="utf-8"), name=str(path))
    except FileNotFoundError:
        return shipped
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the price table {str(path)!r} cannot be read: {error}; mend or remove it") from error
    if own.currency != shipped.currency:
        raise InputError(f"the price table {str(path)!r} is in {own.currency}; write its prices in {shipped.currency}")
    lines = {(line.model, line.valid_from): line for line in (*shipped.price, *own.price)}
    return PriceTable(currency=shipped.currency, price=tuple(lines.values()))


def read_prices(text: str, *, name: str = PRICE_FILE) -> PriceTable:
    """A price table from TOML; `name` is that of its file, for messages.

    Raises:
        InputError: it is malformed, or two lines are about the same model and date.
    """
    try:
        table = PriceTable.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        wrong = faults(error) if isinstance(error, ValidationError) else error
        raise InputError(f"the price table {name!r} cannot be read: {wrong}; correct it") from error
    named = [(line.model, line.valid_from) for line in table.price]
    double = next((line for line in named if named.count(line) > 1), None)
    if double is not None:
        raise InputError(f"the price table {name!r} has two lines for {double[0]!r} from {double[1]}; keep one")
    return table


def _cost(usage: Usage, line: Sequence[int]) -> int:
    counted = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    total = sum(tokens * price for tokens, price in zip(counted, line, strict=True))
    return -(-total // _PER)
