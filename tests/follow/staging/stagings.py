"""Causes and loops on stage: servers as people had them, and again as the remedy says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tests.examples.running import eventually, free_port
from tests.follow.staging.stage import Stage

Doors = Mapping[int, int]

STANDS = "port_in_redirect off;"  # as on port 80, which it stands for
SHOP = "http://shop.example.test"
TLS_SHOP = "https://shop.example.test"


class Staging(msgspec.Struct, frozen=True):
    """One cause on stage."""

    id: str  # of the field notes
    finding: str
    method: str
    url: str
    lines: tuple[str, ...]  # what the remedy must name: the lines that `remedied` puts in or takes away
    start: Callable[[Stage, bool], Doors]
    note: str = ""
    besides: tuple[str, ...] = ()  # other causes that are certain to be there, too

    @property
    def name(self) -> str:
        """Its name in lists."""
        return "-".join(filter(None, (self.id, self.finding, self.note)))


STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route

async def answer(request):
    return PlainTextResponse("here")

async def moved(request):
    return RedirectResponse("/done"{status})

inner = Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])
app = Starlette(routes=[
    Route("/items/", answer, methods=["GET", "POST"]),
    Route("/done", answer, methods=["GET", "POST"]),
    Route("/form", moved, methods=["GET", "POST"]),
    {more}
    Mount("/mcp", inner),
])
"""


def _starlette(more: str = "", status: str = "") -> str:
    return STARLETTE.replace("{more}", more).replace("{status}", status)


NO_SLASHES = "\napp.router.redirect_slashes = False\n"


def _starlette_slash(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    both = 'Route("/items", answer, methods=["GET", "POST"]),'
    stage.uvicorn(_starlette(both) + NO_SLASHES if remedied else _starlette(), port)
    return {80: port}


def _starlette_mount(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    both = 'Route("/mcp", answer, methods=["GET", "POST"]),'
    stage.uvicorn(_starlette(both) + NO_SLASHES if remedied else _starlette(), port)
    return {80: port}


TLS_NGINX = """
server {{ listen 127.0.0.1:{tls} ssl; {{tls}} location / {{
  proxy_pass http://127.0.0.1:{backend}; proxy_set_header Host $host; {line} }} }}
server {{ listen 127.0.0.1:{plain}; return 301 https://$host$request_uri; }}
"""
TELL = "proxy_set_header X-Forwarded-Proto $scheme;"


def behind_nginx(stage: Stage, backend: int, tells: bool) -> Doors:
    """nginx ends TLS before `backend`, and sends http to https."""
    tls, plain = free_port(), free_port()
    stage.nginx(TLS_NGINX.format(tls=tls, plain=plain, backend=backend, line=TELL if tells else ""))
    return {443: tls, 80: plain}


def believing_uvicorn(stage: Stage, trusts: bool) -> int:
    """uvicorn as in a container: the proxy's address is, or is not, among those it believes."""
    port = free_port()
    believed = "127.0.0.1" if trusts else "10.255.255.254"
    stage.uvicorn(_starlette(), port, "--proxy-headers", f"--forwarded-allow-ips={believed}")
    return port


def _untrusted_scheme(stage: Stage, remedied: bool) -> Doors:
    return behind_nginx(stage, believing_uvicorn(stage, remedied), remedied)


FLASK = """
from flask import Flask
{imports}
app = Flask(__name__)
{proxied}
@app.route("/items/")
def items():
    return "here"
"""


def _untrusted_scheme_flask(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    imports = "from werkzeug.middleware.proxy_fix import ProxyFix" if remedied else ""
    proxied = "app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)" if remedied else ""
    stage.gunicorn(FLASK.replace("{imports}", imports).replace("{proxied}", proxied), port)
    return behind_nginx(stage, port, remedied)


GO = """
package main

import ("fmt"; "net/http"; "os")

func main() {
	handler := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "here") }
	mux := http.NewServeMux()
	mux.HandleFunc("/items/", handler)
	{more}
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], mux))
}
"""


def _go_slash(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    stage.go(GO.replace("{more}", 'mux.HandleFunc("/items", handler)' if remedied else ""), port)
    return {80: port}


PLAIN_TLS = 'server { listen 127.0.0.1:PORT ssl; {tls} location / { return 200 "here"; } }'


def _tls_here(stage: Stage) -> int:
    port = free_port()
    stage.nginx(PLAIN_TLS.replace("PORT", str(port)))
    return port


def _traefik(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    permanent = "true" if remedied else "false"
    stage.traefik(f"      redirectScheme:\n        scheme: https\n        permanent: {permanent}", port)
    return {80: port, 443: _tls_here(stage)}


VAULT = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Node(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    active = {active}

    def do_GET(self):
        if self.path == "/v1/sys/health":
            return self.say(200 if self.active else 429)
        if self.active:
            return self.say(200)
        self.say(307, ("Cache-Control", "no-store"), ("Location", "http://vault-1.internal:8200" + self.path))

    def say(self, status, *fields):
        self.send_response_only(status)
        for name, value in (*fields, ("Content-Length", "0"), ("Content-Type", "text/plain; charset=utf-8")):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *said):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Node).serve_forever()
"""


def _leader(stage: Stage, remedied: bool) -> Doors:
    """A stand-in for Vault: a node on standby, an active one that HAProxy asks when the first is down."""
    door, standby, active = free_port(), free_port(), free_port()
    stage.script("python", ".py", VAULT.replace("{active}", "False"), standby)
    stage.script("python", ".py", VAULT.replace("{active}", "True"), active)
    asks = "  option httpchk GET /v1/sys/health\n  default-server check inter 200ms fall 1\n"
    stage.haproxy(
        f"listen vault\n  bind 127.0.0.1:{door}\n{asks if remedied else ''}"
        f"  server standby 127.0.0.1:{standby}\n  server active 127.0.0.1:{active} backup",
        door,
    )
    doors = {80: door, 8200: active}
    if remedied:  # HAProxy takes a server for up until its first question is answered
        url = f"{SHOP}/v1/secret/app"
        eventually(lambda: len(stage.chain("GET", url, doors).hops) == 1, "HAProxy knows who is active")
    return doors


RAILS = """
require "action_controller/railtie"
class Shop < Rails::Application
  config.root = __dir__
  config.eager_load = false
  config.hosts.clear
  config.secret_key_base = "x" * 64
  config.logger = Logger.new($stderr)
  config.force_ssl = true
  {line}
  routes.append { match "/items", to: ->(env) { [200, {}, ["here"]] }, via: :all }
end
Shop.initialize!
require "webrick"
require "rack/handler/webrick"
Rack::Handler::WEBrick.run(Shop, Host: "127.0.0.1", Port: ARGV[0].to_i, AccessLog: [])
"""


def _rails(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    line = "config.action_dispatch.ssl_default_redirect_status = 308" if remedied else ""
    stage.script("ruby", ".rb", RAILS.replace("{line}", line), port)
    return {80: port, 443: _tls_here(stage)}


def _haproxy(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    code = 308 if remedied else 307
    line = f"http-request redirect scheme https code {code}"
    stage.haproxy(f"frontend web\n  bind 127.0.0.1:{port}\n  {line}", port)
    return {80: port, 443: _tls_here(stage)}


def _haproxy_prefix(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    line = (
        ""
        if remedied
        else "http-request redirect prefix http://www.example.test code 307 unless { hdr(host) -m beg www }"
    )
    answer = "http-request return status 200 content-type text/plain string here"
    stage.haproxy(f"frontend web\n  bind 127.0.0.1:{port}\n  {line}\n  {answer}", port)
    return {80: port}


def _default_307(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    stage.uvicorn(_starlette(status=", status_code=303" if remedied else ""), port)
    return {80: port}


def _nginx_return(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    line = "" if remedied else "location /items { return 307 /done; }"
    stage.nginx(f'server {{ listen 127.0.0.1:{port}; {STANDS} {line} location / {{ return 200 "here"; }} }}')
    return {80: port}


def passing_nginx(stage: Stage, line: str) -> Doors:
    """nginx before a backend that writes its Location from the Host it is asked for."""
    backend, port = free_port(), free_port()
    stage.uvicorn(_starlette(), backend)
    passes = f"location / {{ proxy_pass http://127.0.0.1:{backend}; {line} }}"
    stage.nginx(f"server {{ listen 127.0.0.1:{port}; {STANDS} {passes} }}")
    return {80: port}


def _nginx_passed(stage: Stage, remedied: bool) -> Doors:
    return passing_nginx(stage, f"proxy_set_header Host {'$http_host' if remedied else 'app.internal'};")


FLEXIBLE = """
server {{ listen 127.0.0.1:{edge} ssl; {{tls}}
  add_header CF-RAY 8a1b2c3d4e5f6789-AMS always;
  location / {{ proxy_pass {origin}; proxy_set_header Host $host; }} }}
server {{ listen 127.0.0.1:{plain}; return 301 https://$host$request_uri; }}
server {{ listen 127.0.0.1:{tls} ssl; {{tls}} location / {{ return 200 "here"; }} }}
"""


def _flexible_tls(stage: Stage, remedied: bool) -> Doors:
    """A stand-in for Cloudflare: *Flexible* asks the origin over http, *Full* over TLS."""
    edge, plain, tls = free_port(), free_port(), free_port()
    origin = f"https://127.0.0.1:{tls}" if remedied else f"http://127.0.0.1:{plain}"
    stage.nginx(FLEXIBLE.format(edge=edge, plain=plain, tls=tls, origin=origin))
    return {443: edge, 80: plain}


FORCED = "return 308 https://$host$request_uri;"
FORCED_WHERE_DUE = 'if ($http_x_forwarded_proto != "https") { return 308 https://$host$request_uri; }'
HAPROXY_TELLS = "http-request set-header X-Forwarded-Proto https if { ssl_fc }"


def behind_haproxy(stage: Stage, backend: int, tells: bool) -> Doors:
    """HAProxy ends TLS before `backend`."""
    door = free_port()
    stage.haproxy(
        f"frontend web\n  bind 127.0.0.1:{door} ssl crt {{pem}}\n  {HAPROXY_TELLS if tells else ''}\n"
        f"  default_backend shop\nbackend shop\n  server one 127.0.0.1:{backend}",
        door,
    )
    return {443: door}


def _offloaded_nginx(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    line = FORCED_WHERE_DUE if remedied else FORCED
    stage.nginx(f'server {{ listen 127.0.0.1:{port}; location / {{ {line} return 200 "here"; }} }}')
    return behind_haproxy(stage, port, remedied)


CADDY = """
{
  admin off
  http_port PLAIN
  https_port CIPHERED
}
SITE {
  TLS
  respond "here"
}
"""


def _offloaded_caddy(stage: Stage, remedied: bool) -> Doors:
    """Caddy makes a redirect for every site it has a certificate for."""
    http, https = free_port(), free_port()
    site = CADDY.replace("CIPHERED", str(https)).replace("PLAIN", str(http))
    name, tls = ("http://shop.example.test", "") if remedied else ("shop.example.test", "{tls}")
    stage.caddy(site.replace("SITE", name).replace("TLS", tls), http)
    return behind_haproxy(stage, http, False)


DJANGO = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    {settings}
)
urlpatterns = [path("items/", lambda request: HttpResponse("here"))]
app = get_wsgi_application()
"""


def _offloaded_django(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    proxied = 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")' if remedied else ""
    settings = f"SECURE_SSL_REDIRECT=True, {proxied.replace(' = ', '=')}"
    stage.gunicorn(DJANGO.replace("{settings}", settings), port)
    return behind_haproxy(stage, port, remedied)


def slash_stage(stage: Stage, settings: str, line: str) -> Doors:
    """nginx that drops slashes (or not) before Django that adds them (or not)."""
    backend, port = free_port(), free_port()
    stage.gunicorn(DJANGO.replace("{settings}", settings), backend)
    passes = f"proxy_pass http://127.0.0.1:{backend}; proxy_set_header Host $host;"
    stage.nginx(f"server {{ listen 127.0.0.1:{port}; {STANDS} {line} location / {{ {passes} }} }}")
    return {80: port}


DROPS = "rewrite ^/(.*)/$ /$1 permanent;"


def _slash_ping_pong(stage: Stage, remedied: bool) -> Doors:
    return slash_stage(stage, "", "" if remedied else DROPS)


FORCES_HTTP = "RewriteRule ^ http://%{HTTP_HOST}%{REQUEST_URI} [R=302,L]"


def _scheme_ping_pong(stage: Stage, remedied: bool) -> Doors:
    """A site that still calls http its canonical scheme, behind an edge that has moved on."""
    port = free_port()
    only_then = "RewriteCond %{HTTP:X-Forwarded-Proto} !=https\n" if remedied else ""
    answers = "RewriteRule ^ - [R=200,L]"  # stands for the site's pages
    stage.apache(f"RewriteEngine On\n{only_then}{FORCES_HTTP}\n{answers}", port)
    return behind_nginx(stage, port, remedied)


CHALLENGE = 'if ($cookie_seen = "") { add_header Set-Cookie "seen=1; Path=/"; return 307 $request_uri; }'


def _cookie_challenge(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    exempt = 'location = /items { return 200 "here"; }' if remedied else ""
    rest = f'location / {{ {CHALLENGE} return 200 "here"; }}'
    stage.nginx(f"server {{ listen 127.0.0.1:{port}; absolute_redirect off; {exempt} {rest} }}")
    return {80: port}


WWW = "server {{ listen 127.0.0.1:{port}; server_name {host}; {line} }}"


def _host_ping_pong(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    here = 'location / { return 200 "here"; }'
    back = here if remedied else "return 301 $scheme://example.test$request_uri;"
    there = "return 301 $scheme://www.example.test$request_uri;"
    servers = [("example.test", there), ("www.example.test", back)]
    stage.nginx("\n".join(WWW.format(port=port, host=host, line=line) for host, line in servers))
    return {80: port}


NODE = """
const next = undefined;
require("http").createServer((request, response) => {
  if (request.url !== "/items") return response.end("here");
  response.writeHead(307, { Location: {next} });
  response.end();
}).listen(Number(process.argv[2]), "127.0.0.1");
"""


def _empty_location(stage: Stage, remedied: bool) -> Doors:
    port = free_port()
    written = 'next || "/"' if remedied else 'next || ""'
    stage.script("node", ".js", NODE.replace("{next}", written), port)
    return {80: port}


UVICORN_LINE = "uvicorn --proxy-headers --forwarded-allow-ips="
REDIRECT_SLASHES = "app.router.redirect_slashes = False"

STAGINGS: tuple[Staging, ...] = (
    Staging(
        "U1",
        "starlette-slash",
        "POST",
        f"{SHOP}/items",
        (REDIRECT_SLASHES, '@app.post("/items")'),
        _starlette_slash,
    ),
    Staging(
        "U1",
        "starlette-slash",
        "POST",
        f"{SHOP}/mcp",
        (REDIRECT_SLASHES, 'Route("/mcp", …)'),
        _starlette_mount,
        "mount",
    ),
    Staging(
        "U2",
        "untrusted-forwarded-scheme",
        "GET",
        f"{TLS_SHOP}/items",
        (UVICORN_LINE, TELL),
        _untrusted_scheme,
    ),
    Staging(
        "U2",
        "untrusted-forwarded-scheme",
        "GET",
        f"{TLS_SHOP}/items",
        ("app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)", TELL),
        _untrusted_scheme_flask,
        "Flask",
    ),
    Staging("U3", "go-slash", "GET", f"{SHOP}/items", ('mux.HandleFunc("/items", handler)',), _go_slash),
    Staging(
        "U3", "go-slash", "POST", f"{SHOP}/items", ('mux.HandleFunc("/items", handler)',), _go_slash, "POST"
    ),
    Staging("U6", "traefik-redirect", "POST", f"{SHOP}/items", ("permanent: true",), _traefik),
    Staging(
        "U9",
        "leader-redirect",
        "GET",
        f"{SHOP}/v1/secret/app",
        ("option httpchk GET /v1/sys/health",),
        _leader,
    ),
    Staging(
        "U12",
        "rails-force-ssl",
        "POST",
        f"{SHOP}/items",
        ("config.action_dispatch.ssl_default_redirect_status = 308",),
        _rails,
    ),
    Staging(
        "U13",
        "haproxy-redirect",
        "POST",
        f"{SHOP}/items",
        ("redirect scheme https code 307", "code 308"),
        _haproxy,
    ),
    Staging(
        "U13",
        "haproxy-redirect",
        "POST",
        f"{SHOP}/items",
        ("redirect prefix http://www.example.test code 307",),
        _haproxy_prefix,
        "prefix",
    ),
    Staging(
        "U14",
        "default-307",
        "POST",
        f"{SHOP}/form",
        ('RedirectResponse("/done", status_code=303)',),
        _default_307,
    ),
    Staging("U15", "nginx-return", "GET", f"{SHOP}/items", ("return 307 …;",), _nginx_return),
    Staging(
        "U15",
        "nginx-passed-redirect",
        "POST",
        f"{SHOP}/items",
        ("proxy_set_header Host $http_host;", "proxy_redirect http://app.internal/ /;"),
        _nginx_passed,
    ),
    Staging("L1", "flexible-tls", "GET", f"{TLS_SHOP}/items", ("Full (strict)",), _flexible_tls),
    Staging(
        "L2",
        "offloaded-tls",
        "POST",
        f"{TLS_SHOP}/items",
        (FORCED_WHERE_DUE, HAPROXY_TELLS),
        _offloaded_nginx,
    ),
    Staging(
        "L2",
        "offloaded-tls",
        "GET",
        f"{TLS_SHOP}/items/",
        ('SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")', HAPROXY_TELLS),
        _offloaded_django,
        "Django",
    ),
    Staging(
        "L2",
        "offloaded-tls",
        "GET",
        f"{TLS_SHOP}/items",
        ("the site as http://shop.example.test",),
        _offloaded_caddy,
        "Caddy",
    ),
    Staging(
        "L3", "slash-ping-pong", "GET", f"{SHOP}/items", (DROPS, "APPEND_SLASH = False"), _slash_ping_pong
    ),
    Staging(
        "L4",
        "scheme-ping-pong",
        "GET",
        f"{TLS_SHOP}/items",
        ("RewriteCond %{HTTP:X-Forwarded-Proto} !=https", TELL),
        _scheme_ping_pong,
    ),
    Staging(
        "L5",
        "cookie-challenge",
        "GET",
        f"{SHOP}/items",
        ("location = /items {", "requests.Session()"),
        _cookie_challenge,
        besides=("nginx-return",),
    ),
    Staging(
        "L6",
        "host-ping-pong",
        "GET",
        "http://example.test/items",
        ("server_name example.test; return 301", "server_name www.example.test; return 301"),
        _host_ping_pong,
    ),
    Staging("L7", "empty-location", "POST", f"{SHOP}/items", ('{ Location: next || "/" }',), _empty_location),
)
