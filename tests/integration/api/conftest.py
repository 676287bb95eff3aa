"""The API over an installation in which a review waits for approval."""

from tests.support.reviewed_api import reviewed, reviewed_home

__all__ = ["reviewed", "reviewed_home"]
