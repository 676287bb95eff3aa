"""What the suites on access, approvals, actions and the audit share: oracle, attacks, and the worlds they need."""
