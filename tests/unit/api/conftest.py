"""The API over this test's own copy of the installation."""

from collections.abc import AsyncGenerator

import pytest

from tests.support.api import Api, serving
from tests.support.installation import World


@pytest.fixture
async def api(world: World) -> AsyncGenerator[Api]:
    async with serving(world) as found:
        yield found
