"""Runs the tests of one package on one mutant, until the first that fails.

Modules are parsed once; per package one engine without the mutated module is kept and copied. The
tests that noticed the last mutants go first. It is deliberately *not* aware of processes; see
`mutation`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from casewright.access.bundle import PolicyModule, read_bundle
from casewright.access.embedded import query
from casewright.access.mutants import Mutant
from casewright.access.native import NativeEngine, message_of, new_engine
from casewright.access.rego_tests import RegoTest, prepare
from casewright.access.syntax import RegoSyntaxError, Syntax, parse
from casewright.access.warmup import inspect
from casewright.errors import PolicyError

_PROBE = PolicyModule(path="loaded.rego", text="package casewright_loaded\n\nyes := true\n")


class MutantTests:
    """The policies of a folder with their tests, for one process."""

    def __init__(self, folder: Path) -> None:
        """Read the folder.

        Raises:
            PolicyError: it cannot be used, or a test fails without any mutant.
        """
        bundle = read_bundle(folder)
        modules, problems = inspect(bundle, with_tests=True)
        if problems:
            raise PolicyError(f"{problems[0].path}:{problems[0].line}: {problems[0].message}")
        prepared, tests = prepare(modules)
        self._data = bundle.data_json
        self._originals: dict[str, Syntax] = {syntax.module.path: syntax for syntax in modules}
        self._prepared = prepared
        self._tests = tests
        self._order: dict[str, list[RegoTest]] = {}
        self._base: tuple[str, NativeEngine] | None = None

    def fate(self, mutant: Mutant) -> Literal["killed", "survived", "unusable"]:
        """What the tests of its package say of one mutant."""
        package = ".".join(self._originals[mutant.path].package)
        try:
            engine = self._loaded(mutant)
        except (RuntimeError, RegoSyntaxError):
            return "unusable"
        order = self._tests_of(package)
        for place, test in enumerate(order):
            if _notices(engine, test):
                order.insert(0, order.pop(place))
                return "killed"
        return "survived"

    def _tests_of(self, package: str) -> list[RegoTest]:
        """The tests of a package; they hold without a mutant.

        Raises:
            PolicyError: one does not.
        """
        if package not in self._order:
            tests = [test for test in self._tests if test.package in (package, f"{package}_test")]
            engine = self._engine(self._prepared)
            failed = [test.rule for test in tests if _notices(engine, test)]
            if failed:
                raise PolicyError(f"{failed[0]} fails without any mutant; mend it first")
            self._order[package] = tests
        return self._order[package]

    def _loaded(self, mutant: Mutant) -> NativeEngine:
        """An engine with the mutant in place of its module.

        Raises:
            RuntimeError, RegoSyntaxError: it cannot be loaded.
        """
        if self._base is None or self._base[0] != mutant.path:
            others = [module for module in self._prepared if module.path != mutant.path]
            self._base = (mutant.path, self._engine(others))
        original = self._originals[mutant.path].module
        syntax = parse(replace(original, text=mutant.applied(original.text)))
        engine = self._base[1].clone()
        (module,), _ = prepare([syntax])
        engine.add_policy(module.path, module.text)
        query(engine, "casewright_loaded.yes")  # analyses all modules; what is unbound anywhere is refused
        return engine

    def _engine(self, modules: "tuple[PolicyModule, ...] | list[PolicyModule]") -> NativeEngine:
        engine = new_engine()
        for module in (*modules, _PROBE):
            engine.add_policy(module.path, module.text)
        engine.add_data_json(self._data)
        return engine


def _notices(engine: NativeEngine, test: RegoTest) -> bool:
    """Whether a test fails; an error is a failure."""
    try:
        return bool(test.fault(query(engine, test.rule), query(engine, test.cases_rule) if test.is_table else None))
    except RuntimeError as error:
        return bool(message_of(error)) or True
