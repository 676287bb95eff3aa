"""What the tests of servers share beyond what every test has."""

from tests.support.reviewed_api import reviewed, reviewed_home

__all__ = ["reviewed", "reviewed_home"]
