"""Where an `.mcpb` bundle starts; in the bundle it is `main.py`, beside the folder `casewright`.

What the person filled in comes as variables; one that was left empty arrives empty, or as the
name in braces that the client did not replace.
"""

import os
import sys
from collections.abc import Mapping, Sequence

UNFILLED = "${user_config."
TOKEN = "CASEWRIGHT_TOKEN"  # noqa: S105 - the name of a variable
OPTIONS = {"--home": "CASEWRIGHT_BUNDLE_HOME", "--as": "CASEWRIGHT_BUNDLE_IDENTITY", "--case": "CASEWRIGHT_BUNDLE_CASE"}


def command_line(words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command line of `casewright` for the server that `words` names, with what was filled in."""
    given = {option: environment.get(name, "") for option, name in OPTIONS.items()}
    filled = {option: value for option, value in given.items() if value and not value.startswith(UNFILLED)}
    if "--as" not in filled:
        filled.pop("--case", None)  # the token names the case
    return ["mcp", *words, *(f"{option}={value}" for option, value in filled.items())]


def start() -> None:
    """Become the server."""
    if os.environ.get(TOKEN, "").startswith(UNFILLED):
        del os.environ[TOKEN]
    sys.argv[1:] = command_line(sys.argv[1:], os.environ)
    from casewright.launch import main

    main()


if __name__ == "__main__":
    start()
