"""Plants one defect in a process of an evaluation, so that tests can see the gates go red for its cause.

The process is the ordinary one that tries cases (`eval shard`), with one part replaced in its memory before anything
else is imported; policies are changed in a copy. Only `planted` leads here, given to `evals.runner.EvalOrder`: no
command, setting or environment of the product does, and what is not `eval shard` is refused. Each defect looks for
exactly what it replaces and fails aloud where that is gone.
"""

import atexit
import datetime as dt
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evals.processes import Wrapped

_SHARD = ["eval", "shard"]
_LONG_AGO = dt.timedelta(days=400)
_REACH = ('"write", "execute"], "cases": "assigned"', '"write", "execute"], "cases": "tenant"')


def planted(defect: str) -> Wrapped:
    """Puts a defect into every process of an evaluation; for `EvalOrder.wrapped`.

    Raises:
        KeyError: there is no such defect.
    """
    plant = DEFECTS[defect]

    def wrapped(command: Sequence[str]) -> Sequence[str]:
        python, _, _, *rest = command  # python -m casewright.launch eval shard
        return [python, "-m", "evals.planting", plant.__name__, *rest]

    return wrapped


def loosen_a_rule() -> None:
    """In a copy of the policies, a reviewer reaches every case of the organisation."""
    from casewright.config import app_root
    from casewright.services import Services

    copy = Path(tempfile.mkdtemp(prefix="casewright-planted-")) / "policies"
    atexit.register(shutil.rmtree, copy.parent, ignore_errors=True)
    shutil.copytree(app_root() / "policies", copy)
    data = copy / "data" / "access" / "data.json"
    text, (old, new) = data.read_text(encoding="utf-8"), _REACH
    _found_once(text.count(old), old)
    data.write_text(text.replace(old, new), encoding="utf-8")
    original = Services.__init__

    def over_the_copy(self: Services, settings: Any, clock: Any = None) -> None:
        original(self, replace(settings, policies=copy), clock)

    Services.__init__ = over_the_copy


def skip_the_citation_check() -> None:
    """Whatever a draft quotes counts as verified."""
    from casewright.contracts.recommendation import VerifiedCitation
    from casewright.drafts import gate
    from casewright.drafts.support import Support

    def taken(citation: Any, _context: object) -> tuple[VerifiedCitation, str]:
        return VerifiedCitation(**citation.model_dump(), verified=True, problem=""), ""

    def nothing_wrong(_self: Support) -> list[str]:
        return []

    _put(gate, "_check_citation", taken)
    _put(Support, "problems", nothing_wrong)


def leave_approvals_unconsumed() -> None:
    """An approval that is used stays good for the next time."""
    from casewright.approvals.ledger import ApprovalLedger

    async def kept(_self: ApprovalLedger, _connection: object, approval: Any, _caller: object) -> Any:
        return approval.model_copy(update={"state": "consumed"})

    _put(ApprovalLedger, "_consume", kept)


def return_expired_clauses() -> None:
    """What is asked of the corpus for a day is answered with what was in force long before it."""
    from casewright.corpus.snapshot import Snapshot

    def shifted(original: Any) -> Callable[[Snapshot, Any], Any]:
        def of_long_ago(self: Snapshot, asked: Any) -> Any:
            return original(self, asked.model_copy(update={"as_of": asked.as_of - _LONG_AGO}))

        return of_long_ago

    for name in ("predicate", "scope"):  # the one for quotes, the other for the search
        _put(Snapshot, name, shifted(getattr(Snapshot, name)))


def ignore_budgets() -> None:
    """No budget of a run is ever spent."""
    from graphs import budget

    def never(_state: object, _budgets: object) -> str:
        return ""

    _put(budget, "spent_out", never)


def drop_an_audit_row() -> None:
    """Votes are counted and never written to the audit; its chain stays whole."""
    from casewright.audit.log import AuditLog, _tail  # pyright: ignore[reportPrivateUsage]

    original: Any = AuditLog._append  # pyright: ignore[reportPrivateUsage]

    async def dropping(self: Any, connection: Any, prepared: Any) -> Any:
        if prepared.event.kind == "approval.voted":
            return self._extender.extend(await _tail(connection), [prepared]).events[0]
        return await original(self, connection, prepared)

    _put(AuditLog, "_append", dropping)


def tell_of_the_house() -> None:
    """A refusal says all that is behind it, to the last frame."""
    from mcp.server.mcpserver.exceptions import ToolError

    from servers import guarded

    def told(error: Exception, **_named: str) -> Exception:
        return ToolError("".join(traceback.format_exception(error)))

    _put(guarded, "tool_error", told)


DEFECTS: Mapping[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        loosen_a_rule,
        skip_the_citation_check,
        leave_approvals_unconsumed,
        return_expired_clauses,
        ignore_budgets,
        drop_an_audit_row,
        tell_of_the_house,
    )
}


def _put(owner: object, name: str, value: object) -> None:
    _found_once(int(hasattr(owner, name)), name)
    setattr(owner, name, value)


def _found_once(times: int, what: str) -> None:
    if times != 1:
        raise LookupError(
            f"{what!r} is there {times} times, so nothing can be planted; follow the change in planting.py"
        )


def main(arguments: Sequence[str]) -> None:
    """Plant the named defect and go on as the process of an evaluation."""
    defect, rest = arguments[0], list(arguments[1:])
    if rest != _SHARD:
        sys.exit(f"evals.planting: defects are planted in {' '.join(_SHARD)!r} alone, not in {' '.join(rest)!r}")
    DEFECTS[defect]()
    from casewright import launch

    sys.argv = ["casewright", *rest]
    launch.main()


if __name__ == "__main__":
    main(sys.argv[1:])
