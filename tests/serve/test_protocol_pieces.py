"""However the network cuts it, a stream gets the same answers; and no bytes at all break a connection."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.serve.fake_transport import Client, Rig, request
from tests.serve.test_protocol import GET, INNER, POST, REFUSALS

CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"
STREAMS: dict[str, bytes] = {
    "GET": GET,
    "POST": POST,
    "HEAD": request("HEAD /v1/resource HTTP/1.1"),
    "pipelined": GET + POST + request("DELETE /old/x HTTP/1.1") + POST + request("OPTIONS * HTTP/1.1"),
    "pipelined until a fault": POST + GET + request("FOO / HTTP/1.1") + GET,
    "pipelined until a close": GET + request("GET /gone HTTP/1.1", "Connection: close") + GET,
    "empty lines": b"\r\n\r\n" + GET + b"\r\n" + POST + b"\r\n" + GET,
    "HTTP/1.0": request("GET /v1/resource HTTP/1.0", host=None) + GET,
    "HTTP/1.0, kept": request("GET /v1/resource HTTP/1.0", "Connection: keep-alive") * 2,
    "Expect": request("POST /old/x HTTP/1.1", "Expect: 100-continue", "Content-Length: 5", content=b"hello")
    + GET,
    "chunked": request("POST /old/x HTTP/1.1", "Transfer-Encoding: chunked", content=CHUNKED) + GET,
    "bad chunk size": request("POST /old/x HTTP/1.1", "Transfer-Encoding: chunked", content=b"-5\r\nhello")
    + GET,
    "Upgrade": request("GET /old/x HTTP/1.1", "Upgrade: h2c", "Connection: Upgrade") + POST + GET,
    "Upgrade with content": request(
        "POST /old/x HTTP/1.1",
        "Upgrade: h2c",
        "Connection: Upgrade",
        f"Content-Length: {len(INNER)}",
        content=INNER,
    ),
    "preflight": request(
        "OPTIONS /cors HTTP/1.1", "Origin: https://a.b", "Access-Control-Request-Method: PUT"
    ),
    "absolute": request("GET http://shop.example.com/a?b HTTP/1.1")
    + request("GET https://a.example/ HTTP/1.1"),
    "forwarded": request("GET /a HTTP/1.1", "X-Forwarded-Proto: https", host="shop.example.com") + GET,
    "content that looks like an end": request(
        "POST /old/x HTTP/1.1", "Content-Length: 8", content=b"\r\n\r\n\r\n\r\n"
    )
    + GET,
}
SHORT = {**STREAMS, **{name: octets for name, (_, octets) in REFUSALS.items() if len(octets) < 2000}}
LONG = {name: octets for name, (_, octets) in REFUSALS.items() if len(octets) >= 2000}


def outcome(rig: Rig, *pieces: bytes) -> tuple[bytes, bool]:
    client = rig.client().send(*pieces)
    return client.octets, client.keeps


def bytewise(octets: bytes) -> list[bytes]:
    return [octets[at : at + 1] for at in range(len(octets))]


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("log", [False, True], ids=["short way", "long way"])
def test_a_stream_cut_anywhere_gets_the_same_answers(name: str, log: bool) -> None:
    rig = Rig(log=log)
    octets = SHORT[name]
    whole = outcome(rig, octets)
    assert outcome(rig, octets) == whole, "once more, now that it is remembered"
    assert outcome(rig, *bytewise(octets)) == whole
    for at in range(1, len(octets)):
        assert outcome(rig, octets[:at], octets[at:]) == whole, f"cut at {at}"


@pytest.mark.parametrize("name", SHORT)
def test_a_client_that_repeats_itself_is_answered_as_if_it_had_not(name: str) -> None:
    octets = SHORT[name]
    rig = Rig()
    assert outcome(rig, *[octets] * 4) == outcome(Rig(log=True), octets * 4)
    longer = [octets, octets, octets + b"GET", b" / HTTP/1.1\r\n\r\n"]
    assert outcome(rig, *longer) == outcome(Rig(log=True), b"".join(longer))


@pytest.mark.parametrize("name", LONG)
def test_a_long_head_cut_anywhere_gets_the_same_answer(name: str) -> None:
    rig = Rig()
    octets = LONG[name]
    whole = outcome(rig, octets)
    assert outcome(rig, *bytewise(octets)) == whole
    limits = (8192, 16384)
    near = [at + off for at in limits for off in range(-20, 21)]
    for at in (*range(1, 40), *near, *range(50, len(octets), 997)):
        assert outcome(rig, octets[:at], octets[at:]) == whole, f"cut at {at}"


@given(st.lists(st.sampled_from(sorted(SHORT)), max_size=5), st.lists(st.integers(1, 60)))
@settings(max_examples=150, deadline=None)
def test_any_streams_in_any_pieces_get_the_same_answers(names: list[str], sizes: list[int]) -> None:
    rig = Rig()
    octets = b"".join(SHORT[name] for name in names)
    pieces, rest = [], octets
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    assert outcome(rig, *pieces, rest) == outcome(rig, octets)


MUTATIONS = st.tuples(
    st.sampled_from(sorted(SHORT)),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 6)), max_size=4),
)


def mutate(octets: bytes, changes: list[tuple[float, bytes, int]]) -> bytes:
    for where, inserted, removed in changes:
        at = int(where * len(octets))
        octets = octets[:at] + inserted + octets[at + removed :]
    return octets


def check_sane(client: Client, rig: Rig) -> None:
    """Every byte sent belongs to a whole answer, and nothing went wrong inside."""
    octets = client.octets.replace(b"HEAD", b"")
    assert octets.count(b"HTTP/1.1 ") >= client.transport.writes
    assert rig.warnings == [] or all("trusted" in warning for warning in rig.warnings)


@given(MUTATIONS, st.integers(1, 50))
@settings(max_examples=400, deadline=None)
def test_mutated_requests_never_raise_and_cuts_change_nothing(
    mutation: tuple[str, list[tuple[float, bytes, int]]], size: int
) -> None:
    name, changes = mutation
    octets = mutate(SHORT[name], changes)
    rig = Rig()
    client = rig.client().send(octets)
    check_sane(client, rig)
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    assert outcome(rig, *pieces) == (client.octets, client.keeps)


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=5))
@example([b"\r"])
@example([b"\x16"])
@settings(max_examples=200, deadline=None)
def test_no_bytes_at_all_raise(pieces: list[bytes]) -> None:
    rig = Rig()
    client = rig.client().send(*pieces)
    check_sane(client, rig)
    rig.wait(12)
    client.leave()
    assert not rig.service.connections


@given(
    st.lists(st.sampled_from(["send", "stall", "read", "eof", "wait", "drain", "replace"]), max_size=12),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_no_order_of_events_raises_or_writes_after_the_end(events: list[str], data: st.DataObject) -> None:
    rig = Rig()
    client = rig.client()
    for event in events:
        if client.transport.closed:
            break
        match event:
            case "send" if client.transport.reads:
                client.send(SHORT[data.draw(st.sampled_from(sorted(SHORT)))])
            case "stall":
                client.stall()
            case "read":
                client.read_on()
            case "eof" if not client.protocol.eof_received():
                client.transport.close()
            case "wait":
                rig.wait(data.draw(st.sampled_from([0.25, 6, 61])))
            case "drain":
                rig.service.drain()
            case "replace":
                rig.service.replace(rig.service.ruleset, rig.service.counters)
    client.leave()
    assert not rig.service.connections


def test_a_head_of_64_mib_costs_no_memory() -> None:
    rig = Rig()
    piece = b"x" * 65536
    tracemalloc.start()
    try:
        for start in (b"GET /", b"GET / HTTP/1.1\r\nX: ", b"\r\n", b""):
            client = rig.client().send(start)
            for _ in range(1024):
                client.send(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1024 * 1024


def test_connections_leave_nothing_for_the_garbage_collector() -> None:
    rig = Rig()
    rig.ask(GET).leave()
    gc.collect()
    gc.disable()
    try:
        for name in SHORT:
            rig.ask(SHORT[name]).leave()
        assert gc.collect() < 50, "each connection is freed by its reference count"
    finally:
        gc.enable()
