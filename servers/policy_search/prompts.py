"""Prompts of the policy search server; their texts are in `prompt_texts/`."""

from servers.entry_spec import PromptArgumentSpec, PromptSpec, prompt_text, renamed

_DOCUMENT = PromptArgumentSpec(
    name="document",
    description="Only this document (its `document_id`); all that you may read when empty.",
    required=False,
)
_AS_OF = PromptArgumentSpec(
    name="as_of", description="The date (YYYY-MM-DD) whose rules apply; today when empty.", required=False
)


def prompts() -> tuple[PromptSpec, ...]:
    """The prompts, each with the tools that it leads to."""
    return (
        PromptSpec(
            name="answer_policy_question",
            title="Answer a policy question",
            description="Search the rules in force on a date and answer only with what they say, quoted and cited.",
            body=prompt_text(__file__, "answer_policy_question"),
            asks="search_policies",
            asks_with=renamed(query="question", as_of="as_of"),
            arguments=(
                PromptArgumentSpec(name="question", description="What you want to know."),
                _DOCUMENT,
                _AS_OF,
            ),
            needs=("get_clause", "verify_quote"),
        ),
        PromptSpec(
            name="check_citations",
            title="Check citations",
            description="Compare every quote in a text with the clause it cites, and say which ones do not hold.",
            body=prompt_text(__file__, "check_citations"),
            asks="list_documents",
            asks_with=renamed(as_of="as_of"),
            arguments=(PromptArgumentSpec(name="text", description="The text with its quotes and citations."), _AS_OF),
            needs=("verify_quote", "get_clause"),
        ),
    )
