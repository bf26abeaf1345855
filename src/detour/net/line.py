"""A line: one libcurl handle that carries one request after another, exactly as told.

Options that never change are set once, the shape of a request (method, fields, whether it has content) only
when it differs from the request before: most requests of a long list cost one `setopt`. Once the final head
is complete there is an answer, whatever becomes of its content: a redirect whose content drips, breaks or
never ends is still a redirect (`Response.cut` says what became of it).
"""

from __future__ import annotations

from typing import Any

import msgspec
import pycurl

from detour.core.chain import SAFE_METHODS, Certificate, End, Fields, Response, Timings
from detour.core.url import URL
from detour.net.address import refusal
from detour.net.certificate import Certificates
from detour.net.content import ContentReader
from detour.net.ends import Failed, end_of_error
from detour.net.exchange import Sending
from detour.net.fields import field_lines, needs_empty_content
from detour.net.handle import set_constants
from detour.net.head import Head, final_head, is_final, status_line
from detour.net.settings import TransportSettings
from detour.net.sockets import Opened, open_socket

_REFUSE = -1  # fewer octets than given: libcurl ends the exchange
_BLANK = (b"\r\n", b"\n")
_EXPECTATION_FAILED = 417
_NO_TIMINGS = Timings()
_STOPPED_HERE = (pycurl.E_ABORTED_BY_CALLBACK, pycurl.E_WRITE_ERROR)
_ABORT: int = pycurl.READFUNC_ABORT
_SOUGHT: int = pycurl.SEEKFUNC_OK
_CANNOT_SEEK: int = pycurl.SEEKFUNC_CANTSEEK
_GO: int = pycurl.PREREQFUNC_OK
_STOP: int = pycurl.PREREQFUNC_ABORT


class Line:
    """One handle, and what its callbacks saw of the answer to the request under way."""

    def __init__(self, settings: TransportSettings, certificates: Certificates) -> None:
        self.curl = pycurl.Curl()
        self.sending: Sending
        self.tag: Any = None  # whose request it is
        self._settings = settings
        self._certificates = certificates
        self._most_content = settings.most_content
        self._most_kept = settings.most_kept
        self._guard = settings.guard
        self._before = ""
        self._shape: tuple[str, Fields, bool] | None = None
        self._target_told = False
        self._by_proxy = bool(settings.proxy) and not settings.proxy.startswith("socks")
        self._reader: ContentReader | None = None
        self._sent = 0
        self._head_seen = False  # only watched where content is sent, and where the head under way begins
        self._head_at = 0
        self._lines: list[bytes] = []
        self._kept: list[bytes] = []
        self._received = 0
        self._remote = ""
        self._refused = ""
        self._cut = ""
        set_constants(self.curl, settings)
        self._set_callbacks()

    def _set_callbacks(self) -> None:
        setopt = self.curl.setopt
        setopt(pycurl.WRITEFUNCTION, self._take_content)
        setopt(pycurl.PREREQFUNCTION, self._see_connection)
        setopt(pycurl.SEEKFUNCTION, self._rewind)
        if self._guard != "off":
            setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)

    # -- before ------------------------------------------------------------------------------------------

    def load(self, sending: Sending, tag: Any) -> None:
        """Make the handle ready to send; raises `DetourError` for what HTTP cannot say."""
        request = sending.request
        content = sending.content
        if content is None and needs_empty_content(request.method):
            content = b""
        shape = (request.method, request.fields, content is not None)
        if shape != self._shape:
            self._set_shape(*shape)
        if content is not None:
            self._set_content(content)
        url = request.url
        target = url.request_target
        self.curl.setopt(pycurl.URL, url.origin + target)
        if "%" in target or self._target_told:
            self._tell_target(url)
        self.sending = sending
        self.tag = tag
        self._before = sending.before

    def _tell_target(self, url: URL) -> None:
        """libcurl writes %2f as %2F unless it is told the request target; pycurl cannot take it back."""
        self._target_told = True
        whole = self._by_proxy and url.scheme == "http"  # RFC 9112 §3.2.2
        self.curl.setopt(pycurl.REQUEST_TARGET, (url.origin if whole else "") + url.request_target)

    def _set_shape(self, method: str, fields: Fields, has_content: bool) -> None:
        self._shape = None
        setopt = self.curl.setopt
        lines = field_lines(method, fields)
        setopt(pycurl.HTTPGET, 1)  # takes back what was set for the request before
        setopt(pycurl.CUSTOMREQUEST, method)
        setopt(pycurl.HTTPHEADER, lines)
        # On a connection that was open already libcurl sends again what got no answer: no unsafe request goes
        # there, for none may be sent twice (RFC 9110 §9.2.2).
        setopt(pycurl.FRESH_CONNECT, 0 if method in SAFE_METHODS else 1)
        if has_content:
            setopt(pycurl.UPLOAD, 1)
            setopt(pycurl.READFUNCTION, self._give_content)
        if method == "HEAD" and not has_content:  # libcurl sends no content where it expects none
            setopt(pycurl.NOBODY, 1)
        setopt(pycurl.HEADERFUNCTION, self._take_head_line if has_content else self._lines.append)
        self._shape = (method, fields, has_content)

    def _set_content(self, content: Any) -> None:
        self._reader = ContentReader(content)
        self.curl.setopt(pycurl.INFILESIZE_LARGE, self._reader.size)

    # -- callbacks ---------------------------------------------------------------------------------------

    def _take_head_line(self, line: bytes) -> int | None:
        self._lines.append(line)
        if self._head_seen or line not in _BLANK or not self._reader:
            return None
        told = status_line(self._lines[self._head_at])
        self._head_at = len(self._lines)
        if told is None or not is_final(told[1]):
            return None
        self._head_seen = True
        self._sent = self._reader.given
        return _REFUSE if self._ends_with_head(told[1]) else None

    def _ends_with_head(self, status: int) -> bool:
        """No content follows (RFC 9110 §9.3.2), or libcurl would ask again and again, unasked."""
        return self.sending.request.method == "HEAD" or status == _EXPECTATION_FAILED

    def _take_content(self, piece: bytes) -> int | None:
        room = self._most_kept - self._received
        if room > 0:
            self._kept.append(piece if len(piece) <= room else piece[:room])
        self._received += len(piece)
        if self._received > self._most_content:
            self._cut = "too-large"
            return _REFUSE
        return None

    def _give_content(self, limit: int) -> bytes | int:
        assert self._reader
        if self._head_seen:  # an early answer did not want the rest
            return _ABORT
        piece = self._reader.read(limit)
        return _ABORT if piece is None else piece

    def _rewind(self, offset: int, _origin: int) -> int:
        done = self._reader is not None and self._reader.rewind(offset)
        return _SOUGHT if done else _CANNOT_SEEK

    def _open_socket(self, _purpose: int, address: Any) -> Opened | int:
        opened, why = open_socket(self._guard, self._before, address)
        self._refused = self._refused or why
        return opened

    def _see_connection(self, remote: str, _local: str, _remote_port: int, _local_port: int) -> int:
        self._remote = remote
        why = refusal(self._guard, self._before, remote)
        if why:
            self._refused = why
            return _STOP
        return _GO

    # -- after -------------------------------------------------------------------------------------------

    def result(self, code: int = 0, words: str = "") -> Response | End:
        """What came, and the line is ready for another request; `code` and `words` are libcurl's error."""
        head = final_head(self._lines)
        if head and head.size <= self._settings.most_head:
            outcome: Response | End = self._response(head, code, words)
        else:
            outcome = self._end(code, words)
        self._lines.clear()
        if self._kept:
            self._kept = []
        self._received = self._sent = self._head_at = 0
        self._remote = self._refused = self._cut = ""
        self._head_seen = False
        self._reader = None
        return outcome

    def _response(self, head: Head, code: int, words: str) -> Response:
        return Response(
            status=head.status,
            reason=head.reason,
            http_version=head.http_version,
            fields=head.fields,
            content=b"".join(self._kept) if self._kept else b"",
            content_length=self._received,
            interim=head.interim,
            sent=self._sent,
            remote=self._remote,
            timings=self._timings(),
            certificate=self._certificate(),
            raw_head=head.raw,
            cut=self._cut_of(code, words) if code else "",
        )

    def _cut_of(self, code: int, words: str) -> str:
        if self._cut or (code in _STOPPED_HERE and self._head_seen):
            return self._cut
        return end_of_error(code, words, Timings(), False).name

    def _end(self, code: int, words: str) -> Failed:
        timings = self._timings()
        if not self._lines:  # libcurl counts an error as a first octet
            timings = msgspec.structs.replace(timings, first_byte=0.0)
        end = self._own_end(code) or end_of_error(code, words, timings, self._secure, self._remote)
        return Failed(end.name, end.detail, self._remote, timings)

    def _own_end(self, code: int) -> End | None:
        """The end that was decided here and not by libcurl, if it was."""
        if self._refused:
            return End("refused-address", self._refused)
        if self._head_too_large:
            return End("too-large", f"a head of more than {self._settings.most_head:,} octets")
        if self._reader and self._reader.error:
            return End("not-replayable", f"the content could not be read: {self._reader.error}")
        return None if code else self._end_without_error()

    def _end_without_error(self) -> End:
        """What is wrong with an answer that libcurl was content with."""
        if self._lines and self._lines[-1] in _BLANK:
            return End("malformed-response", "the status line breaks HTTP")
        return End("protocol", "the connection was closed before the head was complete")

    @property
    def _secure(self) -> bool:
        return self.sending.request.url.scheme == "https"

    @property
    def _head_too_large(self) -> bool:
        return sum(map(len, self._lines)) > self._settings.most_head

    def _timings(self) -> Timings:
        if not self._settings.timings:
            return _NO_TIMINGS
        getinfo = self.curl.getinfo
        first, total = getinfo(pycurl.STARTTRANSFER_TIME), getinfo(pycurl.TOTAL_TIME)
        if not getinfo(pycurl.NUM_CONNECTS):  # a connection that was open already
            return Timings(0.0, 0.0, 0.0, first, total)
        times = (
            getinfo(pycurl.NAMELOOKUP_TIME),
            getinfo(pycurl.CONNECT_TIME),
            getinfo(pycurl.APPCONNECT_TIME),
        )
        return Timings(*times, first, total)

    def _certificate(self) -> Certificate | None:
        if not self._settings.certificates or not self._secure:
            return None
        return self._certificates.of(self.curl, self.sending.request.url.origin)
