"""What every command works with: settings, services, and one way to print.

With `--json` one JSON document goes to stdout and nothing else; messages go to stderr. Nothing
that is printed is read as markup, and hidden characters are shown (see `commands.visible`).
"""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any, TextIO, TypeVar

from rich.console import Console, RenderableType
from rich.status import Status
from rich.text import Text

from casewright.config import Settings, app_root, process_environment
from casewright.contracts.principal import Principal
from casewright.identity.local import Duty
from casewright.services import Services
from commands.options import GlobalOptions
from commands.visible import json_text, visible, visible_text

ResultT = TypeVar("ResultT")
View = Callable[[dict[str, Any]], RenderableType | str]
"""Makes the document readable; a plain string is printed as it is, never wrapped."""


class Shell:
    """One invocation of the command line."""

    def __init__(self, options: GlobalOptions, output: TextIO | None = None) -> None:
        self.options = options
        self.messages = plain_console(sys.stderr)
        self._output = output or sys.stdout

    @cached_property
    def settings(self) -> Settings:
        return Settings.load(home=self.options.home, environment=process_environment(), app_root=app_root())

    @cached_property
    def services(self) -> Services:
        return Services(self.settings)

    def principal(self, duty: Duty) -> Principal:
        """Who this command acts as; without `--as` the default for this kind of work, said aloud."""
        person = self.acting(duty)
        if self.settings.identity.issuer is not None:
            self.note(f"acting as {person.id} ({', '.join(person.roles)} of {person.tenant})")
        elif self.options.identity is None:
            self.note(f"acting as {person.id} ({', '.join(person.roles)} of {person.tenant}); choose with --as")
        return person

    def acting(self, duty: Duty) -> Principal:
        """The same without a word: a local identity, or whoever the issuer's token stands for."""
        if self.settings.identity.issuer is not None:
            return self._signed_in
        return self.services.identities.acting(self.options.identity, duty=duty)

    @cached_property
    def _signed_in(self) -> Principal:
        from commands.signing_in import signed_in

        return signed_in(self.services, self.options.identity)

    def note(self, text: str) -> None:
        """A message for people."""
        self.messages.print(Text(visible_text(text), style="dim"))

    def busy(self, text: str) -> AbstractContextManager[Status]:
        """Say what is going on while it goes on."""
        return self.messages.status(Text(visible_text(text)))

    def show(self, document: Mapping[str, Any], view: View) -> None:
        """The result: JSON for programs, a view of the document for people."""
        if self.options.as_json:
            unicode_out = (self._output.encoding or "").lower().replace("-", "").startswith("utf")
            self._output.write(json_text(document, ascii_only=not unicode_out) + "\n")
            self._output.flush()
            return
        shown = view(visible(document))
        if isinstance(shown, str):
            self._output.write(shown + "\n")
        else:
            plain_console(self._output).print(shown)

    def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run async work and close what it opened."""

        async def closing() -> ResultT:
            try:
                return await work
            finally:
                if "services" in self.__dict__:
                    await self.services.close()

        return asyncio.run(closing())


def plain_console(file: TextIO, *, quiet: bool = False) -> Console:
    """A console that takes every text as text."""
    return Console(file=file, highlight=False, markup=False, emoji=False, quiet=quiet)


@contextmanager
def stopping_at_once() -> Generator[None]:
    """Let Ctrl-C break into long work that does not await; asyncio would wait for its end.

    Used inside `Shell.run`. A Ctrl-C that asyncio has taken note of already stops it as well.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise KeyboardInterrupt
        yield
    finally:
        signal.signal(signal.SIGINT, before)
