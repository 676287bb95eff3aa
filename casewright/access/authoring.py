"""For those who write policies: one place to import the checks and the tests from.

`checking` and `testing` do the work, `explain`, `replay` and `matrix` are beside them.
It is deliberately *not* used at decision time.
"""

from casewright.access.checking import CheckReport, check
from casewright.access.testing import FailedTest, TestReport, run_tests

__all__ = ["CheckReport", "FailedTest", "TestReport", "check", "run_tests"]
