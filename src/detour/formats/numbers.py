"""Numbers as configurations write them."""

from __future__ import annotations


def whole(digits: str) -> int:
    """The number that decimal digits write. Of more than ten the first ten count: no status, port or place is
    that large, and Python refuses to read thousands of digits."""
    return int(digits[:10])
