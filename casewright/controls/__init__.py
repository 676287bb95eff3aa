"""Live controls: kill switches and budgets that people change while servers run."""
