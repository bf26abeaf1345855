from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour import URL, Pattern, Request, Template, TemplateError
from detour.core.location import resolve
from tests.core.rules import ask, rules


def location(template: str, pattern: str, url: str, hosts: tuple[str, ...] = ()) -> str | None:
    parsed = Pattern.parse(pattern)
    made = Template.parse(template, frozenset(group.name for group in parsed.groups), hosts)
    request = Request.of("GET", url)
    captures = parsed.match(request)
    assert captures is not None
    return made.location(request, captures)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("/b/{0}", "/b/x"),
        ("https://h/b/{0}", "https://h/b/x"),
        ("http://h/b/{0}", "/b/x"),
        ("http://H:80/b/{0}", "/b/x"),
        ("http://h:8080/b", "http://h:8080/b"),
        ("//h/b", "/b"),
        ("//other/b", "//other/b"),
        ("https://{url.hostname}/b", "https://h/b"),
        ("https://{url.hostname}:{url.port}/b", "https://h/b"),
        ("https://h", "https://h/"),
        ("https://h?x", "https://h/?x"),
        ("/b?{url.scheme}={0}#{0}", "/b?http=x#x"),
        ("/{{0}}", "/%7B0%7D"),
        ("/caf\u00e9 x", "/caf%C3%A9%20x"),
        ("/b?", "/b?"),
    ],
)
def test_a_location_is_relative_where_scheme_and_authority_stay(template: str, expected: str) -> None:
    assert location(template, "//h/a/*", "http://h/a/x") == expected


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("/b/{0}", "x%3Fy", "/b/x%3Fy"),
        ("/b/{0}", "x%", "/b/x%25"),
        ("/b/{0}", "%zz%41", "/b/%25zzA"),
        ("/b?q={0}", "a&b=c+d", "/b?q=a%26b%3Dc%2Bd"),
        ("/b#{0}", "a&b", "/b#a&b"),
        ("/b?q={0}", "a%26b", "/b?q=a%26b"),
        ("/b/{0}", "x/../y", "/b/y"),
    ],
)
def test_a_capture_is_encoded_for_where_it_lands(template: str, path: str, expected: str) -> None:
    assert location(template, "/a/*", f"http://h/a/{path}") == expected


@pytest.mark.parametrize(
    "path",
    [
        "/evil.example",
        "//evil.example",
        "\\evil.example",
        "/\\evil.example",
        "%5Cevil.example",
        "/\t/evil.example",
    ],
)
@pytest.mark.parametrize("template", ["/{0}", "{slash}{0}", "http://h/{0}", "/x/../{0}"])
def test_a_computed_path_never_becomes_another_host(template: str, path: str) -> None:
    made = location(template.replace("{slash}", "/"), "/a/*", f"http://h/a/{path}")
    assert made is not None
    url = resolve(made, URL.parse("http://h/a/"))
    assert url is not None
    assert url.hostname == "h"


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_whatever_is_asked_for_stays_on_the_host(path: str) -> None:
    try:
        request = Request.of("GET", f"http://h/a/{path}")
    except Exception:
        return
    pattern = Pattern.parse("/a/*")
    captures = pattern.match(request)
    if captures is None:
        return
    made = Template.parse("/{0}?q={0}#{0}", frozenset({"0"})).location(request, captures)
    assert made is not None
    assert made.isascii()
    assert made.isprintable()
    assert " " not in made
    url = resolve(made, URL.parse("http://h/"))
    assert url is not None
    assert url.origin == "http://h"
    assert made.count("#") == 1


@pytest.mark.parametrize("text", ["{0}", "{url.query}", "{env.SECRET}", "{{0}}", "%7B0%7D"])
def test_what_a_request_says_is_never_scanned_again(text: str) -> None:
    made = location("/b/{0}", "/a/*", f"http://h/a/{text}")
    assert made is not None
    assert "{" not in made


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("b", "begins with neither"),
        ("ftp://h/", "begins with neither"),
        ("/{3}", "captures only {0}"),
        ("/{id}", "add :id to the pattern"),
        ("/{url.host}", "the request's own are"),
        ("/{", "a lone '{'"),
        ("/}", "a lone '}'"),
        ("https://{0}/x", "location_hosts"),
        ("https://{url.path}/x", "names no host"),
        ("https://{url.scheme}/x", "cannot be a host"),
        ("https://u:p@h/", "user information"),
        ("https://a b/", "not a host"),
        ("https://{url.hostname}:99999/", "not a host"),
        ("https://{url.hostname}\r\nX-Evil: 1/", "not a host"),
        ("https://{url.hostname}.ex\u00e4mple.com x/", "not a host"),
        ("https:///x", "names no host"),
    ],
)
def test_a_template_that_cannot_be_safe_is_refused_with_its_remedy(template: str, said: str) -> None:
    with pytest.raises(TemplateError, match=said.replace("{", r"\{")):
        Template.parse(template, frozenset({"0"}))


def test_a_capture_may_choose_among_listed_hosts_only() -> None:
    def go(url: str) -> str | None:
        return location("https://{region}.example.com/x", "/:region", url, ("eu.example.com",))

    assert go("http://h/eu") == "https://eu.example.com/x"
    assert go("http://h/evil.test%2F") is None


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("eu.example.com", "https://eu.example.com/x"),
        ("EU.example.com", "https://eu.example.com/x"),
        ("eu.example.com:443", "https://eu.example.com/x"),
        ("eu.example.com:1337", None),
        ("eu.example.com:99999", None),
        ("eu.example.com:evil", None),
        ("evil.example", None),
        ("u@eu.example.com", None),
        ("", None),
    ],
)
def test_location_hosts_are_a_wall(host: str, sent: str | None) -> None:
    template = Template.parse("https://{h}/x", frozenset({"h"}), ("EU.Example.com",))
    assert template.location(Request.of("GET", "http://h/"), {"h": host}) == sent


@pytest.mark.parametrize("host", ["", "https://foo.com", "foo.com/x", "a b", "u@foo.com", "foo.com?x"])
def test_an_entry_of_location_hosts_is_a_host(host: str) -> None:
    with pytest.raises(TemplateError, match="is not a host"):
        Template.parse("https://{h}/x", frozenset({"h"}), (host,))


HOST_CHOICE = '[[rule]]\nname = "r"\npattern = "{}"\nlocation = "{}"\n'


@pytest.mark.parametrize(
    ("pattern", "template"),
    [
        ("http://shop.example.com/*", "https://{url.hostname}/{0}"),
        ("http://*.example.com/*", "https://{url.hostname}/x/{1}"),
        ("http://{*.}?example.com/*", "https://{url.hostname}/x/{1}"),
        ("http://*/*", "https://{url.hostname}/{1}"),
        ("/*", "https://{url.hostname}/{0}"),
        ("/old/*", "https://{url.hostname}{url.path}"),
    ],
)
def test_the_host_may_be_kept_where_the_pattern_fixes_it_or_only_the_scheme_changes(
    pattern: str, template: str
) -> None:
    url = "http://shop.example.com/old/1"
    assert ask(rules(HOST_CHOICE.format(pattern, template)), f"GET {url}").status == 307


@pytest.mark.parametrize(
    "host", ["(.+)", "a.*", ":a.:b", "*example.com", "*.com", "*", "{:a-}?example.com", "(\\\\d+)example.com"]
)
def test_a_host_pattern_that_names_no_domain_fixes_none(host: str) -> None:
    with pytest.raises(Exception, match="Host says"):
        rules(HOST_CHOICE.format(f"//{host}/old", "https://{url.hostname}/new"))


def test_a_host_header_may_not_choose_where_a_moved_path_goes() -> None:
    with pytest.raises(Exception, match="Host says"):
        rules(HOST_CHOICE.format("/old/*", "https://{url.hostname}/new/{0}"))


WRITTEN = st.tuples(
    st.sampled_from(
        ["", "/", "//", "http://", "https://", "https://h", "//h.example:443", "http://h:80", "/a"]
    ),
    st.text('aB0/.:-_~%[]|!=@ \\"é?#', max_size=8),
    st.sampled_from(["", "{url.path}", "?{url.query}", "{{", "?", "#"]),
).map("".join)


def parsed(text: str) -> Template | None:
    try:
        return Template.parse(text, frozenset())
    except TemplateError:
        return None


@given(WRITTEN.filter(lambda text: "#" not in text))
def test_a_plain_template_is_what_the_whole_parser_makes_of_it(text: str) -> None:
    made, with_fragment = parsed(text), parsed(text + "#")  # what has a fragment is never plain
    if with_fragment is not None:
        with_fragment = msgspec.structs.replace(with_fragment, fragment=None)
    assert made == with_fragment


@given(WRITTEN)
def test_the_text_of_a_template_parses_to_the_same(text: str) -> None:
    made = parsed(text)
    assert made is None or parsed(made.text) == made


def test_the_text_of_a_template_shows_its_captures() -> None:
    text = "https://h.example/{id}?a={0}#{url.query}"
    assert Template.parse(text, frozenset({"id", "0"})).text == text
