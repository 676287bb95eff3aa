"""What a tenant has spent on models today and this month, and what it may: `spending.toml` in the data folder.

    currency = "USD"
    alert_percent = 80               # of a limit; from there on `casewright models costs` says so and exits with 1

    [limits]                         # of every tenant; in millionths of the currency
    daily = 20_000_000
    monthly = 300_000_000

    [tenant.harborline]              # of this one instead
    daily = 50_000_000

    [answers]
    keep_seconds = 86_400            # how long an answer of a deterministic task may be given again

Without the file nothing is limited but runs (`casewright.config.Budgets`), and no answer is given twice. Days and
months are those of UTC.
"""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from sqlalchemy import select

from casewright.contracts.base import Contract
from casewright.contracts.faults import faults
from casewright.errors import InputError
from casewright.models.prices import prices
from casewright.storage.database import Database
from casewright.storage.model_tables import model_spending

SPENDING_FILE = "spending.toml"
LONGEST_KEPT_SECONDS = 366 * 24 * 3600
Amount = Annotated[int, Field(gt=0, le=10**15)]


class Limits(Contract):
    """Of one tenant, in millionths of the currency; None: not limited."""

    daily: Amount | None = None
    monthly: Amount | None = None


class Answers(Contract):
    """How answers of deterministic tasks are given again."""

    keep_seconds: Annotated[int, Field(ge=0, le=LONGEST_KEPT_SECONDS)] = 0
    """0: they are not."""


class SpendingRules(Contract):
    """What an installation says about money."""

    currency: str
    alert_percent: Annotated[int, Field(ge=1, le=100)] = 80
    limits: Limits = Limits()
    tenant: Mapping[str, Limits] = Field(default_factory=dict[str, Limits])
    answers: Answers = Answers()

    @property
    def limited(self) -> bool:
        """Whether any tenant has a limit."""
        return any(one != Limits() for one in (self.limits, *self.tenant.values()))

    def of(self, tenant: str) -> Limits:
        """The limits of a tenant: its own where it has any, else those of all."""
        own = self.tenant.get(tenant, Limits())
        return Limits(daily=own.daily or self.limits.daily, monthly=own.monthly or self.limits.monthly)


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What is recorded of one tenant, in millionths of the currency."""

    today: int
    month: int


def spending_rules(home: Path) -> SpendingRules:
    """What `spending.toml` in a data folder says; without the file, nothing is limited.

    Raises:
        InputError: the file cannot be read, is malformed or in another currency than the prices.
    """
    path, currency = home / SPENDING_FILE, prices().currency
    try:
        rules = SpendingRules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return SpendingRules(currency=currency)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        wrong = faults(error) if isinstance(error, ValidationError) else error
        raise InputError(
            f"the spending rules {str(path)!r} cannot be read: {wrong}; mend or remove the file"
        ) from error
    if rules.currency != currency:
        raise InputError(f"the spending rules {str(path)!r} are in {rules.currency!r}; write them in {currency}")
    return rules


class TenantSpending:
    """Reads what the records of calls add up to, by day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, on: dt.date) -> Spent:
        """What a tenant has spent on a day, and from the first of its month to the day."""
        table = model_spending.c
        query = select(table.day, table.cost_micro).where(
            table.tenant == tenant, table.day >= on.replace(day=1).isoformat(), table.day <= on.isoformat()
        )
        async with self._database.read() as connection:
            days = {row.day: int(row.cost_micro) for row in await connection.execute(query)}
        return Spent(today=days.get(on.isoformat(), 0), month=sum(days.values()))
