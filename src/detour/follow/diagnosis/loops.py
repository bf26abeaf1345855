"""Why requests come round again, as a table: the first row that fits names who must change what.

The field notes classify a loop by the set of its edges: scheme, host, port, path, cookies set, status.
"""

from __future__ import annotations

from detour.follow.diagnosis.lines import (
    ADD_SLASH,
    BELIEVE_SCHEME,
    DEFAULT_LOCATION,
    DROP_SLASH,
    FORCE_HTTPS,
    both_ends,
    emitters,
    line,
    listed,
    tell_scheme,
)
from detour.follow.diagnosis.sight import Loop, Sight, filled, one_slash_apart, shown

Round = tuple[Sight, ...]

# Set by edges on any answer, so no sign of a challenge.
_EDGE_COOKIES = ("__cf_bm", "__cflb", "_cfuvid", "awsalb", "incap_ses_", "visid_incap_")


def _empty_location(steps: Round) -> bool:
    return not steps[-1].location.strip()


def _default_lines(steps: Round) -> str:
    examples = line(DEFAULT_LOCATION, steps[0], "as in one of these:")
    text = (
        f"the value that <method> <path> writes Location from is empty there; give it a default\n{examples}"
    )
    return filled(text, steps[0])


def _cookie_challenge(steps: Round) -> bool:
    """Each step to itself, with a cookie that the request did not have."""
    return all(step.to_itself and _new_cookies(step) for step in steps)


def _new_cookies(step: Sight) -> set[str]:
    offered = {value.partition("=")[0].strip() for value in step.response.values("set-cookie")}
    sent = {
        pair.partition("=")[0].strip()
        for value in step.hop.request.values("cookie")
        for pair in value.split(";")
    }
    return {name for name in offered - sent if not name.lower().startswith(_EDGE_COOKIES)}


def _cookie_alone(steps: Round) -> bool:
    """Frameworks set a session's cookie on any answer; over https the loop may be that of ended TLS."""
    return all(step.url.scheme == "http" for step in steps)


def _cookie_lines(steps: Round) -> str:
    cookies = shown(", ".join(sorted(_new_cookies(steps[0]))))
    keep = f"keep the cookie {cookies}: curl -b '' -L (with its cookie engine on), requests.Session()"
    exempt = (
        "or exempt <path> where the challenge is set, as in nginx: location = <path> { … } without the if "
        "($cookie_…)"
    )
    told = f"{keep}\n{filled(exempt, steps[0])}"
    if _cookie_alone(steps):
        return told
    return (
        f"{told}\nif curl -b '' -L goes round as well, the cookie is a session's, and TLS ends before the "
        f"program that redirects to https:\n{_force_https_lines(steps)}"
    )


def _https_to_itself(steps: Round) -> bool:
    return len(steps) == 1 and steps[0].to_itself and steps[0].url.scheme == "https"


def _flexible_tls(steps: Round) -> bool:
    step = steps[0]
    cloudflare = step.response.first("cf-ray") is not None or step.server.startswith("cloudflare")
    return _https_to_itself(steps) and cloudflare


def _slash_ping_pong(steps: Round) -> bool:
    return (
        len(steps) > 1
        and all(step.same_host and (step.same_path or one_slash_apart(step.url, step.to)) for step in steps)
        and any(step.slash_only for step in steps)
    )


def _scheme_ping_pong(steps: Round) -> bool:
    return any(step.to_http for step in steps) and any(
        step.same_host and (step.url.scheme, step.to.scheme) == ("http", "https") for step in steps
    )


def _host_ping_pong(steps: Round) -> bool:
    hosts = {step.url.hostname for step in steps}
    return len(hosts) > 1 and all(step.same_path for step in steps if not step.same_host)


def _force_https_lines(steps: Round) -> str:
    return filled(both_ends(FORCE_HTTPS, steps[0]), steps[0])


def _flexible_tls_lines(steps: Round) -> str:
    at_origin = line(FORCE_HTTPS, steps[0], "or the origin, where it redirects to https, one of these:")
    return (
        "Cloudflare: SSL/TLS → Overview → Full (strict), so that the origin is asked over TLS\n"
        f"{filled(at_origin, steps[0])}"
    )


def _slash_lines(steps: Round) -> str:
    adder = next((step for step in steps if len(step.to.path) > len(step.url.path)), steps[0])
    dropper = next((step for step in steps if len(step.to.path) < len(step.url.path)), steps[-1])
    adds = line(ADD_SLASH, adder, "whoever adds the slash (<path> → <location>), one of these:")
    drops = line(DROP_SLASH, dropper, "or whoever drops it (<path> → <location>), one of these:")
    return f"{filled(adds, adder)}\n{filled(drops if drops.startswith('or ') else f'or {drops}', dropper)}"


def _scheme_lines(steps: Round) -> str:
    """A program that writes the scheme by itself must be told; one that forces http has a rule."""
    downgrade = next(step for step in steps if step.to_http)
    forced = [
        _FORCED_HTTP[name] for name in emitters(downgrade) if downgrade.same_path and name in _FORCED_HTTP
    ]
    told = (
        f"{listed('who forces http, one of these:', forced)}\n{tell_scheme(downgrade)}"
        if forced
        else both_ends(BELIEVE_SCHEME, downgrade)
    )
    return filled(f"{told}\nthe redirect from http to https is right: leave it", downgrade)


_FORCED_HTTP = {
    "nginx": "nginx: delete return <status> http://… from the server that is asked over TLS",
    "Apache": "Apache: delete RewriteRule … http://%{HTTP_HOST}%{REQUEST_URI}, or put "
    "RewriteCond %{HTTP:X-Forwarded-Proto} !=https before it",
    "HAProxy": "HAProxy: delete http-request redirect scheme http",
}


def _host_lines(steps: Round) -> str:
    lines = [f"  {shown(step.url.hostname)}: {_host_line(step)}" for step in steps if not step.same_host]
    return "\n".join(["keep one host, and delete the redirect on it:", *lines])


def _host_line(step: Sight) -> str:
    kinds = {
        "nginx": "nginx: server { server_name <host>; return <status> $scheme://<to-host>$request_uri; }",
        "Apache": "Apache: Redirect or RewriteRule to <to-origin>/ in the virtual host <host>",
        "HAProxy": "HAProxy: http-request redirect prefix <to-origin> if { hdr(host) -i <host> }",
        "Caddy": "Caddyfile: <host> { redir <to-origin>{uri} }",
        "Django": "Django, settings.py: PREPEND_WWW = False",
    }
    known = [kinds[name] for name in emitters(step) if name in kinds]
    return filled(" or ".join(known) or "the rule that leads from <host> to <to-origin>", step)


LOOPS: tuple[Loop, ...] = (
    Loop(
        "L7",
        "empty-location",
        _empty_location,
        "Location is empty, which means the same URL again; some clients send the request 20 times more",
        _default_lines,
        ("RFC 9110 §10.2.2", "RFC 3986 §5.2.2: an empty reference is the base URI", "field notes L7, S12"),
    ),
    Loop(
        "L5",
        "cookie-challenge",
        _cookie_challenge,
        "the answer sets a cookie and asks to come again: a client that keeps no cookies never gets past it",
        _cookie_lines,
        ("RFC 6265 §3", "arvancloud/ar-ipwhitelist#6", "tempesta-tech/tempesta#535", "field notes L5"),
        sure=_cookie_alone,
    ),
    Loop(
        "L1",
        "flexible-tls",
        _flexible_tls,
        "Cloudflare asks the origin over plain HTTP, and the origin redirects to https, where it is asked "
        "again",
        _flexible_tls_lines,
        ("field notes L1", "caddyserver/caddy#7260", "NginxProxyManager/nginx-proxy-manager#852"),
        confidence="suggests",
    ),
    Loop(
        "L2",
        "offloaded-tls",
        _https_to_itself,
        "TLS ends before the program that redirects to https: it never sees an https request",
        _force_https_lines,
        (
            "kubernetes/ingress-nginx#1957",
            "kubernetes/ingress-nginx#8303",
            "bitnami/charts#6411",
            "field notes L2",
        ),
        confidence="suggests",
    ),
    Loop(
        "L4",
        "scheme-ping-pong",
        _scheme_ping_pong,
        "one side redirects https to http, the other http to https",
        _scheme_lines,
        ("traefik/traefik#3693", "field notes L4"),
    ),
    Loop(
        "L3",
        "slash-ping-pong",
        _slash_ping_pong,
        "one side adds the slash at the end, the other drops it",
        _slash_lines,
        ("golang/go#70832", "field notes L3"),
    ),
    Loop(
        "L6",
        "host-ping-pong",
        _host_ping_pong,
        "each host redirects to the other",
        _host_lines,
        ("field notes L6",),
    ),
)
