"""What leads from a clause to others: references that it prints, terms that another clause defines.

Made for a whole document at once and stored with each clause as one text, so that reading a clause says where
to go on. Labels of the same document and version are resolved here; what leads out of the document is
looked up by whoever reads, under their own filters. Called by `documents` and `rows`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from casewright.corpus.crossreferences import Followed, Places, references_of
from casewright.corpus.definitions import Glossary, Source

if TYPE_CHECKING:
    from casewright.corpus.clauses import ParsedClause


@dataclass(frozen=True, kw_only=True)
class UsedTerm:
    """A term of the document that a clause uses."""

    term: str
    label: str
    """Of the clause that defines it."""


@dataclass(frozen=True, kw_only=True)
class ClauseLinks:
    """Where one clause leads."""

    references: tuple[Followed, ...] = ()
    terms: tuple[UsedTerm, ...] = ()

    def to_text(self) -> str:
        """As it is stored; "" where there is nothing."""
        if not self.references and not self.terms:
            return ""
        references = [[each.text, each.target, each.document] for each in self.references]
        return json.dumps([references, [[each.term, each.label] for each in self.terms]], ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> "ClauseLinks":
        """From what `to_text` gave."""
        if not text:
            return NO_LINKS
        references: Sequence[Any]
        terms: Sequence[Any]
        references, terms = json.loads(text)
        return cls(
            references=tuple(
                Followed(text=text, target=target, document=document) for text, target, document in references
            ),
            terms=tuple(UsedTerm(term=term, label=label) for term, label in terms),
        )


NO_LINKS = ClauseLinks()


def linked(clauses: Iterable["ParsedClause"]) -> "tuple[ParsedClause, ...]":
    """The clauses of one document, each with its links."""
    given = tuple(clauses)
    places = Places.of([clause.label for clause in given])
    sources = [Source(label=each.label, position=each.position, text=each.text) for each in given]
    glossary = Glossary.of(sources)
    found: list[ParsedClause] = []
    for clause, source in zip(given, sources, strict=True):
        terms = tuple(UsedTerm(term=each.term, label=each.label) for each in glossary.used_in(source))
        references = references_of(clause.text, clause.label, places)
        found.append(replace(clause, links=ClauseLinks(references=references, terms=terms)))
    return tuple(found)


def leading_out(clauses: Iterable["ParsedClause"]) -> tuple[tuple[str, Followed], ...]:
    """Every reference that leads to no clause of the same document, with the label of the clause that prints it."""
    return tuple((clause.label, each) for clause in clauses for each in clause.links.references if not each.target)
