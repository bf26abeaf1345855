"""What the causes of unexpected redirects look like: one predicate for each row of `causes.CAUSES`. Pure.

The status is not asked here: a row says which statuses it is looked for at.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from detour.audit.checks.browser_internal import made_up
from detour.audit.checks.internal_host_leak import inner_host
from detour.core.url import URL
from detour.follow.diagnosis.lines import PYTHON_SERVERS, STARLETTE
from detour.follow.diagnosis.sight import Sight

# --- U1, U3: a slash that nobody asked for ---


def starlette_slash(sight: Sight) -> bool:
    """Absolute, because Starlette copies the request's URL; its RedirectResponse has no media type.

    Go's redirect for a slash is relative, Pyramid's and Django's have a Content-Type, even without content.
    """
    shape = sight.slash_only and sight.absolute and sight.untyped
    return shape and sight.may_be(*STARLETTE)


def python_server(sight: Sight) -> bool:
    """A server of ASGI or WSGI applications names itself, or a fingerprint is certain."""
    return sight.server.startswith(PYTHON_SERVERS) or sight.surely(*STARLETTE)


def go_slash(sight: Sight) -> bool:
    """http.Redirect writes its note for GET only, and no Content-Type without it (net/http)."""
    if sight.absolute or not sight.may_be("Go"):
        return False
    tidied = sight.slash_only or sight.to.path == _tidy(sight.url.path)
    return tidied and not sight.to_itself and (go_note(sight) or _go_without_note(sight))


def go_note(sight: Sight) -> bool:
    """The note that net/http writes for GET."""
    return sight.content == f'<a href="{sight.location}">Temporary Redirect</a>.\n\n'


def _go_without_note(sight: Sight) -> bool:
    """Go writes Location with a capital, hyper (axum, warp) and Envoy do not; HTTP/2 has no capitals."""
    spelled = "Location" in sight.names or sight.response.http_version not in ("1.0", "1.1")
    return sight.untyped and spelled and sight.nameless and not sight.response.values("cache-control")


def _tidy(path: str) -> str:
    return re.sub("/{2,}", "/", path)


# --- U2: the scheme that the program saw is not the one that was asked ---


def believes_http(sight: Sight) -> bool:
    """An absolute Location that a program wrote from what it believes to be its own URL."""
    return sight.to_http and sight.absolute


# --- U4, U6, U11, U12, U16: https, enforced by someone ---


def aspnet(sight: Sight) -> bool:
    """Kestrel's name on an empty answer; the scheme alone changes, or nothing does."""
    shape = sight.empty and sight.to.scheme == "https"
    kestrel = sight.server.startswith("kestrel") or sight.emitted_by("Kestrel", "ASP.NET Core")
    return shape and sight.same_host and sight.same_path and kestrel


def traefik(sight: Sight) -> bool:
    """The reason phrase alone, untyped, and never 307 for GET (middlewares/redirect/redirect.go)."""
    plain = sight.content == "Temporary Redirect" and sight.response.first("content-type") is None
    return plain and sight.hop.request.method != "GET" and sight.nameless and sight.may_be("Traefik")


def traefik_alone(sight: Sight) -> bool:
    """What Traefik writes and nothing else: nobody stands between, and Koa's answers have more."""
    return sight.names == ("Location", "Date", "Content-Length") or sight.surely("Traefik")


def azure_gateway(sight: Sight) -> bool:
    """The gateway's name, as Server or in its note."""
    named = "microsoft-azure-application-gateway" in f"{sight.server}\n{sight.content.lower()}"
    return sight.to_https and named


def rails(sight: Sight) -> bool:
    """ActionDispatch::SSL answers with Content-Type and Location alone, and no content."""
    unsafe = sight.hop.request.method not in ("GET", "HEAD")
    html = (sight.response.first("content-type") or "").startswith("text/html")
    shape = unsafe and sight.to_https and html and sight.empty
    return shape and sight.may_be("Rails", "Puma", "WEBrick")


def cloudfront(sight: Sight) -> bool:
    """CloudFront's name, as Server or in its note; GET and HEAD get 301 from it."""
    named = sight.server == "cloudfront" or "<center>CloudFront</center>" in sight.content
    return sight.to_https and named and sight.hop.request.method not in ("GET", "HEAD")


# --- U5, U7: nobody at the origin ---


def browser(sight: Sight) -> bool:
    """What no server sends (RFC 6797 §8.3 leaves the form to the browser)."""
    return bool(made_up(sight.response))


_PORTALS = re.compile(r"(^|\.)(gateway|login)\.(zscaler\w*|zscloud)\.net$|(^|\.)zscaler\w*\.(net|com)$")


def portal(sight: Sight) -> bool:
    """Zscaler's gateways."""
    return not sight.same_host and bool(_PORTALS.search(sight.to.hostname))


def challenge(sight: Sight) -> bool:
    """The same URL again, with a cookie to bring along."""
    cookies = sight.response.values("set-cookie")
    return sight.to_itself and bool(cookies)


# --- U8, U9: storage and clusters ---


def s3_region(sight: Sight) -> bool:
    """S3's name, or its error code."""
    return sight.server == "amazons3" or "<Code>TemporaryRedirect</Code>" in sight.content


class _Cluster(msgspec.Struct, frozen=True):
    """A program whose nodes send clients to each other, by the path of its API."""

    path: re.Pattern[str]
    line: str
    also: Callable[[Sight], bool] = lambda sight: True


def _vault_says(sight: Sight) -> bool:
    """/v1/ is the path of half of all APIs; Vault says no-store with all it says (vault/http/handler.go)."""
    return "no-store" in sight.response.values("cache-control")


_CLUSTERS: tuple[_Cluster, ...] = (
    _Cluster(
        re.compile(r"/webhdfs/v1/"),
        "WebHDFS: hdfs-site.xml of each DataNode: dfs.datanode.hostname = a name that clients reach; "
        "send the content to the second URL only",
    ),
    _Cluster(
        re.compile(r"^/v1/"),
        'Vault or OpenBao, on each node: api_addr = "https://A-NAME-THAT-CLIENTS-REACH:8200"\n'
        "or let the load balancer ask the active node alone, as in HAProxy: option httpchk GET "
        "/v1/sys/health",
        _vault_says,
    ),
    _Cluster(
        re.compile(r"/_stream_load$"),
        "Doris or StarRocks: load through a backend at once, or curl --location-trusted",
    ),
    _Cluster(
        re.compile(r"^/(admin|lookup)/v\d/"),
        "Pulsar, broker.conf: advertisedAddress=A-NAME-THAT-CLIENTS-REACH",
    ),
)


def leader(sight: Sight) -> bool:
    """Empty, and the same path on another node."""
    other = sight.url.authority != sight.to.authority and sight.url.path == sight.to.path
    return sight.empty and other and bool(cluster_line(sight))


def cluster_line(sight: Sight) -> str:
    """What to change in the program whose API has this path."""
    found = (row for row in _CLUSTERS if row.path.search(sight.url.path) and row.also(sight))
    return next((row.line for row in found), "")


# --- U10: a host's other name ---


def vercel(sight: Sight) -> bool:
    """The same name with and without www."""
    one, other = sight.url.hostname, sight.to.hostname
    www = other == f"www.{one}" or one == f"www.{other}"
    return www and (sight.server == "vercel" or sight.response.first("x-vercel-id") is not None)


# --- U13, U14, U15: a line of configuration, or of a program ---


def haproxy(sight: Sight) -> bool:
    """Its redirects have no Date and no Server, and lower-case names; 307 says no-cache."""
    bare = all(name == name.lower() and name not in ("date", "server") for name in sight.names)
    no_cache = sight.response.values("cache-control") == ("no-cache",)
    shape = sight.empty and bare and no_cache
    return shape and sight.response.first("content-length") == "0" and sight.may_be("HAProxy")


def haproxy_alone(sight: Sight) -> bool:
    """Its fields in its order, where lower case says something (in HTTP/2 all names have it)."""
    ordered = sight.names[:3] == ("content-length", "location", "cache-control")
    return (ordered and sight.response.http_version == "1.1") or sight.surely("HAProxy")


def default_307(sight: Sight) -> bool:
    """Another path, from a framework whose redirect is 307 unless it is told otherwise."""
    elsewhere = not sight.slash_only and sight.url.path != sight.to.path
    return elsewhere and (_starlette_answer(sight) or next_js(sight))


def _starlette_answer(sight: Sight) -> bool:
    return sight.untyped and sight.may_be(*STARLETTE) and python_server(sight)


def framework_known(sight: Sight) -> bool:
    """A fingerprint is certain: uvicorn's name alone stands for many frameworks."""
    return sight.surely(*STARLETTE)


def next_js(sight: Sight) -> bool:
    """Next.js names itself, or a fingerprint does."""
    return (sight.response.first("x-powered-by") or "").startswith("Next.js") or sight.emitted_by("Next.js")


def nginx_note(sight: Sight) -> bool:
    """The note of nginx's own answers."""
    return "<center>nginx" in sight.content


def nginx_passed(sight: Sight) -> bool:
    """nginx's name on content that is not its own, and a Location only the backend's neighbours can reach.

    An answer to HEAD shows no content. https on another port may well be meant.
    """
    unseen = sight.hop.request.method == "HEAD" or sight.surely("nginx")
    proxied = sight.server.startswith("nginx") and not nginx_note(sight) and not unseen
    port_only = sight.same_host and sight.url.scheme == sight.to.scheme
    return proxied and sight.url.authority != sight.to.authority and (port_only or _inner(sight.to))


def only_backend(sight: Sight) -> bool:
    """A public host leads to an inner one; another port of the same host may be meant."""
    return not sight.same_host and not _inner(sight.url)


def _inner(url: URL) -> bool:
    return bool(inner_host(url.hostname))
