"""Chains that look much like a cause or a loop and are not: what must not be named, or not for certain."""

from __future__ import annotations

import msgspec

from detour.core.chain import Chain, End, Hop, Outgoing
from detour.core.url import URL
from tests.follow.published.responses import response_of, to


def chain_of(*steps: tuple[str, str, str], end: str = "loop") -> Chain:
    """A chain of steps (method, URL, response head)."""
    hops = []
    for method, url, head in steps:
        request, response = Outgoing(method, URL.parse(url)), response_of(head)
        hops.append(Hop(request, response, to(request, response)))
    return Chain("fetch", tuple(hops), End(end))


def moved(location: str, *more: str, status: int = 301) -> str:
    """The head of a redirect."""
    return "\n".join([f"HTTP/1.1 {status} Moved", f"Location: {location}", *more])


NGINX_NOTE = (
    "<html>\r\n<head><title>307 Temporary Redirect</title></head>\r\n<body>\r\n"
    "<center><h1>307 Temporary Redirect</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n"
    "</body>\r\n</html>\r\n"
)


class NearMiss(msgspec.Struct, frozen=True):
    """A response that looks much like a cause's, and is not."""

    finding: str
    why: str
    method: str
    url: str
    head: str
    content: str = ""


NEAR_MISSES: tuple[NearMiss, ...] = (
    NearMiss(
        "starlette-slash",
        "the path changes by more than a slash",
        "POST",
        "http://h.test/items",
        "HTTP/1.1 307 Temporary Redirect\nserver: uvicorn\ncontent-length: 0\nlocation: http://h.test/things/",
    ),
    NearMiss(
        "starlette-slash",
        "a slash, but Werkzeug's 308",
        "POST",
        "http://h.test/items",
        "HTTP/1.1 308 PERMANENT REDIRECT\nServer: Werkzeug/3.1.9\nLocation: http://h.test/items/",
        "<!doctype html>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n",
    ),
    NearMiss(
        "untrusted-forwarded-scheme",
        "another host: a deliberate move",
        "GET",
        "https://h.test/items",
        "HTTP/1.1 302 Found\nLocation: http://other.test/items",
    ),
    NearMiss(
        "untrusted-forwarded-scheme",
        "http was asked for",
        "GET",
        "http://h.test/items",
        "HTTP/1.1 307 Temporary Redirect\nserver: uvicorn\nlocation: http://h.test/items/",
    ),
    NearMiss(
        "go-slash",
        "Go's note, but http.Redirect of a handler to another path",
        "GET",
        "http://h.test/items",
        "HTTP/1.1 307 Temporary Redirect\nContent-Type: text/html; charset=utf-8\nLocation: /done",
        '<a href="/done">Temporary Redirect</a>.\n\n',
    ),
    NearMiss(
        "go-slash",
        "Go before 1.26",
        "GET",
        "http://h.test/items",
        "HTTP/1.1 301 Moved Permanently\nContent-Type: text/html; charset=utf-8\nLocation: /items/",
        '<a href="/items/">Moved Permanently</a>.\n\n',
    ),
    NearMiss(
        "aspnet-https",
        "Kestrel, but a path of its own",
        "GET",
        "http://h.test/",
        "HTTP/1.1 307 Temporary Redirect\nServer: Kestrel\nContent-Length: 0\nLocation: https://h.test/home",
    ),
    NearMiss(
        "browser-made",
        "a server's 307 with HSTS",
        "GET",
        "http://h.test/",
        "HTTP/1.1 307 Temporary Redirect\nStrict-Transport-Security: max-age=60\nLocation: https://h.test/",
    ),
    NearMiss(
        "traefik-redirect",
        "permanent: true",
        "POST",
        "http://h.test/",
        "HTTP/1.1 308 Permanent Redirect\nLocation: https://h.test/",
        "Permanent Redirect",
    ),
    NearMiss(
        "traefik-redirect",
        "the same content from a program that says who it is",
        "POST",
        "http://h.test/",
        "HTTP/1.1 307 Temporary Redirect\nServer: Python/3.11 aiohttp/3.14.5\nLocation: https://h.test/",
        "Temporary Redirect",
    ),
    NearMiss(
        "access-gateway",
        "a host that only sounds like it",
        "GET",
        "http://h.test/",
        "HTTP/1.1 307 Temporary Redirect\nLocation: https://notzscaler.example/auT",
    ),
    NearMiss(
        "edge-challenge",
        "a cookie, but another URL",
        "GET",
        "http://h.test/",
        "HTTP/1.1 307 Temporary Redirect\nSet-Cookie: a=1\nLocation: http://h.test/login",
    ),
    NearMiss(
        "s3-region",
        "S3's permanent redirect",
        "GET",
        "http://b.s3.amazonaws.com/k",
        "HTTP/1.1 301 Moved Permanently\nServer: AmazonS3\nx-amz-bucket-region: eu-west-1\n"
        "Location: https://b.s3.eu-west-1.amazonaws.com/k",
        "<Error><Code>PermanentRedirect</Code></Error>",
    ),
    NearMiss(
        "leader-redirect",
        "the same node, another path",
        "GET",
        "http://h.test:8200/v1/secret",
        "HTTP/1.1 307 Temporary Redirect\nCache-Control: no-store\nContent-Length: 0\nLocation: /ui/",
    ),
    NearMiss(
        "leader-redirect",
        "another host, but no path of a cluster's API",
        "GET",
        "http://h.test/shop",
        "HTTP/1.1 307 Temporary Redirect\nContent-Length: 0\nLocation: http://other.test/shop",
    ),
    NearMiss(
        "vercel-domain",
        "Vercel, the same host: a middleware of the application",
        "GET",
        "https://h.test/a",
        "HTTP/2 307\nserver: Vercel\nx-vercel-id: fra1::x\nlocation: /b",
    ),
    NearMiss(
        "azure-gateway-https",
        "the gateway passes an application's own redirect",
        "GET",
        "https://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: Microsoft-Azure-Application-Gateway/v2\nLocation: /b",
    ),
    NearMiss(
        "rails-force-ssl",
        "GET: Rails says 301, so somebody else says this",
        "GET",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nContent-Type: text/html\nLocation: https://h.test/a",
    ),
    NearMiss(
        "haproxy-redirect",
        "a Date: it passed through HAProxy",
        "POST",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\ncontent-length: 0\nlocation: https://h.test/a\n"
        "cache-control: no-cache\ndate: Tue, 24 Nov 2026 12:00:00 GMT",
    ),
    NearMiss(
        "default-307",
        "a slash alone is the router's",
        "POST",
        "http://h.test/form",
        "HTTP/1.1 307 Temporary Redirect\nserver: uvicorn\ncontent-length: 0\nlocation: http://h.test/form/",
    ),
    NearMiss(
        "default-307",
        "303 was chosen",
        "POST",
        "http://h.test/form",
        "HTTP/1.1 303 See Other\nserver: uvicorn\ncontent-length: 0\nlocation: /done",
    ),
    NearMiss(
        "nginx-return",
        "nginx's name on a backend's content",
        "GET",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: nginx/1.22.1\nContent-Length: 0\nLocation: /b",
    ),
    NearMiss(
        "nginx-passed-redirect",
        "nginx's own, to a port it was told",
        "GET",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: nginx/1.22.1\nLocation: http://h.test:8080/a",
        NGINX_NOTE,
    ),
    NearMiss(
        "nginx-passed-redirect",
        "nginx's own, asked with HEAD, which shows no note",
        "HEAD",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: nginx/1.22.1\nContent-Type: text/html\n"
        "Content-Length: 171\nLocation: http://h.test:8080/a",
    ),
    NearMiss(
        "nginx-passed-redirect",
        "a backend's, to https on the port where it is",
        "GET",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: nginx\nContent-Length: 0\nLocation: https://h.test:8443/a",
    ),
    NearMiss(
        "nginx-passed-redirect",
        "a backend's, to a public host",
        "GET",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: nginx\nContent-Length: 0\nLocation: https://login.example.com/a",
    ),
    NearMiss(
        "cloudfront-https",
        "an origin's 307 that CloudFront passes on",
        "POST",
        "https://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: CloudFront\nX-Cache: Miss from cloudfront\nLocation: /b",
    ),
    NearMiss(
        "starlette-slash",
        "Pyramid's 307 for a slash, asked with HEAD: typed, though without content",
        "HEAD",
        "http://h.test/items",
        "HTTP/1.1 307 Temporary Redirect\nContent-Type: text/html; charset=UTF-8\nServer: waitress\n"
        "Location: http://h.test/items/",
    ),
    NearMiss(
        "starlette-slash",
        "another query",
        "GET",
        "http://h.test/items?a=1",
        "HTTP/1.1 307 Temporary Redirect\nserver: uvicorn\ncontent-length: 0\nlocation: http://h.test/items/",
    ),
    NearMiss(
        "go-slash",
        "hyper's (axum, warp): names in lower case",
        "POST",
        "http://h.test/items",
        "HTTP/1.1 307 Temporary Redirect\nlocation: /items/\ncontent-length: 0\n"
        "date: Tue, 24 Nov 2026 12:00:00 GMT",
    ),
    NearMiss(
        "browser-made",
        "a server that says Internal Redirect",
        "GET",
        "http://h.test/",
        "HTTP/1.1 307 Internal Redirect\nServer: mine\nLocation: https://h.test/",
    ),
    NearMiss(
        "traefik-redirect",
        "GET, which Traefik gives 302",
        "GET",
        "http://h.test/",
        "HTTP/1.1 307 Temporary Redirect\nLocation: https://h.test/\nContent-Length: 18",
        "Temporary Redirect",
    ),
    NearMiss(
        "traefik-redirect",
        "Koa, which writes the reason phrase as well: typed",
        "POST",
        "http://h.test/",
        "HTTP/1.1 307 Temporary Redirect\nLocation: https://h.test/\nContent-Type: text/plain\n"
        "Content-Length: 18\nDate: Tue, 24 Nov 2026 12:00:00 GMT\nConnection: keep-alive",
        "Temporary Redirect",
    ),
    NearMiss(
        "leader-redirect",
        "version 1 of anybody's API, moved to another host",
        "POST",
        "https://api.h.test/v1/orders",
        "HTTP/1.1 307 Temporary Redirect\nContent-Length: 0\nLocation: https://eu.api.h.test/v1/orders",
    ),
    NearMiss(
        "leader-redirect",
        "an administration of its own, moved to another host",
        "GET",
        "https://h.test/admin/users",
        "HTTP/1.1 307 Temporary Redirect\nContent-Length: 0\nLocation: https://admin.h.test/admin/users",
    ),
    NearMiss(
        "default-307",
        "Starlette's own redirect to https: nothing but the scheme changes",
        "POST",
        "http://h.test/form",
        "HTTP/1.1 307 Temporary Redirect\nserver: uvicorn\ncontent-length: 0\nlocation: https://h.test/form",
    ),
    NearMiss(
        "nginx-return",
        "OpenResty's note",
        "GET",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: openresty\nLocation: /b",
        NGINX_NOTE.replace("nginx/1.22.1", "openresty"),
    ),
    NearMiss(
        "cloudfront-https",
        "GET, which CloudFront gives 301",
        "GET",
        "http://h.test/a",
        "HTTP/1.1 307 Temporary Redirect\nServer: CloudFront\nLocation: https://h.test/a",
    ),
)


class LoopMiss(msgspec.Struct, frozen=True):
    """A chain that looks much like a loop's, and what it is instead."""

    finding: str
    why: str
    chain: Chain
    instead: frozenset[str] = frozenset()  # the loops it is


LOOP_MISSES: tuple[LoopMiss, ...] = (
    LoopMiss(
        "flexible-tls",
        "Cloudflare, and another URL",
        chain_of(
            ("GET", "https://h.test/a", moved("https://h.test/b", "CF-RAY: 8a1b-AMS")), end="not-followed"
        ),
    ),
    LoopMiss(
        "flexible-tls",
        "no edge of Cloudflare's in front",
        chain_of(("GET", "https://h.test/a", moved("https://h.test/a", "Server: nginx"))),
        frozenset({"offloaded-tls"}),
    ),
    LoopMiss(
        "offloaded-tls",
        "http to https is no loop",
        chain_of(("GET", "http://h.test/a", moved("https://h.test/a", status=308)), end="not-followed"),
    ),
    LoopMiss(
        "offloaded-tls",
        "a form that is answered with itself: 303 makes it a GET",
        chain_of(("POST", "https://h.test/a", moved("https://h.test/a", status=303)), end="not-followed"),
    ),
    LoopMiss(
        "offloaded-tls",
        "the same URL again, and it was asked over http",
        chain_of(("GET", "http://h.test/a", moved("http://h.test/a"))),
    ),
    LoopMiss(
        "slash-ping-pong",
        "the second slash is another path's",
        chain_of(
            ("GET", "http://h.test/a", moved("/a/")),
            ("GET", "http://h.test/a/", moved("/b/")),
            end="too-many-hops",
        ),
    ),
    LoopMiss(
        "slash-ping-pong",
        "it comes round by another path",
        chain_of(
            ("GET", "http://h.test/a", moved("/a/")),
            ("GET", "http://h.test/a/", moved("/login")),
            ("GET", "http://h.test/login", moved("/a")),
        ),
    ),
    LoopMiss(
        "scheme-ping-pong",
        "it arrives at another path",
        chain_of(
            ("GET", "https://h.test/a", moved("http://h.test/a")),
            ("GET", "http://h.test/a", moved("https://h.test/b")),
            ("GET", "https://h.test/b", "HTTP/1.1 200 OK"),
            end="arrived",
        ),
    ),
    LoopMiss(
        "scheme-ping-pong",
        "the schemes are those of two hosts",
        chain_of(
            ("GET", "https://h.test/a", moved("http://www.h.test/a")),
            ("GET", "http://www.h.test/a", moved("https://h.test/a")),
        ),
        frozenset({"host-ping-pong"}),
    ),
    LoopMiss(
        "cookie-challenge",
        "a cookie on the way to another URL",
        chain_of(("GET", "http://h.test/a", moved("/b", "Set-Cookie: a=1", status=302)), end="not-followed"),
    ),
    LoopMiss(
        "cookie-challenge",
        "a login that never takes: the cookie comes with another URL",
        chain_of(
            ("GET", "http://h.test/a", moved("/login", "Set-Cookie: a=1", status=302)),
            ("GET", "http://h.test/login", moved("/a", "Set-Cookie: a=1", status=302)),
            end="too-many-hops",
        ),
    ),
    LoopMiss(
        "host-ping-pong",
        "it arrives",
        chain_of(
            ("GET", "http://h.test/a", moved("http://www.h.test/a")),
            ("GET", "http://www.h.test/a", "HTTP/1.1 200 OK"),
            end="arrived",
        ),
    ),
    LoopMiss(
        "host-ping-pong",
        "a login at another host, and back: the paths differ",
        chain_of(
            ("GET", "https://h.test/a", moved("https://login.h.test/?next=a", status=302)),
            ("GET", "https://login.h.test/?next=a", moved("https://h.test/a", status=302)),
        ),
    ),
    LoopMiss(
        "empty-location",
        "a dot is a reference, too, and not an empty one",
        chain_of(("GET", "http://h.test/a/b", moved(".", status=307)), end="not-followed"),
    ),
    LoopMiss(
        "empty-location",
        "a form that shows its result at its own URL, and arrives",
        chain_of(
            ("POST", "http://h.test/a", moved("", status=303)),
            ("GET", "http://h.test/a", "HTTP/1.1 200 OK"),
            end="arrived",
        ),
    ),
)

# What is named, and never for certain: the same octets could be another's, or be meant.
UNCERTAIN: tuple[LoopMiss, ...] = (
    LoopMiss(
        "starlette-slash",
        "a proxy's name in front",
        chain_of(
            ("POST", "http://h.test/a", moved("http://h.test/a/", "Server: nginx", status=307)),
            end="not-followed",
        ),
    ),
    LoopMiss(
        "untrusted-forwarded-scheme",
        "the same path: somebody may force http",
        chain_of(("GET", "https://h.test/a", moved("http://h.test/a", status=302)), end="not-followed"),
    ),
    LoopMiss(
        "go-slash",
        "Gin's redirect of a POST has no note either",
        chain_of(
            ("POST", "http://h.test/a", moved("/a/", "Content-Length: 0", status=307)), end="not-followed"
        ),
    ),
    LoopMiss(
        "haproxy-redirect",
        "in HTTP/2 every name is in lower case, and this is another order",
        chain_of(
            (
                "GET",
                "https://h.test/a",
                "HTTP/2 307\nlocation: /b\ncache-control: no-cache\ncontent-length: 0",
            ),
            end="not-followed",
        ),
    ),
    LoopMiss(
        "default-307",
        "Next.js was never on stage",
        chain_of(
            ("POST", "http://h.test/a", moved("/b", "X-Powered-By: Next.js", status=307)), end="not-followed"
        ),
    ),
    LoopMiss(
        "nginx-passed-redirect",
        "another port of the same host may be meant",
        chain_of(
            ("GET", "http://h.test/a", moved("http://h.test:8443/a", "Server: nginx", status=302)),
            end="not-followed",
        ),
    ),
    LoopMiss(
        "nginx-passed-redirect",
        "it was asked from the inside",
        chain_of(
            ("GET", "http://10.0.0.1/a", moved("http://10.0.0.2/a", "Server: nginx", status=302)),
            end="not-followed",
        ),
    ),
    LoopMiss(
        "cookie-challenge",
        "over https a session's cookie comes with the redirect of a program that TLS ends before",
        chain_of(
            ("GET", "https://h.test/a", moved("https://h.test/a", "Set-Cookie: session=1")),
            end="too-many-hops",
        ),
    ),
    LoopMiss(
        "offloaded-tls",
        "a server that redirects its own https requests to themselves looks the same from outside",
        chain_of(("GET", "https://h.test/a", moved("https://h.test/a"))),
    ),
)
