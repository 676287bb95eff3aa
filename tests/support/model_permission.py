"""A permission for tests whose subject is not the switches: it names the models that may be asked."""

from casewright.errors import DeniedError
from casewright.models.layer import CallContext


class OnlyModels:
    """Lets the named models through and keeps what it was asked; an unexpected one is refused."""

    def __init__(self, *models: str) -> None:
        self._models = frozenset(models)
        self.asked: list[tuple[str, str]] = []
        """Tenant and model of every check."""

    async def check(self, context: CallContext, model: str) -> None:
        self.asked.append((context.tenant, model))
        if model not in self._models:
            raise DeniedError(f"the model {model!r} is switched off", code="switched_off")


def offline_only() -> OnlyModels:
    """The offline model and no other."""
    return OnlyModels("offline/extractive")
