"""IPFS gateways' `_redirects`: the specification's own example, and what its parser and matcher do."""

from __future__ import annotations

import pytest

from detour.formats.draft import Draft, LineFault
from detour.formats.ipfs import MAX_SIZE, read
from tests.formats.dialect_data import Site, imported

H = "https://h.example"

# The file that the specification's appendix prints.
EXAMPLES = """\
/redirect-one /one.html
/301-redirect-one /one.html 301
/302-redirect-two /two.html 302
/200-index /index.html 200
/posts/:year/:month/:day/:title /articles/:year/:month/:day/:title 301
/splat/* /redirected-splat/:splat 301
/not-found/* /404.html 404
/gone/* /410.html 410
/unavail/* /451.html 451
/* /index.html 200
"""


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/redirect-one", 301, "/one.html"),
        ("/301-redirect-one", 301, "/one.html"),
        ("/302-redirect-two", 302, "/two.html"),
        ("/200-index", 404, None),  # a rewrite: nothing is redirected, and later rules are not asked
        ("/posts/2022/06/15/hello-world", 301, "/articles/2022/06/15/hello-world"),
        ("/splat/a/b", 301, "/redirected-splat/a/b"),
        ("/not-found/x", 404, None),
        ("/gone/x", 410, None),
        ("/unavail/x", 451, None),
        ("/anything", 404, None),
    ],
)
def test_the_specifications_example_answers_as_it_says(
    target: str, status: int, location: str | None
) -> None:
    wanted = (status, None if location is None else H + location)
    assert Site("ipfs", EXAMPLES).answer(H + target) == wanted


# rules, target, Location: what ucarion/urlpath makes of them once a slash at the end is taken off
@pytest.mark.parametrize(
    ("rules", "target", "location"),
    [
        ("/a /b", "/a/", "/b"),
        ("/a/ /b", "/a", "/b"),
        ("/a/ /b", "/a/", "/b"),
        ("/a /b", "/A", None),
        ("/ /b", "/", "/b"),
        ("/a/* /b/:splat", "/a", None),
        ("/a/* /b/:splat", "/a/", None),
        ("/a/* /b/:splat", "/a/x/", "/b/x"),
        ("/a/* /b/:splat", "/a/x//", "/b/x/"),
        ("/* /b", "/", None),
        ("/:x/c/* /:splat/:x", "/a/c/d/e", "/d/e/a"),
        ("/:x/* /b/:x", "/a", None),
        ("/e* /b", "/e*", "/b"),
        ("/e* /b", "/ef", None),
        ("/a-:x /b", "/a-:x", "/b"),
        ("/:ab/:a /c/:a/:ab", "/1/2", "/c/2/1"),
        ("/:a-b /c/:a-b", "/1", "/c/1"),
        ("/a /b#c", "/a", "/b#c"),
        ("/a https://o.example/b", "/a?q=1", "https://o.example/b?q=1"),
        ("/a /b?x=1", "/a?q=1", "/b?x=1&q=1"),
        ("/a /b\n/a /c", "/a", "/b"),
    ],
)
def test_a_rule_matches_as_the_gateway_matches(rules: str, target: str, location: str | None) -> None:
    answer = Site("ipfs", rules).answer(H + target)
    wanted = None if location is None else location if "://" in location else H + location
    assert answer == (None if wanted is None else (301, wanted))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_status_is_kept(status: int) -> None:
    assert Site("ipfs", f"/a /b {status}").answer(H + "/a") == (status, H + "/b")


@pytest.mark.parametrize(
    ("line", "fact", "remedy"),
    [
        ("/home / 301!", "forces a redirect", "write `301`"),
        ("/home / 42", "'42' is no status here", "use 200, 301"),
        ("/home / x", "'x' is no status here", "use 200, 301"),
        ("/home", "1 tokens", "write `from to [status]`"),
        ("/a /b # why", "4 tokens", "a line of its own"),
        ("a /b", "does not begin with a slash", "write `/a`"),
        ("/a/*/b /c", "an asterisk before its end", "keep one"),
        ("/a/** /c", "an asterisk before its end", "keep one"),
        ("/:a/:a /c", "comes twice", "a name of its own"),
        ("/a b", "neither a path nor an http URL", "write `/b`"),
        ("/a ipns://example.net/", "leads out of HTTP", "a gateway"),
        ("/a http://[/", "is not a URL", "write it whole"),
        ("/a?b /c", "no request path holds a '?'", "write `/a`"),
    ],
)
def test_a_mistake_is_a_fault_with_its_remedy(line: str, fact: str, remedy: str) -> None:
    [fault] = read(line)
    assert isinstance(fault, LineFault)
    assert fact in fault.fact
    assert remedy in fault.remedy


def test_one_mistake_leaves_the_other_lines_to_be_read() -> None:
    assert [type(outcome) for outcome in read("/a /b\n/c\n\n# d\n/e /f\r\n")] == [Draft, LineFault, Draft]


def test_a_file_of_64_kib_is_read_and_one_octet_more_is_one_fault() -> None:
    line = "/é /b\n"
    count, rest = divmod(MAX_SIZE, len(line.encode()))
    text = line * count + "#" * rest
    assert len(imported("ipfs", text)[1].rules) == count
    [fault] = read(text + "#")
    assert isinstance(fault, LineFault)
    assert (fault.line, fault.fact) == (count + 1, "a file of 65537 octets")
