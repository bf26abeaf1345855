"""One request as the matcher sees it: a value, complete at birth.

The target URI arrives normalized, the way patterns are: WHATWG-serialized, percent-triplets in
upper case, unreserved octets decoded (RFC 3986 §6.2.2). `core.url.normalize` does that once, at
the edge; the query as received stands beside it, because a kept query is passed on untouched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from detour.core.url import URL, decode_query, normalize

# What an HTTP/1.1 server of ours can be asked for; the names llhttp knows, CONNECT apart
# (RFC 9110 §9.3.6: it has no target URI to redirect).
METHODS: frozenset[str] = frozenset(
    "ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL "  # noqa: SIM905
    "MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE "
    "SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split()
)

TARGET_LIMIT = 8 * 1024  # octets of a request target; a longer one is answered 414 (RFC 9110 §15.5.15)

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def is_token(text: str) -> bool:
    """Whether `text` can name a method, a field or a cookie (RFC 9110 §5.6.2, RFC 6265 §4.1.1)."""
    return _TOKEN.fullmatch(text) is not None


class Request(msgspec.Struct, frozen=True):
    """What a client asks for: method, normalized target URI, fields, and who asks."""

    method: str
    scheme: str
    hostname: str  # "" when an HTTP/1.0 request names none
    port: str  # "" for the scheme's default
    path: str
    query: str  # normalized, without "?"
    received_query: str  # the bytes received, as ASCII text
    fields: tuple[tuple[str, str], ...] = ()  # names in lower case, in the order received
    client: str = ""  # the address of who asks, "" when unknown

    @classmethod
    def of(
        cls,
        method: str,
        url: str | URL,
        fields: tuple[tuple[str, str], ...] = (),
        client: str = "",
    ) -> Request:
        """Build a request from an absolute URL; raises `URLError` for one that is not http(s)."""
        target = url if isinstance(url, URL) else URL.parse(url)
        query = target.query or ""
        return cls(
            method=method,
            scheme=target.scheme,
            hostname=target.hostname,
            port=target.port,
            path=normalize(target.path),
            query=normalize(query),
            received_query=query,
            fields=tuple((name.lower(), value) for name, value in fields),
            client=client,
        )

    @property
    def origin(self) -> str:
        """Scheme and authority, as in `https://example.com:8443`."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        return f"{self.hostname}:{self.port}" if self.port else self.hostname

    @property
    def target_uri(self) -> str:
        """The whole target URI, normalized."""
        return f"{self.origin}{self.path}{'?' + self.query if self.query else ''}"

    def values(self, name: str) -> Iterator[str]:
        """Each value of the field `name` (lower case), in the order received."""
        return (value for field, value in self.fields if field == name)

    def first(self, name: str) -> str | None:
        """The first value of the field `name` (lower case)."""
        return next(self.values(name), None)

    def cookies(self, name: str) -> Iterator[str]:
        """Each value of the cookie `name` (RFC 6265 §4.2.1)."""
        for line in self.values("cookie"):
            for pair in line.split(";"):
                key, equals, value = pair.strip(" \t").partition("=")
                if equals and key == name:
                    yield value

    def parameters(self, name: str) -> Iterator[str]:
        """Each value of the query parameter `name`, form-decoded (WHATWG URL §5.1)."""
        return (value for key, value in decode_query(self.received_query) if key == name)
