"""What the records of a run tell one person: its explanation and its events, without what they may not see of the case.

They were written while the run's own person was shown the case. Whoever reads them later gets no more of it than the
report tells them (`servers.shown`). For the review server, the API and the commands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from casewright.contracts.explanation import SECTIONS, Explanation, Statement
from casewright.contracts.principal import Principal
from casewright.services import Services
from servers.permission import Permission
from servers.readable import RunIdentity
from servers.shown import sight_of

if TYPE_CHECKING:
    from casewright.drafts.withholding import Sight

JUDGED = "assessed"
"""The event of a run that holds what rules computed from the whole case."""
_WHY = "why"
"""The section that says the same in words."""


@dataclass(frozen=True, kw_only=True)
class RecordReader:
    """How one person reads the records of one run."""

    sight: "Sight | None"
    """None: nothing is withheld, for the run is their own or about no case."""

    def explanation(self, told: Explanation) -> Explanation:
        """The explanation as they may have it; why it came out so stands on the whole case."""
        sight = self.sight
        if sight is None or sight.whole:
            return told
        changed = {name: tuple(_shown(sight, name, one) for one in getattr(told, name)) for name in SECTIONS}
        return told.model_copy(update=changed)

    def event(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What an event holds, as they may have it; the rules' reasons stand on the whole case."""
        sight = self.sight
        if sight is None or sight.whole:
            return dict(body)
        return cast("dict[str, Any]", _value(sight, body, reasons=kind == JUDGED and sight.partial))


async def record_reader(
    services: Services, run: RunIdentity, reader: Principal, permission: Permission | None
) -> RecordReader:
    """How a person with this permission reads the records of a run, on the case as it is now.

    Args:
        permission: to read the run; None: it is about no case.

    Raises:
        NotFoundError: its case is gone.
    """
    if permission is None or (run.tenant, run.subject) == (reader.tenant, reader.id):
        return RecordReader(sight=None)
    return RecordReader(sight=await sight_of(services, run.case_id, permission, own=False))


def _shown(sight: "Sight", section: str, statement: Statement) -> Statement:
    from casewright.drafts.withholding import WITHHELD

    if (section == _WHY and sight.partial) or sight.tells(statement.text):
        return statement.model_copy(update={"text": WITHHELD})
    return statement


def _value(sight: "Sight", value: Any, *, reasons: bool) -> Any:
    """A value without the texts that tell; `reasons`: and without what is said to be because of something."""
    from casewright.drafts.withholding import WITHHELD

    match value:
        case str():
            return WITHHELD if sight.tells(value) else value
        case Mapping():
            held = cast("Mapping[str, Any]", value)
            return {
                name: WITHHELD if reasons and name == "because" else _value(sight, one, reasons=reasons)
                for name, one in held.items()
            }
        case list():
            return [_value(sight, one, reasons=reasons) for one in cast("list[Any]", value)]
        case _:
            return value
