"""The vendor rules of the field notes: what real servers do, and what layers do to one another."""

from __future__ import annotations

import http.client
import re
import socket
from pathlib import Path

import pytest

from detour.audit.checks import (
    CHECKS,
    absolute_redirect_behind_tls,
    check_layers,
    content_crosses_origin,
    decoded_path_location,
    double_slash_location,
    hsts_contradicted,
    https_behind_tls,
    probe_redirect,
    unstated_status,
    websocket_redirect,
)
from detour.audit.checks.open_location import CANARY
from detour.audit.finding import Check, Finding, at_least
from detour.audit.survey import Survey
from detour.formats.layer import Layer
from detour.load import load_layer
from tests.audit.ordinary import APPLICATIONS
from tests.audit.ordinary import EDGES as ORDINARY_EDGES
from tests.audit.vendor_cases import VENDOR, haproxy, native
from tests.examples.running import Nginx, free_port, program
from tests.formats.layers import decide
from tests.formats.real_servers import Server

DOCS = Path(__file__).parents[2] / "docs"
NOW = 1_795_000_000.0  # 2026-11-18
ONE = {check.name: check for check in (
    content_crosses_origin.CHECK, double_slash_location.CHECK, hsts_contradicted.CHECK, probe_redirect.CHECK,
    websocket_redirect.CHECK,
)}  # fmt: skip


def layers(folder: Path, *texts: tuple[str, str]) -> tuple[Layer, ...]:
    """Layers (dialect, text) in the order in which requests pass them."""
    found = []
    for place, (dialect, text) in enumerate(texts):
        (folder / str(place)).mkdir()
        path = folder / str(place) / "file"
        path.write_text(text)
        found.append(load_layer(path, f"layer-{place}", dialect))
    return tuple(found)


def told(check: Check, *found: Layer) -> list[Finding]:
    """What it finds; a line that is several rules is told once."""
    return [one for one in check_layers(found, NOW) if one.check == check.name]


@pytest.mark.parametrize("check", VENDOR)
def test_it_fires_where_it_must_and_not_at_the_near_miss(check: str, tmp_path: Path) -> None:
    dialect, fires, near = VENDOR[check]
    first, second = layers(tmp_path, (dialect, fires), (dialect, near))
    [one] = told(ONE[check], first)
    assert one.witness
    assert one.span is not None
    assert told(ONE[check], second) == []
    method, url = one.witness.split()
    answers = decide(first, method, url, (("upgrade", "websocket"),))
    assert answers is not None, "its witness is redirected"


def test_a_path_that_begins_with_two_slashes_is_sent_to_its_host_by_haproxy(tmp_path: Path) -> None:
    port = free_port()
    text = VENDOR["double-slash-location"][1].replace("bind :80", f"bind 127.0.0.1:{port}")
    frame = "defaults\n  mode http\n  timeout client 5s\n  timeout connect 5s\n  timeout server 5s\n"
    [layer] = layers(tmp_path, ("haproxy", frame + text))
    [one] = told(double_slash_location.CHECK, layer)
    method, url = one.witness.split()
    file = str(tmp_path / "0" / "file")
    with Server([program("haproxy"), "-db", "-f", file], port, tmp_path) as server:
        assert server.answer(method, url) == (308, f"https://{CANARY}/xx/")


def test_a_path_that_begins_with_two_slashes_is_sent_to_its_host_by_caddy(tmp_path: Path) -> None:
    port = free_port()
    text = f"{{\n admin off\n auto_https off\n}}\nhttp://:{port} {{\n redir {{path}}/ 302\n}}\n"
    [layer] = layers(tmp_path, ("caddy", text))
    [one] = told(double_slash_location.CHECK, layer)
    method, url = one.witness.split()
    argv = [program("caddy"), "run", "--config", str(tmp_path / "0" / "file"), "--adapter", "caddyfile"]
    with Server(argv, port, tmp_path) as server:
        assert server.answer(method, url) == (302, f"http://{CANARY}//")


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("haproxy", haproxy("http-request redirect location /a%[path]/ code 302")),
        ("haproxy", haproxy("http-request redirect prefix https://b.example code 302")),
        (
            "haproxy",
            "frontend f\n  bind :80\n  http-request normalize-uri path-merge-slashes\n"
            "  http-request redirect location %[path]/ code 302\n",
        ),
        ("caddy", ":80 {\n redir /a/* {path}/ 302\n}\n"),
        ("caddy", ":80 {\n redir https://b.example{uri} 302\n}\n"),
        ("netlify", "/* /:splat 302\n"),
    ],
)
def test_what_writes_something_ahead_of_the_path_or_merges_slashes_is_safe(
    dialect: str, text: str, tmp_path: Path
) -> None:
    [layer] = layers(tmp_path, (dialect, text))
    assert told(double_slash_location.CHECK, layer) == []


def test_a_websocket_path_is_a_note_and_a_host_of_that_name_nothing(tmp_path: Path) -> None:
    text = "/ws,/socket,307\n/news,/blog,307\nhttps://ws.example/a,/b,307\n"
    [layer] = layers(tmp_path, ("csv", text))
    assert [(one.severity, one.confidence) for one in told(websocket_redirect.CHECK, layer)] == [
        ("note", "suggests")
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('add_header Strict-Transport-Security "max-age=31536000";', 1),
        ('add_header Strict-Transport-Security "max-age=0";', 0),
        ('# add_header Strict-Transport-Security "max-age=31536000";', 0),
        ("", 0),
    ],
)
def test_a_way_back_to_http_beside_hsts_is_a_circle(more: str, expected: int, tmp_path: Path) -> None:
    text = (
        f"events {{}}\nhttp {{ server {{ listen 443 ssl; server_name a.example;\n{more}\n"
        "location /old { return 302 http://a.example/new; } } }\n"
    )
    [layer] = layers(tmp_path, ("nginx", text))
    assert len(told(hsts_contradicted.CHECK, layer)) == expected


TO_HTTPS = "events {}\nhttp { server { listen 80; return 301 https://$host$request_uri; } }\n"
PASSED = (
    "events {}\nhttp { server { listen 80; location = /up { return 200; }"
    " location / { return 301 https://$host$request_uri; } } }\n"
)
ALB = """
Resources:
  L:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties: {Port: 80, Protocol: HTTP, DefaultActions: [{Type: forward, TargetGroupArn: {Ref: T}}]}
  T:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Port: 80, HealthCheckPath: /up}
"""
ENVOY = """
static_resources:
  clusters:
  - name: c
    health_checks:
    - {timeout: 1s, interval: 1s, http_health_check: {path: /up}}
"""
TRAEFIK = """
http:
  routers: {r: {rule: 'PathPrefix(`/`)', entryPoints: [web], middlewares: [], service: s}}
  services:
    s: {loadBalancer: {healthCheck: {path: /up, followRedirects: false}, servers: [{url: 'http://127.0.0.1:1'}]}}
"""
BALANCERS = {
    "alb": ALB,
    "haproxy": haproxy(
        "default_backend b\nbackend b\n  option httpchk GET /up\n  server s 127.0.0.1:1 check"
    ),
    "caddy": "a.example {\n  reverse_proxy 127.0.0.1:1 {\n    health_uri /up\n  }\n}\n",
    "envoy": ENVOY,
    "traefik": TRAEFIK,
}


@pytest.mark.parametrize("dialect", BALANCERS)
def test_a_health_check_of_the_layer_in_front_is_redirected_unless_it_passes(
    dialect: str, tmp_path: Path
) -> None:
    edge, app, passing = layers(
        tmp_path, (dialect, BALANCERS[dialect]), ("nginx", TO_HTTPS), ("nginx", PASSED)
    )
    [one] = told(probe_redirect.CHECK, edge, app)
    assert one.witness == "GET http://192.0.2.1/up"
    assert told(probe_redirect.CHECK, edge, passing) == []
    assert told(probe_redirect.CHECK, app) == []


@pytest.mark.parametrize(
    ("pattern", "location", "more", "expected"),
    [
        ("https://api.a.example/v1/*", "https://api.b.example/v1/{0}", "", 1),
        ("https://a.example/orders", "https://b.example/orders", 'methods = ["POST"]', 1),
        ("https://a.example/orders", "https://b.example/orders", "", 0),  # a page, as far as is known
        ("https://a.example/v1/*", "https://www.a.example/v1/{0}", "", 0),  # the same site
        ("https://a.example/v1/*", "https://b.example/v1/{0}", "status = 303", 0),  # nothing is sent again
    ],
)
def test_content_that_is_sent_on_to_another_site_is_a_note(
    pattern: str, location: str, more: str, expected: int, tmp_path: Path
) -> None:
    [layer] = layers(tmp_path, ("native", native(pattern, location, more)))
    found = told(content_crosses_origin.CHECK, layer)
    assert [one.severity for one in found] == ["note"] * expected
    assert all(one.witness.startswith("POST ") for one in found)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("haproxy", haproxy("http-request redirect scheme https code 301 if !{ ssl_fc }")),
        ("apache", "<VirtualHost *:80>\nRedirect 301 /a /b\n</VirtualHost>\n"),
        (
            "traefik",
            "http: {routers: {r: {rule: 'Host(`a.example`)', entryPoints: [web], middlewares: [m],"
            " service: s}}, middlewares: {m: {redirectScheme: {scheme: https}}},"
            " services: {s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}}}\n",
        ),
    ],
)
def test_a_rule_of_any_port_has_a_witness_that_it_answers(dialect: str, text: str, tmp_path: Path) -> None:
    [layer] = layers(tmp_path, (dialect, text))
    places = list(Survey((layer,), NOW).places)
    assert all(place.urls for place in places)
    assert decide(layer, places[0].method, places[0].urls[0]) is not None


def nginx(inside: str, listen: str = "80") -> str:
    return f"events {{}}\nhttp {{ server {{ listen {listen}; server_name a.example; {inside} }} }}\n"


TO_TLS = haproxy("http-request redirect scheme https code 301 if !{ ssl_fc }")
CIRCLES: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "the edge takes the slash away, the application adds it": (
        (
            "nginx",
            "events {}\nhttp { server { listen 80; location / { rewrite ^/(.+)/$ /$1 permanent; } } }\n",
        ),
        ("apache", "RewriteEngine On\nRewriteRule ^(.*[^/])$ /$1/ [R=301,L]\n"),
    ),
    "the edge takes the slash away, nginx adds it by itself": (
        ("vercel", '{"trailingSlash": false, "redirects": []}'),
        ("nginx", nginx("location /api/ { proxy_pass http://127.0.0.1:1; }")),
    ),
    "the edge forces https, the application http": (
        ("haproxy", TO_TLS),
        ("nginx", nginx("return 301 http://$host$request_uri;", "443 ssl")),
    ),
    "the edge leads to www, the application away from it": (
        ("haproxy", haproxy("http-request redirect prefix https://www.a.example if { hdr(host) a.example }")),
        ("netlify", "https://www.a.example/* https://a.example/:splat 301!\n"),
    ),
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_two_layers_that_undo_one_another_go_round(circle: str, tmp_path: Path) -> None:
    edge, app = layers(tmp_path, *CIRCLES[circle])
    assert edge.not_understood == app.not_understood == ()
    found = [one for one in check_layers((edge, app), NOW) if one.check == "redirect-loop"]
    assert len(found) == 1
    for alone in (edge, app):
        assert "redirect-loop" not in {one.check for one in check_layers((alone,), NOW)}


@pytest.mark.parametrize(
    ("inside", "splits"),
    [
        ("location /a { return 302 https://b.example$uri; }", True),
        ("location /a { return https://b.example$document_uri; }", True),
        ("location /a { return 302 https://b.example$request_uri; }", False),
        ("rewrite ^/a https://b.example$uri? redirect;", True),
        ("location ~ ^/a(?<rest>[^/]+)$ { return 302 /b/$rest; }", True),
        (r"location ~ ^/a(?<rest>[^/\r\n]+)$ { return 302 /b/$rest; }", False),
        ("location ~ ^/a(.*)$ { return 302 /b/$1; }", False),
        ("rewrite ^/a([^/]+)$ /b/$1 redirect;", False),
    ],
)
def test_nginx_splits_its_answer_where_it_is_said_to(inside: str, splits: bool, tmp_path: Path) -> None:
    port = free_port()
    [layer] = layers(tmp_path, ("nginx", nginx(inside)))
    assert bool(told(decoded_path_location.CHECK, layer)) == splits
    text = f"server {{ listen 127.0.0.1:{port}; {inside} }}"
    with Nginx(text, port, tmp_path), socket.create_connection(("127.0.0.1", port), 5) as asking:
        asking.sendall(b"GET /ax%0d%0aX-Seen:%20yes HTTP/1.0\r\nHost: a.example\r\n\r\n")
        answer = b"".join(iter(lambda: asking.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 ")
    assert (b"\r\nX-Seen: yes\r\n" in answer) == splits


def test_the_table_of_vendor_rules_names_checks_that_there_are() -> None:
    table, rest = (DOCS / "vendor-rules.md").read_text().split("## Not in configurations")
    over_rules = {check.name for check in CHECKS if check.over_rule}
    named = set(re.findall(r"checks/([a-z0-9-]+)\.md", table))
    assert named <= over_rules
    no_vendors = {"shadowed-rule", "duplicate-rule", "unused-capture", "overstayed"}
    assert over_rules - named <= no_vendors
    assert set(re.findall(r"checks/([a-z0-9-]+)\.md", rest)) <= {check.name for check in CHECKS}


HAPROXY_TLS = (
    "frontend f\n  bind :443 ssl crt c.pem\n  default_backend b\nbackend b\n  server s 127.0.0.1:1{}\n"
)
ALB_TLS = """
Resources:
  L:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties: {{Port: 443, Protocol: HTTPS, DefaultActions: [{{Type: forward, TargetGroupArn: T}}]}}
  T:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {{Port: 80, HealthCheckProtocol: HTTP, Protocol: {}}}
"""
TRAEFIK_TLS = """
http:
  routers: {{r: {{rule: 'PathPrefix(`/`)', entryPoints: [websecure], tls: {{}}, service: s}}}}
  services: {{s: {{loadBalancer: {{servers: [{{url: '{}127.0.0.1:1'}}]}}}}}}
"""
ENVOY_TLS = """
static_resources:
  listeners:
  - filter_chains:
    - transport_socket:
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
  clusters:
  - name: c
    {}
"""
CLOUDFLARE = """
{{"rules": [
  {{"action": "set_config", "action_parameters": {{"ssl": "{}"}}, "expression": "true"}},
  {{"action": "redirect", "expression": "http.request.uri.path eq \\"/a\\"", "action_parameters":
    {{"from_value": {{"status_code": 307, "target_url": {{"value": "https://b.example/"}}}}}}}}
]}}
"""
UPSTREAM = "transport_socket: {name: tls, typed_config: {'@type': UpstreamTlsContext}}"
# dialect: (text with a hole, what asks the next layer over http, what asks it over https)
EDGES: dict[str, tuple[str, str, str]] = {
    "nginx": (
        "events {{}}\nhttp {{ server {{ listen 443 ssl; location / {{ proxy_pass {}127.0.0.1:1; }} }} }}\n",
        "http://",
        "https://",
    ),
    "apache": (
        "<VirtualHost *:443>\nSSLEngine on\nProxyPass / {}127.0.0.1:1/\n</VirtualHost>\n",
        "http://",
        "https://",
    ),
    "haproxy": (HAPROXY_TLS, "", " ssl verify none"),
    "caddy": ("a.example {{\n  reverse_proxy {}127.0.0.1:1\n}}\n", "", "https://"),
    "alb": (ALB_TLS, "HTTP", "HTTPS"),
    "traefik": (TRAEFIK_TLS, "http://", "https://"),
    "envoy": (ENVOY_TLS, "type: STATIC", UPSTREAM),
    "cloudflare-rules": (CLOUDFLARE, "flexible", "full"),
}


@pytest.mark.parametrize("dialect", EDGES)
def test_a_layer_behind_what_ends_tls_sends_https_to_itself(dialect: str, tmp_path: Path) -> None:
    text, clear, encrypted = EDGES[dialect]
    asking, encrypting, app, asked = layers(
        tmp_path,
        (dialect, text.format(clear)),
        (dialect, text.format(encrypted)),
        ("nginx", nginx("return 301 https://$host$request_uri;")),
        ("apache", FORWARDED),
    )
    [one] = told(https_behind_tls.CHECK, asking, app)
    assert (one.witness, one.confidence) == ("GET https://a.example/x", "is")
    assert told(https_behind_tls.CHECK, encrypting, app) == []
    assert told(https_behind_tls.CHECK, asking, asked) == []  # it asks what the edge says of the scheme
    assert told(https_behind_tls.CHECK, app, asking) == []


FORWARDED = """
RewriteEngine On
RewriteCond %{HTTP:X-Forwarded-Proto} !https
RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [L,R=301]
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: x
  annotations: {{{}: "true"}}
spec:
  ingressClassName: nginx
  {}
  rules:
  - host: a.example
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: s, port: {{number: 80}}}}}}}}]}}
"""
FORCE = "nginx.ingress.kubernetes.io/force-ssl-redirect"
TRUSTING = (
    '\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {use-forwarded-headers: "true"}\n'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (INGRESS.format(FORCE, ""), True),
        (INGRESS.format(FORCE, "tls: [{hosts: [a.example], secretName: t}]"), False),
        (INGRESS.format(FORCE, "") + TRUSTING, False),
        (INGRESS.format("nginx.ingress.kubernetes.io/ssl-redirect", ""), False),
    ],
)
def test_https_that_is_forced_without_a_certificate_is_a_note(
    text: str, expected: bool, tmp_path: Path
) -> None:
    [layer] = layers(tmp_path, ("ingress", text))
    found = told(https_behind_tls.CHECK, layer)
    assert bool(found) == expected
    assert all((one.severity, one.confidence) == ("note", "suggests") for one in found)


RELATIVE = "location /x {{ return 307 /y; }} {}"


@pytest.mark.parametrize(
    ("more", "listen", "checks"),
    [
        ("", "80", {"absolute-redirect-behind-tls"}),
        ("", "8080", {"absolute-redirect-behind-tls", "port-leak"}),
        ("port_in_redirect off;", "8080", {"absolute-redirect-behind-tls"}),
        ("absolute_redirect off;", "8080", set()),
    ],
)
def test_nginx_completes_a_relative_location_with_its_own_scheme_and_port(
    more: str, listen: str, checks: set[str], tmp_path: Path
) -> None:
    edge, app = layers(
        tmp_path, ("haproxy", HAPROXY_TLS.format("")), ("nginx", nginx(RELATIVE.format(more), listen))
    )
    names = {"absolute-redirect-behind-tls", "port-leak"}
    assert {one.check for one in check_layers((edge, app), NOW)} & names == checks
    assert not {one.check for one in check_layers((app,), NOW)} & names  # nothing is known to be in front
    port = free_port()
    text = f"server {{ listen 127.0.0.1:{port}; {RELATIVE.format(more)} }}"
    with Nginx(text, port, tmp_path), socket.create_connection(("127.0.0.1", port), 5) as asking:
        asking.sendall(b"GET /x HTTP/1.0\r\nHost: a.example\r\n\r\n")
        answer = b"".join(iter(lambda: asking.recv(65536), b"")).decode()
    [location] = re.findall(r"(?m)^Location: (.*)\r$", answer)
    assert location.startswith("http://a.example") == ("absolute-redirect-behind-tls" in checks)
    assert f":{port}" in location or "port-leak" not in checks


def test_apache_completes_a_relative_location_unless_it_knows_its_outer_name(tmp_path: Path) -> None:
    inside = "Redirect 307 /a /b\n</VirtualHost>\n"
    edge, app, named = layers(
        tmp_path,
        ("haproxy", HAPROXY_TLS.format("")),
        ("apache", f"<VirtualHost *:80>\nServerName a.example\n{inside}"),
        ("apache", f"<VirtualHost *:80>\nServerName https://a.example\n{inside}"),
    )
    check = absolute_redirect_behind_tls.CHECK
    assert [one.severity for one in told(check, edge, app)] == ["warning"]
    assert told(check, edge, named) == []


@pytest.mark.parametrize(
    ("inside", "remedy"),
    [
        ("location /a { return https://b.example/; }", "return 307 https://b.example/;"),
        ("rewrite ^/a https://b.example/;", "No line can be written"),
        ("location /a { return 302 https://b.example/; }", ""),
        ("rewrite ^/a https://b.example/ redirect;", ""),
    ],
)
def test_nginx_answers_302_where_no_status_is_written(inside: str, remedy: str, tmp_path: Path) -> None:
    [layer] = layers(tmp_path, ("nginx", nginx(inside)))
    found = told(unstated_status.CHECK, layer)
    assert [one.severity for one in found] == ["note"] * bool(remedy)
    assert all(remedy in one.remedy for one in found)
    port = free_port()
    with Nginx(f"server {{ listen 127.0.0.1:{port}; {inside} }}", port, tmp_path) as _:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/a", headers={"Host": "a.example"})
        assert connection.getresponse().status == 302
        connection.close()


@pytest.mark.parametrize(
    ("dialect", "old", "new", "message"),
    [
        ("alb", "HealthCheckPath: /up", 'HealthCheckPath: /up, Matcher: {HttpCode: "200-399"}', ""),
        ("haproxy", "GET /up", "GET /up\n  http-check expect status 200", "counts as ill"),
        ("haproxy", "GET /up", "GET /up", "counts as healthy, whatever runs there"),
        ("traefik", ", followRedirects: false", "", ""),
    ],
)
def test_what_a_balancer_makes_of_a_redirect_is_as_it_says(
    dialect: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    edge, app, named = layers(
        tmp_path,
        (dialect, BALANCERS[dialect].replace(old, new)),
        ("nginx", TO_HTTPS),
        ("haproxy", haproxy("http-request redirect scheme https if { hdr(host) a.example }")),
    )
    found = told(probe_redirect.CHECK, edge, app)
    assert [one.message.endswith(message) for one in found] == [True] * bool(message)
    assert told(probe_redirect.CHECK, edge, named) == []  # a check does not ask for that host


PASSING_HOST = "location / { proxy_pass http://127.0.0.1:1; proxy_set_header Host $host; }"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (PASSING_HOST, 1),
        (PASSING_HOST.replace(" }", " proxy_redirect http:// https://; }"), 0),
        ("location / { proxy_pass http://127.0.0.1:1; }", 0),  # nginx mends what names its upstream
    ],
)
def test_a_layer_in_front_can_mend_the_location(inside: str, expected: int, tmp_path: Path) -> None:
    edge, app = layers(
        tmp_path, ("nginx", nginx(inside, "443 ssl")), ("nginx", nginx("location /x { return 307 /y; }"))
    )
    assert len(told(absolute_redirect_behind_tls.CHECK, edge, app)) == expected


@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("edge", ORDINARY_EDGES)
def test_ordinary_layers_have_nothing_above_a_note(edge: str, application: str, tmp_path: Path) -> None:
    found = layers(tmp_path, ORDINARY_EDGES[edge], APPLICATIONS[application])
    assert [layer.not_understood for layer in found] == [(), ()]
    assert any(rule.template is not None for layer in found for rule in layer.rules)
    assert at_least("warning", check_layers(found, NOW)) == []
    assert at_least("warning", check_layers(found[1:], NOW)) == []
