"""Commands with many options take them as one frozen dataclass.

Its fields are the options, each with a `typer.Option` as its default. It is deliberately *not* a
parser: Typer sees an ordinary command.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

import typer

OptionsT = TypeVar("OptionsT")


def taking(options: type[OptionsT]) -> Callable[[Callable[[typer.Context, OptionsT], None]], Callable[..., None]]:
    """Make a command of the options of a dataclass from a function of context and dataclass."""
    hints = get_type_hints(options)

    def decorate(command: Callable[[typer.Context, OptionsT], None]) -> Callable[..., None]:
        def invoke(**given: Any) -> None:
            context = given.pop("ctx")
            command(context, options(**given))

        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter("ctx", kind, annotation=typer.Context)]
        for field in fields(options):  # pyright: ignore[reportArgumentType] -- a dataclass, which type[] cannot say
            parameters.append(inspect.Parameter(field.name, kind, default=field.default, annotation=hints[field.name]))
        invoke.__signature__ = inspect.Signature(parameters)
        invoke.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        invoke.__name__, invoke.__doc__ = command.__name__, command.__doc__
        return invoke

    return decorate
