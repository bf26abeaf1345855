"""What is laid out by hand reads back as what it was, and is the text that PyYAML's emitter makes."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.writers.yaml_text import yaml_text

_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["no", "Off", "null", "1", "0x1", "1e3", "2026-01-01", "a: b", "- a", "#a", "<<", "=", "~"]
    ),
)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), _TEXTS)
_KEYS = st.from_regex(r"[A-Za-z:_/-][\w ./-]{0,10}", fullmatch=True)


def _documents(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
        max_leaves=12,
    )


@given(_documents(_SCALARS))
def test_it_reads_back_as_it_was(document: Any) -> None:
    assert yaml.safe_load(yaml_text(document)) == document


@given(_documents(st.from_regex(r"[A-Za-z0-9/.:%^$ *-]{1,12}", fullmatch=True) | st.booleans()))
def test_it_is_the_text_of_the_emitter(document: Any) -> None:
    if not isinstance(document, (dict, list)):
        return
    emitted = yaml.dump(document, Dumper=_Plain, sort_keys=False, width=10_000, allow_unicode=True)
    assert yaml_text(document) == emitted


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True
