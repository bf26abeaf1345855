"""shadowed-rule and duplicate-rule, against an oracle that asks every URL of a small world."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from detour.audit.checks import check_layers
from detour.core.message import Request
from detour.formats.dialects import Files, named
from detour.formats.layer import Layer, read_layer

NOW = 1_795_000_000.0
# Every kind of pattern with keys: literal, prefix, segment; of two hosts or of any; and a world of URLs in
# which what two patterns do not share can be seen: a word that no pattern writes, one segment more than any.
SEGMENTS = ("a", "b", ":x", ":y")
HOSTS = ("", "https://one.example", "https://two.example")
WORLD = tuple(
    f"https://{host}.example/{'/'.join(path)}{end}"
    for host in ("one", "two", "other")
    for depth in range(5)
    for path in product(("a", "b", "z"), repeat=depth)
    for end in (("", "/") if depth else ("",))
)

SOURCES = st.builds(
    lambda host, path, rest: host + "/" + "/".join((*path, *(("*",) if rest else ()))),
    st.sampled_from(HOSTS),
    st.lists(st.sampled_from(SEGMENTS), max_size=3).map(lambda path: [*dict.fromkeys(path)]),
    st.booleans(),
)


def layer_of(sources: list[str]) -> Layer:
    dialect = named("netlify")
    assert dialect is not None
    text = "".join(f"{source} /to-{number} 307\n" for number, source in enumerate(sources))
    return read_layer("file", dialect, Files("file", {"file": text}))


def worlds(layer: Layer) -> dict[int, set[str]]:
    """The URLs of the world that each line matches."""
    found: dict[int, set[str]] = {}
    for url in WORLD:
        for _, rule, _ in layer.ruleset.candidates(Request.of("GET", url)):
            found.setdefault(rule.span.line, set()).add(url)
    return found


@given(st.lists(SOURCES, min_size=2, max_size=5))
def test_a_line_is_told_to_be_hidden_where_one_earlier_line_answers_all_of_it(sources: list[str]) -> None:
    layer = layer_of(sources)
    by_line = worlds(layer)
    hidden = {
        line
        for line, urls in by_line.items()
        if any(earlier < line and urls <= others for earlier, others in by_line.items())
    }
    checks = ("shadowed-rule", "duplicate-rule")
    told = {one.span.line for one in check_layers((layer,), NOW) if one.check in checks and one.span}
    assert told == hidden


@given(st.lists(SOURCES, min_size=2, max_size=5))
def test_the_witness_of_a_hidden_line_is_answered_by_the_line_that_is_named(sources: list[str]) -> None:
    layer = layer_of(sources)
    for one in check_layers((layer,), NOW):
        if one.check in ("shadowed-rule", "duplicate-rule"):
            method, _, url = one.witness.partition(" ")
            decision = layer.ruleset.decide(Request.of(method, url), NOW)
            assert decision.rule is not None
            assert one.span is not None
            assert decision.rule.span.line < one.span.line
