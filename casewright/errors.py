"""The whole exception tree, named by what the caller does next.

Exactly one function per boundary turns these into wire codes or exit codes; nothing else
catches them broadly. The message names the thing with `!r` and says the way out.
"""


class CasewrightError(Exception):
    """Base of all expected failures; `exit_code` is the command's exit code."""

    exit_code: int = 1


class InputError(CasewrightError):
    """Fix the input: something the caller gave is malformed, unknown or out of range."""

    exit_code = 2


class NotFoundError(InputError):
    """Fix the reference: nothing with this name is there for this caller."""


class DeniedError(CasewrightError):
    """Give up or ask for access: the policy said no.

    `code` is the reason code. It goes to the audit and the log, never to a remote caller.
    """

    exit_code = 3

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnauthenticatedError(DeniedError):
    """Present a token: none was given, or it is not valid here and now."""


class WaitingError(CasewrightError):
    """Ask a person: an approval or an answer is needed before this can go on."""

    exit_code = 4


class IncompleteError(CasewrightError):
    """Stop with what there is: a budget is spent or evidence is not enough."""

    exit_code = 5


class BudgetError(IncompleteError):
    """Stop, or raise the budget: a model call could cost more than is left, so it was not made."""


class CitationError(InputError):
    """Fix the draft: a claim is not backed by an exact quote. `problems` says which and why."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("the draft is not backed by its quotes: " + "; ".join(problems))
        self.problems = problems


class ConflictError(CasewrightError):
    """Read again and decide: the thing changed under the caller."""


class StorageError(CasewrightError):
    """Mend the data folder: the database or the index cannot be opened or written."""


class UnavailableError(CasewrightError):
    """Retry later: a part that is needed does not answer."""


class PolicyError(CasewrightError):
    """Mend the policy files: they cannot be loaded, and nothing is allowed without them."""

    exit_code = 2


class ModelError(CasewrightError):
    """Try another model or give up: no valid output was had within the limits."""
