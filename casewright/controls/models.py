"""Whether a model is switched off: the live controls of the call's tenant, and the reviewed switches.

`casewright.models.gateway` asks it before every request through the seam
`casewright.models.permission.ModelPermission`. Both kinds are read anew each time, so a switch holds
from the next request of every process. What cannot be read permits nothing.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from casewright.audit.standing import Standing
from casewright.contracts.controls import Switches
from casewright.controls.reviewed import ReviewedData
from casewright.errors import DeniedError
from casewright.models.layer import CallContext


class SwitchedModels:
    """Refuses models that are switched off, alone or with their provider, agent, tenant or everything."""

    def __init__(self, standing: Standing, policies: Path | Callable[[], Path]) -> None:
        """Name the folder of the reviewed switches, or what says anew which folder it is."""
        self._standing = standing
        self._policies = policies

    async def check(self, context: CallContext, model: str) -> None:
        """See `ModelPermission.check`.

        Raises:
            DeniedError: it is switched off.
            StorageError: the live controls cannot be read.
            PolicyError: the reviewed switches cannot be read.
        """
        standing = await self._standing.read(context.tenant, context.run_id)
        folder = self._policies if isinstance(self._policies, Path) else self._policies()
        for switches in (ReviewedData.read(folder).switches, standing.controls.switches):
            if told := _switched_off(switches, context, model):
                raise DeniedError(
                    f"{told} is switched off, so no model is called; `casewright policy data show` has the switches",
                    code="switched_off",
                )


def _switched_off(switches: Switches, context: CallContext, model: str) -> str:
    """What is switched off of all that this call needs; empty: nothing."""
    if switches.everything:
        return "everything"
    if context.tenant in switches.tenants:
        return f"the tenant {context.tenant!r}"
    if context.agent in switches.agents:
        return f"the agent {context.agent!r}"
    return f"the model {model!r}" if _named(switches.models, model) else ""


def _named(entries: Iterable[str], model: str) -> bool:
    """Whether an entry is this model's full name, or its provider's."""
    return any(model == entry or model.startswith(f"{entry}/") for entry in entries)
