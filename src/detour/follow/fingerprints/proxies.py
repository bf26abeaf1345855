"""What proxies leave in a redirect that they make themselves, and in one that they pass on."""

from __future__ import annotations

from detour.follow.fingerprint import Confidence, Fingerprint, Mark
from detour.follow.fingerprints.marks import (
    EMPTY,
    HTML_UTF8,
    NO_CONTENT,
    REASONS,
    RELATIVE,
    cased,
    change,
    content,
    field,
    no_field,
    order,
    status,
)

_HTTP1, _HTTP2 = Mark("version", r"1\.[01]"), Mark("version", "[23]")
_TO_HTTPS = change("https")

# --- HAProxy ---

# src/http_ana.c, http_apply_redirect_rule: neither Date nor Server, and no-cache unless it is for good.
_HAPROXY = (EMPTY, no_field("Date"), no_field("Server"), NO_CONTENT, cased("location"))
_HAPROXY_SOON = (status("30[237]"), *_HAPROXY, order("content-length location cache-control( connection)?"))
# uvicorn without Date and Server would look the same.
_HAPROXY_FOR_GOOD = (status("30[18]"), *_HAPROXY, order("content-length location( connection)?"))
_HAPROXY_MORE = (*_HAPROXY, order("(.* )?content-length location .*"))
_HAPROXY_HTTPS = (
    "http-request redirect scheme https code 307 if !{ ssl_fc }: without code it is 302; behind "
    "another proxy also unless { hdr(x-forwarded-proto) https }"
)
_HAPROXY_REMEDY = (
    "http-request redirect location|prefix|scheme … code 307 in the frontend, listen or backend: "
    "without code it is 302"
)


def _haproxy(confidence: Confidence, of: tuple[Mark, ...], number: str) -> tuple[Fingerprint, ...]:
    https = "haproxy/get-secure" if number != "308" else "haproxy/get-secure-kept"
    other = f"haproxy/get-location-{number}"
    return (
        Fingerprint("HAProxy", "https-redirect", (*of, _TO_HTTPS), confidence, https, _HAPROXY_HTTPS),
        Fingerprint("HAProxy", "redirect", of, confidence, other, _HAPROXY_REMEDY),
    )


_HAPROXY_ROWS = (
    *_haproxy("is", _HAPROXY_SOON, "307"),
    *_haproxy("suggests", _HAPROXY_FOR_GOOD, "308"),
    *_haproxy("suggests", _HAPROXY_MORE, "307"),
)

# --- Envoy ---

# source/common/http/utility.cc, sendLocalReply. What it passes on keeps the order of what is behind it.
_ENVOY_ORDER = order("(.* )?location (.* )?date server( connection)? content-length")
_ENVOY_SERVER = field("Server", "envoy")
_ENVOY_OWN = (no_field("X-Envoy-Upstream-Service-Time"), no_field("Content-Type"), NO_CONTENT)
_ENVOY = (_ENVOY_SERVER, _ENVOY_ORDER, EMPTY, *_ENVOY_OWN)
_ENVOY_ONE = (
    _HTTP1,
    order("(.* )?location (.* )?date( server)?( connection)? content-length"),
    cased("location"),
    cased("date"),
    EMPTY,
    *_ENVOY_OWN,
)
_ENVOY_TWO = (_HTTP2, order("(.* )?location (.* )?date( server)?"), no_field("Content-Length"), *_ENVOY_OWN)


def _envoy(confidence: Confidence, of: tuple[Mark, ...]) -> tuple[Fingerprint, ...]:
    rows = (
        (
            "https-redirect",
            (_TO_HTTPS,),
            "get-secure",
            "the route's redirect: { https_redirect: true, response_code: TEMPORARY_REDIRECT }; by "
            "default it is 301. A virtual host's require_tls is always 301",
        ),
        (
            "direct-response",
            (RELATIVE,),
            "get-direct",
            "the route's direct_response: status, and the location among its response_headers_to_add",
        ),
        (
            "redirect",
            (status("30[12378]"),),
            "get-path-307",
            "the route's redirect: response_code: TEMPORARY_REDIRECT; by default it is MOVED_PERMANENTLY",
        ),
    )
    return tuple(
        Fingerprint("Envoy", cause, (*marks, *of), confidence, f"envoy/{capture}", remedy)
        for cause, marks, capture, remedy in rows
    )


_ENVOY_CAPTURE = "envoy/get-path-307"
_ENVOY_PASSED = "the upstream cluster that the route leads to, or an HTTP filter before it"
_ENVOY_ROWS = (
    *_envoy("is", _ENVOY),
    *_envoy("suggests", _ENVOY_ONE),
    Fingerprint(
        "Envoy",
        "redirect",
        _ENVOY_TWO,
        "suggests",
        "envoy-http2/get-path-307",
        "the route's redirect, its response_code",
    ),
    *(
        Fingerprint("Envoy", "passed-on", (mark,), "suggests", _ENVOY_CAPTURE, _ENVOY_PASSED, between=True)
        for mark in (_ENVOY_SERVER, field("X-Envoy-Upstream-Service-Time", r"\d+"))
    ),
)

# --- Caddy ---

# Go writes the fields that a program sets by name, then Date and Content-Length (HTTP/2: the other way);
# what Caddy passes on has both of them among the others.
_CADDY_ENDS = "(date content-length|content-length date)"
_CADDY_SERVER = field("Server", "Caddy")
_CADDY = (_CADDY_SERVER, order(f"(.* )?location (.* )?server (.* )?{_CADDY_ENDS}"))
_CADDY_BARE = (EMPTY, NO_CONTENT, no_field("Content-Type"), no_field("Cache-Control"))
_CADDY_ONE = (*_CADDY_BARE, _HTTP1, cased("Location"), order("(.* )?location (.* )?date content-length"))
_CADDY_TWO = (*_CADDY_BARE, _HTTP2, order("(.* )?location (.* )?content-length date"))
_CADDY_CLOSE = (status("308"), field("Connection", "close"), _TO_HTTPS)
_CADDY_FOLDER = (
    status("308"),
    content(r'<a href="[^"]*">Permanent Redirect</a>\.\n\n'),
    RELATIVE,
    change("slash-added|slash-dropped"),
)
_CADDY_AUTO = (
    "Caddyfile: { auto_https disable_redirects }, or the site as http://HOST, where a proxy ends TLS; "
    "https_port decides the port it writes"
)
_CADDY_HTTPS = "Caddyfile: redir https://{host}{uri} 307: without a status it is 302, permanent is 301"
_CADDY_FILES = "Caddyfile: file_server { disable_canonical_uris }"
_CADDY_REDIR = "Caddyfile: redir URL 307: without a status it is 302, permanent is 301"


def _caddy(confidence: Confidence, of: tuple[Mark, ...], empty: tuple[Mark, ...]) -> tuple[Fingerprint, ...]:
    rows = (
        ("automatic-https", (*_CADDY_CLOSE, *empty), "caddy-https/get-root", _CADDY_AUTO),
        ("directory-slash", (*_CADDY_FOLDER, HTML_UTF8), "caddy/get-folder", _CADDY_FILES),
        ("https-redirect", (_TO_HTTPS, *empty), "caddy/get-secure", _CADDY_HTTPS),
        ("redir", (status("30[12378]"), *empty), "caddy/get-redir-307", _CADDY_REDIR),
    )
    return tuple(
        Fingerprint("Caddy", cause, (*marks, *of), confidence, capture, remedy)
        for cause, marks, capture, remedy in rows
    )


def _go_or_caddy(of: tuple[Mark, ...], name: str) -> tuple[Fingerprint, ...]:
    """Without Server: Go's http.Redirect writes a note for GET, and more often another path than a host."""
    asks = Mark("method", "GET|HEAD")
    rows = (
        ("automatic-https", _CADDY_CLOSE, _CADDY_AUTO),
        ("https-redirect", (_TO_HTTPS, no_field("Server")), _CADDY_HTTPS),
        ("redir", (change("host"), no_field("Server")), _CADDY_REDIR),
        ("redir", (asks, no_field("Server")), _CADDY_REDIR),
    )
    return tuple(
        Fingerprint("Caddy", cause, (*marks, *of), "suggests", name, remedy) for cause, marks, remedy in rows
    )


_CADDY_ROWS = (
    *_caddy("is", _CADDY, (EMPTY, NO_CONTENT)),
    Fingerprint(
        "Caddy",
        "directory-slash",
        (
            *_CADDY_FOLDER,
            HTML_UTF8,
            order(f"(.* )?content-type location (.* )?{_CADDY_ENDS}"),
            no_field("Server"),
        ),
        "suggests",
        "caddy/get-folder",
        _CADDY_FILES,
    ),
    *_go_or_caddy(_CADDY_ONE, "caddy/get-redir-307"),
    *_go_or_caddy(_CADDY_TWO, "caddy-http2/get-redir-307"),
    *(
        Fingerprint(
            "Caddy",
            "passed-on",
            (mark,),
            "suggests",
            "caddy/get-redir-307",
            "what stands behind reverse_proxy; header_down Location rewrites it",
            between=True,
        )
        for mark in (_CADDY_SERVER, field("Via", r"1\.1 Caddy"))
    ),
)

# --- Traefik ---

# pkg/middlewares/redirect/redirect.go: the content is the reason phrase alone.
_TRAEFIK = (
    content(REASONS),
    no_field("Content-Type"),
    order(f"(.* )?location (.* )?{_CADDY_ENDS}"),
    field("Content-Length", r"\d+"),
)
_TRAEFIK_STATUSES = "GET and HEAD get 302, or 301 with permanent: true; other methods 307 or 308."
_TRAEFIK_ROWS = (
    Fingerprint(
        "Traefik",
        "redirect-scheme",
        (*_TRAEFIK, _TO_HTTPS),
        "is",
        "traefik/post-secure",
        "the middleware redirectScheme, or entryPoints.NAME.http.redirections; behind another proxy: "
        "entryPoints.NAME.forwardedHeaders.trustedIPs",
        _TRAEFIK_STATUSES,
    ),
    Fingerprint(
        "Traefik",
        "redirect-regex",
        _TRAEFIK,
        "is",
        "traefik/post-regex",
        "the middleware redirectRegex of the router, its replacement and permanent",
        _TRAEFIK_STATUSES,
    ),
)

# --- Detour ---

_DETOUR_ORDER = "location cache-control (vary )?(retry-after )?(.* )?date( .*)?"
_DETOUR_REMEDY = "the rule that X-Redirect-By names: detour match RULES METHOD URL shows why it answers"
_DETOUR_ROWS = (
    Fingerprint(
        "Detour", "rule", (field("X-Redirect-By", r"detour .+"),), "is", "detour/get-moved", _DETOUR_REMEDY
    ),
    Fingerprint(
        "Detour",
        "rule",
        (content(rf'<a href="[^"]*">{REASONS}</a>\.\n'), HTML_UTF8, order(_DETOUR_ORDER), no_field("Server")),
        "is",
        "detour-unnamed/get-moved",
        "detour match RULES METHOD URL shows the rule ([server] redirect_by = true names it in the answer)",
    ),
    Fingerprint(
        "Detour",
        "rule",
        (
            EMPTY,
            order("location cache-control (vary )?date( content-type)? content-length"),
            field("Cache-Control", r"no-store|max-age=\d+"),
            cased("Location"),
            no_field("Server"),
        ),
        "suggests",
        "detour-unnamed/post-moved",
        "detour match RULES METHOD URL shows the rule ([server] redirect_by = true names it in the answer)",
    ),
)

PROXIES: tuple[Fingerprint, ...] = (
    *_HAPROXY_ROWS,
    *_ENVOY_ROWS,
    *_CADDY_ROWS,
    *_TRAEFIK_ROWS,
    *_DETOUR_ROWS,
)
