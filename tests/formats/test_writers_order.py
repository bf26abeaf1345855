"""What a Gateway, or Cloudflare, would look at first: look-ups, held against the comparison of all pairs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detour.core.message import Request
from detour.core.rule import Rule
from detour.formats.dialects import Files, named
from detour.formats.layer import read_layer
from detour.formats.writers import writer_for
from detour.formats.writers.cloudflare_bulk import _goes_ahead, _Row
from detour.formats.writers.gateway_order import Order, above, asks, covers
from detour.formats.writers.ways import Way, ways
from tests.serve.fake_transport import ruleset

NOW = 1_800_000_000.0


def _rules(text: str) -> list[Rule]:
    netlify = named("netlify")
    assert netlify is not None
    return list(read_layer("rules", netlify, Files("_redirects", {"_redirects": text})).rules)


def oracle(way: Way, earlier: Way) -> bool:
    """Whether a Gateway prefers `way` although `earlier` answers first: the two compared."""
    if not (covers(earlier.host, way.host) or covers(way.host, earlier.host)):
        return False
    if way.scheme and earlier.scheme and way.scheme != earlier.scheme:
        return False
    narrower = earlier.host != way.host and covers(way.host, earlier.host)
    if narrower and asks(earlier) == (0, 0, 0) and earlier.scheme in ("", way.scheme):
        return False  # it hides `way` there, and the route of that host goes without it
    if (way.exact, way.prefix) == (earlier.exact, earlier.prefix):
        return asks(way) > asks(earlier) or way.scheme != earlier.scheme
    if earlier.prefix is None:
        return False
    return (way.exact if way.exact is not None else way.prefix or "").startswith(earlier.prefix)


_PATHS = st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3).map(lambda parts: "/" + "/".join(parts))
_SOURCES = st.builds(
    lambda origin, path, end: f"{origin}{path.rstrip('/') if end else path}{end}",
    st.sampled_from(
        ["", "http://x.test", "https://x.test", "https://*.test", "https://*.x.test", "http://a.x.test"]
    ),
    _PATHS,
    st.sampled_from(["", "/*"]),
)
_LINES = st.lists(st.builds(lambda one, more: f"{one} /to 302{more}", _SOURCES, st.just("")), max_size=12)


@given(_LINES, st.lists(st.sampled_from([None, "GET"]), min_size=12, max_size=12))
def test_a_gateway_prefers_what_the_comparison_of_all_pairs_says(
    lines: list[str], methods: list[str | None]
) -> None:
    rules = [
        replace(rule, terms=replace(rule.terms, methods=frozenset({method}))) if method else rule
        for rule, method in zip(_rules("\n".join(lines)), methods * 3, strict=False)
    ]
    order, earlier = Order(), []
    for rule in rules:
        for way in ways(rule):
            if way.prefix is not None and not way.prefix.endswith("/"):
                continue  # no Gateway is given such
            assert order.goes_ahead(way) == any(oracle(way, other) for other in earlier)
            order.add(way)
            earlier.append(way)


_HOSTS = st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=4).map(".".join)


@given(_HOSTS, _HOSTS)
def test_what_covers_a_host_is_named(one: str, other: str) -> None:
    if "*" in one[1:] or "*" in other[1:] or "*" in (one, other):
        return
    assert (one in above(other)) == covers(one, other)


def _row(source: str, below: bool) -> _Row:
    return _Row(source, "https://to.test/", 301, False, below, False)


@given(st.lists(st.tuples(_PATHS, st.booleans()), max_size=12))
def test_cloudflare_prefers_what_the_comparison_of_all_pairs_says(found: list[tuple[str, bool]]) -> None:
    rows: list[_Row] = []
    below: set[str] = set()
    for path, takes in found:
        row = _row(f"x.test{path.rstrip('/')}", takes)
        pairs = (
            other.below and row.source != other.source and row.source.startswith(f"{other.source}/")
            for other in rows
        )
        assert _goes_ahead(row, below) == any(pairs)
        rows.append(row)
        below |= {row.source} if takes else set()


def _many(count: int, hosts: int) -> Iterator[str]:
    for number in range(count):
        yield f"https://h{number % hosts}.test/p{number} https://to.test/q{number} 301\n"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["gateway-api", "cloudflare-bulk"])
@pytest.mark.parametrize("hosts", [1, 500])
def test_many_rules_take_time_in_their_number(name: str, hosts: int) -> None:
    rules = _rules("".join(_many(4_000, hosts)))
    writer = writer_for(name)
    assert writer is not None
    taken = []
    for some in (rules[:1_000], rules):
        start = time.process_time()
        written = writer.write(some, NOW)
        taken.append(time.process_time() - start)
        assert len(written.said) == len(some)
    assert taken[1] < 10 * taken[0] + 1  # four times as many; all pairs would be sixteen times


def test_what_stands_behind_all_of_a_narrower_host_is_said_and_not_of_that_host() -> None:
    rules = ruleset(
        '[[rule]]\nname = "shop"\npattern = "//shop.test/*"\nlocation = "https://other.test/{0}"\n'
        '[[rule]]\nname = "x"\npattern = "/x"\nlocation = "https://to.test/y"\n'
    ).rules
    writer, reader = writer_for("gateway-api"), named("gateway-api")
    assert writer is not None
    assert reader is not None
    written = writer.write(rules, NOW)
    assert len(written.said) == 2
    read = read_layer("routes", reader, Files("routes.yaml", {"routes.yaml": written.text})).ruleset

    def location(url: str) -> str | None:
        return read.decide(Request.of("GET", url), NOW).location

    assert location("http://shop.test/x") == "https://other.test/x"
    assert location("http://shop.test/y") == "https://other.test/y"
    assert location("http://b.test/x") == "https://to.test/y"
