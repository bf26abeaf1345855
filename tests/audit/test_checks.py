"""Each check fires where it must, and not at the near miss. Expected ones are written by hand."""

from __future__ import annotations

import importlib
import re
from typing import NamedTuple

import pytest
from hypothesis import given

from detour.audit.checks import CHECKS, check_chain
from detour.audit.finding import at_least
from detour.core.chain import Chain
from tests.audit.chains import CHAINS, chain, hop

UPLOAD = "replayable"
CANARY = "canary.detour.invalid"
BEARER = (("Authorization", "Bearer t"),)
PREFLIGHT = (("Origin", "https://app.example"), ("Access-Control-Request-Method", "PUT"))


class Case(NamedTuple):
    said: str
    chain: Chain
    found: tuple[str, ...]  # severity and hop of each finding, as in "error 0"


CASES: dict[str, list[Case]] = {
    "content-crosses-origin": [
        Case(
            "a 307 to another host takes the content along",
            chain(
                hop("POST https://a.example/x", 307, "https://b.example/x", content=UPLOAD),
                hop("POST https://b.example/x", 200, content=UPLOAD),
            ),
            ("warning 0",),
        ),
        Case(
            "nobody consented, but others would send it",
            chain(hop("POST https://a.example/x", 308, "//b.example/", content=UPLOAD), end="needs-consent"),
            ("warning 0",),
        ),
        Case(
            "another port is another origin",
            chain(
                hop("PUT https://a.example/x", 307, "https://a.example:8443/x", content=UPLOAD),
                hop("PUT https://a.example:8443/x", 200, content=UPLOAD),
            ),
            ("warning 0",),
        ),
        Case(
            "302 leaves a PUT alone, which goes along with its content",
            chain(hop("PUT https://a.example/x", 302, "//b.example/", content=UPLOAD), end="not-followed"),
            ("warning 0",),
        ),
        Case(
            "302 makes a POST a GET",
            chain(hop("POST https://a.example/x", 302, "//b.example/", content=UPLOAD), end="not-followed"),
            (),
        ),
        Case(
            "the same origin",
            chain(
                hop("POST https://a.example/x", 307, "/y", content=UPLOAD),
                hop("POST https://a.example/y", 200, content=UPLOAD),
            ),
            (),
        ),
        Case(
            "from http to https of the same host",
            chain(
                hop("POST http://a.example/x", 308, "https://a.example/x", content=UPLOAD),
                hop("POST https://a.example/x", 200, content=UPLOAD),
            ),
            (),
        ),
        Case(
            "303 leaves the content behind",
            chain(
                hop("POST https://a.example/x", 303, "https://b.example/x", content=UPLOAD),
                hop("GET https://b.example/x", 200),
            ),
            (),
        ),
        Case(
            "a content that cannot be sent again stays",
            chain(
                hop("POST https://a.example/x", 307, "https://b.example/x", content="once"),
                end="not-replayable",
            ),
            (),
        ),
    ],
    "custom-header-crossed": [
        Case(
            "an API key reaches another host",
            chain(
                hop("GET https://a.example/", 302, "https://b.example/", fields=(("X-Api-Key", "k"),)),
                hop("GET https://b.example/", 200, fields=(("X-Api-Key", "k"),)),
            ),
            ("warning 0",),
        ),
        Case(
            "Authorization that a client did not remove is an error",
            chain(
                hop("GET https://a.example/", 302, "https://b.example/", fields=BEARER),
                hop("GET https://b.example/", 200, fields=BEARER),
            ),
            ("error 0",),
        ),
        Case(
            "an API key that would cross",
            chain(
                hop("GET https://a.example/", 302, "https://b.example/", fields=(("x-vault-token", "k"),)),
                end="not-followed",
            ),
            ("warning 0",),
        ),
        *(
            Case(
                f"{name} that would cross",
                chain(
                    hop("GET https://a.example/", 302, "//b.example/", fields=((name, "k"),)),
                    end="not-followed",
                ),
                ("warning 0",),
            )
            for name in (
                "Mcp-Session-Id",
                "PRIVATE-TOKEN",
                "Ocp-Apim-Subscription-Key",
                "X-Amz-Security-Token",
            )
        ),
        *(
            Case(
                f"{name} is no secret",
                chain(
                    hop("GET https://a.example/", 302, "//b.example/", fields=((name, "k"),)),
                    end="not-followed",
                ),
                (),
            )
            for name in ("Idempotency-Key", "Sec-WebSocket-Key", "X-Token-Type", "X-Request-Id")
        ),
        Case(
            "a field without a secret",
            chain(
                hop("GET https://a.example/", 302, "https://b.example/", fields=(("Accept-Language", "de"),)),
                hop("GET https://b.example/", 200, fields=(("Accept-Language", "de"),)),
            ),
            (),
        ),
        Case(
            "a cookie at another port of its host",
            chain(
                hop("GET http://a.example/", 302, "http://a.example:81/", fields=(("Cookie", "a=1"),)),
                hop("GET http://a.example:81/", 200, fields=(("Cookie", "a=1"),)),
            ),
            (),
        ),
        Case(
            "an API key that was left out",
            chain(
                hop("GET https://a.example/", 302, "https://b.example/", fields=(("X-Api-Key", "k"),)),
                hop("GET https://b.example/", 200),
            ),
            (),
        ),
    ],
    "auth-stripped": [
        Case(
            "dropped, and 401 at the other origin",
            chain(
                hop("GET http://a.example/", 301, "https://a.example/", fields=BEARER),
                hop("GET https://a.example/", 401),
            ),
            ("warning 0",),
        ),
        Case(
            "dropped, and not needed",
            chain(
                hop("GET https://a.example/", 302, "https://b.example/", fields=BEARER),
                hop("GET https://b.example/", 200),
            ),
            ("note 0",),
        ),
        Case(
            "a signed URL needs none",
            chain(
                hop("GET https://a.example/", 302, "https://s.example/o?X-Amz-Signature=1", fields=BEARER),
                hop("GET https://s.example/o?X-Amz-Signature=1", 200),
            ),
            (),
        ),
        Case(
            "kept",
            chain(
                hop("GET https://a.example/", 302, "/b", fields=BEARER),
                hop("GET https://a.example/b", 401, fields=BEARER),
            ),
            (),
        ),
    ],
    "two-auth": [
        Case(
            "S3 gets a signature and a token",
            chain(
                hop("GET https://a.example/", 302, "https://s.example/o?X-Amz-Signature=1", fields=BEARER),
                hop("GET https://s.example/o?X-Amz-Signature=1", 400, fields=BEARER),
            ),
            ("error 0",),
        ),
        Case(
            "Azure, too",
            chain(
                hop("GET https://a.example/", 302, "https://s.example/o?sv=2&sig=abc", fields=BEARER),
                hop("GET https://s.example/o?sv=2&sig=abc", 403, fields=BEARER),
            ),
            ("error 0",),
        ),
        Case(
            "Google, too",
            chain(
                hop("GET https://a.example/", 302, "https://s.example/o?X-Goog-Signature=1", fields=BEARER),
                hop("GET https://s.example/o?X-Goog-Signature=1", 400, fields=BEARER),
            ),
            ("error 0",),
        ),
        Case(
            "a signature alone",
            chain(
                hop("GET https://a.example/", 302, "https://s.example/o?X-Amz-Signature=1", fields=BEARER),
                hop("GET https://s.example/o?X-Amz-Signature=1", 200),
            ),
            (),
        ),
        Case(
            "`sig` alone is anybody's word",
            chain(
                hop("GET https://a.example/", 302, "/o?sig=tenor", fields=BEARER),
                hop("GET https://a.example/o?sig=tenor", 200, fields=BEARER),
            ),
            (),
        ),
    ],
    "slash-only": [
        Case(
            "a slash on GET is a note",
            chain(hop("GET http://a.example/x?q", 301, "/x/?q"), hop("GET http://a.example/x/?q", 200)),
            ("note 0",),
        ),
        Case(
            "with content it is sent twice",
            chain(
                hop("POST http://a.example/mcp/", 307, "/mcp", content=UPLOAD),
                hop("POST http://a.example/mcp", 200, content=UPLOAD),
            ),
            ("warning 0",),
        ),
        Case(
            "the scheme may change on the way",
            chain(hop("GET https://a.example/x", 307, "http://a.example/x/"), end="not-followed"),
            ("note 0",),
        ),
        Case(
            "another path with a slash",
            chain(hop("GET http://a.example/x", 302, "/y/"), hop("GET http://a.example/y/", 200)),
            (),
        ),
        Case(
            "another query",
            chain(hop("GET http://a.example/x", 302, "/x/?q"), hop("GET http://a.example/x/?q", 200)),
            (),
        ),
        Case(
            "another host",
            chain(hop("GET http://a.example/x", 302, "//b.example/x/"), hop("GET http://b.example/x/", 200)),
            (),
        ),
    ],
    "port-leak": [
        Case(
            "the inner port shows",
            chain(hop("GET https://a.example/x", 301, "http://a.example:8080/x/"), end="connect"),
            ("warning 0",),
        ),
        Case(
            "https on the port of http",
            chain(hop("GET http://a.example/x", 301, "https://a.example:80/x"), end="tls"),
            ("warning 0",),
        ),
        Case(
            "asked for with the port",
            chain(hop("GET http://a.example:8080/x", 301, "/x/"), hop("GET http://a.example:8080/x/", 200)),
            (),
        ),
        Case(
            "the default port written out",
            chain(hop("GET http://a.example/x", 301, "https://a.example:443/x"), end="not-followed"),
            (),
        ),
        Case(
            "another host with a port",
            chain(hop("GET http://a.example/x", 301, "http://b.example:8080/x"), end="not-followed"),
            (),
        ),
    ],
    "internal-host-leak": [
        *(
            Case(
                f"a public host leads to {host}",
                chain(hop("GET https://a.example.com/", 307, f"http://{host}/"), end="refused-address"),
                ("error 0",),
            )
            for host in (
                *("10.1.2.3", "192.168.0.1", "169.254.169.254", "[::1]", "[fd00::1]", "0x7f.1", "localhost"),
                *(
                    "web",
                    "e26472ec19ff",
                    "app.local",
                    "db.internal",
                    "x.default.svc.cluster.local",
                    "y.ns.svc",
                ),
            )
        ),
        *(
            Case(
                f"{host} is public",
                chain(hop("GET https://a.example.com/", 307, f"http://{host}/"), end="not-followed"),
                (),
            )
            for host in (
                "8.8.8.8",
                "b.example.com",
                "local.example.com",
                "internal.example.com",
                "localhost.com",
            )
        ),
        Case(
            "asked from the inside",
            chain(hop("GET http://web/", 307, "http://db/"), hop("GET http://db/", 200)),
            (),
        ),
    ],
    "unreachable-location": [
        *(
            Case(
                f"the Location ends in {end}",
                chain(
                    hop("GET http://a.example/", 307, "//b.example/"),
                    hop("GET http://b.example/", None),
                    end=end,
                ),
                ("error 0",),
            )
            for end in ("resolve", "connect", "tls", "timeout")
        ),
        Case(
            "the first host itself is away: no redirect is to blame",
            chain(hop("GET http://a.example/", None), end="connect"),
            (),
        ),
        Case(
            "refused by our own guard",
            chain(
                hop("GET http://a.example/", 307, "//b.example/"),
                hop("GET http://b.example/", None),
                end="refused-address",
            ),
            (),
        ),
    ],
    "no-location": [
        Case("307 and nothing", chain(hop("GET http://a.example/", 307), end="no-location"), ("error 0",)),
        Case("308 and nothing", chain(hop("PUT http://a.example/", 308), end="no-location"), ("error 0",)),
        Case(
            "Resume Incomplete is no redirect",
            chain(
                hop("PUT http://a.example/", 308, answered=(("X-GUploader-UploadID", "a"),)),
                end="no-location",
            ),
            (),
        ),
        Case(
            "nor with a Range that answers a Content-Range",
            chain(
                hop(
                    "PUT http://a.example/",
                    308,
                    fields=(("Content-Range", "bytes */9"),),
                    answered=(("Range", "bytes=0-4"),),
                ),
                end="no-location",
            ),
            (),
        ),
        Case("304 has none", chain(hop("GET http://a.example/", 304)), ()),
        Case("300 needs none", chain(hop("GET http://a.example/", 300)), ()),
    ],
    "early-response": [
        Case(
            "the second hop shows how long the content is",
            chain(
                hop("POST http://a.example/x", 307, "/y", content=UPLOAD, sent=65536),
                hop("POST http://a.example/y", 200, content=UPLOAD, sent=4194304),
            ),
            ("warning 0",),
        ),
        Case(
            "the length was announced",
            chain(
                hop(
                    "POST http://a.example/x",
                    307,
                    "/y",
                    content="once",
                    sent=10,
                    fields=(("Content-Length", "11"),),
                ),
                end="not-replayable",
            ),
            ("warning 0",),
        ),
        Case(
            "all of it had left",
            chain(
                hop("POST http://a.example/x", 307, "/y", content=UPLOAD, sent=11),
                hop("POST http://a.example/y", 200, content=UPLOAD, sent=11),
            ),
            (),
        ),
        Case(
            "the browser's own upgrade to https, before anything was sent",
            chain(
                hop(
                    "POST http://a.example/x",
                    307,
                    "https://a.example/x",
                    content=UPLOAD,
                    fields=(("Content-Length", "11"),),
                    answered=(("Non-Authoritative-Reason", "HSTS"),),
                ),
                hop("POST https://a.example/x", 200, content=UPLOAD, sent=11),
            ),
            (),
        ),
        Case(
            "Expect asked for an early answer",
            chain(
                hop(
                    "POST http://a.example/x", 307, "/y", content=UPLOAD, fields=(("Expect", "100-continue"),)
                ),
                hop("POST http://a.example/y", 200, content=UPLOAD, sent=11),
            ),
            (),
        ),
        Case(
            "an early answer that is no redirect",
            chain(
                hop("POST http://a.example/x", 413, content=UPLOAD, sent=1, fields=(("Content-Length", "9"),))
            ),
            (),
        ),
    ],
    "continue-then-redirect": [
        Case(
            "100 and then 307",
            chain(hop("PUT http://a.example/x", 307, "/y", interim=(100,)), end="not-replayable"),
            ("warning 0",),
        ),
        Case(
            "early hints are no invitation",
            chain(
                hop("GET http://a.example/x", 307, "/y", interim=(103,)), hop("GET http://a.example/y", 200)
            ),
            (),
        ),
        Case("100 and then 200", chain(hop("PUT http://a.example/x", 200, interim=(100,))), ()),
    ],
    "grpc-redirect": [
        *(
            Case(
                f"{kind} is redirected",
                chain(
                    hop(
                        "POST http://a.example/S/M",
                        307,
                        "https://a.example/",
                        fields=(("content-type", kind),),
                    ),
                    end="not-followed",
                ),
                ("error 0",),
            )
            for kind in ("application/grpc", "application/grpc+proto", "Application/GRPC; a=b")
        ),
        Case(
            "gRPC-Web goes through fetch, which follows",
            chain(
                hop(
                    "POST http://a.example/S/M",
                    307,
                    "https://a.example/",
                    fields=(("Content-Type", "application/grpc-web+proto"),),
                ),
                end="not-followed",
            ),
            (),
        ),
        Case(
            "a gRPC call that is answered",
            chain(hop("POST http://a.example/", 200, fields=(("Content-Type", "application/grpc"),))),
            (),
        ),
    ],
    "browser-internal": [
        Case(
            "HSTS, as Chrome records it",
            chain(
                hop(
                    "GET http://a.example/",
                    307,
                    "https://a.example/",
                    reason="Internal Redirect",
                    answered=(("Non-Authoritative-Reason", "HSTS"),),
                ),
                hop("GET https://a.example/", 200),
            ),
            ("note 0",),
        ),
        Case(
            "a recording that lost the field",
            chain(
                hop("GET http://a.example/", 307, "https://a.example/", reason="Internal Redirect"),
                hop("GET https://a.example/", 200),
            ),
            ("note 0",),
        ),
        Case(
            "a server that uses the phrase",
            chain(
                hop(
                    "GET http://a.example/",
                    307,
                    "/b",
                    reason="Internal Redirect",
                    answered=(("Server", "mine"),),
                ),
                hop("GET http://a.example/b", 200),
            ),
            (),
        ),
        Case(
            "a real 307",
            chain(
                hop("GET http://a.example/", 307, "https://a.example/", reason="Temporary Redirect"),
                hop("GET https://a.example/", 200),
            ),
            (),
        ),
    ],
    "challenge-loop": [
        Case(
            "the same URL and a cookie, met again and again",
            chain(
                hop("GET http://a.example/", 307, "/", answered=(("Set-Cookie", "c=1; Path=/"),)),
                hop("GET http://a.example/", 307, "/", answered=(("Set-Cookie", "c=1; Path=/"),)),
                end="loop",
            ),
            ("warning 0",),
        ),
        Case(
            "DDoS-Guard adds a query",
            chain(
                hop("GET http://a.example/x", 302, "/x?check=1", answered=(("Set-Cookie", "__ddg1_=1"),)),
                hop("GET http://a.example/x?check=1", 200),
            ),
            ("warning 0",),
        ),
        Case(
            "a login that sets a cookie and leads on",
            chain(
                hop("GET http://a.example/x", 302, "/login", answered=(("Set-Cookie", "s=1"),)),
                hop("GET http://a.example/login", 200),
            ),
            (),
        ),
        Case(
            "a language switch that sets a cookie and drops its query",
            chain(
                hop("GET http://a.example/x?lang=de", 302, "/x", answered=(("Set-Cookie", "lang=de"),)),
                hop("GET http://a.example/x", 200),
            ),
            (),
        ),
    ],
    "method-loss": [
        Case(
            "a POST that arrives as GET",
            chain(
                hop("POST https://a.example/old", 301, "/new", content=UPLOAD),
                hop("GET https://a.example/new", 200),
            ),
            ("warning 0",),
        ),
        Case(
            "a client that makes a GET of a DELETE (Go's net/http)",
            chain(hop("DELETE https://a.example/old", 302, "/new"), hop("GET https://a.example/new", 200)),
            ("warning 0",),
        ),
        Case(
            "nothing followed, and browsers would make a GET of it",
            chain(hop("POST https://a.example/old", 302, "/new", content=UPLOAD), end="not-followed"),
            ("warning 0",),
        ),
        Case(
            "303 is meant to become a GET",
            chain(
                hop("POST https://a.example/form", 303, "/done", content=UPLOAD),
                hop("GET https://a.example/done", 200),
            ),
            (),
        ),
        Case(
            "a PUT stays a PUT on 302",
            chain(
                hop("PUT https://a.example/old", 302, "/new", content=UPLOAD),
                hop("PUT https://a.example/new", 200, content=UPLOAD),
            ),
            (),
        ),
        Case("a GET has nothing to lose", chain(hop("GET https://a.example/", 301, "/b"), end="loop"), ()),
        Case("an empty Location", chain(hop("POST https://a.example/", 302), end="no-location"), ()),
    ],
    "redirect-loop": [
        Case(
            "slash ping-pong",
            chain(
                hop("GET http://a.example/x", 301, "/x/"),
                hop("GET http://a.example/x/", 301, "/x"),
                end="loop",
            ),
            ("error 0",),
        ),
        Case(
            "a circle that is entered later, up to the limit",
            chain(
                hop("GET http://a.example/", 301, "/x"),
                hop("GET http://a.example/x", 301, "https://a.example/x"),
                hop("GET https://a.example/x", 301, "http://a.example/x"),
                hop("GET http://a.example/x", 301, "https://a.example/x"),
                end="too-many-hops",
            ),
            ("error 1",),
        ),
        Case(
            "a cookie opened the circle",
            chain(
                hop("GET http://a.example/x", 302, "/login"),
                hop("GET http://a.example/login", 302, "/x", answered=(("Set-Cookie", "s=1"),)),
                hop("GET http://a.example/x", 200),
            ),
            (),
        ),
        Case(
            "a circle of one is self-redirect",
            chain(hop("GET http://a.example/x", 301, "/x"), end="loop"),
            (),
        ),
        Case(
            "POST, then GET of the same URL",
            chain(
                hop("POST http://a.example/x", 303, "/done"),
                hop("GET http://a.example/done", 302, "/x"),
                hop("GET http://a.example/x", None),
                end="timeout",
            ),
            (),
        ),
    ],
    "self-redirect": [
        Case(
            "Location is the URL", chain(hop("GET http://a.example/x", 301, "/x"), end="loop"), ("error 0",)
        ),
        Case("Location is empty", chain(hop("POST http://a.example/x", 307, ""), end="loop"), ("error 0",)),
        Case(
            "a fragment is not another resource",
            chain(hop("GET http://a.example/x", 302, "#top"), end="loop"),
            ("error 0",),
        ),
        Case(
            "it is told once",
            chain(
                hop("GET http://a.example/x", 301, "/x"),
                hop("GET http://a.example/x", 301, "/x"),
                end="too-many-hops",
            ),
            ("error 0",),
        ),
        Case(
            "a form that shows its result",
            chain(hop("POST http://a.example/x", 303, "/x"), hop("GET http://a.example/x", 200)),
            (),
        ),
        Case(
            "a cookie makes it a challenge",
            chain(hop("GET http://a.example/x", 307, "/x", answered=(("Set-Cookie", "c=1"),)), end="loop"),
            (),
        ),
        Case(
            "https is another origin",
            chain(
                hop("GET http://a.example/x", 301, "https://a.example/x"),
                hop("GET https://a.example/x", 200),
            ),
            (),
        ),
    ],
    "long-chain": [
        Case(
            "four redirects",
            chain(
                *(hop(f"GET http://a.example/{n}", 302, f"/{n + 1}") for n in range(4)),
                hop("GET http://a.example/4", 200),
            ),
            ("warning 0",),
        ),
        Case(
            "three are plenty",
            chain(
                *(hop(f"GET http://a.example/{n}", 302, f"/{n + 1}") for n in range(3)),
                hop("GET http://a.example/3", 200),
            ),
            (),
        ),
        Case(
            "a circle has a check of its own",
            chain(*(hop("GET http://a.example/", 302, "/") for _ in range(6)), end="too-many-hops"),
            (),
        ),
    ],
    "scheme-downgrade": [
        Case(
            "from https to http",
            chain(hop("GET https://a.example/x", 307, "http://a.example/x/"), end="not-followed"),
            ("error 0",),
        ),
        Case(
            "from http to https",
            chain(
                hop("GET http://a.example/x", 307, "https://a.example/x"),
                hop("GET https://a.example/x", 200),
            ),
            (),
        ),
        Case(
            "a relative Location keeps https",
            chain(
                hop("GET https://a.example/x", 307, "//b.example/x"),
                hop("GET https://b.example/x", 200),
            ),
            (),
        ),
    ],
    "open-location": [
        Case(
            "a query chooses",
            chain(
                hop(f"GET http://a.example/go?to=https%3A%2F%2F{CANARY}%2F", 302, f"https://{CANARY}/"),
                end="refused-address",
            ),
            ("error 0",),
        ),
        Case(
            "a field chooses",
            chain(
                hop(
                    "GET http://a.example/x",
                    307,
                    f"http://{CANARY}/x/",
                    fields=(("X-Forwarded-Host", CANARY),),
                ),
                end="refused-address",
            ),
            ("error 0",),
        ),
        Case(
            "Host chooses",
            chain(hop(f"GET http://{CANARY}/x", 307, f"http://{CANARY}/x/"), end="not-followed"),
            ("error 0",),
        ),
        Case(
            "a path with two slashes chooses",
            chain(hop(f"GET http://a.example//{CANARY}", 301, f"//{CANARY}/"), end="refused-address"),
            ("error 0",),
        ),
        Case(
            "a relative Location takes the canary from the request",
            chain(hop(f"GET http://{CANARY}/x", 307, "/x/"), end="not-followed"),
            (),
        ),
        Case(
            "the canary is only mentioned",
            chain(
                hop(
                    f"GET http://a.example/go?to=https://{CANARY}/",
                    302,
                    f"https://a.example/login?next=https://{CANARY}/",
                ),
                hop(f"GET https://a.example/login?next=https://{CANARY}/", 200),
            ),
            (),
        ),
        Case(
            "the canary is a user's name, or the beginning of another host's",
            chain(
                hop(f"GET http://a.example/go?to={CANARY}", 302, f"https://{CANARY}@a.example/1"),
                hop("GET https://a.example/1", 302, f"https://{CANARY}.a.example/2"),
                end="not-followed",
            ),
            (),
        ),
        Case(
            "a query that names an allowed host",
            chain(
                hop("GET http://a.example/go?to=https://b.example/", 302, "https://b.example/"),
                hop("GET https://b.example/", 200),
            ),
            (),
        ),
    ],
    "preflight-redirect": [
        Case(
            "a preflight is redirected",
            chain(hop("OPTIONS http://a.example/x", 307, "/x/", fields=PREFLIGHT), end="not-followed"),
            ("error 0",),
        ),
        Case(
            "without a Location, too",
            chain(hop("OPTIONS http://a.example/x", 302, fields=PREFLIGHT), end="no-location"),
            ("error 0",),
        ),
        Case(
            "an OPTIONS that is no preflight",
            chain(
                hop("OPTIONS http://a.example/x", 307, "/x/", fields=PREFLIGHT[:1]),
                hop("OPTIONS http://a.example/x/", 204),
            ),
            (),
        ),
        Case(
            "a preflight that is answered",
            chain(hop("OPTIONS http://a.example/x", 204, fields=PREFLIGHT)),
            (),
        ),
    ],
}
BY_NAME = {check.name: check for check in CHECKS}


@pytest.mark.parametrize(
    ("name", "case"),
    [pytest.param(name, case, id=f"{name}: {case.said}") for name, cases in CASES.items() for case in cases],
)
def test_a_check_finds_what_it_says_and_no_more(name: str, case: Case) -> None:
    over_chain = BY_NAME[name].over_chain
    assert over_chain is not None
    found = list(over_chain(case.chain))
    assert tuple(f"{finding.severity} {finding.hop}" for finding in found) == case.found, found
    for finding in found:
        request = case.chain.hops[finding.hop].request
        assert finding.check == name
        assert finding.url == str(request.url)
        assert finding.witness == f"{request.method} {request.url}"
        assert finding.message


def test_the_names_are_those_of_the_design() -> None:
    assert " ".join(check.name for check in CHECKS if check.over_chain) == (
        "content-crosses-origin custom-header-crossed auth-stripped two-auth slash-only port-leak "
        "internal-host-leak unreachable-location no-location early-response continue-then-redirect "
        "grpc-redirect browser-internal challenge-loop method-loss "
        "redirect-loop self-redirect long-chain scheme-downgrade open-location preflight-redirect"
    )


def test_every_check_has_a_case_that_fires_and_a_near_miss() -> None:
    assert list(CASES) == [check.name for check in CHECKS if check.over_chain]
    for name, cases in CASES.items():
        assert any(case.found for case in cases), name
        assert any(not case.found for case in cases), name


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_explains_itself(check) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", check.name)
    assert check.references
    for text in (check.finds, check.why, check.instead):
        assert text.endswith(".")
        assert "\n" not in text


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_has_a_file_of_its_name(check) -> None:
    module = importlib.import_module(f"detour.audit.checks.{check.name.replace('-', '_')}")
    assert module.CHECK is check
    assert (module.__doc__ or "").startswith(f"{check.name}: ")


@given(CHAINS)
def test_no_check_raises_on_any_chain(chain: Chain) -> None:
    findings = check_chain(chain)
    assert [finding.hop for finding in findings] == sorted(finding.hop for finding in findings)
    assert all(0 <= finding.hop < len(chain.hops) for finding in findings)


def test_a_chain_that_arrives_at_once_has_no_findings() -> None:
    assert check_chain(chain(hop("POST https://a.example/", 200, content=UPLOAD, fields=BEARER))) == []


def test_the_litellm_chain_is_told_whole() -> None:
    """BerriAI/litellm#34845: a slash, the wrong scheme, and the token is gone."""
    found = check_chain(
        chain(
            hop("POST https://a.example/mcp", 307, "http://a.example/mcp/", content=UPLOAD, fields=BEARER),
            hop("POST http://a.example/mcp/", 401, content=UPLOAD),
        )
    )
    assert {finding.check for finding in at_least("warning", found)} == {
        "content-crosses-origin",
        "auth-stripped",
        "slash-only",
        "scheme-downgrade",
    }
