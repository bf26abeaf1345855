"""The line to change, in the file or program it stands in: one table for each thing that goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from detour.follow.diagnosis.sight import Sight

STARLETTE = ("Starlette", "FastAPI", "uvicorn")
PYTHON_SERVERS = ("uvicorn", "hypercorn", "granian", "daphne", "gunicorn")

_UVICORN = (
    "uvicorn: uvicorn --proxy-headers --forwarded-allow-ips=ADDRESS-OF-THE-PROXY (by default 127.0.0.1)"
)
_DJANGO_PROXY = 'Django, settings.py: SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")'
_FLASK_PROXY = "Flask: app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)"
_TOMCAT_PROXY = (
    'Tomcat, server.xml: <Valve className="org.apache.catalina.valves.RemoteIpValve" '
    'protocolHeader="x-forwarded-proto" />'
)
_ASPNET_PROXY = (
    "ASP.NET Core: ASPNETCORE_FORWARDEDHEADERS_ENABLED=true, or app.UseForwardedHeaders() with "
    "ForwardedHeaders.XForwardedProto before app.UseHttpsRedirection()"
)

# What makes a program believe the scheme that the proxy before it tells.
BELIEVE_SCHEME: Mapping[str, str] = {
    **dict.fromkeys(STARLETTE, _UVICORN),
    "Django": _DJANGO_PROXY,
    "Flask": _FLASK_PROXY,
    "Werkzeug": _FLASK_PROXY,
    "Tornado": "Tornado: HTTPServer(application, xheaders=True)",
    "Express": 'Express: app.set("trust proxy", "loopback, ADDRESS-OF-THE-PROXY")',
    "Tomcat": _TOMCAT_PROXY,
    "Jetty": "Jetty: java -jar start.jar --add-modules=http-forwarded",
    "Kestrel": _ASPNET_PROXY,
    "ASP.NET Core": _ASPNET_PROXY,
    "Apache": "Apache: ServerName https://<host> with UseCanonicalName On",
    "nginx": "nginx (the one that redirects): absolute_redirect off;",
}

# What makes a program that redirects http to https see that the request came over TLS.
FORCE_HTTPS: Mapping[str, str] = {
    **BELIEVE_SCHEME,
    "nginx": (
        'nginx, where it redirects: if ($http_x_forwarded_proto != "https") { return 308 '
        "https://$host$request_uri; }"
        '\ningress-nginx: ConfigMap use-forwarded-headers: "true", or the annotation '
        'nginx.ingress.kubernetes.io/force-ssl-redirect: "false"'
    ),
    "Apache": "Apache, before the RewriteRule: RewriteCond %{HTTP:X-Forwarded-Proto} !=https",
    "HAProxy": "HAProxy: http-request redirect scheme https unless { ssl_fc } || { hdr(x-forwarded-proto) "
    "https }",
    "Traefik": "Traefik: entryPoints.web.forwardedHeaders.trustedIPs=ADDRESS-OF-THE-PROXY, redirectScheme "
    "only there",
    "Caddy": "Caddyfile: { auto_https disable_redirects } or the site as http://<host>",
    "Rails": "Rails: config.assume_ssl = true (7.1), or let the proxy send X-Forwarded-Proto",
}

# What makes a proxy tell the scheme it was asked with.
TELL_SCHEME: Mapping[str, str] = {
    "nginx": "nginx, beside proxy_pass: proxy_set_header X-Forwarded-Proto $scheme;",
    "HAProxy": "HAProxy, in the TLS frontend: http-request set-header X-Forwarded-Proto https if { ssl_fc }",
    "Apache": 'Apache, in the TLS virtual host: RequestHeader set X-Forwarded-Proto "https"',
}

# Who adds a slash at the end, and who drops one.
ADD_SLASH: Mapping[str, str] = {
    "Django": "Django, settings.py: APPEND_SLASH = False",
    **dict.fromkeys(STARLETTE, "Starlette: app.router.redirect_slashes = False"),
    "Go": 'Go: mux.Handle("<path>", handler) beside the pattern that ends in a slash',
    "nginx": "nginx: a location without the slash, or delete rewrite ^(.*[^/])$ $1/ permanent;",
    "Apache": "Apache: DirectorySlash Off",
    "Flask": "Flask: app.url_map.strict_slashes = False",
    "Werkzeug": "Flask: app.url_map.strict_slashes = False",
    "Tornado": "Tornado: take @addslash from the handler",
    "Next.js": "Next.js, next.config.js: trailingSlash: false",
}
DROP_SLASH: Mapping[str, str] = {
    "nginx": "nginx: delete rewrite ^/(.*)/$ /$1 permanent;",
    "Apache": "Apache: delete RewriteRule ^(.*)/$ /$1 [R=301,L]",
    "Traefik": "Traefik: take the redirectRegex that ends in /$ from the router's middlewares",
    "Caddy": "Caddyfile: delete redir {path} that drops the slash",
    "Tornado": "Tornado: take @removeslash from the handler",
    **dict.fromkeys(STARLETTE, "Starlette: app.router.redirect_slashes = False"),
    "Next.js": "Next.js, next.config.js: trailingSlash: true, or skipTrailingSlashRedirect: true",
}


# What writes a Location even when its value is empty, with a default.
DEFAULT_LOCATION: Mapping[str, str] = {
    "Express": 'Express: res.redirect(<status>, next || "/")',
    "Node.js": 'Node: response.writeHead(<status>, { Location: next || "/" })',
    "PHP": 'PHP: header("Location: " . ($next ?: "/"), true, <status>)',
    "Flask": 'Flask: redirect(next or "/", code=<status>)',
    "Django": 'Django: HttpResponseRedirect(next or "/")',
    "Go": 'Go: if next == "" { next = "/" } before http.Redirect',
}


def emitters(sight: Sight) -> tuple[str, ...]:
    """Who may have emitted the redirect, as the tables here spell it; () when nothing tells.

    A certain fingerprint says one name; else all that fingerprints suggest, and plain marks at the last. Who
    only passed it on wrote nothing.
    """
    known = [guess for guess in sight.guesses if guess.emitter in _TABLED and not guess.between]
    certain = [guess.emitter for guess in known if guess.confidence == "is"][:1]
    seen = [name for name, look in _LOOKS if look(sight)][:1]
    return tuple(dict.fromkeys(certain or [guess.emitter for guess in known] or seen))


def line(table: Mapping[str, str], sight: Sight, heading: str = "one of these:") -> str:
    """The line of the table for who emitted the redirect; a heading and several where that is not known."""
    known = [table[name] for name in emitters(sight) if name in table]
    return listed(heading, known or table.values())


def listed(heading: str, lines: Iterable[str]) -> str:
    """One line, or a heading with several below it, indented."""
    each = list(dict.fromkeys("\n".join(lines).split("\n")))
    return each[0] if len(each) == 1 else "\n  ".join([heading, *each])


def both_ends(table: Mapping[str, str], sight: Sight) -> str:
    """The line for the program that redirects, and the line of the proxy that ended TLS before it.

    nginx and Apache take no proxy's word for their own scheme; nobody has to tell them.
    """
    told = line(table, sight, "the program that redirects, one of these:")
    if table is BELIEVE_SCHEME and emitters(sight) and {"nginx", "Apache"}.issuperset(emitters(sight)):
        return told
    return f"{told}\n{tell_scheme(sight)}"


def tell_scheme(sight: Sight) -> str:
    """The line of the proxy that ended TLS: the one that shows itself before another's redirect, or any."""
    shown = next((name for name in _PROXIES if _stands_before(name, sight)), "")
    if shown in _TELL_ALREADY:
        return f"{shown} tells X-Forwarded-Proto by itself: nothing is to be changed there"
    if shown:
        return f"and {TELL_SCHEME[shown]}"
    return listed("and the proxy that ends TLS, one of these:", TELL_SCHEME.values())


def _stands_before(name: str, sight: Sight) -> bool:
    between = any(guess.emitter == name and guess.between for guess in sight.guesses)
    return name not in emitters(sight) and (between or sight.server.startswith(name.lower()))


_TELL_ALREADY = ("Caddy", "Traefik", "Envoy")
_PROXIES = (*TELL_SCHEME, *_TELL_ALREADY)
_TABLED = frozenset({*FORCE_HTTPS, *ADD_SLASH, *DROP_SLASH, *DEFAULT_LOCATION})


def _copies_its_url(sight: Sight) -> bool:
    """Starlette's redirect for a slash: its own URL, whole, and no content."""
    return sight.response.status == 307 and sight.slash_only and sight.absolute and sight.untyped


_LOOKS: tuple[tuple[str, Callable[[Sight], bool]], ...] = (
    ("nginx", lambda sight: "<center>nginx" in sight.content),
    ("Apache", lambda sight: "<p>The document has moved <a href=" in sight.content),
    ("Django", lambda sight: sight.response.first("referrer-policy") == "same-origin"),
    ("Flask", lambda sight: sight.response.reason.isupper() and "<h1>Redirecting...</h1>" in sight.content),
    ("Caddy", lambda sight: sight.server.startswith("caddy")),
    ("Kestrel", lambda sight: sight.server.startswith("kestrel")),
    ("Tornado", lambda sight: sight.server.startswith("tornado")),
    ("Go", lambda sight: sight.content.startswith('<a href="') and sight.content.endswith("</a>.\n\n")),
    ("Starlette", lambda sight: sight.server.startswith(PYTHON_SERVERS)),
    ("Starlette", _copies_its_url),
)
