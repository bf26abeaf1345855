"""Why no answer came: libcurl's error codes as ends of a chain, in words for a person."""

from __future__ import annotations

import msgspec
import pycurl

from detour.core.chain import End, Response, Timings


class Failed(End, frozen=True):
    """An end of one request: how far it came, and what was on the wire if that was fetched."""

    remote: str = ""  # the address connected to, "" when none was
    timings: Timings | None = None
    evidence: Response | None = None  # read through a plain socket, `raw_head` as received


class Row(msgspec.Struct, frozen=True):
    """What a libcurl error is to a chain: the end's name, and the fact before libcurl's own words."""

    name: str
    fact: str


_TLS = "TLS failed"
_TLS_CLIENT = "the client certificate or key cannot be used"

# libcurl-errors(3); a number has no name in pycurl. What is not here is a `protocol` end in libcurl's words.
ERRORS: dict[int, Row] = {
    pycurl.E_UNSUPPORTED_PROTOCOL: Row("malformed-response", "what came back is not HTTP/1.0, 1.1, 2 or 3"),
    pycurl.E_URL_MALFORMAT: Row("resolve", "no host can have this name"),
    pycurl.E_COULDNT_RESOLVE_PROXY: Row("proxy", "the proxy's name does not resolve"),
    pycurl.E_COULDNT_RESOLVE_HOST: Row("resolve", "the name does not resolve"),
    pycurl.E_COULDNT_CONNECT: Row("connect", "no connection"),
    8: Row("malformed-response", "the head of the answer breaks HTTP"),  # CURLE_WEIRD_SERVER_REPLY
    pycurl.E_HTTP2: Row("protocol", "HTTP/2 broke"),
    pycurl.E_PARTIAL_FILE: Row("protocol", "the answer was cut short"),
    pycurl.E_WRITE_ERROR: Row("too-large", "the answer is larger than is read"),
    pycurl.E_READ_ERROR: Row("protocol", "the content could not be read"),
    pycurl.E_OPERATION_TIMEDOUT: Row("timeout", "too slow"),
    pycurl.E_SSL_CONNECT_ERROR: Row("tls", _TLS),
    pycurl.E_GOT_NOTHING: Row("protocol", "the connection was closed without an answer"),
    pycurl.E_SSL_ENGINE_NOTFOUND: Row("tls", _TLS),
    pycurl.E_SSL_ENGINE_SETFAILED: Row("tls", _TLS),
    pycurl.E_SEND_ERROR: Row("protocol", "the connection broke while the request was sent"),
    pycurl.E_RECV_ERROR: Row("protocol", "the connection broke before an answer was complete"),
    pycurl.E_SSL_CERTPROBLEM: Row("tls", _TLS_CLIENT),
    pycurl.E_SSL_CIPHER: Row("tls", _TLS),
    pycurl.E_PEER_FAILED_VERIFICATION: Row("tls", "the server's certificate is not trusted"),
    61: Row("malformed-response", "the answer has a transfer coding that was not asked for"),  # RFC 9112 §7.4
    pycurl.E_SEND_FAIL_REWIND: Row("not-replayable", "the content would have to be sent again, and cannot"),
    pycurl.E_SSL_CACERT_BADFILE: Row("tls", "the file of trusted authorities cannot be read"),
    pycurl.E_SSL_SHUTDOWN_FAILED: Row("tls", _TLS),
    pycurl.E_SSL_CRL_BADFILE: Row("tls", _TLS),
    pycurl.E_SSL_ISSUER_ERROR: Row("tls", _TLS),
    pycurl.E_SSL_PINNEDPUBKEYNOTMATCH: Row("tls", _TLS),
    pycurl.E_SSL_INVALIDCERTSTATUS: Row("tls", _TLS),
    92: Row("protocol", "the server reset the HTTP/2 stream"),
    95: Row("protocol", "HTTP/3 broke"),
    96: Row("connect", "no QUIC connection"),
    97: Row("proxy", "the proxy did not connect"),
    98: Row("tls", "the server wants a client certificate"),
    100: Row("malformed-response", "the head has a line of over 100,000 octets or over 5,000 lines"),
}
_BROKEN = (pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR)
# libcurl's words. The last come with E_SEND_ERROR where HTTP/3 was tried, too.
_NO_TUNNEL = ("CONNECT tunnel failed", "Proxy CONNECT aborted")
_NO_CONNECTION = "Failed to connect to"
_UNKNOWN = Row("protocol", "the exchange failed")

# What the time ran out in, by the first of these instants that never came.
_PHASES = (
    ("dns", "while the name was looked up"),
    ("connect", "while connecting"),
    ("tls", "in the TLS handshake"),
    ("first_byte", "before an answer began"),
)


def end_of_error(code: int, words: str, timings: Timings, secure: bool, remote: str = "") -> End:
    """The end that libcurl's error `code` is, with `words` of its own; `remote`: as in `Failed`."""
    if code == pycurl.E_OPERATION_TIMEDOUT:
        phase = _phase(timings, secure, bool(remote))
        return End("timeout", f"no answer within {timings.total:.1f} s: time ran out {phase}")
    row = _by_circumstance(code, words, timings, secure) or ERRORS.get(code, _UNKNOWN)
    return End(row.name, f"{row.fact} ({words})" if words else row.fact)


def _by_circumstance(code: int, words: str, timings: Timings, secure: bool) -> Row | None:
    """What a code that can mean several things means here, where that can be told."""
    if words.startswith(_NO_TUNNEL):
        return Row("proxy", "the proxy did not connect")
    if words.startswith(_NO_CONNECTION):
        return ERRORS[pycurl.E_COULDNT_CONNECT]
    in_handshake = timings.connect and not timings.tls
    if code in _BROKEN and secure and (in_handshake or " alert " in words):
        return Row("tls", _TLS)
    return None


def _phase(timings: Timings, secure: bool, connected: bool) -> str:
    """`connected`: perhaps by a request before this one, so that the first phases took no time."""
    for name, words in _PHASES[-1:] if connected else _PHASES:
        if not getattr(timings, name) and (name != "tls" or secure):
            return words
    return "before its head was complete"
