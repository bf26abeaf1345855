"""Many exchanges at once: each gets its own answers, and the bounds hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.chain import End, Outgoing, Response
from detour.core.url import URL
from detour.errors import DetourError
from detour.net import lines
from detour.net.pool import Pool
from detour.net.transport import Exchange, Pause, Sending, Transport, TransportSettings
from detour.net.turns import Turns
from detour.net.watch import SelectorWatch, Watch
from tests.net.origin import Origin, Peer, keeping, origin

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def echo(peer: Peer) -> None:
    """Answers with the request target as Location."""
    while head := peer.head():
        target = head.split(b" ", 2)[1]
        peer.say(b"HTTP/1.1 307 T\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % target)


def asking(request: Outgoing) -> Exchange[Response | End | None]:
    return (yield Sending(request))


def walk(seen: Origin, steps: tuple[str, ...]) -> Exchange[tuple[str, ...]]:
    """Asks for one path after another and pauses in between."""
    found = []
    for step in steps:
        answer = yield Sending(seen.request(path=step))
        assert isinstance(answer, Response), answer
        found.append(answer.locations[0])
        assert (yield Pause(0.0)) is None
    return tuple(found)


def test_every_exchange_gets_its_own_answers() -> None:
    walks = [tuple(f"/{number}/{step}" for step in range(number % 4)) for number in range(200)]
    with origin(echo) as seen:
        results = list(Pool(at_once=20, per_host=10).run(walk(seen, steps) for steps in walks))
    assert sorted(results) == sorted(walks)
    assert len(seen.heads) == sum(map(len, walks))
    assert seen.connections <= 10


def test_a_transport_runs_the_same_exchange() -> None:
    with origin(echo) as seen, Transport() as transport:
        assert transport.run(walk(seen, ("/a", "/b", "/c"))) == ("/a", "/b", "/c")
    assert seen.connections == 1


def test_no_exchanges_have_no_results() -> None:
    assert list(Pool().run(())) == []


def test_exchanges_that_send_nothing_finish() -> None:
    def idle(number: int) -> Exchange[int]:
        return number
        yield Pause(0)

    assert sorted(Pool(at_once=2).run(idle(number) for number in range(1000))) == list(range(1000))


class Counting:
    """Answers only when as many requests as may come have come, and notes the most at one time."""

    def __init__(self, expected: int) -> None:
        self.most = self.now = 0
        self._lock = threading.Lock()
        self._full = threading.Event()
        self._expected = expected

    def talk(self, peer: Peer) -> None:
        while peer.head():
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
                if self.now == self._expected:
                    self._full.set()
            self._full.wait(20)
            with self._lock:
                self.now -= 1
            peer.say(NO_CONTENT)


@pytest.mark.parametrize(("at_once", "per_host", "expected"), [(4, 100, 4), (100, 3, 3), (1, 8, 1)])
def test_so_many_are_under_way_and_not_one_more(at_once: int, per_host: int, expected: int) -> None:
    counting = Counting(expected)
    with origin(counting.talk) as seen:
        requests = [seen.request(path=f"/{number}") for number in range(40)]
        results = list(Pool(at_once=at_once, per_host=per_host).run(map(asking, requests)))
    assert len(results) == 40
    assert counting.most == expected


def test_a_busy_host_does_not_hold_up_another() -> None:
    """Both hosts must be under way at once, though the input names one after the other."""
    counting = Counting(4)
    with origin(counting.talk) as seen:
        urls = [seen.url(host=host) for host in ("127.0.0.1",) * 20 + ("localhost",) * 20]
        results = list(Pool(at_once=16, per_host=2).run(asking(Outgoing("GET", url)) for url in urls))
    assert all(isinstance(one, Response) for one in results)
    assert counting.most == 4


def test_the_input_is_taken_as_there_is_room() -> None:
    taken = 0

    def endless(seen: Origin) -> Iterator[Exchange[Response | End | None]]:
        nonlocal taken
        while True:
            taken += 1
            yield asking(seen.request())

    with origin(keeping(NO_CONTENT)) as seen:
        running = Pool(at_once=4, per_host=2).run(endless(seen))
        for done in range(1, 100):
            next(running)
            assert taken <= done + 4 * 8 + 64
        running.close()  # type: ignore[attr-defined]


def test_starts_keep_to_the_rate() -> None:
    with origin(keeping(NO_CONTENT)) as seen:
        begun = time.monotonic()
        results = list(Pool(rate=100).run(asking(seen.request()) for _ in range(31)))
        took = time.monotonic() - begun
    assert len(results) == 31
    assert took >= 30 / 100 - 0.06  # the rate may catch up 50 ms


def test_a_pause_lasts_and_others_go_on_meanwhile() -> None:
    def waits(seen: Origin) -> Exchange[str]:
        yield Pause(0.2)
        yield Sending(seen.request())
        return "late"

    def goes(seen: Origin) -> Exchange[str]:
        yield Sending(seen.request())
        return "soon"

    with origin(keeping(NO_CONTENT)) as seen:
        begun = time.monotonic()
        results = list(Pool(at_once=1).run([waits(seen), goes(seen), goes(seen)]))
        took = time.monotonic() - begun
    assert results == ["soon", "soon", "late"]
    assert took >= 0.2


@pytest.mark.parametrize("runner", ["pool", "transport"])
def test_what_http_cannot_say_is_raised_where_it_was_asked(runner: str) -> None:
    def asks(seen: Origin) -> Exchange[str]:
        try:
            yield Sending(seen.request("NO METHOD"))
        except DetourError as error:
            answer = yield Sending(seen.request())
            assert isinstance(answer, Response)
            return str(error)
        return "sent"

    with origin(keeping(NO_CONTENT)) as seen, Transport() as transport:
        (told,) = Pool().run([asks(seen)]) if runner == "pool" else (transport.run(asks(seen)),)
    assert "'NO METHOD' is not a method" in told


def test_an_end_comes_to_the_one_who_asked() -> None:
    with origin(keeping(NO_CONTENT)) as seen, origin(keeping(b"HTTP/1.1 2OO\r\n\r\n")) as broken:
        asked = {
            "there": seen.request(),
            "nowhere": Outgoing("GET", URL.parse("http://nowhere.invalid/")),
            "broken": broken.request(),
            "metadata": Outgoing("GET", URL.parse("http://169.254.169.254/")),
        }

        def one(name: str) -> Exchange[tuple[str, str]]:
            answer = yield Sending(asked[name], before="93.184.216.34" if name == "metadata" else "")
            return name, getattr(answer, "name", "answered")

        results = dict(Pool(TransportSettings(timeout=10)).run(map(one, asked)))
    assert results == {
        "there": "answered",
        "nowhere": "resolve",
        "broken": "malformed-response",
        "metadata": "refused-address",
    }


def test_an_exception_in_an_exchange_ends_the_run_and_leaves_nothing_open() -> None:
    def fails(seen: Origin) -> Exchange[None]:
        yield Sending(seen.request())
        raise ZeroDivisionError

    with origin(keeping(NO_CONTENT)) as seen, pytest.raises(ZeroDivisionError):
        list(Pool().run(fails(seen) for _ in range(10)))


@pytest.mark.parametrize("watch", [SelectorWatch, Watch])
def test_sockets_are_watched_on_every_platform(
    watch: type[SelectorWatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    def closing(peer: Peer) -> None:
        """Three answers a connection: descriptors are closed and given to the next connection."""
        for _ in range(3):
            if peer.head():
                peer.say(NO_CONTENT)

    monkeypatch.setattr(lines, "Watch", watch)
    with origin(closing) as seen:
        requests = [seen.request(path=f"/{number}") for number in range(100)]
        results = list(Pool(TransportSettings(timeout=20), at_once=5).run(map(asking, requests)))
    assert [getattr(one, "status", one) for one in results] == [204] * 100
    assert seen.connections >= 33


# -- turns ---------------------------------------------------------------------------------------------------

_EVENTS = st.lists(st.one_of(st.sampled_from("abc"), st.none()), max_size=60)


@given(st.integers(1, 3), _EVENTS)
def test_turns_agree_with_a_slow_oracle(per_host: int, events: list[str | None]) -> None:
    """A letter asks for its host; None ends the oldest that has begun."""
    turns: Turns[tuple[str, int]] = Turns(per_host, None)
    waiting: list[tuple[str, int]] = []
    begun: list[tuple[str, int]] = []
    for number, event in enumerate(events):
        if event is not None:
            turns.ask(event, (event, number))
            waiting.append((event, number))
        elif begun:
            turns.done(begun.pop(0)[0])
        while (work := turns.next()) is not None:
            host = work[0]
            assert work == next(one for one in waiting if one[0] == host), "first come, first served"
            assert sum(one[0] == host for one in begun) < per_host
            waiting.remove(work)
            begun.append(work)
        held_up = {one[0] for one in waiting}
        assert all(sum(one[0] == host for one in begun) == per_host for host in held_up), (
            "nobody waits in vain"
        )
