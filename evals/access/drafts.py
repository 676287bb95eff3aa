"""A draft that stands, made over the servers from what they give themselves, and the call that its action is.

What approvals, actions and access are tried on: a final credit of one sample case, which one vote is enough for.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_types import CallToolResult

from casewright.contracts.principal import ServerName
from evals.world import Caller, ServerWorld

ACTION_CASE = "HL-2025-0412"
"""Of rosa; the rules give a final credit of 136.40."""
DRAFT_RUN = "run-draft"
AUTHOR = Caller(case_id=ACTION_CASE, run_id=DRAFT_RUN)


@dataclass(frozen=True, kw_only=True)
class SavedDraft:
    """What was saved, and the clause that it quotes."""

    draft_id: str
    version: int
    digest: str
    recommendation: dict[str, Any]
    clause: dict[str, Any]

    def action(self) -> dict[str, Any]:
        """The arguments that ask for, or execute, what it proposes."""
        return action_of(vars(self))

    def values(self) -> dict[str, Any]:
        """What `@name` in the arguments of a table stands for."""
        clause = self.clause
        named = {name: clause[name] for name in ("document_id", "version", "label")}
        return (
            named
            | self.action()
            | {
                "quote": clause["text"],
                "as_of": self.recommendation["as_of"],
                "recommendation": self.recommendation,
            }
        )


Asking = Callable[[ServerName, str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""A call by whoever writes the draft: server, tool and arguments; the document of its answer."""


def action_of(draft: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that ask for, or execute, what a saved draft proposes."""
    action = draft["recommendation"]["action"]
    return {
        "draft_id": draft["draft_id"],
        "draft_version": draft["version"],
        "draft_digest": draft["digest"],
        "action": action["kind"],
        "amount_minor": action["amount_minor"],
        "currency": action["currency"],
    }


def structured(result: CallToolResult) -> dict[str, Any]:
    """The document of an answer that has to be one.

    Raises:
        RuntimeError: it is an error or has none.
    """
    if result.is_error or result.structured_content is None:
        raise RuntimeError(f"the world could not be prepared: {said(result)}")
    return result.structured_content


def said(result: CallToolResult) -> str:
    """The text of an answer."""
    return " ".join(block.text for block in result.content if block.type == "text")


async def saved_draft(world: ServerWorld, author: Caller = AUTHOR) -> SavedDraft:
    """Save a recommendation that the citation gate accepts.

    Raises:
        RuntimeError: a server refused a part of it.
    """

    async def asking(server: ServerName, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return structured(await world.call(server, tool, arguments, author))

    wanted, clause = await recommended(asking, author.case_id)
    saved = await asking("drafting", "save_draft", {"recommendation": wanted})
    if not saved["ok"]:
        raise RuntimeError(f"the draft does not stand: {saved['problems']}")
    return SavedDraft(
        draft_id=saved["draft_id"],
        version=saved["version"],
        digest=saved["digest"],
        recommendation=wanted,
        clause=clause,
    )


async def recommended(asking: Asking, case_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A recommendation that stands, and its clause: the one behind the outcome, quoted whole by this run."""
    case = await asking("case-facts", "get_case", {})
    outcome = (await asking("case-facts", "assess_case", {}))["outcome"]
    clause = await _quotable(asking, outcome["basis"][0]["clause"], case["received_on"])
    wanted = {
        "case_id": case_id,
        "as_of": case["received_on"],
        "summary": [{"claim": clause["text"], "citations": [_citation(clause)], "facts": []}],
        "action": {
            "kind": outcome["action"],
            "amount_minor": outcome["amount_minor"],
            "currency": case["currency"],
            "reason": outcome["basis"][0]["because"],
        },
        "risk": outcome["risk"],
        "open_questions": list(outcome["questions"]),
        "model": "offline/extractive",
        "index_version": clause["index_version"],
    }
    return wanted, clause


async def _quotable(asking: Asking, named: dict[str, str], as_of: str) -> dict[str, Any]:
    """The clause that a rule names, or its first child that is a sentence; now retrieved by the author's run."""
    asked = {"document_id": named["document_id"], "label": named["label"], "as_of": as_of}
    found = await asking("policy-search", "get_clause", asked)
    sentences = [clause for clause in (found["clause"], *found["children"]) if clause["text"].endswith(".")]
    return sentences[0] | {"index_version": found["index_version"]}


def _citation(clause: dict[str, Any]) -> dict[str, str]:
    return {name: clause[name] for name in ("document_id", "version", "label", "sha256")} | {"quote": clause["text"]}
