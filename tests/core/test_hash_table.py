from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detour.core.hash_table import HashTable, Postings, build, hash_of, posted

KEYS = st.text(st.characters(codec="utf-8"), max_size=6)


@given(st.lists(st.tuples(KEYS, st.integers(0, 2**31 - 1)), max_size=200), st.lists(KEYS))
def test_the_table_holds_what_a_dictionary_holds(pairs: list[tuple[str, int]], asked: list[str]) -> None:
    pairs.sort(key=lambda pair: pair[1])
    postings = Postings()
    octets = build([hash_of(key.encode()) for key, _ in pairs], [number for _, number in pairs], postings)
    table = HashTable(memoryview(octets))
    numbers = memoryview(postings.numbers.tobytes()).cast("I")
    held: dict[str, set[int]] = {}
    for key, number in pairs:
        held.setdefault(key, set()).add(number)
    assert bool(table) == bool(pairs)
    for key in (*held, *asked):
        value = table.get(key.encode()) if table else None
        assert list(() if value is None else posted(value, numbers)) == sorted(held.get(key, ()))
