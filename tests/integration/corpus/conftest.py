"""An index of real regulations, made once, and small documents for what changes."""

from pathlib import Path

import pytest

from casewright.corpus.corpus import Corpus
from tests.integration.corpus.indexed import APPROVED, WriteDocument

REGULATIONS = (
    "reg-1002-2016-16301",
    "reg-1002-2017-20417_20180101",
    "reg-1005-2016-24506",
    "reg-1006-2011-31733",
    "reg-1016-2016-16132",
    "reg-1022-2011-31728",
    "reg-1024-2015-18239",
    "reg-1024-2017-21912",
    "reg-1030-2011-31727",
)
SAMPLE = Path(__file__).resolve().parents[3] / "casewright" / "sample"


@pytest.fixture(scope="session")
def regulations(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Seven regulations, two of them in two versions, and both sample tenants."""
    corpus = Corpus(tmp_path_factory.mktemp("regulations"))
    folder = shared / "corpora" / "us-consumer-finance"
    report = corpus.ingest([folder / f"{name}.md" for name in REGULATIONS], tenant="us", submission=APPROVED)
    assert not report.quarantined
    for tenant in ("harborline", "millbrook"):
        corpus.ingest([SAMPLE / tenant / "documents"], tenant=tenant, submission=APPROVED)
    return corpus


@pytest.fixture
def write_document(tmp_path: Path) -> WriteDocument:
    """Writes a Markdown document into a folder of its own and names the file."""

    def write(text: str = "**1.1** The limit is 50 USD.", **matter: str) -> Path:
        fields = {
            "title": "Limits",
            "document_id": "hl-limits",
            "version": "'1'",
            "effective_from": "2020-01-01",
            "status": "published",
        } | matter
        folder = tmp_path / "documents"
        folder.mkdir(exist_ok=True)
        path = folder / f"{fields['document_id']}-{fields['version'].strip(chr(39))}.md"
        lines = "\n".join(f"{name}: {value}" for name, value in fields.items())
        path.write_text(f"---\n{lines}\n---\n\n# Limits\n\n{text}\n", encoding="utf-8")
        return path

    return write
