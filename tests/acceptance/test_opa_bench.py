"""Decision times on both engines, as `casewright bench guard` shows them."""

import pytest

from casewright.access.bench import bench_engines
from tests.support.installation import POLICIES
from tests.unit.access.inputs import EXECUTE, READ_CASE


@pytest.mark.thorough
@pytest.mark.usefixtures("opa_binary")
def test_both_engines_are_measured_on_the_same_inputs() -> None:
    found = bench_engines(POLICIES, [READ_CASE, EXECUTE], rounds=100)
    assert [times.engine for times in found.times] == ["embedded", "opa"]
    assert found.left_out == {}
    for times in found.times:
        assert times.decisions == 100
        assert 0 < times.p50_ms <= times.p95_ms <= times.p99_ms < 1_500
