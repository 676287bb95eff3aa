"""Who the specialists are: name, server, and the tools their delegated token may call.

The access policy holds its own list and decides; the scopes here only make tokens narrow.
"""

from dataclasses import dataclass

from casewright.contracts.principal import ServerName


@dataclass(frozen=True, kw_only=True)
class Specialist:
    """One agent: its name in tokens and audit, its server, its tools."""

    name: str
    server: ServerName
    scopes: tuple[str, ...]


INTAKE = Specialist(name="intake", server="case-facts", scopes=("get_case",))
FACTS_ANALYST = Specialist(
    name="facts_analyst",
    server="case-facts",
    scopes=("get_case", "list_transactions", "list_communications", "list_evidence", "get_evidence", "get_timeline"),
)
EVIDENCE_CHECKER = Specialist(name="evidence_checker", server="case-facts", scopes=("check_evidence", "assess_case"))
POLICY_RESEARCHER = Specialist(
    name="policy_researcher",
    server="policy-search",
    scopes=("search_policies", "get_clause", "get_clauses", "compare_versions", "list_documents"),
)
DRAFTER = Specialist(name="drafter", server="drafting", scopes=("save_draft", "get_draft"))
VERIFIER = Specialist(name="verifier", server="drafting", scopes=("verify_draft", "get_draft"))
EXECUTOR = Specialist(name="executor", server="drafting", scopes=("submit_action", "execute_action"))
