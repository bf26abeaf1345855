"""One client's connection: bytes in, answers out. The hot path, and the one file allowed to be ugly.

What arrives is cut into heads here, at CRLF CRLF, because httptools has no limits and cannot say where
a head ends; it is then fed exactly one head at a time, and the content behind it by count. It has no
callbacks (a Python call for each field costs more than all the rest): it only accepts or refuses. What
a head says is read from its bytes afterwards, by one regular expression on the hot path and by
`read_head` on all others. A connection that sends the same head again skips even that.

The answer goes out as soon as the head is complete, and whether the connection goes on is decided then:

    READY     between requests                     -> HEAD, or answers and stays
    CAREFUL   READY, on a connection whose every request is read in full (trusted peer, access log)
    HEAD      a part of a head has come            -> answers, or 408
    CONTENT   answered; the rest of the announced content is dropped by count -> READY
    DISCARD   answered with `Connection: close`; whatever comes is dropped until the client closes
    CLOSED    the transport closes as soon as the answer is flushed

No timers: connections note that something happened (`_touched`), and `Service.sweep` does the arithmetic.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from math import inf
from typing import cast

import httptools

from detour.core.message import METHODS, TARGET_LIMIT
from detour.errors import RequestError
from detour.serve.answering import Endpoint, worth_keeping
from detour.serve.forwarded import Asker, plain_address
from detour.serve.head import Head, read_head
from detour.serve.listener import TURNED_AWAY
from detour.serve.log import access_line
from detour.serve.memo import Entry
from detour.serve.stats import (
    CONNECTIONS_CLOSED,
    CONNECTIONS_OPENED,
    LOST_ANSWERS,
    REFUSED_HEADS,
    answer_slot,
)
from detour.serve.wire import Answer, said

HEAD_LIMIT = 16 * 1024  # octets, leading empty lines included
CONTENT_LIMIT = 256 * 1024  # announced content that is worth reading to keep the connection
SILENCE_LIMIT = 5.0  # seconds without a byte while content is dropped
DISCARD_LIMIT = 30.0  # seconds of dropping content in all
SEEN_LIMIT = 2 * 1024  # octets of a head that a connection remembers
MOST_AT_ONCE = 64  # requests of one connection answered before others have their turn
TLS_BUFFER = 16 * 1024  # octets unflushed before a client over TLS counts as one that does not read

READY, CAREFUL, HEAD, CONTENT, DISCARD, CLOSED = range(6)

_Faults = (httptools.HttpParserError, httptools.HttpParserUpgrade)

# The field lines that decide about the connection, and Host: line feed, name, value. A class of first
# letters (?=…) saves trying each name at each line. The head is well-formed by now, so a line feed
# stands only at a line's end.
_find_lines = re.compile(
    rb"\n(?=[hHcCtTeEuU])(?:[hH][oO][sS][tT]|[cC][oO][nN](?:[nN][eE][cC][tT][iI][oO][nN]|"
    rb"[tT][eE][nN][tT]-[lL][eE][nN][gG][tT][hH])|[tT][rR][aA][nN][sS][fF][eE][rR]-[eE][nN][cC][oO][dD][iI][nN][gG]|"
    rb"[eE][xX][pP][eE][cC][tT]|[uU][pP][gG][rR][aA][dD][eE]):[^\r]*"
).findall
_forwarded_field = re.compile(rb"\n(?:[xX]-)?[fF][oO][rR][wW][aA][rR][dD][eE][dD][-:]").search
_token = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch

_NEVER = b"\0"  # no head begins with it
_NO_KEY = (b"", b"")  # of the memo
_NO_LINGER = struct.pack("ii", 1, 0)  # struct linger: close by reset (POSIX, SO_LINGER)
_NOBODY = object()  # who listens to the parser: no callbacks, and no cycle of references


def _new_parser() -> httptools.HttpRequestParser:
    return httptools.HttpRequestParser(_NOBODY)


class Connection(asyncio.Protocol):
    """One connection of a listener (`endpoint`)."""

    __slots__ = (
        "__weakref__",
        "_client",
        "_content",
        "_deadline",
        "_endpoint",
        "_eof",
        "_held",
        "_lead",
        "_limit",
        "_mode",
        "_parser",
        "_paused",
        "_pending",
        "_postponed",
        "_ready",
        "_seen",
        "_seen_authority",
        "_seen_behind",
        "_seen_key",
        "_seen_length",
        "_seen_method",
        "_seen_rest",
        "_seen_start",
        "_service",
        "_touched",
        "_transport",
        "_trusted",
        "_write",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._service = endpoint.service
        self._parser = _new_parser()
        self._mode = self._ready = READY
        self._held = b""  # the part of a head that has come, all fed to the parser
        self._lead = 0  # octets of empty lines before it
        self._content = 0  # octets of content still to be dropped
        self._pending = b""  # what came while the client was not reading, or has to wait for others
        self._postponed = False  # `_take_rest` will be called in the next turn of the loop
        self._paused = False  # the client does not read: an answer waits to be flushed
        self._eof = False
        self._seen = _NEVER  # the last head that the memo knew,
        self._seen_key = _NO_KEY  # its key there,
        self._seen_length = 0  # its length with the content it announces,
        self._seen_method = b""
        self._seen_start = self._seen_rest = _NEVER  # what stands before its target, and behind that,
        self._seen_behind = 0  # how much that is with the content,
        self._seen_authority = b""  # and what its Host says
        self._touched = True
        self._deadline = inf  # monotonic
        self._limit = inf  # the end of DISCARD and CONTENT, however busy the client

    # -- the transport calls ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._write = self._transport.write
        peer = transport.get_extra_info("peername")
        self._client = plain_address(peer[0]) if peer else ""
        self._trusted = self._endpoint.trusts(self._client)
        if self._trusted or self._service.log is not None:
            self._mode = self._ready = CAREFUL
        # Over TCP, 0: uvloop then writes at once instead of at the end of the loop's turn, and says
        # `pause_writing` if anything is left. asyncio's TLS would pause at 0 for nothing at all.
        plain = self._transport.can_write_eof()
        self._transport.set_write_buffer_limits(high=0 if plain else TLS_BUFFER)
        self._service.counters.view[CONNECTIONS_OPENED] += 1
        self._service.connections.add(self)
        self._endpoint.open += 1
        if self._endpoint.open > self._endpoint.settings.max_connections:
            self._turn_away()

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.connections.discard(self)
        self._endpoint.open -= 1
        view = self._service.counters.view
        view[CONNECTIONS_CLOSED] += 1
        if self._paused or (exc is not None and self._mode == DISCARD):
            view[LOST_ANSWERS] += 1
        self._mode = CLOSED
        self._paused = False
        self._held = self._pending = b""
        # The cycle with the transport is broken by the loop: it lets go of its protocol.

    def data_received(self, data: bytes) -> None:
        """The shortest way: exactly one request, with the head that this connection sent before.

        A client that asks again mostly asks the same way. What was accepted once, between requests, is
        accepted again, so neither the parser nor the regular expression need see it.
        """
        if len(data) == self._seen_length and data.startswith(self._seen) and not self._mode:
            service = self._service
            now = service.clock()
            if not service.second <= now < service.second_end:
                service.tick(now)
            entry = self._endpoint.memo.young.get(self._seen_key)
            if entry is not None and now < entry[0] and not entry[5]:
                _, before, after, slot, hit, _, _ = entry
                view = service.counters.view
                view[slot] += 1  # first: a worker killed here counts one too many, never one too few
                if hit:
                    view[hit] += 1
                self._write(before + service.date + after)
                self._touched = True
                return
        if self._mode or not self._read_target(data):
            self._read(data)

    def _read_target(self, data: bytes) -> bool:
        """The next shortest: the head this connection sent before, but for the target; whether it was.

        No parser sees that target. It is answered only where it is, octet by octet, one that the memo has
        been asked for or that a rule is written for, or is of plain octets alone (`core.direct`).
        """
        cut = len(data) - self._seen_behind
        start = self._seen_start
        if (
            not 0 < cut <= SEEN_LIMIT
            or not data.startswith(self._seen_rest, cut)
            or not data.startswith(start)
        ):
            return False
        service = self._service
        now = service.clock()
        if not service.second <= now < service.second_end:
            service.tick(now)
        endpoint = self._endpoint
        memo = endpoint.memo
        key = (data[: cut + 9], self._seen_key[1]) if memo.limit else _NO_KEY
        if key in memo.young:
            response = self._prepared(key, now, data)
        else:
            try:
                response = endpoint.redirect(
                    self._seen_method, self._seen_authority, data[len(start) : cut], key
                )
            except Exception:  # whatever failed will fail again, where it is told and answered 500
                return False
        if response is None:
            return False
        self._write(response)
        self._touched = True
        return True

    def _read(self, data: bytes) -> None:
        """The short way: one whole head, between requests, whose answer the memo knows."""
        # data[0] < 65: below "A" there are only empty lines, TLS and garbage.
        if self._mode or data[0] < 65:
            self._take(data)
            return
        end = data.find(b"\r\n\r\n") + 4
        if end < 18 or end > TARGET_LIMIT:  # "GET / HTTP/1.1" and the empty line; any target fits
            self._take(data)
            return
        head = data[:end]  # data itself when there is nothing else
        try:
            self._parser.feed_data(head)
        except _Faults:
            self._parser = _new_parser()
            self._take(data)  # which feeds it again and tells the faults apart
            return
        service = self._service
        harmless = service.harmless
        host = b""
        content = 0
        for line in _find_lines(head):
            octets = harmless.get(line)
            if octets is not None:
                content += octets
            elif host:  # two lines unknown: at most one can be Host
                self._answered(head, data[end:])
                return
            else:
                host = line
        # A key is only ever kept with a Host line for `host`, so nothing else can be found.
        key = (head[: head.find(b"\r")], host)
        response = self._prepared(key, service.now(), head)
        if response is None:
            self._answered(head, data[end:])
            return
        self._write(response)
        self._touched = True
        if end <= SEEN_LIMIT:
            self._remember(head, key, content)
        if content:
            self._take_content(data[end:], content)
        elif end != len(data):
            self._take(data[end:])

    def _prepared(self, key: tuple[bytes, bytes], now: float, head: bytes) -> bytes | None:
        """The answer to a request line and a Host line, counted, where it needs no decision."""
        entry = self._endpoint.memo.young.get(key)
        if entry is None:
            return self._direct(*key)
        if now >= entry[0] or (entry[5] and _forwarded_field(head)):
            return None
        _, before, after, slot, hit, _, _ = entry
        service = self._service
        view = service.counters.view
        view[slot] += 1
        if hit:
            view[hit] += 1
        return before + service.date + after

    def _remember(self, head: bytes, key: tuple[bytes, bytes], content: int) -> None:
        line, host = key
        authority = self._endpoint.authority_of(host)
        self._seen = head
        self._seen_key = key
        self._seen_length = len(head) + content
        if authority is not None:
            self._seen_authority = authority
            self._seen_method = line[: line.find(b" ")]
            self._seen_start = self._seen_method + b" "
            self._seen_rest = head[len(line) - 9 :]
            self._seen_behind = len(self._seen_rest) + content

    def _direct(self, line: bytes, host: bytes) -> bytes | None:
        try:
            return self._endpoint.direct(line, host) if host else None
        except Exception:  # whatever failed will fail again, where it is told and answered 500
            return None

    def _take_content(self, rest: bytes, content: int) -> None:
        """Drop the announced content, all of it here or some still to come."""
        if len(rest) == content:
            self._parser.feed_data(rest)  # so that it expects a head again; cheaper than a new one
        else:
            self._await_content(content)
            self._take(rest)

    def eof_received(self) -> bool:
        """The client has said all; what it asked is still answered, if it reads."""
        if self._pending and self._transport.can_write_eof():
            self._eof = True
            return True
        return False

    def pause_writing(self) -> None:
        """The client does not read: stop listening to it, unless what it says is dropped anyway."""
        self._paused = True
        self._touched = True
        if self._mode != DISCARD:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        self._touched = True
        if not self._postponed:
            self._take_rest()

    # -- the service calls --------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Do what time demands; `now` is monotonic."""
        mode = self._mode
        if self._touched:
            self._touched = False
            self._deadline = self._due(now)
        idle = mode in (READY, CAREFUL) and not self._paused and not self._pending
        if idle and self._service.draining:
            self._close()
        elif now < self._deadline:
            return
        elif self._paused or mode == CLOSED:
            self.abort()
        elif mode == HEAD:
            self._refuse(RequestError("the request head took too long", 408))
        else:
            self._close()

    def abort(self) -> None:
        """Cut the connection, flushed or not: the system keeps nothing for a client that does not read."""
        self._mode = CLOSED
        held = self._transport.get_extra_info("socket")
        if held is not None:
            with contextlib.suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    def _due(self, now: float) -> float:
        """The deadline of a connection on which something happened just now."""
        if self._mode == HEAD:
            return self._deadline if self._deadline < inf else now + self._endpoint.settings.head_timeout
        if self._mode in (CONTENT, DISCARD):
            self._limit = min(self._limit, now + DISCARD_LIMIT)
            return min(self._limit, now + SILENCE_LIMIT)
        if self._mode == CLOSED:
            return now + DISCARD_LIMIT
        return now + self._endpoint.settings.idle_timeout

    # -- everything that is not the hot path -----------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Consume `data`, request after request, until it ends, the client stops reading, or it is the
        turn of others."""
        steps = 0
        while data:
            mode = self._mode
            if mode == DISCARD:
                self._touched = True
                return
            if mode == CLOSED:
                return
            if self._paused or self._postponed:
                self._pending += data
                return
            if steps == MOST_AT_ONCE:
                self._postpone(data)
                return
            steps += 1
            data = self._drop_content(data) if mode == CONTENT else self._take_head(data)

    def _postpone(self, data: bytes) -> None:
        """Go on with `data` when the other connections have been looked at."""
        self._pending = data
        self._postponed = True
        self._transport.pause_reading()
        self._service.soon(self._go_on_taking)

    def _go_on_taking(self) -> None:
        self._postponed = False
        if not self._paused and not self._transport.is_closing():
            self._take_rest()

    def _take_rest(self) -> None:
        """Consume what waits, then listen again."""
        pending, self._pending = self._pending, b""
        self._take(pending)
        if self._paused or self._postponed or self._mode == CLOSED or self._transport.is_closing():
            return
        if self._eof:
            self._close()
        else:
            self._transport.resume_reading()

    def _drop_content(self, data: bytes) -> bytes:
        part = data[: self._content]
        self._parser.feed_data(part)
        self._content -= len(part)
        self._touched = True
        if not self._content:
            self._mode = self._ready
            self._limit = inf
        return data[len(part) :]

    def _await_content(self, content: int) -> None:
        self._mode = CONTENT
        self._content = content
        self._touched = True

    def _take_head(self, data: bytes) -> bytes:
        """Add `data` to the head; answer when it is complete. Returns what stands behind it."""
        if not self._held:
            data = self._skip_empty_lines(data)
            if not data:
                return b""
            self._mode = HEAD
            self._deadline = self._service.monotonic() + self._endpoint.settings.head_timeout
        fed = len(self._held)
        whole = self._held + data
        end = whole.find(b"\r\n\r\n", max(0, fed - 3)) + 4
        complete = end >= 4
        stop, excess = _bound(whole, end if complete else len(whole), HEAD_LIMIT - self._lead)
        try:
            if stop > fed:
                self._parser.feed_data(whole[fed:stop])
        except httptools.HttpParserUpgrade:  # it takes what follows for another protocol
            self._parser = _new_parser()
        except httptools.HttpParserError as error:
            self._refuse(_fault(error, whole))
            return b""
        if excess is not None:
            self._refuse(excess)
            return b""
        if not complete:
            self._held = whole
            return b""
        self._held = b""
        self._lead = 0
        self._mode = self._ready
        return self._answer(whole[:end], whole[end:])

    def _skip_empty_lines(self, data: bytes) -> bytes:
        """RFC 9112 §2.2: empty lines before a request line are ignored; they count, up to a limit."""
        rest = data.lstrip(b"\r\n")
        skipped = data[: len(data) - len(rest)]
        odd = self._lead % 2
        pattern = (b"\n\r" if odd else b"\r\n") * (len(skipped) // 2 + 1)
        bad = next((at for at, octet in enumerate(skipped) if octet != pattern[at]), len(skipped))
        self._lead += bad
        if self._lead > HEAD_LIMIT:
            self._refuse(RequestError("the request head is over 16 KiB", 431))
        elif bad < len(skipped) or (rest and self._lead % 2):
            self._refuse(RequestError("a bare CR or LF before the request line"))
        else:
            if skipped and not rest:
                self._mode = CAREFUL  # half an empty line may be out: nothing for the hot path
            return rest
        return b""

    def _answered(self, octets: bytes, rest: bytes) -> None:
        """Answer the head `octets`, which the parser has accepted, and go on with `rest`."""
        self._take(self._answer(octets, rest))

    def _answer(self, octets: bytes, rest: bytes) -> bytes:
        """Answer the head; returns what is left of `rest` to be taken."""
        try:
            head = read_head(octets)
        except RequestError as error:
            self._refuse(error, octets[: octets.find(b" ")].decode("ascii"))
            return b""
        keeps = _keeps_open(head) and not self._service.draining
        said_so = "close" if not keeps else "keep-alive" if head.minor == 0 else ""
        asker = Asker(self._endpoint.scheme, head.host, self._client)
        now = self._service.now()
        try:
            if self._trusted:
                asker = self._endpoint.asker(head, asker)
            entry = self._entry(octets, head, asker, said_so, now)
        except RequestError as error:
            self._refuse(error, head.method, head.target, asker)
            return b""
        except Exception as error:  # whatever fails in a decision must not cost the connection
            entry = self._endpoint.broken(head, error, said_so)
        if entry.hit:
            self._service.counters.view[entry.hit] += 1
        self._send(entry.answer, now, head.method, head.target, asker)
        return self._go_on(head, rest) if keeps else self._end(head, rest)

    def _entry(self, octets: bytes, head: Head, asker: Asker, said_so: str, now: float) -> Entry:
        """From the memo if it may be, else decided, and remembered if it may be."""
        endpoint = self._endpoint
        if said_so:
            return endpoint.entry(head, asker, self._trusted, said_so, now)
        lines = _find_lines(octets)
        host = [line for line in lines if line[:6].lower() == b"\nhost:"]
        # The hot path's key, or one that nothing on the hot path looks like.
        line = octets[: octets.find(b"\r")]
        key = (line, asker.scheme, asker.host) if self._ready == CAREFUL else (line, host[0])
        found = endpoint.memo.find(key)
        if found is not None and now < found.until and not self._loops(found, head):
            return found
        entry = endpoint.entry(head, asker, self._trusted, said_so, now)
        if worth_keeping(head, entry, now):
            self._learn(lines, head)
            if endpoint.memo.asked_before(key):
                endpoint.memo.keep(key, entry)
        return entry

    def _loops(self, entry: Entry, head: Head) -> bool:
        return bool(entry.twin) and entry.twin in self._endpoint.evidence(head, self._trusted)

    def _learn(self, lines: list[bytes], head: Head) -> None:
        """Let the hot path know lines that leave the connection open, now that this head has."""
        for line in lines:
            name = line[1 : line.index(b":")].lower()
            if name == b"content-length":
                self._service.learn_harmless(line, head.content or 0)
            elif name == b"connection" and line[12:].strip().lower() == b"keep-alive":
                self._service.learn_harmless(line, 0)

    def _send(self, answer: Answer, now: float, method: str, target: str | None, asker: Asker) -> None:
        """One write an answer, and what is counted and logged about it."""
        service = self._service
        octets = answer.dated(service.date)
        service.counters.view[answer_slot(method, answer.status)] += 1
        self._write(octets)
        self._touched = True
        if service.log is not None:
            known = method if method in METHODS else None
            service.log(access_line(now, asker, known, target, answer, len(octets)))

    def _go_on(self, head: Head, rest: bytes) -> bytes:
        """The connection stays: the content is dropped by count."""
        if head.content:
            self._await_content(head.content)
        return rest

    def _end(self, head: Head, rest: bytes) -> bytes:
        """The connection ends: at once if nothing more can come, else when the client has closed."""
        if head.content == 0 and not rest:
            self._close()
        else:
            self._discard()
        return b""

    def _refuse(
        self,
        error: RequestError,
        method: str = "other",
        target: str | None = None,
        asker: Asker | None = None,
    ) -> None:
        """Say what is wrong, and end the connection without losing that answer to a reset."""
        self._service.counters.view[REFUSED_HEADS] += 1
        answer = said(error.status, str(error), method, connection="close")
        self._send(answer, self._service.now(), method, target, asker or self._nobody())
        self._discard()

    def _nobody(self) -> Asker:
        return Asker(self._endpoint.scheme, None, self._client)

    def _turn_away(self) -> None:
        """Too many connections: 503, unless those turned away are too many, too."""
        if self._endpoint.open > self._endpoint.settings.max_connections + TURNED_AWAY:
            self.abort()
            return
        answer = said(503, "too many connections", connection="close")
        self._send(answer, self._service.now(), "other", None, self._nobody())
        self._discard()

    def _discard(self) -> None:
        """Half-close and drop what comes: a close with octets unread would reset the connection, and a
        reset can take the answer away from a client that has not read it yet (RFC 9112 §9.6)."""
        self._mode = DISCARD
        self._touched = True
        self._held = self._pending = b""
        if self._transport.can_write_eof():  # not over TLS
            self._transport.write_eof()
        if self._paused:
            self._transport.resume_reading()

    def _close(self) -> None:
        """Close when what was written is flushed; `sweep` cuts the connection if it never is."""
        self._mode = CLOSED
        self._touched = True
        self._transport.close()


def _keeps_open(head: Head) -> bool:
    """Design 4.2: whether the rest of this request is known to be short, and is coming."""
    if not head.persists or head.content is None:
        return False
    return head.content == 0 or (head.content <= CONTENT_LIMIT and not head.expects and not head.upgrades)


def _bound(whole: bytes, end: int, limit: int) -> tuple[int, RequestError | None]:
    """How far of a head that ends at `end` (so far) the parser may see, and what is too long in it.

    The limits are held against octets in the order they came, so that a head cut anywhere gets the
    same answer as a whole one.
    """
    stop = min(end, limit)
    start = whole.find(b" ", 0, stop) + 1
    if start and whole.find(b" ", start, start + TARGET_LIMIT + 1) < 0 and stop > start + TARGET_LIMIT:
        fact = "the request target is over 8 KiB"
        return start + TARGET_LIMIT + 1, RequestError(fact, 414)
    if end > limit:
        return stop, RequestError("the request head is over 16 KiB", 431)
    return stop, None


def _fault(error: httptools.HttpParserError, whole: bytes) -> RequestError:
    """What the parser refuses, as a status and a fact."""
    if whole[0] == 0x16:  # a TLS record of type handshake (RFC 8446 §5.1)
        return RequestError("this port speaks plain HTTP, and this looks like TLS")
    reason = str(error)
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return _method_fault(whole)
    if reason == "Invalid method for HTTP/x.x request":
        return RequestError("the method is not one this server knows", 501)
    if reason == "Invalid HTTP version":
        return RequestError("this port speaks HTTP/1.1 only", 505)
    return RequestError(f"this is not HTTP/1.1: {reason}")


def _method_fault(whole: bytes) -> RequestError:
    """Unknown, or none at all? Up to the octet that the parser stumbled over, and no further, so that
    the answer does not depend on how much came at once."""
    parser = _new_parser()
    at = 0
    try:
        while at < len(whole):
            parser.feed_data(whole[at : at + 1])
            at += 1
    except httptools.HttpParserError:
        pass
    read = whole[: at + 1].removesuffix(b" ")
    if _token(read):
        return RequestError("the method is not one this server knows", 501)
    return RequestError("this is not HTTP/1.1: no method")
