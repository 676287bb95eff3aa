"""Prompts of the case facts server; their texts are in `prompt_texts/`."""

from servers.entry_spec import PromptArgumentSpec, PromptSpec, prompt_text


def prompts() -> tuple[PromptSpec, ...]:
    """The prompts, each with the tools that it leads to."""
    return (
        PromptSpec(
            name="review_case",
            title="Review a case",
            description="Go through a case in order: facts, evidence, deadlines, rules, and what is still missing.",
            body=prompt_text(__file__, "review_case"),
            asks="get_case",
            case_argument="case",
            arguments=(
                PromptArgumentSpec(name="case", description="The case that the token names, for example HL-2026-0001."),
            ),
            needs=("get_timeline", "list_evidence", "check_evidence", "assess_case"),
        ),
    )
