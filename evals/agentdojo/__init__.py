"""AgentDojo behind our policies: its environments and checks in their own process, our decisions and approvals here."""
