"""Commands that reproduce a hop: the real curl runs them, and an origin compares the octets."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detour.core.chain import Content, Fields, Outgoing
from detour.core.url import URL
from detour.follow.curl_command import CurlContent, curl_command, quoted
from detour.net.exchange import Sending
from detour.net.transport import Transport, TransportSettings
from tests.net.origin import Peer, origin

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CASES: list[tuple[str, str, Fields, bytes | None]] = [
    ("GET", "/", (("User-Agent", "detour/0.1.0"), ("Accept", "*/*")), None),
    ("GET", "/a/../b/%2f?q=[1]{2}", (), None),
    ("HEAD", "/", (), None),
    ("DELETE", "/a", (("X-Empty", ""), ("X-Quote", 'it\'s "quoted" $HOME `id`')), None),
    ("POST", "/", (), b"a=1&b=it's"),
    ("POST", "/", (("Content-Type", "application/json"),), b'{"a": "\\u00e9\\n"}\n'),
    ("POST", "/", (), b"@not-a-file"),
    ("PUT", "/", (("Accept", "text/html"),), None),
    ("PATCH", "/", (("Authorization", "Basic bWU6cHc="), ("Cookie", "a=1; b=2")), b"\xff\xfe\x01 octets"),
    ("GET", "/", (), b"a GET with content"),
]


def talk(peer: Peer) -> None:
    while head := peer.head():
        told = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if told:
            peer.content(int(told[0].split(b":")[1]))
        peer.say(ANSWER)


@pytest.fixture
def curl() -> str:
    if not (program := shutil.which("curl")) or not shutil.which("bash"):
        pytest.skip("curl or bash is not installed")
    return program


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[3]!r}")
def test_curl_sends_the_octets_the_transport_sends(
    curl: str, case: tuple[str, str, Fields, bytes | None]
) -> None:
    method, path, fields, content = case
    kind: Content = "none" if content is None else "replayable"
    with origin(talk) as seen:
        request = Outgoing(method, seen.url(path), fields, kind)
        with Transport(TransportSettings(http="1.1")) as transport:
            transport.send(Sending(request, content))
        command = curl_command(request, CurlContent(content or b""), TransportSettings(http="1.1"))
        done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr
    by_transport, by_curl = seen.heads
    assert sorted(by_curl.split(b"\r\n")) == sorted(by_transport.split(b"\r\n"))
    assert by_curl.split(b"\r\n")[0] == by_transport.split(b"\r\n")[0]
    if content is not None:
        assert seen.contents == [content, content]


def test_the_command_goes_where_the_transport_went(curl: str) -> None:
    with origin(talk) as seen:
        settings = TransportSettings(resolve=(f"shop.example.test:{seen.port}:127.0.0.1",))
        request = Outgoing("GET", seen.url("/a", "shop.example.test"))
        command = curl_command(request, CurlContent(), settings)
        assert subprocess.run(["bash", "-c", command], capture_output=True, timeout=30).returncode == 0
    assert b"Host: shop.example.test" in seen.heads[0]


def test_every_setting_of_the_transport_that_curl_has_is_told() -> None:
    settings = TransportSettings(
        http="2", proxy="http://proxy.test:3128", guard="off", connect_to=("a:443:b:81",), insecure=True
    )
    command = curl_command(Outgoing("GET", URL.parse("https://a/")), CurlContent(), settings)
    for words in ("--http2", "--proxy http://proxy.test:3128", "--connect-to a:443:b:81", "--insecure"):
        assert words in command


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://a/", ["a:443:x:1", ":443:y:1", "a::z:1", "::w:1"]),
        ("http://a/", ["a::z:1", "::w:1"]),
        ("https://b:8443/", ["::w:1"]),
    ],
)
def test_a_command_names_only_what_is_about_its_url(url: str, told: list[str]) -> None:
    connect_to = ("a:443:x:1", ":443:y:1", "a::z:1", "::w:1")
    settings = TransportSettings(connect_to=connect_to, insecure=True)
    words = curl_command(Outgoing("GET", URL.parse(url)), CurlContent(), settings).split()
    assert [after for word, after in pairwise(words) if word == "--connect-to"] == told
    assert ("--insecure" in words) is url.startswith("https")


def test_content_of_a_file_is_left_in_its_file() -> None:
    request = Outgoing("POST", URL.parse("http://a/"), (), "replayable")
    assert "--data-binary '@my file'" in curl_command(
        request, CurlContent(file="my file"), TransportSettings()
    )
    assert "--data-binary @-" in curl_command(request, CurlContent(file="-"), TransportSettings())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_the_shell_reads_back_every_word(curl: str, word: str) -> None:
    done = subprocess.run(["bash", "-c", f"printf %s {quoted(word)}"], capture_output=True, timeout=30)
    assert done.stdout == word.encode()
    assert quoted(word).isprintable()
