"""Every case the lab knows, and what it does not ask."""

from __future__ import annotations

from detour.lab.case import Case
from detour.lab.cases import (
    answer_content,
    cache,
    caller,
    chain,
    credentials,
    early,
    location,
    other_origin,
    same_origin,
    status,
)

CASES: tuple[Case, ...] = (
    *same_origin.CASES,
    *other_origin.CASES,
    *location.CASES,
    *credentials.CASES,
    *early.CASES,
    *chain.CASES,
    *status.CASES,
    *answer_content.CASES,
    *cache.CASES,
    *caller.CASES,
)
BY_ID: dict[str, Case] = {case.id: case for case in CASES}

# The short run: every group, and the questions on which clients are known to differ.
SLICE: tuple[Case, ...] = tuple(case for case in CASES if case.slice)

# The groups, in the order of CASES.
GROUPS: dict[str, str] = {
    "same": "status × method × content, within one origin",
    "origin": "to another origin",
    "location": "how the Location is written",
    "credentials": "what goes with the request",
    "early": "answers before the content was read",
    "chain": "several redirects, and loops",
    "status": "answers that are no redirect",
    "answer": "redirects with content of their own",
    "cache": "a redirect that is remembered",
    "caller": "WebSocket, gRPC, preflight",
}

# What is not asked, and why.
LEFT_OUT: tuple[tuple[str, str], ...] = (
    (
        "GET with form, multipart, large, file, stream, expect",
        "content of GET has no semantics: RFC 9110 §9.3.1",
    ),
    ("HEAD with content", "content of HEAD has no semantics: RFC 9110 §9.3.2"),
    ("CONNECT and TRACE", "no request of an application: RFC 9110 §9.3.6, §9.3.8"),
    ("another origin × status × method × content in full", "pairwise: each relation meets each of them once"),
    ("Location forms at 301, 303 and 308", "how a Location is read does not depend on the status"),
    (
        "Location forms over https",
        "how a Location is read does not depend on it; scheme changes are in `origin`",
    ),
    ("Location with CR, LF or NUL", "cannot be sent in a field value: RFC 9110 §5.5"),
    ("Location with a host name, IDN or IPv6", "the lab uses addresses of loopback and asks no resolver"),
    ("the fragment a client shows after a redirect", "it is not sent; what the client says is in the record"),
    ("the fields that are left over, as cases of their own", "every case notes them"),
    ("cookies with Secure, Domain, SameSite", "about cookie jars, not redirects"),
    (
        "Digest, Negotiate, netrc and client certificates",
        "credentials that no two clients are told in the same way",
    ),
    ("early answers with chunked, form, multipart, file", "the connection sees octets, whatever made them"),
    ("417 to an expectation", "no redirect: RFC 9110 §15.5.18"),
    ("redirects through a proxy", "another program between client and lab; `Proxy-Authorization` is asked"),
    ("HTTP/2 and HTTP/3", "the origins speak HTTP/1.1: what is compared is method, fields and content"),
    ("gRPC and WebSocket beyond their first request", "neither has a redirect after it"),
)
