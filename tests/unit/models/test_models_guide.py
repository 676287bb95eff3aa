"""The settings that docs/models.md shows are those that the program reads."""

import re
from pathlib import Path

import pytest

from casewright.models.model_settings import read_model_settings
from casewright.models.spending import SPENDING_FILE, Limits, spending_rules
from tests.support.installation import CHECKOUT

GUIDE = (CHECKOUT / "docs" / "models.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.proves("F2", "F4")
def test_every_models_file_of_the_guide_is_read_as_it_is() -> None:
    settings = [read_model_settings(block, "docs/models.md") for block in BLOCKS if "currency" not in block]
    assert [one.order("high") for one in settings] == [
        ("langchain/local", "offline"),
        ("anthropic/claude-sonnet-5", "offline"),
    ]


@pytest.mark.proves("F5")
def test_the_spending_rules_of_the_guide_are_read_as_they_are(tmp_path: Path) -> None:
    (block,) = [block for block in BLOCKS if "currency" in block]
    (tmp_path / SPENDING_FILE).write_text(block, encoding="utf-8")
    rules = spending_rules(tmp_path)
    assert rules.of("harborline") == Limits(daily=50_000_000, monthly=300_000_000)
    assert (rules.of("millbrook").daily, rules.alert_percent, rules.answers.keep_seconds) == (20_000_000, 80, 86_400)
