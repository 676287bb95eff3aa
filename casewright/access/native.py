"""regorus, as far as it is used here, loaded when first needed.

`Engine` is its only part that answers right. It is deliberately *not* safe by itself: it belongs to
the thread that made it and its panics are `BaseException`; see `embedded`.
"""

import importlib
from typing import Protocol

UNDEFINED = "<undefined>"
"""What it answers for a rule without a value; a rule that says so itself is no better."""


class NativeEngine(Protocol):
    """A regorus engine. Its methods raise RuntimeError for whatever is wrong with a policy."""

    def clone(self) -> "NativeEngine": ...
    def add_policy(self, path: str, rego: str) -> object: ...
    def add_data_json(self, data: str) -> object: ...
    def set_input_json(self, input: str) -> object: ...
    def eval_rule_as_json(self, rule: str) -> str: ...
    def get_ast_as_json(self) -> str: ...
    def set_enable_coverage(self, enable: bool) -> object: ...
    def get_coverage_report_as_json(self) -> str: ...
    def set_gather_prints(self, b: bool) -> object: ...
    def take_prints(self) -> list[str]: ...


def new_engine() -> NativeEngine:
    """An empty engine for the calling thread."""
    return importlib.import_module("regorus").Engine()


def message_of(error: BaseException) -> str:
    """The first lines of its error, without the stack trace."""
    return str(error).split("\n\nStack backtrace")[0].strip()
