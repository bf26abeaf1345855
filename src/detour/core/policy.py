"""The decisions on which those who follow redirects differ, one row for each of them.

`FETCH` and `RFC9110` are the standards; the others are clients as they were read and run: curl 7.88.1,
libcurl 8.23.0 (for `--follow`, with curl's own tests and manual since 8.16), requests 2.34.2, httpx 0.28.1,
Go 1.27.3. `core.follower` applies a row, and `docs/policies.md` is made from it. What a row does not mention
stays as it was: the method, the content, every field. A Location is read as WHATWG reads it in every row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from detour.core.chain import CREDENTIAL_FIELDS
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL

Names = frozenset[str]

REDIRECTS = frozenset(REDIRECT_STATUSES)
CHANGING = (301, 302, 303)  # the statuses at which a method may change

# Fetch §2.2.2 "request-body-header name", and what frames content on the wire (RFC 9112 §6).
CONTENT_FIELDS = frozenset({"content-encoding", "content-language", "content-location", "content-type"})
FRAMING_FIELDS = frozenset({"content-length", "transfer-encoding"})


class Rewriting(msgspec.Struct, frozen=True):
    """At these statuses, for these methods, content is dropped and the method becomes another."""

    clause: str
    statuses: tuple[int, ...]
    methods: tuple[str, ...] = ()  # none: every method
    but: tuple[str, ...] = ()  # and yet not these
    with_content: bool = False  # only a request that has content
    method: str = "GET"  # "": the same

    def applies(self, status: int, method: str, has_content: bool) -> bool:
        """Whether this is what happens to such a request at such a status."""
        return (
            status in self.statuses
            and (not self.methods or method in self.methods)
            and method not in self.but
            and (has_content or not self.with_content)
        )


class Border(msgspec.Struct, frozen=True):
    """What counts as leaving for elsewhere: `crossed(first, before, after)` of three target URIs."""

    meaning: str
    clause: str
    crossed: Callable[[URL, URL, URL], bool]
    returns: bool = False  # what was dropped is sent again on the way back


class Policy(msgspec.Struct, frozen=True):
    """One reader of redirects. Each `…_clause` says where the value beside it stands."""

    name: str
    title: str
    statuses: frozenset[int]
    statuses_clause: str
    rewritings: tuple[Rewriting, ...]
    content_fields: Names
    content_fields_clause: str
    border: Border
    guarded: Names  # fields that do not cross the border
    guarded_clause: str
    limit: int  # redirects followed; one more is too many
    limit_clause: str
    several: Literal["fail", "differing", "first", "joined"]
    several_clause: str
    once: Literal["fail", "hand-back", "empty"]  # content that would be sent again, and cannot be
    once_clause: str
    fragment: Literal["absent", "empty", "never"]  # the one of the target URI is inherited if Location's is …
    fragment_clause: str
    referer: Literal["trimmed", "secure", "kept", "sent"]
    referer_clause: str
    never_again: Names = frozenset()  # fields that no redirected request carries
    never_again_clause: str = ""
    empty_location: Literal["followed", "handed-back", "skipped"] = "followed"
    backslash: bool = False  # "\" in a Location is "/", as in a browser
    replay_even_if_dropped: bool = False  # content that cannot be sent again fails at 301 and 302 too
    note: str = ""

    def rewriting(self, status: int, method: str, has_content: bool) -> Rewriting | None:
        """What happens to method and content; None: both stay."""
        return next((row for row in self.rewritings if row.applies(status, method, has_content)), None)


SEVERAL: dict[str, str] = {
    "fail": "more than one Location is a failure",
    "differing": "Locations that differ are a failure",
    "first": "the first Location counts",
    "joined": "the Locations are joined with `, `",
}
ONCE: dict[str, str] = {
    "fail": "a failure",
    "hand-back": "the redirect is handed back",
    "empty": "sent again empty, and nobody is told",
}
FRAGMENT: dict[str, str] = {
    "absent": "inherited where Location has none",
    "empty": "inherited where Location's is none or empty",
    "never": "not inherited",
}
EMPTY: dict[str, str] = {
    "followed": "a reference to the same URL, and followed",
    "handed-back": "the redirect is handed back",
    "skipped": "as if it were not there",
}
REFERER: dict[str, str] = {
    "trimmed": "cut to its origin at another origin, dropped from https to http",
    "secure": "dropped from https at another origin",
    "kept": "sent as it was written",
    "sent": "sent as it was written; else the URL before, but not from https to http",
}


def _to_https(before: URL, after: URL) -> bool:
    here, there = ((url.scheme, url.port_or_default) for url in (before, after))
    return before.hostname == after.hostname and here == ("http", "80") and there == ("https", "443")


def _subdomain(host: str, of: str) -> bool:
    return host == of or host.endswith(f".{of}")


ORIGIN = Border(
    "another origin: scheme, host or port",
    "Fetch §4.4, RFC 9110 §4.3.1",
    lambda first, before, after: before.origin != after.origin,
)
FIRST_ORIGIN = Border(
    "another scheme, host or port than the first request's",
    "curl lib/http.c `Curl_auth_allowed_to_host`, since 7.83.0 (CVE-2022-27774, CVE-2022-27776)",
    lambda first, before, after: first.origin != after.origin,
    returns=True,
)
ORIGIN_BUT_HTTPS = Border(
    "another origin, except from http on port 80 to https on port 443 of the same host",
    "requests `should_strip_auth`; httpx `_same_origin`, `_is_https_redirect`",
    lambda first, before, after: before.origin != after.origin and not _to_https(before, after),
)
FIRST_DOMAIN = Border(
    "a host that is neither the first request's nor a subdomain of it; port and scheme do not count",
    "Go net/http `shouldCopyHeaderOnRedirect`",
    lambda first, before, after: not _subdomain(after.hostname, first.hostname),
)

FETCH = Policy(
    name="fetch",
    title="Fetch: browsers, Node, Deno, Bun",
    statuses=REDIRECTS,
    statuses_clause="Fetch §2.2.3, redirect status",
    rewritings=(
        Rewriting("Fetch §4.4: 301 or 302, and the method is POST", (301, 302), methods=("POST",)),
        Rewriting("Fetch §4.4: 303, and the method is neither GET nor HEAD", (303,), but=("GET", "HEAD")),
    ),
    content_fields=CONTENT_FIELDS | FRAMING_FIELDS,
    content_fields_clause="Fetch §4.4, request-body-header names",
    border=ORIGIN,
    guarded=CREDENTIAL_FIELDS,
    guarded_clause="Fetch §4.4 (Authorization); Cookie and Proxy-Authorization are forbidden request-headers "
    "(Fetch §2.2.2): the user agent writes them anew for each request",
    limit=20,
    limit_clause="Fetch §4.4: redirect count is 20",
    several="fail",
    several_clause="Fetch §2.2.2 extract header list values; §2.2.6 location URL",
    once="fail",
    once_clause="Fetch §4.4: not 303, and the body's source is null",
    replay_even_if_dropped=True,
    fragment="absent",
    fragment_clause="Fetch §2.2.6 location URL",
    referer="trimmed",
    referer_clause="Referrer Policy §8.3, strict-origin-when-cross-origin: the default",
    backslash=True,
    note="CORS, which decides whether a page may read any of it, is not part of the row; nor is a response's "
    "Referrer-Policy, nor that a page at http://localhost counts as trustworthy.",
)

RFC9110 = Policy(
    name="rfc9110",
    title="RFC 9110, none of its MAYs used",
    statuses=REDIRECTS,
    statuses_clause="RFC 9110 §15.4.2 to §15.4.9; 300 MAY be followed, 305 is deprecated",
    rewritings=(
        Rewriting("RFC 9110 §15.4.4: a retrieval request, GET or HEAD", (303,), but=("GET", "HEAD")),
    ),
    content_fields=CONTENT_FIELDS | FRAMING_FIELDS | {"digest", "last-modified"},
    content_fields_clause="RFC 9110 §15.4, step 5: content-specific fields",
    border=ORIGIN,
    guarded=CREDENTIAL_FIELDS,
    guarded_clause="RFC 9110 §15.4, steps 2 and 3",
    limit=20,
    limit_clause="RFC 9110 §15.4 asks to intervene in cycles and names no number; this is Fetch's",
    several="differing",
    several_clause="RFC 9110 §5.3: a sender must not repeat it; §10.2.2: nor is it a list",
    once="fail",
    once_clause="RFC 9110 §15.4.8, §15.4.9: the method must not change",
    fragment="absent",
    fragment_clause="RFC 9110 §10.2.2",
    referer="secure",
    referer_clause="RFC 9110 §10.1.3: SHOULD NOT to another origin, MUST NOT over http",
)

_TYPED = "with content and `-X M -d` the method sticks and the content is dropped: `CURLOPT_CUSTOMREQUEST`"

CURL = Policy(
    name="curl",
    title="curl -L",
    statuses=frozenset(range(300, 400)),
    statuses_clause="any 3xx with a Location; seen, 300 and 304 to 306 too",
    rewritings=(
        Rewriting("`-d` is a POST that becomes GET", CHANGING, methods=("POST",), with_content=True),
        Rewriting(_TYPED, CHANGING, with_content=True, method=""),
    ),
    content_fields=FRAMING_FIELDS,
    content_fields_clause="fields written with `-H` stay, Content-Type too; seen",
    border=FIRST_ORIGIN,
    guarded=frozenset({"authorization", "cookie"}),
    guarded_clause="curl lib/http.c `Curl_add_custom_headers`; seen: Proxy-Authorization crosses",
    limit=50,
    limit_clause="curl `--max-redirs`",
    several="first",
    several_clause="seen with curl 7.88.1",
    once="fail",
    once_clause="CURLE_SEND_FAIL_REWIND (65)",
    fragment="never",
    fragment_clause="seen: `url_effective` has only Location's",
    referer="kept",
    referer_clause="curl `--referer`, without `;auto`",
    empty_location="skipped",
    note="Read as typed with `-X METHOD` and `-d`: a POST with content needs no `-X`. "
    "A file sent with `-T` keeps PUT and its content on 301 and 302.",
)

CURL_FOLLOW = msgspec.structs.replace(
    CURL,
    name="curl-follow",
    title="curl --follow, since 8.16",
    rewritings=(
        Rewriting("curl tests 1571, 1579: what `-d` sends becomes GET", (301, 302), with_content=True),
        Rewriting("curl tests 1983, 1984: anything but HEAD becomes GET", (303,), but=("GET", "HEAD")),
        Rewriting("curl test 1579", (303,), methods=("GET",), with_content=True),
    ),
    several="differing",
    several_clause="curl test 580: CURLE_WEIRD_SERVER_REPLY",
    note="Without content a method typed with `-X` stays on 301 and 302 (curl test 1573). "
    "A file sent with `-T` keeps method and content there (curl test 1576).",
)

REQUESTS = Policy(
    name="requests",
    title="Python requests",
    statuses=REDIRECTS,
    statuses_clause="requests `REDIRECT_STATI`",
    rewritings=(
        Rewriting("requests `rebuild_method`: 302 and 303", (302, 303), but=("HEAD",)),
        Rewriting("requests `rebuild_method`: 301 and POST", (301,), methods=("POST",)),
        Rewriting("requests `resolve_redirects`: the body goes on all but 307 and 308", CHANGING, method=""),
    ),
    content_fields=FRAMING_FIELDS | {"content-type"},
    content_fields_clause="requests `resolve_redirects`, purged headers",
    border=ORIGIN_BUT_HTTPS,
    guarded=frozenset({"authorization"}),
    guarded_clause="requests `rebuild_auth`",
    never_again=frozenset({"cookie", "proxy-authorization"}),
    never_again_clause="requests `resolve_redirects`, `rebuild_proxies`: written anew from jar and proxies",
    limit=30,
    limit_clause="requests `DEFAULT_REDIRECT_LIMIT`",
    several="joined",
    several_clause="urllib3 `HTTPHeaderDict`",
    once="empty",
    once_clause="requests `resolve_redirects` rewinds only what has `tell`; a generator comes out empty",
    fragment="empty",
    fragment_clause="requests `resolve_redirects`, citing RFC 7231 §7.1.2",
    referer="kept",
    referer_clause="requests writes none",
    empty_location="handed-back",
)

HTTPX = Policy(
    name="httpx",
    title="Python httpx, follow_redirects=True",
    statuses=REDIRECTS,
    statuses_clause="httpx `has_redirect_location`",
    rewritings=(
        Rewriting("httpx `_redirect_method`: 302 and 303", (302, 303), but=("GET", "HEAD")),
        Rewriting("httpx `_redirect_method`: 301 and POST", (301,), methods=("POST",)),
    ),
    content_fields=FRAMING_FIELDS,
    content_fields_clause="httpx `_redirect_headers`: Content-Type stays",
    border=ORIGIN_BUT_HTTPS,
    guarded=frozenset({"authorization"}),
    guarded_clause="httpx `_redirect_headers`: Proxy-Authorization crosses",
    never_again=frozenset({"cookie"}),
    never_again_clause="httpx `_redirect_headers`: written anew from the client's store",
    limit=20,
    limit_clause="httpx `DEFAULT_MAX_REDIRECTS`",
    several="joined",
    several_clause="httpx `Headers.__getitem__`",
    once="fail",
    once_clause="httpx `StreamConsumed`, for a generator; any other iterator comes out empty",
    fragment="empty",
    fragment_clause="httpx `_redirect_url`, citing RFC 7231 §7.1.2",
    referer="kept",
    referer_clause="httpx writes none",
    note="httpx follows only when told to.",
)

GO = Policy(
    name="go",
    title="Go net/http",
    statuses=REDIRECTS,
    statuses_clause="Go `redirectBehavior`",
    rewritings=(
        Rewriting("Go `redirectBehavior`: neither GET nor HEAD", CHANGING, but=("GET", "HEAD")),
        Rewriting("Go `redirectBehavior`: no body after 301, 302, 303", CHANGING, method=""),
    ),
    content_fields=CONTENT_FIELDS | FRAMING_FIELDS,
    content_fields_clause="Go `makeHeadersCopier`",
    border=FIRST_DOMAIN,
    guarded=CREDENTIAL_FIELDS | {"www-authenticate", "proxy-authenticate", "cookie2"},
    guarded_clause="Go `makeHeadersCopier`; once dropped, dropped for good (CVE-2024-45336)",
    limit=9,
    limit_clause="Go `defaultCheckRedirect`: ten requests in all",
    several="first",
    several_clause="Go `Header.Get`",
    once="hand-back",
    once_clause="Go `redirectBehavior`: 307 or 308, and the first request has no GetBody",
    fragment="never",
    fragment_clause="Go `URL.ResolveReference`",
    referer="sent",
    referer_clause="Go `refererForURL`; seen: its fragment is not cut off",
    empty_location="handed-back",
)

POLICIES: dict[str, Policy] = {
    policy.name: policy for policy in (FETCH, RFC9110, CURL, CURL_FOLLOW, REQUESTS, HTTPX, GO)
}
