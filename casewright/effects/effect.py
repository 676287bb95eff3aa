"""One effect: an approved call that is to happen, and the terms it carries.

The terms are read from the approved arguments themselves, so what is recorded is what people
saw. It is *not* known here how an effect is delivered.
"""

import re
from dataclasses import dataclass
from typing import get_args

from casewright.contracts.approval import ActionCall
from casewright.contracts.recommendation import ActionKind
from casewright.errors import InputError

MAX_AMOUNT_MINOR = 10**13
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, kw_only=True)
class ActionTerms:
    """What is done and for how much, in minor units of an ISO 4217 currency."""

    action: str
    amount_minor: int
    currency: str

    @classmethod
    def of(cls, call: ActionCall) -> "ActionTerms":
        """Read `action`, `amount_minor` and `currency`; nothing is assumed and nothing converted.

        Raises:
            InputError: one is missing, of another type or out of range.
        """
        action = call.arguments.get("action")
        amount = call.arguments.get("amount_minor")
        currency = call.arguments.get("currency")
        if not isinstance(action, str) or action not in get_args(ActionKind):
            raise InputError(f"the action {action!r} is unknown; use one of {', '.join(get_args(ActionKind))}")
        if type(amount) is not int or not 0 <= amount <= MAX_AMOUNT_MINOR:
            raise InputError(f"the amount {amount!r} is not a whole number of minor units from 0 to {MAX_AMOUNT_MINOR}")
        if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
            raise InputError(f"the currency {currency!r} is not a code such as 'USD'")
        return cls(action=action, amount_minor=amount, currency=currency)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An approved call in the outbox. A sink outside of this database dedupes by `idempotency_key`."""

    effect_id: str
    idempotency_key: str
    approval_id: str
    run_id: str
    call: ActionCall
    terms: ActionTerms
