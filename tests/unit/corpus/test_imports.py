"""A server can name its tools before anything heavy is loaded."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_corpus_is_importable_and_constructible_without_the_heavy_libraries(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from casewright.corpus.corpus import Corpus;"
        "import casewright.corpus.answering, casewright.corpus.search, casewright.corpus.bench;"
        "Corpus(Path(sys.argv[1]));"
        "print(sorted({'lancedb', 'lance', 'numpy', 'pyarrow', 'tokenizers', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "index")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert done.stdout.strip() == "[]"
    assert not (tmp_path / "index").exists()
