"""The order of a Caddyfile's directives (caddyconfig/httpcaddyfile/directives.go, httptype.go).

Directives go by their kind, whatever order they are written in; of one kind, the longest path first. That
comparison is no order where matchers have several paths or none, so the outcome depends on how Go sorts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

ORDER = (
    "tracing", "map", "vars", "fs", "root", "log_append", "skip_log", "log_skip", "log_name", "header",
    "copy_response_headers", "request_body", "redir", "method", "rewrite", "uri", "try_files", "basicauth",
    "basic_auth", "forward_auth", "request_header", "encode", "push", "intercept", "templates", "invoke",
    "handle", "handle_path", "route", "abort", "error", "copy_response", "respond", "metrics",
    "reverse_proxy", "php_fastcgi", "file_server", "acme_server",
)  # fmt: skip
_BLOCK = 20  # of Go's sort.SliceStable


def changed(order: Iterable[str], name: str, place: str, other: str) -> tuple[str, ...]:
    """The order after the option `order NAME first|last|before OTHER|after OTHER`."""
    rest = [one for one in order if one != name]
    if place == "first":
        return (name, *rest)
    if place == "last" or other not in rest:
        return (*rest, name)
    at = rest.index(other) + (place == "after")
    return (*rest[:at], name, *rest[at:])


def paths_less(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    """Whether the directive with paths `one` goes before the one with `other`; None: without a matcher."""
    if one is not None and other is not None and len(one) == len(other) == 1:
        if one[0].removesuffix("*") == other[0].removesuffix("*"):
            return len(one[0]) < len(other[0])
        return len(one[0]) > len(other[0])
    return one is not None and other is None


def stable(items: list[T], less: Callable[[T, T], bool]) -> list[T]:
    """As Go's sort.SliceStable: insertion in blocks, which are merged in place."""
    items = list(items)
    count = len(items)
    for start in range(0, count, _BLOCK):
        _insertion(items, start, min(start + _BLOCK, count), less)
    size = _BLOCK
    while size < count:
        for start in range(0, count, 2 * size):
            if start + size < count:
                _merge(items, start, start + size, min(start + 2 * size, count), less)
        size *= 2
    return items


def _insertion(items: list[T], start: int, end: int, less: Callable[[T, T], bool]) -> None:
    for place in range(start + 1, end):
        at = place
        while at > start and less(items[at], items[at - 1]):
            items[at], items[at - 1] = items[at - 1], items[at]
            at -= 1


def _merge(items: list[T], start: int, middle: int, end: int, less: Callable[[T, T], bool]) -> None:
    """Go's symMerge (Kim and Kutzner, "Stable Minimum Storage Merging by Symmetric Comparisons")."""
    if middle - start == 1:
        low = _first(middle, end, lambda at: not less(items[at], items[start]))
        items[start:low] = [*items[start + 1 : low], items[start]]
        return
    if end - middle == 1:
        low = _first(start, middle, lambda at: less(items[middle], items[at]))
        items[low : middle + 1] = [items[middle], *items[low:middle]]
        return
    half = (start + end) // 2
    total = half + middle
    low, high = (total - end, half) if middle > half else (start, middle)
    last = total - 1
    begin = _first(low, high, lambda at: less(items[last - at], items[at]))
    stop = total - begin
    if begin < middle < stop:
        items[begin:stop] = [*items[middle:stop], *items[begin:middle]]
    if start < begin < half:
        _merge(items, start, begin, half, less)
    if half < stop < end:
        _merge(items, half, stop, end, less)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first place from which `holds`."""
    while low < high:
        at = (low + high) // 2
        if holds(at):
            high = at
        else:
            low = at + 1
    return low
