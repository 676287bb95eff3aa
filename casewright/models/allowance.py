"""What is left for models of a run's budget while one of its steps works; counts down with every request.

The graph knows what the run has spent and makes one for each step (`graphs.budget.allowance`); requests are held
against it before they are sent (`casewright.models.affordable`).
"""

from dataclasses import dataclass

from casewright.models.provider import Usage


@dataclass(kw_only=True)
class Allowance:
    """Tokens and money that may still be spent, and how to raise the budgets they are left of."""

    tokens: int
    cost_micro: int
    """Millionths of the currency of `prices.toml`."""
    tokens_set_by: str
    cost_set_by: str

    def hold(self, tokens: int, cost_micro: int) -> None:
        """Count the most that a request can use while it is under way, so that one beside it does not spend it too."""
        self.tokens -= tokens
        self.cost_micro -= cost_micro

    def give_back(self, tokens: int, cost_micro: int) -> None:
        """Count no longer what was held."""
        self.hold(-tokens, -cost_micro)

    def take(self, usage: Usage, cost_micro: int) -> None:
        """Count what a request used."""
        self.tokens -= usage.total_tokens
        self.cost_micro -= cost_micro
