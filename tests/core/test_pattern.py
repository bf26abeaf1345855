"""What may be written as a pattern, what it matches and captures, what is refused with which remedy."""

from __future__ import annotations

import pytest

from detour.core.message import Request
from detour.core.pattern import Group, Pattern
from detour.core.pattern_matcher import Around, Equals, OneOf, Regexp, Segments, StartsWith
from detour.core.pattern_syntax import PartKind
from detour.errors import PatternError


def match(pattern: str, url: str, *, ignore_case: bool = False) -> dict[str, str] | None:
    return Pattern.parse(pattern, ignore_case=ignore_case).match(Request.of("POST", url))


def refusal(pattern: str) -> PatternError:
    with pytest.raises(PatternError) as caught:
        Pattern.parse(pattern)
    return caught.value


# --- scheme, host, port ------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://a/x", "https://b:8443/x", "http://[::1]:8307/x?q=1"])
def test_a_path_alone_has_any_scheme_host_and_port(url):
    assert match("/x", url) == {}


def test_a_path_alone_matches_a_request_without_a_host():
    assert Pattern.parse("/x").match_parts("http", "", "", "/x", "") == {}
    assert Pattern.parse("//h/x").match_parts("http", "", "", "/x", "") is None


def test_two_slashes_begin_a_host_on_any_scheme():
    assert match("//example.com/x", "http://example.com/x") == {}
    assert match("//example.com/x", "https://example.com:443/x") == {}
    assert match("//example.com/x", "https://example.com:8443/x") is None
    assert match("//example.com/x", "https://example.org/x") is None


def test_a_host_without_a_port_means_the_default_port():
    assert match("https://h/*", "https://h/") == {"0": ""}
    assert match("https://h/*", "https://h:8443/") is None


def test_a_written_default_port_is_the_same_pattern():
    assert Pattern.parse("https://h:443/").port == Pattern.parse("https://h/").port
    assert match("http://h:80/", "http://h/") == {}
    assert match("http://h:443/", "http://h:443/") == {}


def test_a_default_port_of_one_of_several_schemes_is_refused():
    assert "443" in refusal("http{s}?://h:443/").fact
    assert "http://" in refusal("//h:80/").remedy


def test_a_wildcard_port_is_any_port():
    assert match("https://h:*/", "https://h/") == {"0": ""}
    assert match("https://h::port/", "https://h:8443/") == {"port": "8443"}
    assert match("https://h::port/", "https://h/") is None


def test_a_scheme_may_be_a_pattern():
    assert match("http{s}?://h/", "http://h/") == match("http{s}?://h/", "https://h/") == {}
    assert match("*://h/", "https://h/") == {"0": "https"}
    assert match(":scheme://h/", "http://h/") == {"scheme": "http"}
    assert match("(http|https)://h/", "http://h/") == {"0": "http"}


def test_a_wildcard_label_is_any_depth_of_subdomain_but_not_the_domain():
    assert match("https://*.example.com/", "https://a.b.example.com/") == {"0": "a.b"}
    assert match("https://*.example.com/", "https://example.com/") is None
    assert match("https://*.example.com/", "https://badexample.com/") is None


def test_a_named_label_is_one_label():
    assert match("https://:sub.example.com/", "https://a.example.com/") == {"sub": "a"}
    assert match("https://:sub.example.com/", "https://a.b.example.com/") is None


def test_a_host_is_matched_without_case_and_in_ascii():
    assert match("HTTPS://EXAMPLE.com/", "https://example.COM/") == {}
    assert match("https://bücher.example/", "https://xn--bcher-kva.example/") == {}
    assert match("https://*.bücher.example/", "https://a.BÜCHER.example/") == {"0": "a"}
    assert match("https://([A-Z]+).example/", "https://abc.example/") == {"0": "abc"}


def test_an_ipv6_host_is_written_plainly_or_with_escapes():
    assert match("http://[::1]:8307/", "http://[0:0::1]:8307/") == {}
    assert match("http://[0:0:0::1]/", "http://[::1]/") == {}
    assert match("http://[\\:\\:1]/", "http://[::1]/") == {}
    assert match("//[2001:db8::a]/*", "https://[2001:DB8::A]/x") == {"0": "x"}


def test_a_piece_of_an_ipv4_host_stays_a_piece():
    assert match("http://10.0.*/", "http://10.0.7.9/") == {"0": "7.9"}


def test_an_absolute_pattern_without_a_path_has_any_path():
    assert match("https://h", "https://h/a/b?c") == {}
    assert match("https://h?c", "https://h/?c") == {}
    assert match("https://h?c", "https://h/a?c") is None


@pytest.mark.parametrize("host", ["a b", "a<b", "a|b", "a^b", "a%b", "{@}b", "a[b", "{a/}b"])
def test_a_code_point_that_no_host_has_is_refused(host):
    assert "cannot stand in a host" in refusal(f"https://{host}/").fact


# --- path and query ----------------------------------------------------------------------------------


def test_a_trailing_wildcard_needs_its_slash():
    assert match("/v1/*", "http://h/v1/orders/7") == {"0": "orders/7"}
    assert match("/v1/*", "http://h/v1/") == {"0": ""}
    assert match("/v1/*", "http://h/v1") is None


def test_a_named_group_is_one_segment():
    assert match("/users/:id/*", "http://h/users/7/a/b") == {"id": "7", "0": "a/b"}
    assert match("/users/:id/*", "http://h/users//a") is None
    assert match("/users/:id", "http://h/users/7/") is None


def test_a_named_group_may_repeat_segments():
    assert match("/files/:path+", "http://h/files/a/b/c") == {"path": "a/b/c"}
    assert match("/files/:path+", "http://h/files") is None
    assert match("/files/:path*", "http://h/files") == {"path": ""}


def test_braces_make_a_part_optional_and_its_group_empty():
    assert match("/orders{/:id}?", "http://h/orders") == {"id": ""}
    assert match("/orders{/:id}?", "http://h/orders/7") == {"id": "7"}


def test_a_regexp_group_is_run_by_re2():
    assert match("/v(\\d+)/:name([a-z]+)", "http://h/v12/abc") == {"0": "12", "name": "abc"}
    assert match("/v(\\d+)/:name([a-z]+)", "http://h/vx/abc") is None


def test_unnamed_groups_are_numbered_over_the_whole_pattern_as_written():
    pattern = Pattern.parse("*://*.h/*/(\\d+)/:x\\?y=*")
    assert pattern.groups == (
        Group("0", "scheme"),
        Group("1", "hostname"),
        Group("2", "path"),
        Group("3", "path"),
        Group("x", "path"),
        Group("4", "query"),
    )


def test_what_is_not_written_is_not_captured():
    assert match("/*", "https://h:8443/a?q=1") == {"0": "a"}


def test_a_query_that_is_not_written_may_be_anything():
    assert match("/a", "http://h/a?x=1") == {}
    assert match("/a?x=1", "http://h/a?x=1") == {}
    assert match("/a?x=1", "http://h/a") is None
    assert match("/a?", "http://h/a?x=1") is None


def test_a_query_begins_at_a_question_mark_after_plain_text_or_at_an_escaped_one():
    assert match("/a?x=:v", "http://h/a?x=1") == {"v": "1"}
    assert match("/:a\\?x=*", "http://h/b?x=1") == {"a": "b", "0": "1"}
    assert match("/:a+?x", "http://h/b/c?x") == {"a": "b/c"}


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ("/:id?x=1", "{/:id}?"),
        ("/*?x", "{/*}?"),
        ("/(a|b)?", "{/(a|b)}?"),
        ("/:id*?x", "{/*}?"),
        ("/{:a?}", "?"),
    ],
)
def test_a_question_mark_directly_after_a_group_is_refused(pattern, remedy):
    error = refusal(pattern)
    assert "would make it optional" in error.fact
    assert "`\\?`" in error.remedy
    assert "`\\\\?`" in error.remedy
    assert remedy in error.remedy


@pytest.mark.parametrize(
    "pattern", ["/caf%c3%a9?q=%7e%e2%82%ac", "/café?q=~€", "/c%61f%C3%A9?%71=~%E2%82%AC"]
)
@pytest.mark.parametrize("url", ["http://h/café?q=%7E€", "http://h/caf%c3%a9?q=~%e2%82%ac"])
def test_spellings_of_one_uri_are_one(pattern, url):
    assert match(pattern, url) == {}


def test_reserved_octets_stay_encoded():
    assert match("/a%2Fb", "http://h/a%2fb") == {}
    assert match("/a%2Fb", "http://h/a/b") is None
    assert match("/:one", "http://h/a%2fb") == {"one": "a%2Fb"}


def test_dot_segments_of_a_plain_path_are_resolved():
    assert match("/a/./b/../c", "http://h/a/c") == {}


@pytest.mark.parametrize("pattern", ["/a/../:id", "/:id/../b", "/*/.", "/a/%2e%2E/*", "/a/..{/b}?"])
def test_dot_segments_beside_a_group_are_refused(pattern):
    assert refusal(pattern).fact == "a dot segment beside a group"


def test_dots_that_are_no_dot_segment_are_fine():
    assert match("/:name..", "http://h/a..") == {"name": "a"}
    assert match("/.well-known/*", "http://h/.well-known/x") == {"0": "x"}


def test_a_path_minds_case_unless_told_otherwise():
    assert match("/API/:id", "http://h/api/X") is None
    assert match("/API/:id", "http://h/api/X", ignore_case=True) == {"id": "X"}
    assert match("/API/*\\?Q=*", "http://h/api/X?q=Y", ignore_case=True) == {"0": "X", "1": "Y"}
    assert match("/api/([a-z]+)", "http://h/API/X", ignore_case=True) == {"0": "X"}
    assert match("/CAF%C3%A9", "http://h/caf%c3%a9", ignore_case=True) == {}


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ("v1/*", "write `/v1/*`"),
        ("*", "write `/*`"),
        ("", "write `/*` for every path"),
        (":id", "write `/:id`"),
        ("http:/h/x", "write `http://h/x`"),
        ("https:h/x", "write `https://h/x`"),
        (
            "example.com/x",
            "write `//example.com/x` if `example.com` is a host, `/example.com/x` if it is a path",
        ),
        (
            "*.example.com",
            "write `//*.example.com` if `*.example.com` is a host, `/*.example.com` if it is a path",
        ),
    ],
)
def test_a_relative_pattern_is_refused_with_the_spelling_that_works(pattern, remedy):
    assert refusal(pattern).remedy == remedy
    if "`" in remedy:
        Pattern.parse(remedy.split("`")[1])


@pytest.mark.parametrize(
    ("pattern", "fact"),
    [
        ("/a#b", "a fragment"),
        ("/a\\#b", "a fragment"),
        ("https://h#b", "a fragment"),
        ("https://user@h/", "user information"),
        ("https://user:pw@h/", "user information"),
        ("https:///x", "without a host"),
        ("///x", "without a host"),
        ("//", "without a host"),
        ("ftp://h/", "no request has this scheme"),
        ("ht_tp://h/", "cannot stand in a scheme"),
        ("https://h:8x/", "cannot stand in a port"),
        ("https://h:65536/", "there is no port"),
        ("/:id/:id", "two groups are called `:id`"),
        ("https://:id.h/:id", "two groups are called `:id`"),
        ("/:url", "`:url` is taken"),
        ("/a:80", "`:` is followed by no name"),
        ("/a?b?c", "`?` has no meaning"),
        ("/a{b", "`{` is never closed"),
        ("/a}b", "`}` has no meaning"),
        ("/a{b{c}}", "`{` has no meaning"),
        ("/a+", "`+` has no meaning"),
        ("/(a", "`(` is never closed"),
        ("/()", "is empty"),
        ("/(?i:a)", "begins `(?`"),
        ("/(a(b))", "a capturing group inside a group"),
        ("/(a(?P<x>b))", "captures on its own"),
        ("/(café)", "is not ASCII"),
        ("/(a\\é)", "is not ASCII"),
        ("/\\", "escapes nothing"),
        ("/a\nb", "control character"),
        ("/\ud800", "cannot stand in a path"),
        ("https://[:1:zz]/", "no name"),
        ("https://[1:2]/", "no name"),
    ],
)
def test_what_cannot_be_a_pattern_is_refused_by_its_fact(pattern, fact):
    error = refusal(pattern)
    assert fact in error.fact
    assert error.remedy
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "expression", ["(?=a)", "(?!a)b", "(?<=a)b", "a(?<!b)", "\\1", "a{5000}", "\\Qa", "a\\m"]
)
def test_what_re2_cannot_run_is_refused_quietly(expression, capfd):
    error = refusal(f"/x(a{expression})")
    assert "RE2 refuses a group" in error.fact
    assert "lookaround" in error.remedy
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "pattern", ["x" * 4000, "/:" + "n" * 4000 + "?", "https://h:" + "9" * 4000, "/" + "(a" * 2000]
)
def test_a_refusal_is_short_however_long_the_pattern(pattern):
    assert len(str(refusal(pattern))) < 500


def test_a_pattern_is_at_most_4096_characters():
    assert Pattern.parse("/" + "a" * 4095).path.literal
    assert "4097" in refusal("/" + "a" * 4096).fact


def test_a_pattern_has_at_most_100_groups():
    assert len(Pattern.parse("/(a)" * 100).groups) == 100
    assert "100 groups" in refusal("/(a)" * 101).fact


# --- parts, for an index -----------------------------------------------------------------------------


def test_parts_and_fixed_texts_are_there_for_an_index():
    pattern = Pattern.parse("https://*.h/users/:id/*")
    assert pattern.scheme.literal == pattern.scheme.prefix == "https"
    assert pattern.port.literal == ""
    assert (pattern.hostname.literal, pattern.hostname.prefix) == (None, "")
    assert (pattern.path.literal, pattern.path.prefix) == (None, "/users/")
    assert [part.kind for part in pattern.path.parts] == [PartKind.FIXED, PartKind.SEGMENT, PartKind.WILDCARD]
    assert pattern.query.implied


def test_a_suffix_begins_where_something_may_be_missing():
    assert Pattern.parse("https://*.example.com/").hostname.suffix == ".example.com"
    assert Pattern.parse("https://{*.}?example.com/").hostname.suffix == "example.com"
    assert Pattern.parse("https://a.*/").hostname.suffix == ""
    assert Pattern.parse("/*{.html}+").path.suffix == ".html"
    assert Pattern.parse("/*{.html}?").path.suffix == ""


def test_a_prefix_ends_where_something_may_be_missing():
    assert Pattern.parse("/a{/b}?").path.prefix == "/a"
    assert Pattern.parse("/a{/b}+").path.prefix == "/a/b"
    assert Pattern.parse("/a/:x*").path.prefix == "/a"
    assert Pattern.parse("/a/:x+").path.prefix == "/a/"


@pytest.mark.parametrize(
    ("pattern", "matcher"),
    [
        ("/a{b}", Equals),
        ("/a{b}?", OneOf),
        ("/" + "{a}?" * 5, Regexp),
        ("/*.html", Around),
        ("/a/*", StartsWith),
        ("/:a/b/*", Segments),
        ("/:a-:b", Regexp),
    ],
)
def test_only_what_needs_an_automaton_gets_one(pattern, matcher):
    assert isinstance(Pattern.parse(pattern).path.matcher, matcher)


def test_patterns_are_equal_by_text_and_case():
    assert Pattern.parse("/a") == Pattern.parse("/a")
    assert Pattern.parse("/a") != Pattern.parse("/a", ignore_case=True)
    assert len({Pattern.parse("/a"), Pattern.parse("/a"), Pattern.parse("/b")}) == 2
    assert not Pattern.parse("/a") != Pattern.parse("/a")  # noqa: SIM202
    assert Pattern.parse("/a").__eq__("/a") is NotImplemented
    assert repr(Pattern.parse("/a", ignore_case=True)) == "Pattern('/a', ignore_case=True)"
