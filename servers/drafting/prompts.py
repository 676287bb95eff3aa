"""Prompts of the drafting server; their texts are in `prompt_texts/`."""

from servers.entry_spec import PromptArgumentSpec, PromptSpec, prompt_text, renamed


def prompts() -> tuple[PromptSpec, ...]:
    """The prompts, each with the tools that it leads to."""
    return (
        PromptSpec(
            name="prepare_approval",
            title="Prepare an approval",
            description="Check a draft once more and ask the people who may approve its action, exactly as drafted.",
            body=prompt_text(__file__, "prepare_approval"),
            asks="get_draft",
            asks_with=renamed(draft_id="draft"),
            arguments=(PromptArgumentSpec(name="draft", description="The draft, from `list_drafts`."),),
            needs=("verify_draft", "submit_action"),
        ),
    )
