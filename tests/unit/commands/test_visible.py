"""What a terminal would hide or act on is shown."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.visible import json_text, visible, visible_text

HOSTILE = "paid \u202e50 USD\u202c \x1b[2Jto\u200b \x9b31m\rme \udc80"


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x1b", "\\u001b"),
        ("\x07", "\\u0007"),
        ("\r", "\\u000d"),
        ("\x9b", "\\u009b"),
        ("\u202e", "\\u202e"),
        ("\u2066", "\\u2066"),
        ("\u200b", "\\u200b"),
        ("\ufeff", "\\ufeff"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_a_hidden_character_is_shown_as_its_code(character: str, shown: str) -> None:
    assert visible_text(f"a{character}b") == f"a{shown}b"


@pytest.mark.parametrize("text", ["§ 1005.11(c)(2)(i) — “quoted”\n\tnext", "Łódź, 東京, नमस्ते", "👩\u200d⚖\ufe0f"])
def test_ordinary_text_of_any_script_stays_as_it_is(text: str) -> None:
    assert visible_text(text) == text


def test_every_text_of_a_document_is_reached() -> None:
    shown = visible({"a\x1b": [{"b": "\u202e"}, ("\x00",)], "n": 1, "none": None})
    assert shown == {"a\\u001b": [{"b": "\\u202e"}, ["\\u0000"]], "n": 1, "none": None}


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_that_reorders_or_moves_the_cursor_is_left(text: str) -> None:
    left = set(visible_text(text)) - set("\n\t\u200c\u200d")
    assert not [character for character in left if unicodedata.category(character) in {"Cc", "Cf", "Cs"}]
    visible_text(text).encode("utf-8")


@given(st.recursive(st.text(st.characters(exclude_categories=[])) | st.integers() | st.none(), st.lists))
def test_json_stays_the_same_value_and_safe_to_look_at(value: object) -> None:
    written = json_text({"value": value})
    assert json.loads(written) == json.loads(json.dumps({"value": value}))
    assert visible_text(written) == written


def test_json_in_plain_ascii_is_the_same_value() -> None:
    written = json_text({"value": HOSTILE}, ascii_only=True)
    assert written.isascii()
    assert json.loads(written) == json.loads(json.dumps({"value": HOSTILE}))
