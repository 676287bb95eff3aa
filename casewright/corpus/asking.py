"""What kind of answer a question asks for: a time, an amount, a duty or a meaning.

Patterns over plain English, shared by the ranking of clauses (`features`) and the choice of sentences (`answering`).
It is deliberately *not* a parser: a kind that is missed costs a little rank and nothing else.
"""

import re

_TIME = re.compile(
    r"\bhow (?:long|soon|quickly|fast|often|far)\b"
    r"|\bhow many (?:business |calendar |working )?(?:minutes|hours|days|weeks|months|years)\b"
    r"|\bwhen\b|\buntil\b|\bdeadlines?\b|\btime\b|\bperiods?\b|\bduration\b|\bexpir\w*|\b(?:by|within) what\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"\bhow (?:much|large|high)\b|\bmaximum\b|\bcap\b|\bwhat (?:amount|fee|percentage|sum)\b", re.IGNORECASE
)
_DUTY = re.compile(r"\b(?:must|may|can|should|required|allowed|permitted|have to|need to)\b", re.IGNORECASE)
_MEANING = re.compile(
    r"\bdefin(?:e|ition)\b|\bmeaning\b|\bwhat (?:is|are) an?\b|\bwhat does .{1,40} mean\b|\bwho (?:is|are|qualifies)\b",
    re.IGNORECASE,
)


def asks_time(question: str) -> bool:
    """Whether a duration, a date or a deadline would answer it."""
    return _TIME.search(question) is not None


def asks_amount(question: str) -> bool:
    """Whether a sum or a share would answer it."""
    return _AMOUNT.search(question) is not None


def asks_duty(question: str) -> bool:
    """Whether it asks what must or may be done."""
    return _DUTY.search(question) is not None


def asks_meaning(question: str) -> bool:
    """Whether a definition would answer it."""
    return _MEANING.search(question) is not None
