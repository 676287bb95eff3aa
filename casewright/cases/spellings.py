"""The ways an amount or a date may be written in a sentence and still be the same value.

Exact spellings only; nothing is rounded and no year is left out.
"""

import datetime as dt
from collections.abc import Mapping

_DECIMALS: Mapping[str, int] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"), 0),
    **dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""ISO 4217 currencies whose minor unit is not a hundredth."""
_SIGNS: Mapping[str, str] = {"USD": "$"}
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def amount_spellings(minor: int, currency: str) -> frozenset[str]:
    """`12550`, `USD` gives 125.50, $125.50, 125.50 USD, USD 125.50; whole amounts also without decimals."""
    decimals = _DECIMALS.get(currency, 2)
    sign, magnitude = ("-" if minor < 0 else ""), abs(minor)
    units, rest = divmod(magnitude, 10**decimals)
    numbers = {f"{units}", f"{units:,}"} if rest == 0 else set[str]()
    if decimals:
        numbers |= {f"{units}.{rest:0{decimals}d}", f"{units:,}.{rest:0{decimals}d}"}
    found: set[str] = set()
    for number in numbers:
        found |= {f"{sign}{number}", f"{sign}{number} {currency}", f"{currency} {sign}{number}"}
        if currency in _SIGNS:
            found.add(f"{sign}{_SIGNS[currency]}{number}")
    return frozenset(found)


def date_spellings(date: dt.date) -> frozenset[str]:
    """ISO 8601, and the American and British long forms: `March 2, 2026`, `2 March 2026`."""
    month = _MONTHS[date.month - 1]
    return frozenset({date.isoformat(), f"{month} {date.day}, {date.year}", f"{date.day} {month} {date.year}"})
