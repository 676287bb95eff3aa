"""Resources of the policy search server: what its reading tools answer, under names that can be kept."""

from servers.entry_spec import ResourceSpec, renamed


def resources() -> tuple[ResourceSpec, ...]:
    """The resources, each with the tool that reads the same."""
    return (
        ResourceSpec(
            uri="policy://documents",
            name="documents",
            title="Policy documents",
            description="The documents in force today that this caller may read, with versions and effective dates.",
            asks="list_documents",
        ),
        ResourceSpec(
            uri="policy://{document}/{clause}{?as_of}",
            name="clause",
            title="A clause of a policy",
            description=(
                "One clause in force on a date, with the clauses around it, its defined terms and its references. "
                "`document` and `clause` are completed; `as_of` (YYYY-MM-DD) is today when absent: use the case's date."
            ),
            asks="get_clause",
            arguments=renamed(document_id="document", label="clause", as_of="as_of"),
        ),
    )
