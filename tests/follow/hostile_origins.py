"""Origins that mean harm, as a table: what each says, and the ends that a chain through it may have.

A clear name is an origin on raw sockets; `https` speaks TLS and then says what the row says; `raw` is asked
for TLS and says what it likes instead. Every one of them is asked for `/x` and listens on loopback.
"""

from __future__ import annotations

import gzip
import itertools
import os
import socket
import struct
from typing import Literal

import msgspec

from tests.follow import hostile_frames as frames
from tests.net.origin import Peer, Talk

Door = Literal["http", "https", "raw", "h2"]


class Hostile(msgspec.Struct, frozen=True):
    """One row."""

    name: str
    talk: Talk
    ends: frozenset[str]
    slow: bool = False
    door: Door = "http"

    @property
    def patience(self) -> float:
        """Seconds for one request: few where they run out, many where that would be an accident."""
        if self.slow or "timeout" in self.ends:
            return 0.5
        return 2.0 if self.door == "h2" else 10.0  # evidence is sought there, and nobody speaks HTTP/1.1


def redirect(location: str, more: str = "", content: str = "Content-Length: 0\r\n") -> bytes:
    return f"HTTP/1.1 307 T\r\nLocation: {location}\r\n{more}{content}\r\n".encode("latin-1")


def always(answer: bytes) -> Talk:
    """Says the same to everybody, and keeps the connection."""

    def talk(peer: Peer) -> None:
        while peer.head():
            peer.say(answer)

    return talk


def once(answer: bytes) -> Talk:
    """Says it and closes."""

    def talk(peer: Peer) -> None:
        if peer.head():
            peer.say(answer)

    return talk


def on(before: bytes, again: bytes) -> Talk:
    """Says something, and then something else without end."""

    def talk(peer: Peer) -> None:
        peer.head()
        peer.say(before)
        while not peer.origin.over.is_set():
            peer.say(again)

    return talk


def slowly(before: bytes, rest: bytes, pause: float = 0.05) -> Talk:
    """Says something, and the rest octet by octet."""

    def talk(peer: Peer) -> None:
        peer.head()
        peer.say(before)
        peer.drip(rest, pause)

    return talk


def endless_chain(peer: Peer) -> None:
    number = itertools.count()
    while peer.head():
        peer.say(redirect(f"/{next(number)}-{id(peer)}"))


def silent(peer: Peer) -> None:
    peer.head()
    peer.origin.over.wait(60)


def deaf(peer: Peer) -> None:
    """Reads nothing and says nothing."""
    peer.origin.over.wait(60)


def reset(peer: Peer) -> None:
    """Resets the connection as soon as it is there: close with a linger time of 0."""
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_after(answer: bytes) -> Talk:
    def talk(peer: Peer) -> None:
        peer.head()
        peer.say(answer)
        reset(peer)

    return talk


def saying_at_once(octets: bytes) -> Talk:
    """Does not wait for a request."""

    def talk(peer: Peer) -> None:
        peer.say(octets)
        peer.origin.over.wait(60)

    return talk


def row(name: str, talk: Talk, *ends: str, slow: bool = False, door: Door = "http") -> Hostile:
    return Hostile(name, talk, frozenset(ends), slow, door)


MALFORMED = "malformed-response"
OK = "HTTP/1.1 200 OK\r\n"
CHUNKED = redirect("/x", content="Transfer-Encoding: chunked\r\n")
BOMB = gzip.compress(bytes(64 * 1024 * 1024), 9)
RANDOM = os.urandom(100_000)

CHAINS = (
    row("an endless chain", endless_chain, "too-many-hops"),
    row("a redirect to itself", always(redirect("/x")), "loop"),
    row("a redirect to itself with a cookie", always(redirect("/x", "Set-Cookie: a=b\r\n")), "too-many-hops"),
    row("a Location of 60 kB", always(redirect("/" + "a" * 60_000)), "loop"),
    row("a Location of 1 MB", always(redirect("/" + "a" * 2**20)), MALFORMED, "too-large"),
    row("a doubled Location", always(redirect("/a", "Location: /b\r\n")), "many-locations"),
    row("a Location written twice", always(redirect("/a", "location: /a\r\n")), "many-locations"),
    row(
        "a thousand Locations",
        always(redirect("/a", "Location: /b\r\n" * 1000)),
        "many-locations",
        "too-large",
    ),
    row("an empty Location", always(redirect("")), "loop"),
    row("no Location", always(b"HTTP/1.1 307 T\r\nContent-Length: 0\r\n\r\n"), "no-location"),
    row("a Location that is no URL", always(redirect("http://[/")), "bad-location"),
    row("a Location with a port of 99999", always(redirect("http://127.0.0.1:99999/")), "bad-location"),
    row("octets at random in Location", always(redirect(RANDOM[:500].hex() + "\xff\xfe\x80")), "loop"),
    row("escape sequences", always(redirect("/\x1b[2J\x1b]0;owned\x07\x9b31m")), "loop", MALFORMED),
    row("letters that turn lines around", always(redirect("/\u202e".encode().decode("latin-1"))), "loop"),
    row("credentials in Location", always(redirect("http://user:pw@127.0.0.1:1/")), "connect"),
    row("a host of 300 letters", always(redirect(f"http://{'a' * 300}.test/")), "bad-location", "resolve"),
)

HEADS = (
    row("NUL in Location", always(redirect("/a\0b")), MALFORMED),
    row("NUL in another field", always(redirect("/a", "X: a\0b\r\n")), MALFORMED),
    row("NUL in a field name", always(redirect("/a", "X\0Y: b\r\n")), MALFORMED, "loop"),
    row("CR in Location", always(redirect("/a\rX: b")), MALFORMED),
    row("CR in another field", always(redirect("/a", "X: a\rb\r\n")), MALFORMED),
    row("a folded Location", always(redirect("/a\r\n b")), "loop"),
    row("a line without a colon", always(redirect("/a", "nonsense\r\n")), MALFORMED),
    row("a space before the colon", always(redirect("/a", "X : y\r\n")), "loop", MALFORMED),
    row("10,000 fields", always(redirect("/a", "X: y\r\n" * 10_000)), MALFORMED, "too-large"),
    row("a field of 90 kB", always(redirect("/a", f"X: {'y' * 90_000}\r\n")), "too-large"),
    row("a field of 10 MB", always(redirect("/a", f"X: {'y' * 10_000_000}\r\n")), MALFORMED, "too-large"),
    row("a head without end", on(b"HTTP/1.1 307 T\r\n", b"X: y\r\n" * 1000), MALFORMED, "too-large"),
    row("a line without end", on(b"HTTP/1.1 307 T\r\nX: ", b"y" * 10_000), MALFORMED, "too-large"),
    row("a status line without end", on(b"HTTP/1.1 307 ", b"y" * 10_000), MALFORMED, "too-large"),
    row("empty lines without end", on(b"", b"\r\n" * 10_000), MALFORMED, "too-large"),
    row(
        "interim answers without end",
        on(b"", b"HTTP/1.1 103 E\r\nLink: </a>\r\n\r\n" * 100),
        "too-large",
        MALFORMED,
    ),
    row("100 Continue without end", on(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "too-large", MALFORMED),
    row("a status of 99999", once(b"HTTP/1.1 99999 Go\r\n\r\n"), MALFORMED),
    row("a status of 000", once(b"HTTP/1.1 000 Go\r\n\r\n"), MALFORMED),
    row("a status of 999", once(b"HTTP/1.1 999 Go\r\n\r\n"), "arrived", MALFORMED),
    row("a status of -1", once(b"HTTP/1.1 -1 Go\r\n\r\n"), MALFORMED),
    row("HTTP/9.9", once(b"HTTP/9.9 307 Go\r\nLocation: /a\r\n\r\n"), MALFORMED),
    row("HTTP/0.9", once(b"<html>hello</html>"), MALFORMED),
    row("another protocol", once(b"SSH-2.0-OpenSSH_9.6\r\n"), MALFORMED),
    row("octets at random", once(RANDOM), MALFORMED),
    row("octets of TLS", once(b"\x15\x03\x01\x00\x02\x02\x46"), MALFORMED),
    row("an answer before the request", saying_at_once(redirect("/x")), "loop", "timeout", "protocol"),
    row(
        "an upgrade nobody asked for",
        once(b"HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n" + RANDOM),
        "arrived",
        MALFORMED,
    ),
)

CONTENTS = (
    row(
        "a gzip bomb",
        always(redirect("/x", "Content-Encoding: gzip\r\n", f"Content-Length: {len(BOMB)}\r\n") + BOMB),
        "loop",
    ),
    row(
        "a bomb in the transfer coding",
        once(redirect("/x", content="Transfer-Encoding: gzip\r\n") + BOMB),
        MALFORMED,
    ),
    row("content without end", on(redirect("/x", content=""), b"y" * 100_000), "loop"),
    row("content without end at 200", on(f"{OK}\r\n".encode(), b"y" * 100_000), "arrived"),
    row("a length too long", once(redirect("/x", content="Content-Length: 1000\r\n") + b"short"), "loop"),
    row("a length too short", once(redirect("/x", content="Content-Length: 2\r\n") + b"much longer"), "loop"),
    row(
        "a length of 2^70",
        once(redirect("/x", content=f"Content-Length: {2**70}\r\n")),
        "loop",
        MALFORMED,
        "too-large",
    ),
    row("a length below 0", once(redirect("/x", content="Content-Length: -5\r\n")), MALFORMED),
    row("two lengths", once(redirect("/x", content="Content-Length: 1\r\nContent-Length: 2\r\n")), MALFORMED),
    row(
        "a length and chunks",
        once(redirect("/x", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n"),
        "loop",
        MALFORMED,
    ),
    row("a chunk of no size", once(CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n"), "loop"),
    row("a chunk below 0", once(CHUNKED + b"-1\r\nhello\r\n0\r\n\r\n"), "loop"),
    row("a chunk of 2^100", once(CHUNKED + b"f" * 25 + b"\r\nhello\r\n0\r\n\r\n"), "loop"),
    row("a chunk without its end", once(CHUNKED + b"5\r\nhelloworld\r\n0\r\n\r\n"), "loop"),
    row("a chunk extension without end", on(CHUNKED + b"5;", b"y" * 10_000), "loop", slow=True),
    row("chunks without end", on(CHUNKED, b"1\r\ny\r\n" * 1000), "loop"),
    row("trailers without end", on(CHUNKED + b"0\r\n", b"X: y\r\n" * 1000), "loop"),
    row("a trailer that is a Location", once(CHUNKED + b"0\r\nLocation: /other\r\n\r\n"), "loop"),
    row("a trailer with NUL", once(CHUNKED + b"0\r\nX: a\0b\r\n\r\n"), "loop"),
    row("chunks that break off", once(CHUNKED + b"5\r\nhe"), "loop"),
    row(
        "a reset within content",
        reset_after(redirect("/x", content="Content-Length: 50\r\n") + b"he"),
        "loop",
        "protocol",
    ),
)

SLOW = (
    row("silence", silent, "timeout"),
    row("nobody reads", deaf, "timeout"),
    row("a head that drips", slowly(b"", redirect("/" + "b" * 1000)), "timeout"),
    row("a field that drips without end", slowly(b"HTTP/1.1 307 T\r\nX: ", b"y" * 10_000), "timeout"),
    row(
        "a broken head that drips",
        slowly(redirect("/a", "X: a\0b\r\n")[:-2], b"X: y\r\n" * 1000),
        MALFORMED,
        "timeout",
    ),
    row(
        "content that drips",
        slowly(redirect("/x", content="Content-Length: 9999\r\n"), b"y" * 9999),
        "loop",
        slow=True,
    ),
    row("chunks that drip", slowly(CHUNKED, b"1\r\ny\r\n" * 1000), "loop", slow=True),
    row("trailers that drip", slowly(CHUNKED + b"0\r\n", b"X: y\r\n" * 1000), "loop", slow=True),
    row("interim answers that drip", slowly(b"", b"HTTP/1.1 103 E\r\n\r\n" * 1000), "timeout"),
)

CONNECTIONS = (
    row("a close at once", lambda peer: None, "protocol"),
    row("a close after the request", lambda peer: peer.head() and None, "protocol"),
    row("a reset at once", reset, "protocol", "connect"),
    row("a reset after the request", reset_after(b""), "protocol"),
    row("a reset within the head", reset_after(b"HTTP/1.1 307 T\r\nLoc"), "protocol"),
)

SCHEMES = (
    "file:///etc/passwd",
    "FILE:/etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:25/_x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "blob:http://127.0.0.1/1",
    "ws://127.0.0.1/",
    "ldap://127.0.0.1/",
    "dict://127.0.0.1:11211/stats",
    "smb://127.0.0.1/share",
    "scp://127.0.0.1/x",
    "telnet://127.0.0.1/",
    "unix:/var/run/docker.sock",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "httpunix:///var/run/docker.sock",
    "fi\tle:///etc/passwd",
    " file:///etc/passwd",
)
NO_HOSTS = (
    "http://%2Fvar%2Frun%2Fdocker.sock/",
    "http:///",
    "http://",
    "http://a b/",
    "http://[::1%25lo]/",
    "http://[fe80::a9fe:a9fe%25eth0]/",
    "http://[::1.2.3]/",
    "http://256.256.256.256/",
)
METADATA = (
    "http://169.254.169.254/latest/meta-data/",
    "//169.254.169.254/",
    "\\\\169.254.169.254/",
    "http:\\\\169.254.169.254\\",
    "http://user:pw@169.254.169.254/",
    "http://127.0.0.1@169.254.169.254/",
    "http://2852039166/",  # decimal
    "http://0xa9fea9fe/",  # hexadecimal
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",  # octal
    "http://025177524776/",
    "http://0251.254.0xa9fe/",  # all at once
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://169.254.169.254./",
    "http://%31%36%39.254.169.254/",
    "http://１６９。２５４。１６９。２５４/",
    "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
    "ht\ttp://169.254.1\t69.254/",
    "http://[::ffff:169.254.169.254]/",  # mapped
    "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "http://[::ffff:0:a9fe:a9fe]/",  # translated
    "http://[::a9fe:a9fe]/",  # compatible
    "http://[64:ff9b::a9fe:a9fe]/",  # NAT64
    "http://[64:ff9b:1::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",  # 6to4
    "http://[2002:a9fe:a9fe:1::1]/",
    "http://[2001:0:5db8:d822::5601:5601]/",  # Teredo: the client, its bits flipped
    "http://[2001:0:a9fe:a9fe::a247:27dd]/",  # Teredo: the server
    "http://[fd00:ec2::254]/",
    "http://[fe80::a9fe:a9fe]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://169.254.170.2/",
    "https://169.254.169.254/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://metadata/",
    "http://metadata.goog/",
    "http://instance-data/",
    "http://instance-data.ec2.internal/",
    "http://metadata.tencentyun.com/",
    "http://metadata.packet.net/",
    "http://rancher-metadata/",
)


def _location(url: str) -> Talk:
    return always(redirect(url.encode().decode("latin-1")))


WAYS = (
    *(row(f"Location {url!a}", _location(url), "refused-scheme", "bad-location") for url in SCHEMES),
    *(row(f"Location {url!a}", _location(url), "bad-location", "loop") for url in NO_HOSTS),
    row("a Unix socket as a host", _location("http://unix:/var/run/docker.sock:/info"), "refused-address"),
    *(row(f"Location {url!a}", _location(url), "refused-address") for url in METADATA),
)

TLS = (
    row("octets at random for TLS", saying_at_once(RANDOM), "tls", door="raw"),
    row("HTTP for TLS", saying_at_once(redirect("/x")), "tls", door="raw"),
    row("an alert for TLS", saying_at_once(b"\x15\x03\x03\x00\x02\x02\x28"), "tls", door="raw"),
    row(
        "a record of 65,535 octets",
        saying_at_once(b"\x16\x03\x03\xff\xff" + RANDOM[:65_535]),
        "tls",
        door="raw",
    ),
    row("empty records without end", on(b"", b"\x16\x03\x03\x00\x00" * 1000), "tls", "timeout", door="raw"),
    row("alerts without end", on(b"", b"\x15\x03\x03\x00\x02\x01\x5a" * 1000), "tls", "timeout", door="raw"),
    row("silence for TLS", deaf, "timeout", door="raw"),
    row(
        "a handshake that drips",
        slowly(b"", b"\x16\x03\x03\x40\x00" + RANDOM[:10_000]),
        "timeout",
        "tls",
        door="raw",
    ),
    row("a close for TLS", lambda peer: None, "tls", "protocol", door="raw"),
    row("a reset for TLS", reset, "tls", "protocol", "connect", door="raw"),
    row(
        "a doubled Location over TLS",
        always(redirect("/a", "Location: /b\r\n")),
        "many-locations",
        door="https",
    ),
    row(
        "a head without end over TLS",
        on(b"HTTP/1.1 307 T\r\n", b"X: y\r\n" * 1000),
        MALFORMED,
        "too-large",
        door="https",
    ),
    row("silence within TLS", silent, "timeout", door="https"),
    row(
        "a close within TLS without its notice",
        reset_after(b"HTTP/1.1 307 T\r\nLo"),
        "protocol",
        "tls",
        door="https",
    ),
)

HTTP2 = tuple(row(name, talk, *ends, door="h2") for name, (talk, ends) in frames.HOSTILE.items())

HOSTILE = (*CHAINS, *HEADS, *CONTENTS, *SLOW, *CONNECTIONS, *WAYS, *TLS, *HTTP2)
