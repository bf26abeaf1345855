"""What arrives at an origin is what was told, octet by octet."""

from __future__ import annotations

import io
import os

import pytest

from detour.core.chain import Fields, Outgoing, Response
from detour.core.url import URL
from detour.errors import DetourError
from detour.net.settings import HTTPVersion
from detour.net.transport import Sending, Transport, TransportSettings
from tests.net.origin import Origin, Peer, Talk, keeping, origin, saying

FOUND = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"


def ask(request: Outgoing, content: bytes | io.BufferedIOBase | None = None) -> Response:
    with Transport(TransportSettings(timeout=10)) as transport:
        answer = transport.send(Sending(request, content))  # type: ignore[arg-type]
    assert isinstance(answer, Response), answer
    return answer


def head_of(method: str, path: str = "/", fields: Fields = ()) -> bytes:
    with origin(keeping(FOUND)) as seen:
        ask(seen.request(method, path, fields))
    (head,) = seen.heads
    return head.replace(f"127.0.0.1:{seen.port}".encode(), b"ORIGIN")


def test_a_request_without_fields_has_only_host() -> None:
    assert head_of("GET") == b"GET / HTTP/1.1\r\nHost: ORIGIN\r\n\r\n"


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "TRACE", "HEAD", "BREW", "get"])
def test_a_method_is_sent_as_written(method: str) -> None:
    assert head_of(method) == f"{method} / HTTP/1.1\r\nHost: ORIGIN\r\n\r\n".encode()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "QUERY"])
def test_a_method_that_expects_content_says_that_there_is_none(method: str) -> None:
    assert head_of(method) == f"{method} / HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 0\r\n\r\n".encode()


def test_fields_keep_order_case_and_repetition() -> None:
    fields = (
        ("x-B", "1"),
        ("X-a", ""),
        ("ACCEPT", "*/*"),
        ("x-B", "2"),
        ("User-agent", "me"),
        ("X-o", "ü:;"),
    )
    expected = "x-B: 1\r\nX-a:\r\nACCEPT: */*\r\nx-B: 2\r\nUser-agent: me\r\nX-o: ü:;\r\n\r\n"
    assert head_of("GET", fields=fields) == b"GET / HTTP/1.1\r\nHost: ORIGIN\r\n" + expected.encode()


def test_octets_of_a_command_line_stay_what_they_were() -> None:
    assert b"\r\nX: a\xffb\r\n" in head_of("GET", fields=(("X", "a\udcffb"),))


def test_fields_of_one_request_do_not_stay_for_the_next() -> None:
    with origin(keeping(FOUND)) as seen, Transport() as transport:
        transport.send(Sending(seen.request("DELETE", fields=(("Authorization", "Basic eA=="),))))
        transport.send(Sending(seen.request("GET")))
    assert seen.connections == 1
    assert b"Authorization" in seen.heads[0]
    assert b"uthorization" not in seen.heads[1]


def test_credentials_of_the_url_are_not_sent_unasked() -> None:
    with origin(keeping(FOUND)) as seen:
        ask(Outgoing("GET", URL.parse(f"http://user:secret@127.0.0.1:{seen.port}/")))
    assert b"uthorization" not in seen.heads[0]


@pytest.mark.parametrize("path", ["/%2e%2e/a", "/a%2F..%2fb", "/?", "/|'?a=|{}`^", "//double//slash", "/%00"])
def test_a_request_target_is_sent_as_it_is(path: str) -> None:
    before, mark, query = path.partition("?")
    with origin(keeping(FOUND)) as seen:
        url = URL("http", "127.0.0.1", str(seen.port), before, query if mark else None, None)
        ask(Outgoing("GET", url))
    assert seen.heads[0].partition(b"\r\n")[0] == f"GET {path} HTTP/1.1".encode()


def test_a_fragment_is_not_sent() -> None:
    with origin(keeping(FOUND)) as seen:
        ask(seen.request(path="/a#b"))
    assert seen.heads[0].startswith(b"GET /a HTTP/1.1\r\n")


def test_cookies_of_an_answer_are_not_sent_back() -> None:
    with (
        origin(keeping(FOUND.replace(b"Location", b"Set-Cookie: a=b\r\nLocation"))) as seen,
        Transport() as one,
    ):
        one.send(Sending(seen.request()))
        one.send(Sending(seen.request()))
    assert b"ookie" not in seen.heads[1]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with origin(keeping(FOUND)) as proxy, origin(keeping(FOUND)) as seen:
        for name in ("http_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        ask(seen.request())
    assert (proxy.connections, seen.connections) == (0, 1)


def test_redirects_are_not_followed() -> None:
    with origin(keeping(FOUND)) as seen:
        assert ask(seen.request()).locations == ("/a",)
    assert len(seen.heads) == 1


# -- content -------------------------------------------------------------------------------------------------


def reading(octets: int) -> object:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.content(octets)
        peer.say(FOUND)

    return talk


@pytest.mark.parametrize("method", ["POST", "QUERY", "DELETE", "GET", "HEAD", "BREW"])
def test_octets_are_sent_with_their_length(method: str) -> None:
    with origin(reading(3)) as seen:  # type: ignore[arg-type]
        answer = ask(seen.request(method), b"a\0b")
    assert seen.heads[0].endswith(b"\r\nContent-Length: 3\r\n\r\n")
    assert b"Content-Type" not in seen.heads[0]
    assert seen.contents == [b"a\0b"]
    assert answer.sent == 3


def test_two_megabytes_are_sent_without_expect() -> None:
    content = os.urandom(2_000_000)
    with origin(reading(len(content))) as seen:  # type: ignore[arg-type]
        ask(seen.request("PUT"), content)
    assert b"xpect" not in seen.heads[0]
    assert seen.contents == [content]


def test_a_file_is_sent_whole_each_time() -> None:
    def talk(peer: Peer) -> None:
        while peer.head():
            peer.content(6)
            peer.say(FOUND)

    file = io.BytesIO(b"a file")
    with origin(talk) as seen, Transport() as transport:
        transport.send(Sending(seen.request("POST"), file))
        transport.send(Sending(seen.request("POST"), file))
    assert seen.contents == [b"a file", b"a file"]


def test_a_stream_without_a_length_is_sent_in_chunks() -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.until(b"0\r\n\r\n")
        peer.say(FOUND)

    reader, writer = os.pipe()
    os.write(writer, b"streamed")
    os.close(writer)
    with origin(talk) as seen, os.fdopen(reader, "rb") as stream:
        ask(seen.request("POST"), stream)
    assert seen.heads[0].endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert seen.contents == [b"8\r\nstreamed\r\n0\r\n\r\n"]


def test_a_file_that_cannot_be_read_is_an_end() -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise OSError("the disk is gone")

    with origin(saying(b"")) as seen, Transport() as transport:
        end = transport.send(Sending(seen.request("POST"), Broken(b"abc")))
    assert end.name == "not-replayable"  # type: ignore[union-attr]
    assert "the disk is gone" in end.detail  # type: ignore[union-attr]


def test_no_content_is_sent_before_100_continue_when_it_is_expected() -> None:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.content(5)
        peer.say(FOUND)

    with origin(talk) as seen:
        answer = ask(seen.request("POST", fields=(("Expect", "100-continue"),)), b"hello")
    assert (answer.status, answer.interim, answer.sent) == (307, (100,), 5)
    assert seen.contents == [b"hello"]


def test_a_redirect_instead_of_100_continue_costs_no_content() -> None:
    with origin(saying(FOUND)) as seen:
        answer = ask(seen.request("POST", fields=(("Expect", "100-continue"),)), b"hello")
    assert (answer.status, answer.interim, answer.sent) == (307, (), 0)


def test_an_early_answer_ends_the_sending() -> None:
    size = 50_000_000

    def talk(peer: Peer) -> None:
        peer.head()
        peer.content(100_000)
        peer.say(FOUND)
        peer.until(b"never comes")

    with origin(talk) as seen:
        answer = ask(seen.request("POST"), bytes(size))
    assert answer.status == 307
    assert 100_000 <= answer.sent < size
    assert answer.cut == ""
    assert len(seen.contents[0]) == 100_000


def counting(answer: bytes, octets: int) -> Talk:
    """Answers the first request of a connection and, when the second has come, closes."""

    def talk(peer: Peer) -> None:
        for turn in range(2):
            if not peer.head():
                return
            peer.content(octets)
            if turn == 0:
                peer.say(answer)

    return talk


@pytest.mark.parametrize(("method", "content"), [("POST", b"abc"), ("DELETE", None), ("BREW", None)])
def test_an_unsafe_request_is_not_sent_again_when_an_open_connection_breaks(
    method: str, content: bytes | None
) -> None:
    """RFC 9110 §9.2.2: on a connection that was open already libcurl would send what got no answer again."""
    with origin(counting(FOUND, len(content or b""))) as seen, Transport() as transport:
        for path in ("/a", "/b"):
            transport.send(Sending(seen.request(method, path), content))
    targets = [head.split()[1] for head in seen.heads]
    assert targets == [b"/a", b"/b"]


def test_a_safe_request_is_sent_again_when_an_open_connection_breaks() -> None:
    with origin(counting(FOUND, 0)) as seen, Transport() as transport:
        answers = [transport.send(Sending(seen.request(path=path))) for path in ("/a", "/b")]
    assert all(isinstance(answer, Response) for answer in answers)
    assert [head.split()[1] for head in seen.heads] == [b"/a", b"/b", b"/b"]


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno", b"HTTP/1.1 417 No\r\n\r\n"]
)
def test_a_refused_expectation_is_an_answer_and_nothing_is_sent_again(answer: bytes) -> None:
    with origin(keeping(answer)) as seen:
        told = ask(seen.request("POST", fields=(("Expect", "100-continue"),)), b"hello")
    assert (told.status, told.sent, told.cut, len(seen.heads)) == (417, 0, "", 1)


@pytest.mark.parametrize("http", ["auto", "1.1", "2", "3"])
def test_no_version_asks_a_plain_origin_for_another_protocol(http: HTTPVersion) -> None:
    """RFC 9113 §3.1: Upgrade: h2c is no more, and nobody told to send it."""
    with origin(keeping(FOUND)) as seen, Transport(TransportSettings(http=http)) as transport:
        assert isinstance(transport.send(Sending(seen.request())), Response)
    assert seen.heads == [f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{seen.port}\r\n\r\n".encode()]


# -- what HTTP cannot say ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GET /x", ()),
        ("", ()),
        ("GÉT", ()),
        ("GET", (("X", "a\r\nY: b"),)),
        ("GET", (("X", "a\0"),)),
        ("GET", (("X:", "a"),)),
        ("GET", (("", "a"),)),
        ("GET", (("X\r\nY", "a"),)),
        ("POST", (("Content-Length", "7"),)),
        ("POST", (("transfer-encoding", "chunked"),)),
    ],
)
def test_what_http_cannot_say_is_refused_before_anything_is_sent(method: str, fields: Fields) -> None:
    with origin(saying(FOUND)) as seen, Transport() as transport:
        with pytest.raises(DetourError):
            transport.send(Sending(seen.request(method, fields=fields)))
        assert isinstance(transport.send(Sending(seen.request())), Response)
    assert seen.connections == 1


def test_a_host_field_replaces_the_one_of_the_url() -> None:
    assert head_of("GET", fields=(("Host", "other.test"),)) == b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n"


def test_an_origin_is_asked_on_the_connection_that_is_open() -> None:
    with origin(keeping(FOUND)) as seen, Transport() as transport:
        for _ in range(3):
            answer = transport.send(Sending(seen.request()))
            assert isinstance(answer, Response)
    assert (seen.connections, len(seen.heads)) == (1, 3)
    assert answer.timings.connect == 0.0 < answer.timings.first_byte <= answer.timings.total
    assert isinstance(seen, Origin)
