"""What can be told to be personal from its form or from the words beside it; names that are known are `known`'s.

They read a text made plain by `shadow`. Nothing here decides what may leave: it only finds.
"""

import re
from collections.abc import Iterator

from casewright.models.protection.found import Found
from casewright.models.protection.identifiers import identifiers
from casewright.models.protection.numbers import last_digits, likely_numbers, sure_numbers, windows
from casewright.models.protection.postal import addresses

_LOCAL_PART = re.compile(r"[\w.+%'-]{1,64}$")
_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.){1,8}(?:xn--[\w-]{2,59}|[^\W\d_]{2,63})(?![\w-])")
_EMAIL_IN_WORDS = re.compile(
    r"\b[\w.+-]{1,64} ?(?:\(at\)|\[at\]) ?[\w-]{1,63}(?: ?(?:\.|\(dot\)|\[dot\]) ?[\w-]{2,63})+", re.I
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = (
    r"\d{4}-\d{2}-\d{2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|"
    rf"{_MONTH} {_DAY},? \d{{4}}|{_DAY}\.? {_MONTH},? \d{{4}}"
)
_BIRTH_DATE = re.compile(
    r"\b(?:date[ _]of[ _]birth|birth[ _-]?da(?:te|y)|d\.?o\.?b|born)\b\.?(?:[ \n]+(?:on|is|was|the))*[ \n.:\"=(-]{0,6}"
    rf"(?P<value>{_DATE})",
    re.IGNORECASE,
)
_BIRTH_HINTS = ("birth", "born", "dob", "d.o.b", "d.ob", "do.b")
_NAME = r"[A-Z][a-zà-öø-ÿ'’-]+(?:[A-Z][a-zà-öø-ÿ]+)?"
_INITIAL = r"(?:[A-Z]\. ?){0,2}"
_TITLED = re.compile(
    rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof)\b\.? (?P<value>{_INITIAL}{_NAME}(?: (?:[A-Z]\. )?{_NAME}){{0,2}})"
)
_INTRODUCED = re.compile(
    r"\b(?:[Mm]y name is|[Mm]y name'?s|I am called|[Ss]igned(?: by)?|[Ss]incerely|[Rr]egards|[Rr]espectfully|"
    r"[Yy]ours truly|[Nn]ame(?: of \w+)?:|[Cc]ardholder:?|[Aa]ccount holder:?|[Pp]ayee:)[, \n:]{1,4}"
    rf"(?P<value>{_INITIAL}{_NAME}(?: (?:[A-Z]\. )?{_NAME}){{0,3}})"
)
_PARTNER = re.compile(
    r"\b[Mm]y (?:husband|wife|son|daughter|mother|father|mom|dad|brother|sister|partner|fianc[ée]e?|neighbou?r|friend|"
    r"attorney|lawyer|roommate|boyfriend|girlfriend|landlord|caregiver|nephew|niece|cousin),? "
    rf"(?P<value>{_NAME}(?: {_NAME})?)"
)
_NAME_FORMS = (
    (_TITLED, ("Mr", "Ms", "Mx", "Miss", "Dr", "Prof")),
    (
        _INTRODUCED,
        ("name", "called", "igned", "incerely", "egards", "espectfully", "truly", "ardholder", "holder", "ayee"),
    ),
    (_PARTNER, ("y ",)),
)
"""Each with what a text has to hold for it: a search for that is a hundred times as quick."""
_NO_NAMES = (
    "The And But For From With About After Before Because When Then That This They Account Bank Card Dispute Case "
    "Customer Told Said Asked Who Has Had Was Team Department Service Services Manager Branch Claims Claim Please "
    "Thank Thanks Name Union Credit"
)
_NOT_A_NAME = frozenset(_NO_NAMES.split())
_DIGIT = re.compile(r"\d")


def recognise(text: str) -> Iterator[Found]:
    """Everything in `text` that is personal by its form, the surest first; it may overlap."""
    if "@" in text:
        yield from emails(text)
    if "at" in text and ("(at)" in text or "[at]" in text):
        yield from _all_emails_in_words(text)
    if _DIGIT.search(text):
        yield from birth_dates(text)
        yield from _numbers(text)
        yield from addresses(text)
    yield from marked_names(text)


def emails(text: str) -> Iterator[Found]:
    """E-mail addresses, looked for from their sign outwards."""
    at = text.find("@")
    while at >= 0:
        local = _LOCAL_PART.search(text, max(0, at - 64), at)
        domain = _DOMAIN.match(text, at + 1)
        if local and domain:
            yield Found("EMAIL", local.start(), domain.end())
        at = text.find("@", at + 1)


def birth_dates(text: str) -> Iterator[Found]:
    """Dates that are said to be somebody's date of birth; no other date."""
    small = text.lower()
    for match in _BIRTH_DATE.finditer(text) if any(hint in small for hint in _BIRTH_HINTS) else ():
        yield Found("BIRTH_DATE", *match.span("value"))


def marked_names(text: str) -> Iterator[Found]:
    """Names that a word before them gives away: a title, an introduction, a signature, a relation."""
    for form, hints in _NAME_FORMS:
        for match in form.finditer(text) if any(hint in text for hint in hints) else ():
            words = match["value"].split()
            while words and words[-1] in _NOT_A_NAME:
                words.pop()
            if words and words[0] not in _NOT_A_NAME:
                length = len(match["value"]) if len(words) == len(match["value"].split()) else len(" ".join(words))
                yield Found("PERSON", match.start("value"), match.start("value") + length)


def _numbers(text: str) -> Iterator[Found]:
    """Ids before telephone and account numbers: they have a form of their own, those have only a length."""
    for start, end in windows(text):
        yield from sure_numbers(text, start, end)
        yield from identifiers(text, start, end)
        yield from likely_numbers(text, start, end)
    yield from last_digits(text)


def _all_emails_in_words(text: str) -> Iterator[Found]:
    return (Found("EMAIL", match.start(), match.end()) for match in _EMAIL_IN_WORDS.finditer(text))
