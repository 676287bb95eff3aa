"""The drafting server: drafts behind the citation gate, actions behind an approval."""
