"""What a log line may not say: secrets by value, by name and by look, and personal values."""

import io
import json
import logging
from collections.abc import Iterator
from typing import cast

import pytest

from casewright.telemetry import LogRedaction, configure_logging, configure_plain_logging, secret_values

SECRET = "plain-looking-value-8841"
PEM = "PRIVATE KEY-----"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log as the command writes it."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging(verbose=True, secrets=(SECRET, "short"))
    written = io.StringIO()
    cast("logging.StreamHandler[io.StringIO]", root.handlers[0]).setStream(written)
    yield written
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.proves("F7")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"it is {SECRET}!", "it is [secret]!"),
        ("key sk-ant-api03-abcdef123 was refused", "key [secret] was refused"),
        ("Authorization: Bearer abc.def", "Authorization: [secret]"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln in it", "token [secret] in it"),
        ("password=hunter2, user=rosa", "password=[secret], user=rosa"),
        ('{"client_secret": "s3cr3t"}', '{"client_secret": "[secret]"}'),
        (f"-----BEGIN {PEM}\nMIIE\n-----END {PEM} left", "[secret] left"),
        ("of m.ingram@example.com, 4111 1111 1111 1111", "of [EMAIL], [CARD]"),
        ("SSN 123-45-6789 of run run-e4708a7b1e5ba116", "SSN [NATIONAL_ID] of run run-e4708a7b1e5ba116"),
        ("policy 7af7405842bff35e1ad4308387d7bdb3 in 2.5 s", "policy 7af7405842bff35e1ad4308387d7bdb3 in 2.5 s"),
    ],
)
def test_a_line_of_the_log_tells_no_secret_and_nothing_personal(log: io.StringIO, text: str, told: str) -> None:
    logging.getLogger("casewright.test").warning("%s", text)
    assert json.loads(log.getvalue())["event"] == told


def test_the_words_of_an_error_are_redacted_as_well(log: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot use {SECRET} of m.ingram@example.com")
    except ValueError:
        logging.getLogger("casewright.test").exception("it failed")
    document = json.loads(log.getvalue())
    assert "cannot use [secret] of [EMAIL]" in document["exception"]
    assert SECRET not in log.getvalue()


def test_values_are_redacted_at_any_depth_and_the_logs_own_fields_stay() -> None:
    event = {"event": "x", "logger": "a.b", "more": {"list": [f"{SECRET}", 3, None, ("m.i@example.com",)]}}
    assert LogRedaction((SECRET,))(None, "", event) == {
        "event": "x",
        "logger": "a.b",
        "more": {"list": ["[secret]", 3, None, ["[EMAIL]"]]},
    }


def test_lines_of_servers_that_start_without_structured_logs_are_redacted_too(
    capsys: pytest.CaptureFixture[str], log: io.StringIO
) -> None:
    configure_plain_logging(secrets=(SECRET,))
    logging.getLogger("casewright.test").warning("it is %s of %s", SECRET, "m.ingram@example.com")
    assert capsys.readouterr().err == "WARNING casewright.test: it is [secret] of [EMAIL]\n"
    assert log.getvalue() == ""


def test_variables_that_say_they_are_secret_are_taken_for_it() -> None:
    environment = {"ANTHROPIC_API_KEY": "a", "DB_PASSWORD": "b", "MY_TOKEN": "c", "PATH": "d", "HOME": "e"}
    assert secret_values(environment) == ("a", "b", "c")


def test_libraries_that_would_log_whole_requests_are_kept_quiet(log: io.StringIO) -> None:
    for name in ("anthropic", "httpx"):
        logging.getLogger(name).info("Request options: %s", {"messages": "all of it"})
    assert log.getvalue() == ""
