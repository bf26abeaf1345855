"""Few rows in which every value of one axis meets every value of the others: greedy, and always the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

Row = tuple[str, ...]
Pair = tuple[int, str, str]  # axis, value of the first axis, value of that axis


def _pairs(row: Row) -> set[Pair]:
    return {(axis, row[0], value) for axis, value in enumerate(row) if axis}


def pairwise(axes: Sequence[Row], seeds: Sequence[Row], allowed: Callable[[Row], bool]) -> list[Row]:
    """Rows, `seeds` first, that pair each value of the first axis with each value of every other axis.

    Only `allowed` rows are used; a pair that stands in no allowed row is not asked for. Of rows that cover as
    much, the one whose values have been used least is taken, then the first in the order of the axes.
    """
    rows = list(seeds)
    candidates = [row for row in _product(axes) if allowed(row)]
    missing = set[Pair]().union(*map(_pairs, candidates)) - set[Pair]().union(*map(_pairs, rows))
    used = Counter(value for row in rows for value in row)
    while missing:
        best = max(
            candidates, key=lambda row: (len(_pairs(row) & missing), -sum(used[value] for value in row))
        )
        rows.append(best)
        missing -= _pairs(best)
        used.update(best)
    return rows


def _product(axes: Sequence[Row]) -> list[Row]:
    rows: list[Row] = [()]
    for axis in axes:
        rows = [(*row, value) for row in rows for value in axis]
    return rows
