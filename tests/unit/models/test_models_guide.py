"""The settings that docs/models.md shows are those that the program reads."""

import re

import pytest

from casewright.models.model_settings import read_model_settings
from tests.support.installation import CHECKOUT

GUIDE = (CHECKOUT / "docs" / "models.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.proves("F2", "F4")
def test_every_models_file_of_the_guide_is_read_as_it_is() -> None:
    settings = [read_model_settings(block, "docs/models.md") for block in BLOCKS]
    assert [one.order("high") for one in settings] == [
        ("langchain/local", "offline"),
        ("anthropic/claude-sonnet-5", "offline"),
    ]
