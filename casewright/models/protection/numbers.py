"""Cards, IBANs, telephone and account numbers, told from amounts, dates and the labels of clauses.

Amounts and the dates of transactions stay: outcomes are explained with them.
"""

import re
from collections.abc import Iterator

from casewright.models.protection.found import Found
from casewright.models.protection.identifiers import valid_card, valid_iban

_CARD = re.compile(
    r"(?<![\w.])(?:\d{13,19}|\d{4}(?:[ \n.-]\d{4}){2}[ \n.-]\d{1,7}|\d{4}[ \n.-]\d{6}[ \n.-]\d{4,5})(?!\w)"
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){3,8}(?:[ -]?[A-Z0-9]{1,4})?(?!\w)", re.IGNORECASE)
_RUN = re.compile(r"\d(?:\W{0,3}\d){5,}|[A-Z]{6}\d\d[A-Z]\d\d")
_AROUND = 70
"""Characters in which a word may stand that says what a number is."""
_SHORTEST_IBAN = 15
_PHONE = re.compile(
    r"(?<![\w$€£.,/-])(?:"
    r"(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\)[ .-]?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}"
    r"|\+(?:[2-9]\d{0,2}|1[ .-]\d)[ .()-]{0,2}\d(?:[ .()-]{0,2}\d){6,11}"
    r"|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5}"
    r")(?:[ ,]{0,2}(?:x|ext\.?)[ ]?\d{1,5})?(?!\w|[.,-]\d)"
)
_MARKED_PHONE = re.compile(
    r"\b(?:tel|telephone|phone|mobile|cell|cellphone|fax|whatsapp|text me at|call me at|reach me at|reached at)\b"
    r"(?:[ \n]+(?:number|no|is|was|at|on|us|me))*[ \n.:#\"=-]{0,6}(?P<value>\(?\d[\d .()-]{5,13}\d)(?![\w-])",
    re.IGNORECASE,
)
_MARKED_ACCOUNT = re.compile(
    r"\b(?:accounts?|acct|a/c|routing|aba|loan|card|sort code|member|policy holder)\b\.?"
    r"(?:[ \n]+(?:number|numbers|no|num|nr|id|is)\.?)*[ \n.:#\"=-]{0,6}"
    r"(?P<value>[A-Z]{0,3}\d(?:[ -]?[\dX*]){4,20}\d)(?![\w-]|[.,]\d)",
    re.IGNORECASE,
)
_ENDING = re.compile(
    r"(?<!year )(?<!period )(?<!quarter )(?<!month )\b(?:ending|ends|last (?:four|4)(?: digits)?)\b"
    r"(?:[ \n]+(?:in|with|are|is|of|digits|were))*[ \n:#]+[*xX.-]{0,4}(?P<value>\d{4})(?!\w|[.,/-]\d)",
    re.IGNORECASE,
)
_MASKED = re.compile(r"(?<![\w/])[xX*•#]{2,}-?(?P<value>\d{4})(?![\w/]|[.,]\d)")
_BARE = re.compile(r"(?<![\w.,$€£/:-])(?:\d{9,30}|\d{3,6}(?:-\d{2,6}){2,4})(?!\w|[.,]\d|-\d)")
_AMOUNT_BEFORE = re.compile(r"amount_minor\W{1,6}(?:value\W{1,6})?$|(?:[$€£]|USD|EUR|GBP) ?$")
_MONEY_AFTER = re.compile(r" ?(?:dollars|USD|EUR|GBP|euros|pounds)\b")
_ENDING_HINTS = ("ending", " ends ", "last four", "last 4")
_FEWEST_BARE = 9
_FEWEST_MARKED = 6
_DATE = re.compile(r"(?:19|20)\d{2}-[01]?\d-[0-3]?\d|[0-3]?\d-[0-3]?\d-(?:19|20)\d{2}")


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Where `text` has so many digits together that they may be a number, with what stands around; end exclusive."""
    began, ends = 0, -1
    for run in _RUN.finditer(text):
        if ends >= 0 and run.start() - _AROUND > ends:
            yield began, ends
            ends = -1
        if ends < 0:
            began = max(0, run.start() - _AROUND)
        ends = min(len(text), run.end() + _AROUND)
    if ends >= 0:
        yield began, ends


def sure_numbers(text: str, start: int, end: int) -> Iterator[Found]:
    """Cards and IBANs in a part of `text`: length, form and check digits tell them."""
    for match in _CARD.finditer(text, start, end):
        if valid_card("".join(filter(str.isdigit, match[0]))):
            yield Found("CARD", match.start(), match.end())
    # Of words in capitals that follow an IBAN as many are left out as it takes to be one.
    for match in _IBAN.finditer(text, start, end):
        found = match[0]
        while len(found) >= _SHORTEST_IBAN:
            if valid_iban(found):
                yield Found("IBAN", match.start(), match.start() + len(found))
                break
            cut = max(found.rfind(" "), found.rfind("-"))
            found = found[:cut] if cut > 0 else ""


def likely_numbers(text: str, start: int, end: int) -> Iterator[Found]:
    """Telephone and account numbers in a part of `text`, and long numbers that are no amounts and no dates."""
    for match in _PHONE.finditer(text, start, end):
        yield Found("PHONE", match.start(), match.end())
    for match in _MARKED_PHONE.finditer(text, start, end):
        if 7 <= _digits(match["value"]) <= 15 and not _DATE.search(match["value"]):
            yield Found("PHONE", *match.span("value"))
    for match in _MARKED_ACCOUNT.finditer(text, start, end):
        if _digits(match["value"]) >= _FEWEST_MARKED and not _DATE.search(match["value"]):
            yield Found("ACCOUNT", *match.span("value"))
    for match in _BARE.finditer(text, start, end):
        if _digits(match[0]) >= _FEWEST_BARE and not (_DATE.match(match[0]) or _is_amount(text, match)):
            yield Found("ACCOUNT", match.start(), match.end())


def last_digits(text: str) -> Iterator[Found]:
    """The last four digits of an account or card, where they are said or masked to be that."""
    small = text.lower()
    for form in (_ENDING, _MASKED) if any(hint in small for hint in _ENDING_HINTS) else (_MASKED,):
        for match in form.finditer(text):
            yield Found("ACCOUNT", *match.span("value"))


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _is_amount(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 40) : match.start()]
    return bool(_AMOUNT_BEFORE.search(before) or _MONEY_AFTER.match(text, match.end()))
