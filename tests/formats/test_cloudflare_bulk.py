"""Cloudflare's Bulk Redirects: its documentation's examples, and its precedence against a slow oracle."""

from __future__ import annotations

import tracemalloc
from functools import cmp_to_key

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detour.core.message import Request
from detour.core.rule import Terms
from detour.core.url import URL
from detour.formats.cloudflare_bulk import detect, read
from detour.formats.draft import Draft, LineFault
from detour.formats.imports import Import
from tests.formats.dialect_data import Site, imported, read_job

# ---- the documentation's examples


@pytest.mark.parametrize(
    ("row", "url", "answer"),
    [
        (
            "example.com/contacts,https://example.net/contact-us,301,,,,",
            "https://example.com/contacts",
            (301, "https://example.net/contact-us"),
        ),
        (
            "example.com/about,https://example.net/about-us,,FALSE,TRUE,,",
            "http://a.b.example.com/about?x=1",
            (301, "https://example.net/about-us"),
        ),
        (
            "example.com/docs,https://example.com/draft-docs,302,,TRUE",
            "https://x.example.com/docs",
            (302, "https://example.com/draft-docs"),
        ),
        (
            "https://example.com/foo/,https://example.com/qux/,,,,TRUE,TRUE",
            "https://example.com/foo/bar",
            (301, "https://example.com/qux/bar"),
        ),
        (
            "https://example.com/a/,https://example.com/b/,,,,true,false",
            "https://example.com/a/foo",
            (301, "https://example.com/b/"),
        ),
        (
            "https://example.com/about,https://example.com/newpage,,TRUE",
            "https://example.com/about?q=term",
            (301, "https://example.com/newpage?q=term"),
        ),
        (
            "https://example.com/about,https://example.com/newpage",
            "https://example.com/about?q=term",
            (301, "https://example.com/newpage"),
        ),
        ("https://example.com/about,https://example.com/newpage", "http://example.com/about", None),
        (
            "example.com/blog,https://x.example/,,,,TRUE",
            "http://example.com/blog/foo",
            (301, "https://x.example/"),
        ),
        ("example.com/blog,https://x.example/,,,,TRUE", "http://example.com/blogger", None),
        ("example.com/blog/,https://x.example/,,,,TRUE", "http://example.com/blog", None),
        (
            "example.com,https://x.example?a=1#b,,,TRUE,TRUE,TRUE",
            "http://a.example.com/c/d",
            (301, "https://x.example/c/d?a=1#b"),
        ),
        (
            "example.com/b,https://x.example/c,,,,TRUE,TRUE",
            "http://example.com/b",
            (301, "https://x.example/c"),
        ),
        (
            "example.com/b,https://x.example/c,,,,TRUE,TRUE",
            "http://example.com/b/",
            (301, "https://x.example/c/"),
        ),
        ("example.com/a,https://x.example/{b},307", "http://example.com/a", (307, "https://x.example/{b}")),
        (
            '"example.com/a,b","https://x.example/c,d"',
            "http://example.com/a,b",
            (301, "https://x.example/c,d"),
        ),
        (
            "Bücher.example/ä,https://x.example/",
            "http://xn--bcher-kva.example/%c3%a4",
            (301, "https://x.example/"),
        ),
        ("example.com/a(b):c,https://x.example/", "http://example.com/a(b):c", (301, "https://x.example/")),
        ("192.0.2.1/a,https://x.example/", "http://192.0.2.1/a", (301, "https://x.example/")),
        ("example.com/a,https://x.example/,,,TRUE", "http://evilexample.com/a", None),
    ],
)
def test_a_row_answers_as_the_documentation_says(row: str, url: str, answer: tuple[int, str] | None) -> None:
    if answer is not None:
        answer = (answer[0], str(URL.parse(answer[1])))
    assert Site("cloudflare-bulk", row).answer(url) == answer


def test_an_empty_path_suffix_beside_subpath_is_false_and_said() -> None:
    text = "example.com/a,https://x.example/,,,,TRUE\nexample.com/b,https://x.example/,,,,TRUE,FALSE"
    [warning] = imported("cloudflare-bulk", text).warnings
    assert warning.startswith("_redirects:1: PRESERVE_PATH_SUFFIX is empty")


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("SOURCE_URL,TARGET_URL", "header"),
        ("source_url,target_url", "not a whole URL"),
        (",https://x.example/", "no source"),
        ("example.com/a", "no target"),
        ("example.com/a,", "no target"),
        ("example.com/a,/b", "not a whole URL"),
        ("example.com/a,magnet:?xt=urn:btih:2bd9", "not a whole URL"),
        ("/a,https://x.example/", "names no host"),
        ("ftp://example.com/a,https://x.example/", "neither http nor https"),
        ("example.com/a?b=c,https://x.example/", "has a '?'"),
        ("example.com:8443/a,https://x.example/", "port"),
        ("u:p@example.com/a,https://x.example/", "user information"),
        ("*.example.com/a,https://x.example/", "asterisk"),
        ("example.com/a,https://x.example/,303", "no status"),
        ("example.com/a,https://x.example/,,yes", "boolean"),
        ("example.com/a,https://x.example/?q,,TRUE", "PRESERVE_QUERY"),
        ("example.com/a,https://x.example/,,,,,,,x", "at most 7"),
        ('example.com/a,"https://x.example/', "not CSV"),
        ("example.com/a,https://u@x.example/", "user information"),
    ],
)
def test_a_row_that_cannot_be_read_is_one_fault_at_its_line(row: str, fact: str) -> None:
    text = f"example.com/x,https://x.example/\n{row}\nexample.com/yy,https://x.example/"
    read_in = imported("cloudflare-bulk", text)
    [found] = read_in.faults
    assert found.span.line == 2
    assert fact in found.fact
    assert found.remedy
    assert [rule.span.line for rule in read_in.rules] == [3, 1]


def test_a_fault_of_a_row_that_would_be_two_rules_is_told_once() -> None:
    assert len(imported("cloudflare-bulk", "example.com/a,https://u@x.example/,,,,TRUE").faults) == 1


@pytest.mark.parametrize("source", ["example.com/a", "example.com/a/", "example.com", "example.com/"])
def test_the_pattern_of_a_fault_covers_what_the_row_would_match(source: str) -> None:
    job = Import("legacy", "bulk.csv", "cloudflare-bulk", (), None, True, (), False, None, Terms())
    good = read_job(job, f"{source},https://x.example/,,,TRUE,TRUE").ruleset
    passing = read_job(job, f"{source},mailto:x,,,TRUE,TRUE").ruleset
    for path in ("", "/", "/a", "/a/", "/a/b", "/ab"):
        for host in ("example.com", "s.example.com", "example.org"):
            request = Request.of("GET", f"https://{host}{path}")
            assert (good.decide(request, 0.0).rule is None) == (passing.decide(request, 0.0).rule is None)


# ---- precedence


class Row(msgspec.Struct, frozen=True):
    """One row; its target is its own, so that an answer tells which row gave it."""

    scheme: str
    host: str
    path: str
    subdomains: bool
    subpath: bool
    suffix: bool
    number: int = 0

    @property
    def target(self) -> str:
        return f"https://t{self.number}.example/base"

    def written(self, quoted: bool) -> str:
        source = f"{self.scheme}{self.host}{self.path}"
        flags = (False, self.subdomains, self.subpath, self.suffix)
        text = f'"{source}"' if quoted else source
        return ",".join([text, self.target, "302", *(str(flag).upper() for flag in flags)])


def fits(row: Row, scheme: str, host: str, path: str) -> bool:
    of_host = host == row.host or (row.subdomains and host.endswith("." + row.host))
    below = row.path if row.path.endswith("/") else row.path + "/"
    of_path = path == row.path or (row.subpath and path.startswith(below))
    return row.scheme in ("", f"{scheme}://") and of_host and of_path


def compare(one: Row, other: Row) -> int:
    """Negative when `one` wins, by Cloudflare's four rules, in their order; both fit the same request."""
    if len(one.path) != len(other.path):
        return len(other.path) - len(one.path)
    if one.subdomains != other.subdomains:
        return 1 if one.subdomains else -1
    if one.host.count(".") != other.host.count("."):
        return other.host.count(".") - one.host.count(".")
    if bool(one.scheme) != bool(other.scheme):
        return -1 if one.scheme else 1
    return one.number - other.number


def winner(rows: list[Row], scheme: str, host: str, path: str) -> str | None:
    """The Location Cloudflare would send."""
    fitting = sorted((row for row in rows if fits(row, scheme, host, path)), key=cmp_to_key(compare))
    if not fitting:
        return None
    row = fitting[0]
    if not (row.subpath and row.suffix) or (path == row.path and not path.endswith("/")):
        return row.target
    return f"{row.target}/{path.removeprefix(row.path).removeprefix('/')}"


HOSTS = ["example.com", "a.example.com", "b.a.example.com", "xample.com"]
PATHS = ["/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/a/b/c", "/a-b"]
ROWS = st.lists(
    st.builds(
        Row,
        st.sampled_from(["", "http://", "https://"]),
        st.sampled_from(HOSTS),
        st.sampled_from(PATHS),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda row: (row.scheme, row.host, row.path),
)


@given(ROWS, st.lists(st.booleans(), min_size=12, max_size=12))
@example(
    [
        Row("", "example.com", "/a", True, True, True),
        Row("", "a.example.com", "/", False, True, True),
        Row("https://", "a.example.com", "/a", True, False, False),
        Row("http://", "a.example.com", "/a/", True, True, False),
    ],
    [False] * 12,
)
def test_the_first_match_is_cloudflares_answer(rows: list[Row], quoted: list[bool]) -> None:
    rows = [msgspec.structs.replace(row, number=number) for number, row in enumerate(rows)]
    text = "\r\n".join(row.written(quote) for row, quote in zip(rows, quoted, strict=False))
    site = Site("cloudflare-bulk", text)
    for scheme in ("http", "https"):
        for host in (*HOSTS, "c.example.com"):
            for path in (*PATHS, "/a/bc", "/a/b/c/d"):
                wanted = winner(rows, scheme, host, path)
                answer = site.answer(f"{scheme}://{host}{path}")
                assert answer == (None if wanted is None else (302, wanted)), (host, path)


FLAGS = st.sampled_from(["", "TRUE", "true", "FALSE", "false"])


@given(
    st.sampled_from(["", "http://", "https://"]),
    st.sampled_from(
        ["example.com/", "a_b.example.com/a.b/c~d-e_f", "example.com/a//b", "x.y/a/.b", "h/.", "example.com"]
    ),
    st.sampled_from(
        ["https://t.example", "http://t.example/", "https://t.example/a/./b", "https://t.example/a?b"]
    ),
    st.lists(FLAGS, max_size=4),
    st.sampled_from(["", "301", "308", "303"]),
)
def test_a_plain_row_is_read_as_the_same_row_in_quotes(
    scheme: str, source: str, target: str, flags: list[str], status: str
) -> None:
    rest = ",".join([target, status, *flags])
    assert list(read(f"{scheme}{source},{rest}")) == list(read(f'"{scheme}{source}",{rest}'))


def test_rows_alike_keep_the_files_order() -> None:
    drafts = list(
        read(
            "h.example/a,https://x.example/1\nh.example/b,https://x.example/2\nh.example/a,https://x.example/3"
        )
    )
    assert [draft.line for draft in drafts] == [1, 2, 3]


@given(
    st.text(st.sampled_from('/ab.:,*?{}\\"# \n\rTRUE301é'), max_size=60),
    st.sampled_from(["", "h.example/a,https://h.example/b,,"]),
)
def test_no_text_raises(text: str, begun: str) -> None:
    text = begun + text
    assert all(outcome.line >= 1 for outcome in read(text))
    assert imported("cloudflare-bulk", text).rules is not None


def test_little_is_held_for_a_row() -> None:
    count = 50_000
    text = "".join(f"www.example.com/p/{n:06d},https://www.example.com/q/{n},301\n" for n in range(count))
    outcomes = read(text)
    tracemalloc.start()
    try:
        first = next(outcomes)  # every row has been looked at now, and none is kept
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(first, Draft)
    assert held < 24 * count
    assert peak < 40 * count
    assert sum(1 for outcome in outcomes if not isinstance(outcome, LineFault)) == count - 1


@pytest.mark.parametrize(
    ("text", "is_cloudflare"),
    [
        ("h.test/a,https://x.test/b,301,TRUE\n", True),
        ("https://h.test/a,https://x.test/b,,,,TRUE,TRUE\n", True),
        ("h.test/a,https://x.test/b,301,false,,,\n", True),
        ("https://h.test/a,https://x.test/b,301\n", False),  # plain CSV as well
        ("source,target,status\n/a,/b,301\n", False),
        ("", False),
    ],
)
def test_it_is_known_by_its_content(text: str, is_cloudflare: bool) -> None:
    assert detect(text) == is_cloudflare
