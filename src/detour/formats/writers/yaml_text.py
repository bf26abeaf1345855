"""YAML as people write it: in the given order, without anchors."""

from __future__ import annotations

from typing import Any

import yaml


class _Plain(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        return True


def yaml_text(document: Any) -> str:
    """One document."""
    text: str = yaml.dump(document, Dumper=_Plain, sort_keys=False, width=1000, allow_unicode=True)
    return text
