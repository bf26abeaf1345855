"""Request heads as values: what is asked for."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detour.core.url import URL
from detour.errors import RequestError, URLError
from detour.serve.forwarded import Asker
from detour.serve.head import normalized_reference, read_authority, read_head, read_reference, resolve
from tests.serve.fake_transport import request

# What httptools lets pass in a request target: printable ASCII.
TARGETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=30).map("/{}".format)
LIKELY = st.lists(
    st.sampled_from(
        [
            "a",
            "B",
            "/",
            "/",
            ".",
            "..",
            "%2e",
            "%7E",
            "%zz",
            "%",
            "?",
            "&",
            "=",
            "'",
            '"',
            "\\",
            "|",
            "^",
            ";",
            ":",
            "@",
        ]
    )
).map(lambda parts: "/" + "".join(parts))


@given(TARGETS | LIKELY)
@example("//a/b")
@example("/a?b?c")
@example("/a/.")
@example("/%2E%2E/x")
def test_the_short_way_to_read_a_target_agrees_with_the_parser(target: str) -> None:
    try:
        slow: object = normalized_reference(target)
    except RequestError as error:
        slow = error.status
    try:
        fast: object = read_reference(target)
    except RequestError as error:
        fast = error.status
    assert fast == slow


@given(
    st.from_regex(r"[a-z0-9_.\-]{1,20}", fullmatch=True) | st.from_regex(r"[\x21-\x7e]{1,12}", fullmatch=True)
)
@example("xn--a.example")
@example("a.xn--zz")
@example("0x7f.1")
@example("1.2.3.0x4")
@example("a.example.")
@example("[::1]:80")
def test_the_short_way_to_read_a_host_agrees_with_the_parser(text: str) -> None:
    try:
        found = read_authority("http", text)
    except RequestError:
        return
    url = URL.parse(f"http://{text}/")
    assert found == (url.hostname, url.port)
    assert (url.username, url.password, url.path, url.query) == ("", "", "/", None)


@given(st.from_regex(r"[a-z0-9.\-]{1,20}(:[0-9]{1,5})?", fullmatch=True))
def test_every_host_the_parser_accepts_is_accepted(text: str) -> None:
    try:
        url = URL.parse(f"http://{text}/")
    except URLError:
        with pytest.raises(RequestError):
            read_authority("http", text)
        return
    assert read_authority("http", text) == (url.hostname, url.port)


def test_fields_have_lower_case_names_and_trimmed_values() -> None:
    head = read_head(
        request("GET / HTTP/1.1", "X-A: \t b c \t", "x-a:", "X-\xe9".replace("\xe9", "E") + ": \xe9")
    )
    assert head.fields == (("host", "api.example.com"), ("x-a", "b c"), ("x-a", ""), ("x-e", "\xe9"))


@pytest.mark.parametrize(
    ("fields", "content"),
    [((), 0), (("Content-Length: 17",), 17), (("Transfer-Encoding: gzip , Chunked",), None)],
)
def test_the_head_says_how_much_content_follows(fields: tuple[str, ...], content: int | None) -> None:
    assert read_head(request("POST / HTTP/1.1", *fields)).content == content


@pytest.mark.parametrize(
    ("line", "fields", "persists"),
    [
        ("GET / HTTP/1.1", (), True),
        ("GET / HTTP/1.0", (), False),
        ("GET / HTTP/1.0", ("Connection: Keep-Alive",), True),
        ("GET / HTTP/1.0", ("Connection: keep-alive, close",), False),
        ("GET / HTTP/1.1", ("Connection: a", "Connection: b,CLOSE"), False),
    ],
)
def test_the_head_says_whether_the_connection_persists(
    line: str, fields: tuple[str, ...], persists: bool
) -> None:
    assert read_head(request(line, *fields)).persists is persists


def test_the_query_is_matched_normalized_and_kept_as_received() -> None:
    asked = resolve(read_head(request("GET /%7ea?x=%7e'%2f HTTP/1.1")), Asker("http", "a.example", ""), ())
    assert (asked.path, asked.query, asked.received_query) == ("/~a", "x=~%27%2F", "x=%7e'%2f")


def test_an_absolute_target_without_path_has_the_path_slash() -> None:
    head = read_head(request("GET http://B.example?x HTTP/1.1"))
    asked = resolve(head, Asker("http", "a.example", ""), ())
    assert (asked.hostname, asked.path, asked.received_query) == ("b.example", "/", "x")
