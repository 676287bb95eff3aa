"""The options that every command understands, wherever they stand: --home, --as, --json.

They are taken out before the command line library sees the rest, so each command need not
repeat them. What follows `--` is left alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casewright.errors import InputError

VALUED = {"--home": "home", "--as": "identity"}


@dataclass(frozen=True, kw_only=True)
class GlobalOptions:
    """What was given of them."""

    home: str | None = None
    identity: str | None = None
    as_json: bool = False


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` is among the options, known before anything else can go wrong."""
    return "--json" in (arguments[: arguments.index("--")] if "--" in arguments else arguments)


def split_options(arguments: Sequence[str]) -> tuple[GlobalOptions, list[str]]:
    """The global options and the remaining arguments.

    Raises:
        InputError: an option lacks its value or is given twice.
    """
    found: dict[str, str] = {}
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        name, given, value = word.partition("=")
        if word == "--":
            rest += [word, *words]
        elif name in VALUED:
            if VALUED[name] in found:
                raise InputError(f"{name} is given twice; give it once")
            found[VALUED[name]] = value if given else _value(name, words)
        elif word != "--json":
            rest.append(word)
    if empty := [name for name, field in VALUED.items() if found.get(field) == ""]:
        raise InputError(f"{empty[0]} needs a value, for example {EXAMPLES[empty[0]]}")
    options = GlobalOptions(home=found.get("home"), identity=found.get("identity"), as_json=wants_json(arguments))
    return options, rest


EXAMPLES = {"--home": "--home /path/to/folder", "--as": "--as rosa"}


def _value(name: str, words: Iterator[str]) -> str:
    value = next(words, "")
    if value.startswith("-"):
        raise InputError(f"{name} needs a value and is followed by {value!r}; write {name}=VALUE if that is the value")
    return value
