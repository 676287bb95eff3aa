"""Explains one decision: the verdict, the rules that fired, and those that stopped at one condition.

A rule nearly fired when its body fails and there is a condition without which all the others hold
together. Everything is evaluated by the embedded engine on probes of the rules (`explain_probes`).
The command line calls this. It is deliberately *not* an enforcement point: only the verdict is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from pydantic import ValidationError

from casewright.access.annotations import Annotation, annotation_of
from casewright.access.bundle import Bundle
from casewright.access.decide import PACKAGE, decide
from casewright.access.documents import ENGINE_LIMITS, encode
from casewright.access.embedded import build, query
from casewright.access.engine import PolicyEngine
from casewright.access.explain_probes import Condition, Probe, probes, words
from casewright.access.native import NativeEngine, message_of, new_engine
from casewright.access.syntax import Syntax
from casewright.access.warmup import inspect
from casewright.contracts.decision import Allowed, DecisionInput, Denied, Verdict
from casewright.errors import InputError, PolicyError

RULES = frozenset({"allow", "deny", "_obligations", "obligations"})
"""What a decision is made of; the other rules of the package help these."""
_MAX_VALUE_CHARACTERS = 300
_MAX_DEPTH = 3


@dataclass(frozen=True, kw_only=True)
class RulePlace:
    """One definition of a rule, and what its author says of it."""

    rule: str
    code: str
    file: str
    line: int
    title: str
    description: str


@dataclass(frozen=True, kw_only=True)
class FiredRule:
    """A definition that held for the input."""

    place: RulePlace
    entries: tuple[Mapping[str, object], ...]
    """What it contributed: reasons (code, message) or obligations."""


@dataclass(frozen=True, kw_only=True)
class NearRule:
    """A definition that did not fire, and the condition that kept it from firing."""

    place: RulePlace
    condition: str
    condition_line: int
    held: int
    """How many other conditions hold."""
    values: Mapping[str, str]
    """Each reference of the condition and its value as JSON; absent: undefined."""
    because: "tuple[NearRule, ...]"
    """Definitions of the rules named in the condition that one condition alone kept from holding."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A verdict, and what every rule of the access package has to do with it."""

    verdict: Verdict
    fired: tuple[FiredRule, ...]
    nearly: tuple[NearRule, ...]
    """Those that one condition alone kept from firing."""
    stopped: tuple[NearRule, ...]
    """The other allow rules: where each one stops."""
    problems: tuple[str, ...]
    """Paths of the input that are missing, odd or unknown."""
    unexamined: tuple[str, ...]
    """Rules that could not be taken apart or evaluated, each with the reason."""

    @property
    def allow(self) -> bool:
        return isinstance(self.verdict, Allowed)

    def reasons(self, rule: str) -> list[dict[str, str]]:
        """Codes and messages of a rule (`allow`, `deny`), sorted as the policy sorts them."""
        found = [entry for fired in self.fired if fired.place.rule == rule for entry in fired.entries]
        rows = {(str(entry.get("code", "")), str(entry.get("message", ""))) for entry in found}
        return [{"code": code, "message": message} for code, message in sorted(rows)]


def explain(engine: PolicyEngine, bundle: Bundle, document: Mapping[str, object]) -> Explanation:
    """Decide on a raw input document and take every rule apart.

    `bundle` is what `engine` has in force.

    Raises:
        PolicyError: the bundle does not pass `check`, or is not what the engine has in force.
    """
    if bundle.revision != engine.revision:
        raise PolicyError("the policies changed while they were read; explain the decision again")
    modules, problems = inspect(bundle)
    if problems:
        first = problems[0]
        raise PolicyError(f"{first.path}:{first.line}: {first.message}; run `casewright policy check`")
    probed = probes(modules, tuple(PACKAGE.split(".")))
    try:
        text = encode(document, ENGINE_LIMITS)
    except InputError as error:
        denied = Denied(code="input_invalid", detail=str(error), revision=engine.revision)
        return Explanation(verdict=denied, fired=(), nearly=(), stopped=(), problems=(str(error),), unexamined=())
    examiner = _Examiner(bundle, modules, probed, text)
    deciding = [probe for probe in examiner.usable if probe.rule in RULES]
    nearly = [(probe, near) for probe in deciding if (near := examiner.nearly(probe))]
    return Explanation(
        verdict=_verdict(engine, document),
        fired=tuple(found for probe in deciding if (found := examiner.fired(probe))),
        nearly=tuple(near for _, near in nearly),
        stopped=examiner.stopped([p for p in deciding if p.rule == "allow" and p not in [q for q, _ in nearly]]),
        problems=examiner.problems(),
        unexamined=tuple(examiner.unexamined),
    )


def _verdict(engine: PolicyEngine, document: Mapping[str, object]) -> Verdict:
    try:
        return decide(engine, DecisionInput.model_validate_json(json.dumps(document), strict=True))
    except (ValidationError, ValueError, TypeError) as error:
        return Denied(code="input_invalid", detail=str(error), revision=engine.revision)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What the probe of one definition said."""

    reached: frozenset[int]
    """Prefixes of the body that hold, by their last condition."""
    alone: tuple[int, ...]
    """Conditions without which all others hold."""
    stopped: int
    """The first condition with which no prefix holds."""
    holds: bool
    values: Mapping[int, list[list[Any]]]


class _Examiner:
    """One engine with the bundle and its probes, for one document and this thread."""

    def __init__(self, bundle: Bundle, modules: Sequence[Syntax], probed: Sequence[Probe], text: str) -> None:
        self._modules = {syntax.module.path: syntax for syntax in modules}
        self.unexamined: list[str] = []
        self.usable = tuple(probe for probe in probed if self._parses(probe))
        self._engine = build(bundle)
        for probe in self.usable:
            self._engine.add_policy(probe.module.path, probe.module.text)
        self._engine.set_input_json(text)

    def problems(self) -> tuple[str, ...]:
        """What the policy says of the input's shape; it may fail on an odd input, the verdict is then a deny."""
        try:
            answer = query(self._engine, f"{PACKAGE}.problems")
        except RuntimeError:
            return ()
        return tuple(str(path) for path in cast("list[object]", answer)) if isinstance(answer, list) else ()

    def fired(self, probe: Probe) -> FiredRule | None:
        kept = tuple(cast("dict[str, object]", entry) for entry in self._set(probe, "yields"))
        return FiredRule(place=self._place(probe), entries=kept) if kept else None

    def nearly(self, probe: Probe, depth: int = 0) -> NearRule | None:
        """The condition where the body stops, or any other one that is alone in the way."""
        seen = self._seen(probe)
        if seen.holds or not seen.alone:
            return None
        return self._near(probe, seen, seen.stopped if seen.stopped in seen.alone else seen.alone[0], depth)

    def stopped(self, candidates: Sequence[Probe]) -> tuple[NearRule, ...]:
        """Where each of these stops that does not hold."""
        seen = [(probe, self._seen(probe)) for probe in candidates]
        return tuple(self._near(probe, found, found.stopped, 0) for probe, found in seen if not found.holds)

    def _near(self, probe: Probe, seen: "_Seen", index: int, depth: int) -> NearRule:
        condition = probe.conditions[index]
        return NearRule(
            place=self._place(probe),
            condition=condition.text,
            condition_line=condition.line,
            held=len(seen.reached) if index not in seen.alone else len(probe.conditions) - 1,
            values=_values(condition, seen.values.get(index, [])),
            because=self._because(condition, depth),
        )

    def _because(self, condition: Condition, depth: int) -> tuple[NearRule, ...]:
        if condition.negated or depth == _MAX_DEPTH:
            return ()
        named = {name for operand in condition.operands for name in words(operand)}
        helpers = [probe for probe in self.usable if probe.rule in named and probe.rule not in RULES]
        if any(self._seen(probe).holds for probe in helpers):
            return ()
        return tuple(near for probe in helpers if (near := self.nearly(probe, depth + 1)))

    def _seen(self, probe: Probe) -> "_Seen":
        marks = cast("list[list[Any]]", self._set(probe, "seen"))
        reached = frozenset(mark[1] for mark in marks if mark[0] == "prefix")
        values: dict[int, list[list[Any]]] = {}
        for mark in marks:
            if mark[0] == "value":
                values.setdefault(mark[1], []).append(mark)
        return _Seen(
            reached=reached,
            alone=tuple(sorted(mark[1] for mark in marks if mark[0] == "without")),
            stopped=next(index for index in count() if index not in reached),
            holds=len(probe.conditions) - 1 in reached,
            values=values,
        )

    def _set(self, probe: Probe, suffix: str) -> list[object]:
        """The members of a probe rule; none where it does not hold or cannot be evaluated."""
        try:
            answer = query(self._engine, f"{PACKAGE}.{probe.name}_{suffix}")
        except RuntimeError as error:
            self._note(probe, f"cannot be evaluated: {message_of(error).rpartition('error: ')[2]}")
            return []
        return cast("list[object]", answer) if isinstance(answer, list) else []

    def _parses(self, probe: Probe) -> bool:
        """A body the parser gives odd positions for is named and left out, never guessed at."""
        engine: NativeEngine = new_engine()
        try:
            engine.add_policy(probe.module.path, probe.module.text)
        except RuntimeError as error:
            self._note(probe, f"cannot be taken apart: {message_of(error).rpartition('error: ')[2]}")
            return False
        return True

    def _note(self, probe: Probe, reason: str) -> None:
        where = f"{probe.path}:{probe.line}: "
        if not any(note.startswith(where) for note in self.unexamined):
            self.unexamined.append(f"{where}{reason[:300]}")

    def _place(self, probe: Probe) -> RulePlace:
        syntax = self._modules[probe.path]
        namesakes = tuple(rule.line for rule in syntax.rules if rule.name == probe.rule)
        told: Annotation = annotation_of(syntax.module.text, probe.line, same_name=namesakes)
        return RulePlace(
            rule=probe.rule,
            code=probe.code,
            file=probe.path,
            line=probe.line,
            title=told.title,
            description=told.description,
        )


def _values(condition: Condition, marks: Sequence[Sequence[Any]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for mark in marks:
        text = json.dumps(mark[3], ensure_ascii=False)
        shown = text if len(text) <= _MAX_VALUE_CHARACTERS else f"{text[:_MAX_VALUE_CHARACTERS]}..."
        operand = condition.operands[int(mark[2])]
        found.setdefault(operand, []).append(shown)
    return {operand: " or ".join(values) for operand, values in found.items()}
