"""Which cases run on a canary: a stable hash of tenant and case, so that no case flips while the share stays.

A larger share only adds cases. It is *not* random and knows no state.
"""

import hashlib

_STEPS = 100


def bucket(tenant: str, case_id: str) -> int:
    """The place of a case, 0 to 99; the same for ever."""
    name = f"{len(tenant)}:{tenant}{case_id}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % _STEPS


def is_chosen(tenant: str, case_id: str, percent: int) -> bool:
    """Whether a case is among so many percent; what belongs to no case never is."""
    return bool(case_id) and bucket(tenant, case_id) < percent
