"""The kernel that suites and tests share, by the name by which tests know it."""

from evals.access.kernel import (
    CASE,
    HOUR,
    IDRIS,
    MARC,
    ROSA,
    RULE,
    SELMA,
    START_NS,
    TENANT,
    TWO,
    Kernel,
    caller,
    credit,
    kernel,
    person,
)

__all__ = [
    "CASE",
    "HOUR",
    "IDRIS",
    "MARC",
    "ROSA",
    "RULE",
    "SELMA",
    "START_NS",
    "TENANT",
    "TWO",
    "Kernel",
    "caller",
    "credit",
    "kernel",
    "person",
]
