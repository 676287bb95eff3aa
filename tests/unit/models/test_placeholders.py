"""Placeholders: the way out and the way back, for any text."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.models.prompts import neutral
from casewright.models.protection.known import KnownValue
from casewright.models.protection.placeholders import Placeholders

PARTIES = (
    KnownValue(kind="PERSON", text="Marisol Ingram"),
    KnownValue(kind="PERSON", text='Ann "Annie" O\'Neil'),
    KnownValue(kind="ORGANISATION", text="Cascade Electronics"),
)
PIECES = st.sampled_from(
    [
        "Marisol Ingram",
        "INGRAM",
        'Ann "Annie" O\'Neil',
        "4111 1111 1111 1111",
        "123-45-6789",
        "m.ingram@example.com",
        "415-555-0132",
        "742 Evergreen Terrace, Springfield, IL 62704",
        "[PERSON_1]",
        "[PERSON_1.2]",
        "[TEXT_1]",
        "[[PERSON_1]]",
        "[CARD_",
        "§ 1005.11(c)(2)",
        "$412.60",
        "\\n",
        "\\u00e9",
        "\n",
        '"',
        "\\",
    ]
)
EXAMPLES = 40
TEXTS = st.lists(PIECES | st.text(max_size=12), max_size=12).map(" ".join) | st.lists(PIECES, max_size=8).map("".join)


@pytest.mark.proves("F7")
@given(st.lists(TEXTS, min_size=1, max_size=3))
@settings(max_examples=EXAMPLES)
def test_what_is_redacted_in_one_run_comes_back_character_for_character(texts: list[str]) -> None:
    placeholders = Placeholders(PARTIES)
    redacted = [placeholders.redact(text) for text in texts]
    assert [placeholders.restore(one) for one in reversed(redacted)] == list(reversed(texts))
    prompt = "\n[[0f3a end]]\n".join(texts)
    assert placeholders.restore(placeholders.redact_blocks(prompt)) == prompt


@given(TEXTS)
@settings(max_examples=EXAMPLES)
def test_a_reply_in_json_that_repeats_what_it_was_given_says_the_same_after_restoring(text: str) -> None:
    shown = neutral(text)  # as a prompt shows it
    placeholders = Placeholders(PARTIES)
    redacted = placeholders.redact(json.dumps({"value": shown}, ensure_ascii=False))
    assert json.loads(placeholders.restore_json(redacted)) == {"value": shown}


@pytest.mark.proves("F7")
def test_a_value_has_one_number_however_it_is_written() -> None:
    placeholders = Placeholders(PARTIES)
    assert placeholders.redact("Marisol Ingram, MARISOL, Ingram, Marisol") == "[PERSON_1], [PERSON_1.2], [PERSON_1.3]"
    assert placeholders.redact("4111 1111 1111 1111 and 4111111111111111") == "[CARD_1] and [CARD_1.2]"
    assert placeholders.redact("again 4111 1111 1111 1111 for Marisol Ingram") == "again [CARD_1] for [PERSON_1]"


def test_parties_are_numbered_as_the_case_names_them_whatever_is_read_first() -> None:
    first, other = Placeholders(PARTIES), Placeholders(PARTIES)
    other.redact("Cascade Electronics and Ann")
    assert first.redact("Marisol Ingram") == other.redact("Marisol Ingram") == "[PERSON_1]"


def test_what_a_case_comes_to_hold_later_leaves_the_earlier_placeholders_alone() -> None:
    placeholders = Placeholders(PARTIES[:1])
    before = placeholders.redact("Marisol Ingram, m.ingram@example.com")
    placeholders.learn((*PARTIES[1:], KnownValue(kind="PERSON", text="Everett Solis")), ("call 415-555-0132",))
    assert placeholders.redact("Marisol Ingram, m.ingram@example.com") == before
    assert placeholders.redact("Everett Solis") == "[PERSON_3]"


@pytest.mark.proves("F7")
def test_what_words_gave_away_in_one_text_of_a_case_is_found_alone_in_the_others() -> None:
    texts = (
        "Claim of Xavier Quill",
        "My name is Xavier Quill, born 1980-02-03, account number 445566. My neighbour Tobias saw it. Ending in 4821.",
    )
    placeholders = Placeholders(PARTIES, texts)
    assert placeholders.redact(texts[0]) == "Claim of [PERSON_3]"
    alone = "XAVIER\u00a0QUILL, 445566, 1980-02-03"
    assert placeholders.redact(alone) == "[PERSON_3.2], [ACCOUNT_1], [BIRTH_DATE_1]"
    assert placeholders.restore(placeholders.redact(alone)) == alone
    assert placeholders.redact("Tobias bought 4821 for 1445566") == "Tobias bought 4821 for 1445566"


def test_a_name_that_is_a_common_word_counts_whole_only() -> None:
    placeholders = Placeholders((KnownValue(kind="PERSON", text="Grace Bill"),))
    text = "Grace periods and a bill: Grace Bill is right"
    assert placeholders.redact(text) == "Grace periods and a bill: [PERSON_1] is right"


def test_a_number_behind_an_escaped_line_break_is_seen() -> None:
    text = json.dumps("SSN:\n123-45-6789\tcard\t4111111111111111")
    assert Placeholders().redact(text) == '"SSN:\\n[NATIONAL_ID_1]\\tcard\\t[CARD_1]"'


def test_a_prompt_is_redacted_block_by_block_to_the_same_end() -> None:
    prompt = (
        "marker: 0f\n\n[[0f evidence title]]\nOf Marisol Ingram\n[[0f end]]\n\n[[0f facts]]\n415-555-0132\n[[0f end]]"
    )
    assert Placeholders(PARTIES).redact_blocks(prompt) == Placeholders(PARTIES).redact(prompt)


def test_a_placeholder_that_nobody_gave_out_stays_as_it_is() -> None:
    assert Placeholders(PARTIES).restore("[PERSON_9] and [SECRET_1]") == "[PERSON_9] and [SECRET_1]"
