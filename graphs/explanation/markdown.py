"""An explanation as Markdown, for a file that people keep. Texts of records stay texts: nothing in them is markup."""

import re

from casewright.contracts.explanation import SECTIONS, Explanation
from casewright.drafts.characters import hidden_characters
from graphs.explanation.links import ranges, together

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~&:@.])")
_PLAIN = re.compile(r"(?<=[^\W_])[-:](?=[^\W_])|(?<=[^\W_])_(?=[^\W_])|(?<=\d)\.(?=\d)|(?<=[^\W\d_])[.:](?=\s|$)")
"""Marks that mean nothing to Markdown where they stand; escaped they would only be hard to read."""


def explanation_markdown(explanation: Explanation) -> str:
    """The explanation, one section per question."""
    head = [
        f"# Run {escaped(explanation.run_id)}",
        "",
        f"- status: {escaped(explanation.status)}",
        f"- on behalf of: {escaped(explanation.subject)}",
    ]
    if explanation.case_id:
        head.append(f"- case: {escaped(explanation.case_id)}")
    if explanation.parent:
        head.append(f"- forked from: {escaped(explanation.parent)}, revision {explanation.revision}")
    lines = [*head, "", "`audit:N` is an event of the audit log, `run:N` one of the run's own events."]
    for name, question in SECTIONS.items():
        lines += ["", f"## {question}", ""]
        said = together(getattr(explanation, name))
        lines += [f"- {escaped(text)} (`{ranges(events)}`)" for text, events in said.items()]
        if not said:
            lines.append("No record says anything.")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """One line in which no character is markup, and none is hidden."""
    shown = "".join(_visible(character) for character in " ".join(text.split()))
    kept = {match.start() for match in _PLAIN.finditer(shown)}
    return "".join(
        f"\\{character}" if index not in kept and _MARKUP.fullmatch(character) else character
        for index, character in enumerate(shown)
    )


def _visible(character: str) -> str:
    return f"[U+{ord(character):04X}]" if hidden_characters(character) else character
