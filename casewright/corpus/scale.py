"""Make large corpora out of real documents: many tenants' Markdown, no text twice, the same for the same seed.

Sections of the real documents are drawn, numbered anew and reworded: other words of the same corpus, other numbers,
names that exist nowhere else, a sentence from another place. Families of versions get access labels and dates, so that
every prefilter selects. It is deliberately *not* a quality benchmark: what is made means nothing. Called by
`casewright bench corpus` alone.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import TypeVar

from casewright.corpus.clauses import ParsedClause
from casewright.corpus.documents import parse_document
from casewright.corpus.grammar import is_label
from casewright.corpus.ingest import find_files
from casewright.corpus.sentences import sentences
from casewright.errors import InputError

DrawnT = TypeVar("DrawnT")
AS_OF = dt.date(2025, 6, 30)
"""The day the measurement asks for; the versions lie around it."""
TENANTS = {"harborline": 0.6, "millbrook": 0.4}
"""Shares of the clauses, by tenant of the sample organisation."""
LABEL_SETS = (((), 0.7), (("fraud-ops",), 0.2), (("legal-hold",), 0.1))
JURISDICTIONS = ("US", "US-CA", "US-NY", "CA-ON", "GB", "IE", "AU-NSW", "SG")
CLAUSES_PER_DOCUMENT = 1_000
"""About as many as a regulation has."""
_NUMBERED = re.compile(r"(\D*)(\d+)((?:\.\d+)*)(.*)", re.DOTALL)
_REWORDED = 0.25
_RENAMED = 0.02
_LENGTHENED = 0.3
_INTRODUCED = 0.7
"""Share of the documents that begin with a paragraph without a label, so that, like most real ones, they need all of
CommonMark."""
_NAMES_PER_DOCUMENT = 60
_SHORTEST = 5
"""Letters of a word that may be exchanged."""
_SYLLABLES = [
    "bar",
    "bel",
    "bran",
    "cal",
    "cor",
    "dal",
    "den",
    "dor",
    "dra",
    "el",
    "fal",
    "fen",
    "gar",
    "gel",
    "hal",
    "har",
    "hol",
    "in",
    "jor",
    "kel",
    "kes",
    "kor",
    "lan",
    "lin",
    "lor",
    "mar",
    "mel",
    "mor",
    "nar",
    "nel",
    "or",
    "pel",
    "per",
    "quin",
    "ral",
    "ren",
    "rin",
    "ros",
    "sal",
    "sel",
    "tal",
    "tes",
    "tor",
    "ul",
    "val",
    "ven",
    "vor",
    "wal",
    "wen",
    "wes",
    "yar",
    "zel",
    "zor",
]
_ENDINGS = [
    "borough",
    "by",
    "dale",
    "field",
    "ford",
    "ham",
    "holm",
    "ley",
    "mere",
    "mont",
    "ria",
    "stead",
    "ton",
    "ville",
    "wick",
    "worth",
]


@dataclass(frozen=True, kw_only=True)
class _Section:
    prefix: str
    dotted: bool
    number: str
    heading: str
    clauses: tuple[tuple[str, str], ...]
    """What follows the number in each label, and the text."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """What real documents give: their sections, their words as often as they occur, their sentences."""

    sections: tuple[_Section, ...]
    words: tuple[str, ...]
    sentences: tuple[str, ...]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Material":
        """The material of files and folders.

        Raises:
            InputError: a path is missing, or they hold no clauses with numbered labels.
        """
        sections: list[_Section] = []
        texts: dict[str, None] = {}
        for path in find_files(paths):
            content = path.read_bytes()
            tenant = _tenant_named(content)
            clauses = parse_document(content, tenant=tenant, name=path.name).clauses
            sections += _sections(clauses)
            texts.update(dict.fromkeys(clause.text for clause in clauses))
        words = tuple(word for text in texts for word in text.split() if _exchangeable(word))
        if not sections or not words:
            shown = ", ".join(repr(str(path)) for path in paths)
            raise InputError(f"{shown} hold no clauses with numbered labels to make others from; name other documents")
        said = dict.fromkeys(sentence for text in texts for sentence in sentences(text) if len(sentence.split()) > 6)
        return cls(sections=tuple(sections), words=words, sentences=tuple(said))


@dataclass(frozen=True, kw_only=True)
class ScaledCorpus:
    """What was written."""

    folders: Mapping[str, Path]
    """By tenant."""
    clauses: int
    documents: int
    references: tuple[str, ...]
    """Some labels of the first tenant's documents, to be asked for by name."""


@dataclass(kw_only=True)
class Scaling:
    """Writes one corpus; every text it makes is new."""

    material: Material
    seed: int
    _seen: set[int] = field(default_factory=set[int])

    def write(self, folder: Path, *, clauses: int) -> ScaledCorpus:
        """Write documents of so many clauses, one folder per tenant."""
        folders = {tenant: folder / tenant for tenant in TENANTS}
        for each in folders.values():
            each.mkdir(parents=True, exist_ok=True)
        per_document = min(CLAUSES_PER_DOCUMENT, max(10, clauses // 20))
        written = documents = 0
        references: list[str] = []
        for family in count(1):
            for document in self._family(family, per_document):
                text = document.text(limit=clauses - written)
                (folders[document.tenant] / f"{document.document_id}-{document.version}.md").write_text(
                    text.markdown, encoding="utf-8"
                )
                written += text.clauses
                documents += 1
                if document.tenant == next(iter(TENANTS)):
                    references += text.labels[:: max(1, len(text.labels) // 3)]
                if written >= clauses:
                    return ScaledCorpus(
                        folders=folders, clauses=written, documents=documents, references=tuple(references)
                    )
        raise AssertionError("the families have no end")

    def _family(self, family: int, per_document: int) -> Iterator["_Document"]:
        """The versions of one document; dates, labels and sections are drawn once for all of them."""
        rng = Random(f"{self.seed}:{family}")  # noqa: S311 - reproducible text, not a secret
        tenant = _drawn(rng, tuple(TENANTS.items()))
        labels = _drawn(rng, LABEL_SETS)
        chosen: list[_Section] = []
        while sum(len(section.clauses) for section in chosen) < per_document:
            chosen.append(rng.choice(self.material.sections))
        first = AS_OF - dt.timedelta(days=rng.randrange(200, 4_000))
        versions = rng.randrange(1, 4)
        name = _coined(rng)
        for version in range(1, versions + 1):
            yield _Document(
                scaling=self,
                rng=Random(f"{self.seed}:{family}:{version}"),  # noqa: S311 - as above
                tenant=tenant,
                labels=labels,
                document_id=f"scaled-{family:05d}",
                version=f"{version}",
                title=f"{name} Rules on {chosen[0].heading}"[:200],
                effective_from=first + dt.timedelta(days=(version - 1) * rng.randrange(150, 900)),
                draft=version > 1 and rng.random() < 0.1,
                jurisdiction=rng.choice(JURISDICTIONS),
                sections=tuple(chosen),
                part=1_000 + family,
                names=tuple(_coined(rng) for _ in range(_NAMES_PER_DOCUMENT)),
            )

    def new(self, text: str, rng: Random) -> str:
        """The text, or with a name of its own where it was made before."""
        while hash(text) in self._seen:
            text = f"{text.rstrip('.')} for {_coined(rng)} {rng.randrange(10, 9_999)}."
        self._seen.add(hash(text))
        return text


@dataclass(frozen=True, kw_only=True)
class _Text:
    markdown: str
    clauses: int
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Document:
    scaling: Scaling
    rng: Random
    tenant: str
    labels: tuple[str, ...]
    document_id: str
    version: str
    title: str
    effective_from: dt.date
    draft: bool
    jurisdiction: str
    sections: tuple[_Section, ...]
    part: int
    names: tuple[str, ...]

    def text(self, *, limit: int) -> _Text:
        """Markdown of at most `limit` clauses."""
        lines = [self._front_matter(), f"# {self.title}", ""]
        labels: list[str] = []
        unlabelled = int(self.rng.random() < _INTRODUCED and limit > 1)
        if unlabelled:
            lines += [self._reworded(self.rng.choice(self.scaling.material.sentences)), ""]
        for number, section in enumerate(self.sections, start=1):
            if len(labels) + unlabelled >= limit:
                break
            own = f"{self.part}.{number}" if section.dotted else f"{number}"
            lines += [f"## {section.heading.replace(section.number, own)}", ""]
            for tail, text in section.clauses[: limit - len(labels) - unlabelled]:
                labels.append(f"{section.prefix}{own}{tail}")
                lines += [f"**{labels[-1]}** {self._reworded(text)}", ""]
        return _Text(markdown="\n".join(lines), clauses=len(labels) + unlabelled, labels=tuple(labels))

    def _front_matter(self) -> str:
        fields = {
            "title": f"'{self.title.replace(chr(39), '')}'",
            "document_id": self.document_id,
            "version": f"'{self.version}'",
            "effective_from": self.effective_from.isoformat(),
            "status": "draft" if self.draft else "published",
            "labels": f"[{', '.join(self.labels)}]",
            "tenant": self.tenant,
            "jurisdiction": self.jurisdiction,
            "issuer": f"'{self.names[0]} Authority'",
        }
        return "\n".join(["---", *(f"{name}: {value}" for name, value in fields.items()), "---", ""])

    def _reworded(self, text: str) -> str:
        made = self._exchanged(text)
        if self.rng.random() < _LENGTHENED and text.rstrip().endswith("."):
            made += f" {self._exchanged(self.rng.choice(self.scaling.material.sentences))}"
        return self.scaling.new(made, self.rng)

    def _exchanged(self, text: str) -> str:
        draw, pool = self.rng.random, self.scaling.material.words
        words = text.split()
        for place, word in enumerate(words):
            chance = draw()
            if chance > _REWORDED:
                continue
            if word.isdigit():
                words[place] = str(int(draw() * 400) + 1)
            elif _exchangeable(word):
                words[place] = self.rng.choice(self.names) if chance < _RENAMED else pool[int(draw() * len(pool))]
        return " ".join(words)


def questions(material: Material, references: Sequence[str], *, amount: int, seed: int) -> tuple[str, ...]:
    """Questions of seven to fourteen words out of the real sentences; every tenth asks for a clause by its label."""
    rng = Random(f"{seed}:questions")  # noqa: S311 - reproducible, not a secret
    made: list[str] = []
    for number in range(amount):
        if references and number % 10 == 9:
            made.append(f"What does {rng.choice(references)} require?")
            continue
        words = rng.choice(material.sentences).split()
        start = rng.randrange(0, max(1, len(words) - 14))
        made.append(" ".join(words[start : start + rng.randrange(7, 15)]))
    return tuple(made)


def _sections(clauses: Sequence[ParsedClause]) -> list[_Section]:
    """Clauses grouped by the number their labels share; others are left out."""
    groups: dict[tuple[str, str, bool], list[tuple[str, str]]] = {}
    headings: dict[tuple[str, str, bool], str] = {}
    for clause in clauses:
        match = _NUMBERED.fullmatch(clause.label)
        if match is None or "[^" in clause.text or not _renumberable(match):
            continue
        prefix, first, more, tail = match.groups()
        named = bool(prefix.strip())
        key = (prefix, first + more if named else first, named and bool(more))
        groups.setdefault(key, []).append((tail if named else more + tail, clause.text))
        headings.setdefault(key, clause.heading.rpartition(" > ")[2] or clause.label)
    return [
        _Section(prefix=prefix, dotted=dotted, number=number, heading=headings[key], clauses=tuple(group))
        for key, group in groups.items()
        for prefix, number, dotted in (key,)
    ]


def _renumberable(match: re.Match[str]) -> bool:
    prefix, _, more, tail = match.groups()
    return is_label(f"{prefix}1{more}{tail}")


def _drawn(rng: Random, shares: Sequence[tuple[DrawnT, float]]) -> DrawnT:
    return rng.choices([value for value, _ in shares], [share for _, share in shares])[0]


def _coined(rng: Random) -> str:
    """A name that means nothing, such as Dravenholm."""
    syllables = "".join(rng.choice(_SYLLABLES) for _ in range(rng.randrange(2, 4)))
    return (syllables + rng.choice(_ENDINGS)).capitalize()


def _exchangeable(word: str) -> bool:
    return len(word) >= _SHORTEST and word.isalpha() and word.islower()


def _tenant_named(content: bytes) -> str:
    """Whom the document is for; the material is read from any tenant's."""
    named = re.search(rb"^tenant:\s*'?([^\s']+)", content[:4_000], re.MULTILINE)
    return named.group(1).decode() if named else "scaled"
