"""What counts as a question that says something: the same for the validator and for a reader of the document."""

import re
import sys

from pydantic import ValidationError

from api.routes.questions import SAYS_SOMETHING, QuestionRequest


def accepted(text: str) -> bool:
    """Whether the API's own model takes it."""
    try:
        QuestionRequest(question=text)
    except ValidationError:
        return False
    return True


def test_every_dialect_of_patterns_takes_the_same_characters_for_space() -> None:
    python = re.compile(SAYS_SOMETHING)
    texts = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF)
    spaces = [text for text in texts if text.isspace() or text == "\ufeff" or not python.search(text)]
    assert "\u0085" in spaces
    assert "\ufeff" in spaces
    assert [text for text in spaces if accepted(text) or python.search(text)] == []


def test_a_question_of_one_letter_between_spaces_says_something() -> None:
    assert accepted("\u0085 a \ufeff")
