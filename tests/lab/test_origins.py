"""What origins answer, in which manner, and what they record: raw sockets on both sides."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from detour.errors import LabError
from detour.lab.case import (
    NEXT,
    Answer,
    AnswerKind,
    Arrival,
    Asked,
    Case,
    ContentKind,
    Expected,
    Manner,
    Origin,
    Outcome,
    Stop,
)
from detour.lab.contents import BOMB, CONTENTS, LARGE_ANSWER, numbered
from detour.lab.recording import Recording
from detour.lab.stage import Stage, open_stage

MIB = 1 << 20
SAID = Outcome("answered", 200)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage(()) as opened:
        yield opened


def case(*script: Answer, method: str = "POST", kind: ContentKind = "json", **more: object) -> Case:
    """A case with that script; what is expected of it is not asked here."""
    asked = Asked(method, CONTENTS[kind])
    expected = Expected(((Stop("{a}" + NEXT),),))
    return Case("test/case", "", "test", "", asked, script, expected, **more)  # type: ignore[arg-type]


def redirect(manner: Manner = "drain", **more: object) -> Answer:
    return Answer(307, ("{a}" + NEXT,), manner=manner, **more)  # type: ignore[arg-type]


def begun(stage: Stage, *script: Answer, **more: object) -> Recording:
    return stage.recordings.begin(case(*script, **more))  # type: ignore[arg-type]


class Peer:
    """A client that sends what it is told and reads what comes."""

    def __init__(self, stage: Stage, origin: Origin = "a") -> None:
        parts = urlsplit(stage.origins.bases[origin])
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 0), 5)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=stage.authority.certificate)
            self.socket = context.wrap_socket(self.socket, server_hostname=parts.hostname)
        self._read = self.socket.makefile("rb")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._read.close()
        self.socket.close()

    def say(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and fields of the next answer."""
        first = self._read.readline().decode("latin-1")
        return int(first.split()[1]), dict(http.client.parse_headers(self._read).items())

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer, its content too."""
        status, fields = self.head()
        return status, fields, self._read.read(int(fields.get("Content-Length", 0)))

    def line(self) -> bytes:
        """The next line."""
        return self._read.readline()

    def ended(self) -> bool:
        """Whether the origin sends nothing more, and has said so."""
        return self._read.read(1) == b""


def request(
    recording: Recording, content: bytes = b"", *fields: str, station: int = 0, method: str = "POST"
) -> bytes:
    """A request to a station of a run."""
    target = f"/{recording.token}/{station}/{'here' if station else 'start'}"
    framing = () if any("hunked" in one for one in fields) else (f"Content-Length: {len(content)}",)
    lines = (f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *framing, *fields)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def arrivals(recording: Recording) -> tuple[Arrival, ...]:
    recording.settle(5)
    return recording.record(SAID).arrivals


def test_what_arrives_is_recorded_octet_by_octet(stage: Stage) -> None:
    recording = begun(stage, redirect())
    sent = request(recording, b"\x00\xff\r\n\r\n", "X-Api-Key:  one", "x-api-KEY: café")
    with Peer(stage) as peer:
        peer.say(sent)
        status, fields, _ = peer.answer()
    (arrival,) = arrivals(recording)
    assert (status, fields["Location"]) == (307, f"{stage.origins.bases['a']}/{recording.token}/1/here")
    assert arrival.head + arrival.content == sent
    assert (arrival.method, arrival.origin, arrival.station, arrival.complete) == ("POST", "a", 0, True)
    assert arrival.values("x-api-key") == ("one", "café".encode().decode("latin-1"))


def test_a_connection_is_kept_and_after_the_script_everything_has_arrived(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        peer.say(request(recording, b"one") + request(recording, b"two", station=1))
        assert peer.answer()[0] == 307
        status, _, content = peer.answer()
    assert (status, content) == (200, b"arrived\n")
    assert [(one.station, one.content) for one in arrivals(recording)] == [(0, b"one"), (1, b"two")]


def test_a_client_that_says_close_is_left(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        peer.say(request(recording, b"", "Connection: close"))
        assert peer.answer()[1]["Connection"] == "close"
        assert peer.ended()


@pytest.mark.parametrize("origin", ["a", "p", "b", "s", "t"])
def test_every_origin_plays_and_says_who_it_is(stage: Stage, origin: Origin) -> None:
    recording = begun(stage, redirect())
    with Peer(stage, origin) as peer:
        peer.say(request(recording, b"content"))
        assert peer.answer()[0] == 307
    assert [(one.origin, one.content) for one in arrivals(recording)] == [(origin, b"content")]


def test_origins_are_where_their_letters_say(stage: Stage) -> None:
    bases = {letter: urlsplit(base) for letter, base in stage.origins.bases.items()}
    assert [(one.scheme, one.hostname) for one in bases.values()] == [
        ("http", "127.0.0.1"),
        ("http", "127.0.0.1"),
        ("http", "127.0.0.2"),
        ("https", "127.0.0.1"),
        ("https", "127.0.0.2"),
        ("ftp", "127.0.0.1"),
    ]
    assert len({one.port for one in bases.values()}) == 6


def test_who_goes_to_the_place_of_a_location_over_ftp_is_noted_and_gets_nothing(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage, "f") as peer:
        said = [peer.line()]
        for told in ("USER anonymous", f"CWD {recording.token}", "CWD 1", "EPSV", "RETR here", "QUIT"):
            peer.say(f"{told}\r\n".encode())
            said.append(peer.line())
        assert peer.ended()
    assert [line[:3] for line in said] == [b"220", b"331", b"250", b"250", b"502", b"550", b"221"]
    (arrived,) = arrivals(recording)
    assert (arrived.origin, arrived.station, arrived.target) == ("f", 1, f"/{recording.token}/1")
    assert arrived.head == b"CWD 1\r\n"


def test_a_client_that_trusts_nobody_gets_no_further(stage: Stage) -> None:
    parts = urlsplit(stage.origins.bases["s"])
    with socket.create_connection((parts.hostname or "", parts.port or 0), 5) as plain:
        context = ssl.create_default_context()
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname=parts.hostname)


def test_content_of_ten_mebibytes_arrives_whole_from_many_clients_at_once(stage: Stage) -> None:
    recordings = [begun(stage, redirect()) for _ in range(8)]
    octets = numbered(10 * MIB)

    def send(recording: Recording, origin: Origin) -> None:
        with Peer(stage, origin) as peer:
            peer.say(request(recording, octets))
            assert peer.answer()[0] == 307

    threads = [
        threading.Thread(target=send, args=(recording, "s" if number % 2 else "b"))
        for number, recording in enumerate(recordings)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all([one.content for one in arrivals(recording)] == [octets] for recording in recordings)


def test_100_is_sent_to_who_waits_for_it(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        peer.say(request(recording, b"content", "Expect: 100-continue").removesuffix(b"content"))
        assert peer.head() == (100, {})
        peer.say(b"content")
        assert peer.answer()[0] == 307
    assert [one.content for one in arrivals(recording)] == [b"content"]


def test_100_is_not_sent_when_the_content_is_there_already(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        peer.say(request(recording, b"content", "Expect: 100-continue"))
        assert peer.answer()[0] == 307


def test_a_silent_origin_sends_no_100_and_waits(stage: Stage) -> None:
    recording = begun(stage, redirect("silent"))
    with Peer(stage) as peer:
        peer.say(request(recording, b"content", "Expect: 100-continue").removesuffix(b"content"))
        peer.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.socket.recv(1)
        peer.socket.settimeout(5)
        peer.say(b"content")
        assert peer.answer()[0] == 307


def test_early_drain_answers_first_and_keeps_the_connection(stage: Stage) -> None:
    recording = begun(stage, redirect("early-drain"))
    with Peer(stage) as peer:
        sent = request(recording, b"content")
        peer.say(sent.removesuffix(b"content"))
        assert peer.answer()[0] == 307
        peer.say(b"content" + request(recording, b"again", station=1))
        assert peer.answer()[0] == 200
    assert [(one.content, one.complete) for one in arrivals(recording)] == [
        (b"content", True),
        (b"again", True),
    ]


def test_early_linger_answers_first_and_reads_to_the_end(stage: Stage) -> None:
    recording = begun(stage, redirect("early-linger"))
    octets = numbered(4 * MIB)
    with Peer(stage) as peer:
        peer.say(request(recording, octets).removesuffix(octets))
        status, fields, _ = peer.answer()
        assert (status, fields["Connection"]) == (307, "close")
        assert peer.ended()
        peer.say(octets)  # no reset: everything is taken
        peer.socket.shutdown(socket.SHUT_WR)
    assert [(one.content, one.complete) for one in arrivals(recording)] == [(octets, True)]


def test_early_close_answers_and_reads_nothing(stage: Stage) -> None:
    recording = begun(stage, redirect("early-close"))
    with Peer(stage) as peer:
        peer.say(request(recording, bytes(MIB)).removesuffix(bytes(MIB)))
        status, fields, _ = peer.answer()
        assert (status, fields["Connection"]) == (307, "close")
        assert peer.ended()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            peer.say(bytes(100 * MIB))
    assert [(one.content, one.complete) for one in arrivals(recording)] == [(b"", False)]


def test_early_close_without_content_is_a_whole_request(stage: Stage) -> None:
    recording = begun(stage, redirect("early-close"), method="GET", kind="none")
    with Peer(stage) as peer:
        peer.say(request(recording, method="GET"))
        assert peer.answer()[0] == 307
        assert peer.ended()
    assert [one.complete for one in arrivals(recording)] == [True]


def test_content_that_breaks_off_is_kept_as_far_as_it_came(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        peer.say(request(recording, b"content")[:-3])
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.ended()
    assert [(one.content, one.complete) for one in arrivals(recording)] == [(b"cont", False)]


def test_content_that_is_reset_is_kept_as_far_as_it_came(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        peer.say(request(recording, bytes(MIB))[: -MIB // 2])
        while recording.arrived < MIB // 2:
            pass
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    ((length, complete),) = [(len(one.content), one.complete) for one in arrivals(recording)]
    assert (length, complete) == (MIB // 2, False)


def test_chunks_are_joined_and_nothing_else(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        peer.say(request(recording, b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", "Transfer-Encoding: chunked"))
        assert peer.answer()[0] == 307
    assert [(one.content, one.complete) for one in arrivals(recording)] == [(b"onetwo", True)]


def test_head_gets_the_length_and_no_content(stage: Stage) -> None:
    recording = begun(stage, Answer(307, ("{a}" + NEXT,), content="over there\n"))
    with Peer(stage) as peer:
        peer.say(request(recording, method="HEAD") + request(recording, station=1))
        assert peer.head()[1]["Content-Length"] == "11"
        assert peer.answer()[2] == b"arrived\n"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_content_has_no_length(stage: Stage, status: int) -> None:
    recording = begun(stage, Answer(status))
    with Peer(stage) as peer:
        peer.say(request(recording))
        found, fields = peer.head()
        assert (found, "Content-Length" in fields) == (status, False)


@pytest.mark.parametrize(
    ("kind", "least", "most"), [("large", LARGE_ANSWER, LARGE_ANSWER), ("gzip-bomb", 1024, BOMB // 100)]
)
def test_an_answer_may_have_much_content(stage: Stage, kind: AnswerKind, least: int, most: int) -> None:
    recording = begun(stage, redirect(content_kind=kind))
    with Peer(stage) as peer:
        peer.say(request(recording))
        assert least <= len(peer.answer()[2]) <= most


def test_locations_are_written_as_they_are_one_line_each(stage: Stage) -> None:
    recording = begun(stage, Answer(307, ("/caf\u00e9", "/two ")))
    with Peer(stage) as peer:
        peer.say(request(recording))
        octets = peer.socket.recv(65536)
    assert b"\r\nLocation: /caf\xc3\xa9\r\nLocation: /two \r\n" in octets


def test_a_script_looks_at_visits_and_cookies(stage: Stage) -> None:
    answer = Answer(307, ("{a}" + NEXT,), unless_cookie="seen=1", then=Answer(308, ("{a}" + NEXT,)))
    recording = begun(stage, answer)
    with Peer(stage) as peer:
        peer.say(request(recording) + request(recording) + request(recording, b"", "Cookie: a=b; seen=1"))
        assert [peer.answer()[0] for _ in range(3)] == [307, 308, 200]


PREFLIGHT = ("Origin: null", "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-a,x-b")


def test_a_preflight_is_granted_and_no_arrival(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        peer.say(request(recording, b"", *PREFLIGHT, method="OPTIONS"))
        status, fields = peer.head()
    assert status == 204
    assert fields["Access-Control-Allow-Methods"] == "PUT"
    assert fields["Access-Control-Allow-Headers"] == "x-a,x-b"
    assert (fields["Access-Control-Allow-Origin"], fields["Access-Control-Max-Age"]) == ("null", "0")
    assert arrivals(recording) == ()


def test_a_preflight_that_is_the_question_is_answered_as_the_case_says(stage: Stage) -> None:
    recording = begun(stage, redirect(), preflight=Answer(301, ("{b}" + NEXT,)))
    with Peer(stage) as peer:
        peer.say(request(recording, b"", *PREFLIGHT, method="OPTIONS"))
        assert peer.answer()[0] == 301
    assert [one.method for one in arrivals(recording)] == ["OPTIONS"]


def test_a_page_may_read_every_answer(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage, "b") as peer:
        peer.say(request(recording, b"", "Origin: http://127.0.0.1:1"))
        fields = peer.answer()[1]
    assert fields["Access-Control-Allow-Origin"] == "http://127.0.0.1:1"
    assert fields["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("target", ["/", "/favicon.ico", "/t0123456789abcde/0/start", "*"])
def test_nothing_is_played_at_a_target_of_no_run(stage: Stage, target: str) -> None:
    with Peer(stage) as peer:
        peer.say(f"POST {target} HTTP/1.1\r\nContent-Length: 2\r\n\r\nok".encode() * 2)
        assert [peer.answer()[0], peer.answer()[0]] == [404, 404]


def test_a_target_in_absolute_form_finds_its_run(stage: Stage) -> None:
    recording = begun(stage, redirect())
    with Peer(stage) as peer:
        target = f"GET http://127.0.0.1/{recording.token}/0/start HTTP/1.1\r\n\r\n"
        peer.say(target.encode())
        assert peer.answer()[0] == 307


def test_a_port_that_is_taken_is_refused_by_name(stage: Stage) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(LabError, match=f"127.0.0.1:{port}: cannot listen"),
            open_stage((), {"b": 0, "a": port}),
        ):
            pass


def test_a_closed_lab_leaves_nothing_open() -> None:
    with open_stage(()) as opened:
        peer = Peer(opened)
        peer.say(b"GET / HTTP/1.1\r\n\r\n")
        assert peer.answer()[0] == 404
        folder = opened.folder
    with peer:
        assert peer.ended()
    assert not folder.exists()
