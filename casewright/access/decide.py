"""One decision: check the input, ask the engine, believe nothing but a flawless answer.

Only JSON `true` at `allow` of a whole decision/v1 document that agrees with itself and with the
input is `Allowed`; everything else is `Denied` with a code for audit and log. The guard of each
server calls this. It is deliberately *not* a place where obligations are met.
"""

import json
import logging
import time
from dataclasses import dataclass
from typing import cast

from pydantic import ValidationError

from casewright.access.documents import DECISION_LIMITS, checked
from casewright.access.engine import PolicyEngine, UndefinedRuleError
from casewright.contracts.decision import Allowed, Decision, DecisionInput, Denied, Verdict
from casewright.errors import InputError, PolicyError

PACKAGE = "casewright.access"
RULE = f"{PACKAGE}.decision"
LATE_AFTER_SECONDS = 2.0
"""An answer that took longer is not used. The embedded engine cannot be interrupted."""
_EFFECTS = {"call": {"permit", "require_approval"}, "list": {"permit", "maybe"}}

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Answer:
    value: object
    revision: str


def decide(engine: PolicyEngine, document: DecisionInput, *, late_after_seconds: float = LATE_AFTER_SECONDS) -> Verdict:
    """Decide one call or one listing entry. Never raises for a bad input, policy or engine.

    Codes of `Denied` beside those of the policy: `input_invalid`, `engine_error`, `undefined`,
    `late`, `revision_changed`, `malformed`.
    """
    try:
        content = checked(document.model_dump(by_alias=True, warnings="none"), DECISION_LIMITS)
        whole = DecisionInput.model_validate(dict(content), strict=True, by_alias=True, by_name=False)
    except (InputError, ValueError, RecursionError) as error:
        return Denied(code="input_invalid", detail=str(error), revision=engine.revision)
    started = time.monotonic()
    answer = _ask(engine, content)
    if isinstance(answer, Denied):
        return answer
    if time.monotonic() - started > late_after_seconds:
        return Denied(code="late", detail=f"no answer in {late_after_seconds} s", revision=answer.revision)
    return _judge(answer, whole)


def _ask(engine: PolicyEngine, content: dict[str, object]) -> _Answer | Denied:
    """Evaluate under one revision; a reload in between is tried again once."""
    revision = ""
    for _ in range(2):
        revision = engine.revision
        try:
            value = engine.evaluate(RULE, content)
        except UndefinedRuleError as error:
            return Denied(code="undefined", detail=str(error), revision=revision)
        except PolicyError as error:
            return Denied(code="engine_error", detail=str(error), revision=revision)
        except Exception as error:  # The outermost boundary of the engine: whatever it raises is a deny.
            _logger.exception("the policy engine failed")
            return Denied(code="engine_error", detail=f"{type(error).__name__}: {error}", revision=revision)
        if engine.revision == revision:
            return _Answer(value=value, revision=revision)
    return Denied(code="revision_changed", detail="the policies changed while they were asked", revision=revision)


def _judge(answer: _Answer, document: DecisionInput) -> Verdict:
    try:
        decision = _parse(answer)
        _check_agreement(decision, document)
    except (ValidationError, ValueError, TypeError, RecursionError) as error:
        return Denied(code="malformed", detail=str(error), revision=answer.revision)
    if not decision.allow:
        detail = "; ".join(f"{reason.code}: {reason.message}" for reason in decision.reasons)
        return Denied(code=decision.reasons[0].code, detail=detail, revision=answer.revision)
    return Allowed(decision=decision)


def _parse(answer: _Answer) -> Decision:
    if not isinstance(answer.value, dict):
        raise TypeError(f"the decision is a {type(answer.value).__name__}, not an object")
    content = cast("dict[str, object]", answer.value)  # pyright: ignore[reportUnknownMemberType]
    if "revision" in content:
        raise ValueError("the decision carries a revision; only the engine may say which policies are in force")
    text = json.dumps({**content, "revision": answer.revision}, allow_nan=False)
    return Decision.model_validate_json(text, strict=True, by_alias=True, by_name=False)


def _check_agreement(decision: Decision, document: DecisionInput) -> None:
    """The parts of a decision must tell the same story, and one about this caller."""
    if decision.package != PACKAGE:
        raise ValueError(f"the decision is of package {decision.package!r}, not {PACKAGE!r}")
    _check_reasons([(reason.code, reason.message) for reason in decision.reasons])
    if not decision.allow:
        if decision.effect != "deny":
            raise ValueError(f"allow is false but the effect is {decision.effect!r}")
        return
    if document.mode == "call" and document.tool.verb == "execute" and decision.effect != "require_approval":
        raise ValueError(f"the effect of an execution is {decision.effect!r}; nothing is executed without approval")
    if decision.effect not in _EFFECTS[document.mode]:
        raise ValueError(f"allow is true but the effect of a {document.mode} is {decision.effect!r}")
    _check_obligations(decision)
    if decision.filters.tenant != document.principal.tenant:
        raise ValueError("the filters are for another tenant than the caller's")
    if not set(decision.filters.labels) <= set(document.principal.labels):
        raise ValueError("the filters hold labels that the caller does not hold")


def _check_reasons(reasons: list[tuple[str, str]]) -> None:
    if not reasons:
        raise ValueError("the decision has no reason")
    if reasons != sorted(set(reasons)):
        raise ValueError(f"the reasons are not sorted by code and message, each once: {reasons!r}")


def _check_obligations(decision: Decision) -> None:
    kinds = [obligation.kind for obligation in decision.obligations]
    if len(kinds) != len(set(kinds)):
        raise ValueError(f"an obligation occurs twice: {kinds!r}")
    if ("approval" in kinds) != (decision.effect == "require_approval"):
        raise ValueError(f"the effect is {decision.effect!r} but the obligations are {kinds!r}")
