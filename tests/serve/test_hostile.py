"""What a server on the open network meets: the right status, no traceback, no growth, no dead worker.

Every server here is `unharmed` in the end: see there for what that means.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import trustme

from detour.serve.listener import TURNED_AWAY
from tests.serve.fake_transport import RULES, request
from tests.serve.hostile_clients import (
    FLAT,
    Target,
    crowd,
    fill,
    flood,
    many,
    read_all,
    reset,
    statuses,
    unharmed,
    wait_readable,
)
from tests.serve.running_server import PATIENCE, RunningServer, eventually, exchange, rule
from tests.serve.test_protocol import GET, INNER, POST, REFUSALS
from tests.serve.test_protocol_pieces import SHORT

MIB = 2**20
LOCATION = "https://api.example.com/v2/resource"
CHUNK_SIZES = ("-5", "0x5", "zz", "", " 5", "5 5", "ffffffffffffffffff", "5;a=\0", "5\n", "\xb2")
BAD_CHUNKS = {
    f"chunk size {size!r}": (
        [307],
        request(
            "POST /old/x HTTP/1.1",
            "Transfer-Encoding: chunked",
            content=f"{size}\r\nhello\r\n0\r\n\r\n".encode("latin-1") + GET,
        ),
    )
    for size in CHUNK_SIZES
}
CHUNKED = "Transfer-Encoding: chunked"
# Beside the refusals of the protocol's own tests: heads that are odd, and all that is answered to them.
ODDITIES: dict[str, tuple[list[int], bytes]] = {
    "length beside chunked": ([400], request("POST / HTTP/1.1", "Content-Length: 5", CHUNKED) + GET),
    "two lengths": ([400], request("POST / HTTP/1.1", "Content-Length: 5", "Content-Length: 6") + GET),
    "a negative length": ([400], request("POST / HTTP/1.1", "Content-Length: -5") + GET),
    "a length beyond 64 bits": ([400], request("POST / HTTP/1.1", f"Content-Length: {2**70}") + GET),
    "a length of 2**63": ([307], request("POST /old/x HTTP/1.1", f"Content-Length: {2**63}") + GET),
    "a coding that is not chunked": ([400], request("POST / HTTP/1.1", "Transfer-Encoding: gzip") + GET),
    "OPTIONS *": ([204], request("OPTIONS * HTTP/1.1")),
    "absolute-form": ([307], request("GET http://api.example.com/v1/resource HTTP/1.1", host="b.example")),
    "absolute-form of another scheme": ([421], request("GET https://api.example.com/ HTTP/1.1") + GET),
    "an Upgrade whose content is a request": (
        [307],
        request(
            "POST /old/x HTTP/1.1",
            "Upgrade: h2c",
            "Connection: Upgrade",
            f"Content-Length: {len(INNER)}",
            content=INNER,
        ),
    ),
    **BAD_CHUNKS,
}
EXPECTED = {name: ([status], octets + GET) for name, (status, octets) in REFUSALS.items()} | ODDITIES
CUT = {**SHORT, **{name: octets for name, (_, octets) in ODDITIES.items()}}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server for all tests that need no settings of their own; TLS on its second listener."""
    folder = tmp_path_factory.mktemp("hostile")
    cert = folder / "server.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(cert))
    listen = ["http://127.0.0.1:0", "https://127.0.0.1:0"]
    server = {"workers": 2}
    with unharmed(folder, listen=listen, listener={"cert": [str(cert)]}, server=server) as started:
        yield started


# -- statuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPECTED)
def test_an_odd_request_gets_exactly_the_answers_it_deserves(target: Target, name: str) -> None:
    expected, octets = EXPECTED[name]
    (answer,) = target.talk([octets])
    assert statuses(answer) == expected
    assert b"\r\nConnection: close\r\n" in answer or not octets.endswith(GET)


def test_a_request_cut_at_any_octet_is_answered_as_if_it_were_whole(target: Target) -> None:
    whole = dict(zip(CUT, target.talk(*([octets] for octets in CUT.values())), strict=True))
    cuts = [(name, at) for name, octets in CUT.items() for at in range(1, len(octets))]
    answers = target.talk(*((CUT[name][:at], CUT[name][at:]) for name, at in cuts))
    differing = [cut for cut, answer in zip(cuts, answers, strict=True) if answer != whole[cut[0]]]
    assert differing == []


def test_a_request_octet_by_octet_is_answered_as_if_it_were_whole(target: Target) -> None:
    whole = target.talk(*([octets] for octets in CUT.values()))
    assert target.talk(*([bytes([octet]) for octet in octets] for octets in CUT.values())) == whole


@pytest.mark.parametrize(
    ("start", "piece", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nX: ", b"x" * 65536, 431),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n", b"X: y\r\n" * 10_923, 431),
        (b"GET / HTTP/1.1\r\n", b"x" * 65536, 431),
        (b"GET /", b"x" * 65536, 414),
        (b"", b"\r\n" * 32768, 431),
        (b"", b"X" * 65536, 501),
        (b"", b"\0" * 65536, 400),
    ],
    ids=["a value", "fields", "a name", "a target", "empty lines", "a method", "nothing"],
)
def test_a_head_of_64_mib_is_refused_and_costs_no_memory(
    target: Target, start: bytes, piece: bytes, status: int
) -> None:
    before, growth = target.rss(), 0
    with target.connect() as client:
        if start:
            client.sendall(start)
        for _ in range(64):
            for _ in range(16):
                client.sendall(piece)
            growth = max(growth, target.growth(before))
        client.shutdown(socket.SHUT_WR)
        assert statuses(read_all(client)) == [status]
    assert growth < FLAT


def test_content_of_64_mib_is_dropped_and_costs_no_memory(target: Target) -> None:
    before, growth = target.rss(), 0
    with target.connect() as client:
        client.sendall(request("POST /v1/resource HTTP/1.1", f"Content-Length: {64 * MIB}"))
        for _ in range(64):
            client.sendall(b"x" * MIB)
            growth = max(growth, target.growth(before))
        assert statuses(read_all(client)) == [307]
    assert growth < FLAT


def test_tls_on_the_plain_port_is_400_and_says_so(target: Target) -> None:
    with target.connect() as client:
        hello = ssl.MemoryBIO()
        speaking = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="a.example")
        with pytest.raises(ssl.SSLWantReadError):
            speaking.do_handshake()
        client.sendall(hello.read())
        answer = client.recv(65536)
    assert statuses(answer) == [400]
    assert b"TLS" in answer


# -- clients that go away -----------------------------------------------------------------------------


def _go_away_at_each_stage(
    client: Callable[[], socket.socket], leave: Callable[[socket.socket], None]
) -> None:
    """Leave before, in and behind a head, with the answer unread, in content, after a refusal, when full."""
    for octets, answered in (
        (b"", False),
        (GET[:10], False),
        (GET[:-1], False),
        (GET, True),
        (GET * 20 + GET[:10], True),
        (request("POST /old/x HTTP/1.1", "Content-Length: 1000") + b"x", True),
        (request("POST /old/x HTTP/1.1", CHUNKED) + b"5\r\nhel", True),
        (b"\0", True),
    ):
        leaving = client()
        leaving.sendall(octets)
        if answered:
            wait_readable(leaving)
        leave(leaving)
        at_once = client()
        at_once.sendall(octets)
        leave(at_once)


def test_clients_that_reset_at_any_stage_harm_nobody(target: Target) -> None:
    with target.connect() as other:
        for _ in range(20):
            _go_away_at_each_stage(target.connect, reset)
            assert exchange(other, "/v1/resource", "POST") == (307, LOCATION)
        full = target.connect()
        (sent,) = fill([full], GET * 50)
        assert sent > 0
        reset(full)
        assert exchange(other, "/v1/resource") == (307, LOCATION)
    target.settles()


def test_clients_that_close_at_any_stage_harm_nobody(target: Target) -> None:
    with target.connect() as other:
        for _ in range(20):
            _go_away_at_each_stage(target.connect, socket.socket.close)
            assert exchange(other, "/v1/resource", "POST") == (307, LOCATION)
    target.settles()


@pytest.mark.parametrize(
    ("octets", "answers"),
    [
        (b"", []),
        (b"\r\n", []),
        (GET[:10], []),
        (GET[:-1], []),
        (GET, [307]),
        (GET + GET[:-1], [307]),
        (POST * 3, [307] * 3),
        (request("POST /old/x HTTP/1.1", "Content-Length: 9", content=b"x"), [307]),
        (request("POST /old/x HTTP/1.1", CHUNKED, content=b"5\r\nhel"), [307]),
        (b"\0", [400]),
    ],
)
def test_a_client_that_has_said_all_gets_what_it_asked_for_and_the_end(
    target: Target, octets: bytes, answers: list[int]
) -> None:
    (answer,) = target.talk([octets])
    assert statuses(answer) == answers


def _storm(target: Target, number: int, octets: bytes, leave: Callable[[socket.socket], None]) -> None:
    """Open so many connections, then send `octets` on each, then leave them all at once."""
    with crowd(target, number) as clients:
        for client in clients:
            client.sendall(octets)
        for client in clients:
            leave(client)
    assert target.server.ask("/v1/resource") == (307, LOCATION)
    target.settles()


def test_5000_connections_opened_and_closed_at_once_leave_nothing(tmp_path: Path) -> None:
    number = many(5000)
    with unharmed(tmp_path) as target:
        _storm(target, number, b"", socket.socket.close)
        descriptors = [worker.num_fds() for worker in target.workers]
        before = target.rss()
        for leave in (socket.socket.close, reset):
            for octets in (b"", GET, GET[:10]):
                _storm(target, number, octets, leave)
        assert [worker.num_fds() for worker in target.workers] == descriptors
        assert target.growth(before) < FLAT


def test_clients_that_fail_in_a_tls_handshake_harm_nobody(target: Target) -> None:
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(range(200))
    for _ in range(20):
        for octets in (
            b"",
            b"\x16",
            hello[:50],
            hello,
            GET,
            b"\0" * 10_000,
            b"\x16\x03\x01\xff\xff" + b"x" * 99,
        ):
            for leave in (socket.socket.close, reset):
                client = target.connect(1)
                client.sendall(octets)
                leave(client)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(target.connect(1)) as client:
        assert exchange(client, "/v1/resource") == (307, LOCATION)
    target.settles()


# -- clients that take their time ---------------------------------------------------------------------


def _slowest(connection: socket.socket, requests: int) -> float:
    """Seconds that the slowest of so many requests took."""
    slowest = 0.0
    for _ in range(requests):
        began = time.monotonic()
        assert exchange(connection, "/v1/resource", "POST") == (307, LOCATION)
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def test_clients_that_never_read_cost_little_are_cut_and_delay_nobody(tmp_path: Path) -> None:
    listener = {"idle_timeout": 2}
    with unharmed(tmp_path, listener=listener) as target, crowd(target, 20) as silent:
        sent = fill(silent, GET * 100)
        assert min(sent) > 1000 * len(GET), "listened to until they should have read"
        assert max(sent) < 64 * MIB, "and no longer"
        eventually(lambda: target.cpu(0.1) < 0.02, "an end of answers nobody reads")
        with target.connect() as other:
            assert _slowest(other, 100) < PATIENCE
        assert target.growth() < FLAT
        target.settles()  # they have not closed


def test_the_system_keeps_no_answers_for_a_client_that_was_cut(tmp_path: Path) -> None:
    rules = tmp_path / "detours.toml"
    rules.write_text(rule("long", "/", "https://a.example/" + "x" * 4000))
    options = {"listener": {"idle_timeout": 1}, "server": {"workers": 1}}
    with RunningServer(rules, tmp_path, **options) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.address)
        (worker,) = server.workers()
        worker.suspend()  # so that it reads all at once: with requests unread any close is a reset
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)  # 8 MB of answers
        worker.resume()
        wait_readable(client)
        eventually(lambda: server.stats()["connections"]["open"] == 0, "it is cut")
        own, theirs = server.address[1], client.getsockname()[1]
        seen = psutil.net_connections("tcp")
        assert [s.status for s in seen if s.laddr.port == own and s.raddr and s.raddr.port == theirs] == []


def test_others_are_answered_while_a_flood_of_pipelined_requests_goes_on(tmp_path: Path) -> None:
    with (
        unharmed(tmp_path, server={"workers": 1}) as target,
        crowd(target, 30) as clients,
        target.connect() as other,
        flood(clients, GET * 100) as read,
    ):
        eventually(lambda: read() > 0, "the flood is answered")
        before = read()
        assert _slowest(other, 20) < PATIENCE
        eventually(lambda: read() > before, "and still is")


def test_clients_that_begin_no_tls_handshake_are_cut_at_the_head_timeout(tmp_path: Path) -> None:
    cert = tmp_path / "server.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(cert))
    listen = ["http://127.0.0.1:0", "https://127.0.0.1:0"]
    listener = {"cert": [str(cert)], "head_timeout": 1}
    with unharmed(tmp_path, listen=listen, listener=listener, server={"workers": 1}) as target:
        before = target.workers[0].num_fds()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(target.connect(1)) for _ in range(50)]
            assert [read_all(client) for client in clients] == [b""] * 50
            eventually(lambda: target.workers[0].num_fds() == before, "no descriptor of theirs")


def test_slow_heads_are_408_and_delay_nobody(tmp_path: Path) -> None:
    with unharmed(tmp_path, listener={"head_timeout": 1}) as target, crowd(target, 200) as slow:
        for octet in GET[:15]:
            for client in slow:
                client.sendall(bytes([octet]))
            assert target.server.ask("/v1/resource", "POST") == (307, LOCATION)
            time.sleep(0.1)
        for client in slow:
            client.shutdown(socket.SHUT_WR)
        assert Counter(tuple(statuses(read_all(client))) for client in slow) == {(408,): 200}


# -- no descriptors left ------------------------------------------------------------------------------

needs_limits = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="prlimit(2) is Linux's")
LIMIT = 256
FIT = LIMIT - 128 - TURNED_AWAY  # what a worker admits when it may open so many files


@needs_limits
def test_beyond_its_descriptors_clients_are_turned_away_and_the_admitted_go_on(tmp_path: Path) -> None:
    with unharmed(tmp_path, descriptors=LIMIT, server={"workers": 1}) as target:
        with crowd(target, 3 * LIMIT) as clients:
            admitted, refused = clients[:FIT], clients[FIT:]
            # No more linger than are budgeted for: there are descriptors left to take new rules.
            eventually(lambda: target.workers[0].num_fds() < FIT + TURNED_AWAY + 64, "descriptors to spare")
            assert target.cpu(0.5) < 0.1, "a busy loop"
            for client in admitted:
                assert exchange(client, "/v1/resource") == (307, LOCATION)
            seen = Counter(tuple(statuses(read_all(client))) for client in refused)
            assert seen[(503,)] > 0
            assert set(seen) <= {(503,), ()}, "said so, or cut at once; nobody waits"
        target.settles()
        assert target.server.ask("/v1/resource") == (307, LOCATION)


@needs_limits
def test_with_clients_beyond_its_descriptors_a_reload_harms_nobody(tmp_path: Path) -> None:
    with unharmed(tmp_path, descriptors=LIMIT, server={"workers": 1}) as target:
        with crowd(target, 3 * LIMIT) as clients:
            _change_rules(tmp_path)
            target.server.wait_for("reloaded")
            assert exchange(clients[0], "/v1/resource") == (307, LOCATION.replace("v2", "v3"))
        target.settles()
        assert target.server.ask("/v1/resource") == (307, LOCATION.replace("v2", "v3"))


@needs_limits
def test_without_any_descriptor_the_old_rules_stay_until_the_new_ones_can_be_taken(tmp_path: Path) -> None:
    cert = tmp_path / "server.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(cert))
    options = {
        "listen": ["http://127.0.0.1:0", "https://127.0.0.1:0"],
        "listener": {"cert": [str(cert)], "head_timeout": 60},
        "server": {"workers": 1},
    }
    # The allocator keeps what that many handshakes needed at once.
    with unharmed(tmp_path, descriptors=2 * LIMIT, growth=64 * MIB, **options) as target:
        with target.connect() as other:
            assert exchange(other, "/v1/resource") == (307, LOCATION)
            # Handshakes that never begin are the one thing that is not counted against a limit.
            with contextlib.ExitStack() as stack:
                for _ in range(3 * LIMIT):
                    stack.enter_context(target.connect(1))
                eventually(lambda: target.workers[0].num_fds() == 2 * LIMIT, "a worker without descriptors")
                _change_rules(tmp_path)
                target.server.wait_for("has no descriptor free to take the new rules, and keeps the old ones")
                assert exchange(other, "/v1/resource") == (307, LOCATION)
                assert target.cpu(0.5) < 0.1, "a busy loop"
            target.server.wait_for("reloaded: ")
            assert exchange(other, "/v1/resource") == (307, LOCATION.replace("v2", "v3"))
        assert target.server.log.count("has no descriptor free") == 1


def _change_rules(folder: Path) -> None:
    fresh = folder / "fresh"
    fresh.write_text(RULES.replace("v2/resource", "v3/resource"))
    fresh.rename(folder / "detours.toml")
