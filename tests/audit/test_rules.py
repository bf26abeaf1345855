"""Each check over rules fires where it must, and not at the near miss; and finds what the mutator seeded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import DataObject, data, from_regex, lists, sampled_from

from detour.audit.allowed import filtered
from detour.audit.checks import CHECKS, check_layers
from detour.audit.finding import Finding, at_least
from detour.formats.dialects import DIALECTS, Files
from detour.formats.layer import read_layer
from detour.load import load_layer
from tests.audit.mutator import mutants, twins
from tests.audit.vendor_cases import VENDOR
from tests.formats.dialect_data import data_file

NOW = 1_795_000_000.0  # 2026-11-18


def found(tmp_path: Path, dialect: str, text: str) -> list[Finding]:
    path = tmp_path / "file"
    path.write_text(text)
    layers = (load_layer(path, dialect=dialect),)
    return list(filtered(layers, check_layers(layers, NOW)))


def rule(pattern: str, location: str, more: str = "") -> str:
    return f'[[rule]]\nname = "r"\npattern = "{pattern}"\nlocation = "{location}"\n{more}\n'


def server(inside: str) -> str:
    return f"events {{}}\nhttp {{ server {{ listen 80; server_name a.example; {inside} }} }}\n"


NETLIFY = next(dialect for dialect in DIALECTS if dialect.name == "netlify")
WORDS = from_regex(
    r"[a-z]{1,6}-[0-9]{1,3}", fullmatch=True
)  # sources begin with one each: none hides another
# A line whose target is not the source of another: `/to` begins none, and other hosts are not ours.
FORMS = sampled_from(
    (
        "/{0} /to/{0}",
        "/{0}/x /to/{0}?from=x",
        "/{0}/* /to/{0}/:splat",
        "/{0}/:one/:two /to/{0}/:two/:one",
        "/{0}/* https://other.example/{0}/:splat",
        "https://a.example/{0}/* https://a.example/to/{0}/:splat",
        "http://a.example/{0}/* https://a.example/to/{0}/:splat",
    )
)
STATUSES = (303, 307, 308)


TRAEFIK = (
    "http: {{routers: {{r: {{rule: 'Path(`/a`)', service: s, middlewares: [m]}}}},"
    " middlewares: {{m: {{{}}}}}, services: {{s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:1'}}]}}}}}}}}\n"
)

# check: (dialect, text in which it fires, near miss)
CASES: dict[str, tuple[str, str, str]] = {
    "shadowed-rule": ("netlify", "/a/* /b 307\n/a/c /d 307\n", "/a/c /d 307\n/a/* /b 307\n"),
    "duplicate-rule": ("csv", "/a,/b,307\n/a,/c,307\n", "/a,/b,307\n/A,/c,307\n"),
    "overstayed": (
        "native",
        rule("/a", "/b", "until = 2026-11-01T00:00:00Z"),
        rule("/a", "/b", "until = 2026-12-01T00:00:00Z"),
    ),
    "permanent-without-cache": ("csv", "/a,/b,308\n", "/a,/b,307\n"),
    "unused-capture": ("netlify", "/a/:x/:y /b/:y 307\n", "/a/:x/:y /b/:y/:x 307\n"),
    "dropped-query": (
        "native",
        rule("/a/*", "/b/{0}", 'query = "drop"'),
        rule("/a/*", "/b", 'query = "drop"'),
    ),
    "acme-redirect": ("netlify", "/* https://b.example/ 307\n", "/* https://b.example/:splat 307\n"),
    "health-redirect": ("csv", "/healthz,/a,307\n", "/healthy-food,/a,307\n"),
    "credential-307": ("csv", "/login,https://b.example/,307\n", "/login,https://b.example/,303\n"),
    "credentials-in-location": ("csv", "/a,https://u:p@b.example/,307\n", "/a,https://b.example/@u,307\n"),
    "absolute-redirect-behind-tls": (
        "csv",
        "https://a.example/a,http://a.example/b,307\n",
        "https://a.example/a,https://a.example/b,307\n",
    ),
    "unsupported-status": ("csv", "/a,/b,305\n", "/a,/b,303\n"),
    "encoded-slash-location": ("csv", "/a,/b%2Fc,307\n", "/a,/b?c=%2F,307\n"),
    "method-loss": ("csv", "/api/a,/b,302\n", "/api/a,/b,307\n"),
    "redirect-loop": ("csv", "/a,/b,307\n/b,/a,307\n", "/a,/b,307\n/b,/c,307\n"),
    "self-redirect": ("csv", "/a,/a,307\n", "/a,/a/,307\n"),
    "long-chain": (
        "csv",
        "/a,/b,307\n/b,/c,307\n/c,/d,307\n/d,/e,307\n",
        "/a,/b,307\n/b,/c,307\n/c,/d,307\n",
    ),
    "scheme-downgrade": ("csv", "/a,http://b.example/,307\n", "http://a.example/a,http://b.example/,307\n"),
    "open-location": ("netlify", "/a/* https://:splat 307\n", "/a/* https://b.example/:splat 307\n"),
    "allow-without-reason": (
        "netlify",
        "# detour: allow self-redirect\n/a /b 307\n",
        "# detour: allow self-redirect: b\n/a /b 307\n",
    ),
    "unused-allow": (
        "netlify",
        "# detour: allow self-redirect: old\n/a /b 307\n",
        "# detour: allow self-redirect: old\n/a /a 307\n",
    ),
    "not-understood": ("csv", "a,/b,307\n", "/a,/b,307\n"),
    "implicit-slash": (
        "nginx",
        server("location /api/ { proxy_pass http://127.0.0.1:1; }"),
        server("location /api/ { proxy_pass http://127.0.0.1:1; } location = /api { return 308 /api/; }"),
    ),
    "internal-host-leak": (
        "csv",
        "https://a.example/a,https://10.0.0.7/a,307\n",
        "https://10.0.0.8/a,https://10.0.0.7/a,307\n",
    ),
    "port-leak": (
        "csv",
        "http://a.example/a,http://a.example:8080/b,307\n",
        "http://a.example/a,http://b.example:8080/b,307\n",
    ),
    "grpc-redirect": ("csv", "/shop.v1.Orders/Get,/b,307\n", "/shop.v1/Get,/b,307\n"),
    "decoded-path-location": (
        "nginx",
        server("location /a/ { return 307 https://a.example$uri; }"),
        server("location /a/ { return 307 https://a.example$request_uri; }"),
    ),
    "status-by-method": (
        "traefik",
        TRAEFIK.format("redirectRegex: {regex: '^https?://[^/]+/a$', replacement: 'https://b.example/'}"),
        TRAEFIK.format("addPrefix: {prefix: /a}"),
    ),
    "unstated-status": (
        "haproxy",
        "frontend f\n  bind :80\n  http-request redirect location /b if { path /a }\n",
        "frontend f\n  bind :80\n  http-request redirect location /b code 302 if { path /a }\n",
    ),
    "preflight-redirect": (
        "haproxy",
        "frontend f\n  bind :80\n  http-request redirect location /b code 307 if METH_OPTIONS\n",
        "frontend f\n  bind :80\n  http-request redirect location /b code 307 if METH_POST\n",
    ),
}


@pytest.mark.parametrize("check", CASES)
def test_it_fires_where_it_must_and_not_at_the_near_miss(check: str, tmp_path: Path) -> None:
    dialect, fires, near = CASES[check]
    assert check in {one.check for one in found(tmp_path, dialect, fires)}
    assert check not in {one.check for one in found(tmp_path, dialect, near)}


def test_every_check_over_rules_has_a_case() -> None:
    of_layers = {"https-behind-tls", "probe-redirect", "content-crosses-origin"}  # tests of their own
    assert {check.name for check in CHECKS if check.over_rule} <= {*CASES, *VENDOR, *of_layers}


@pytest.mark.parametrize(
    ("lb", "app", "told"),
    [
        ("bind :443 ssl crt c.pem", "return 301 https://$host$request_uri;", True),
        ("bind :80", "return 301 https://$host$request_uri;", False),  # TLS does not end there
        ("bind :443 ssl crt c.pem", "return 301 https://www.example$request_uri;", False),  # another host
    ],
)
def test_https_behind_a_layer_that_ends_tls_is_a_loop(lb: str, app: str, told: bool, tmp_path: Path) -> None:
    edge, inner = tmp_path / "haproxy.cfg", tmp_path / "nginx.conf"
    edge.write_text(f"frontend f\n  {lb}\n  default_backend b\nbackend b\n  server s 127.0.0.1:1\n")
    inner.write_text(server(app))
    layers = (load_layer(edge, "lb", "haproxy"), load_layer(inner, "app", "nginx"))
    found = [one for one in check_layers(layers, NOW) if one.check == "https-behind-tls"]
    assert bool(found) == told
    assert [one.witness for one in found] == ["GET https://a.example/x"] * told
    assert "https-behind-tls" not in {one.check for one in check_layers(layers[1:], NOW)}


@given(data())
def test_rules_without_a_fault_have_no_finding_above_a_note(draw: DataObject) -> None:
    sources = draw.draw(lists(WORDS, unique=True, max_size=8))
    lines = [f"{draw.draw(FORMS)} {draw.draw(sampled_from(STATUSES))}" for _ in sources]
    text = "".join(f"{line.format(word)}\n" for word, line in zip(sources, lines, strict=True))
    layers = (read_layer("file", NETLIFY, Files("file", {"file": text})),)
    assert layers[0].not_understood == ()
    assert at_least("warning", filtered(layers, check_layers(layers, NOW))) == []


def test_a_finding_names_its_line_and_the_line_to_write_instead(tmp_path: Path) -> None:
    [one] = at_least("warning", found(tmp_path, "netlify", "\n/api/a /b 302\n"))
    assert one.span is not None
    assert one.span.line == 2
    assert one.witness == "POST https://host.example/api/a"
    assert one.remedy.endswith("  /api/a /b 307")


def test_a_loop_over_two_layers_is_seen_in_neither_alone(tmp_path: Path) -> None:
    edge, app = tmp_path / "edge.csv", tmp_path / "app.csv"
    edge.write_text("http://a.example/x,https://a.example/x,307\n")
    app.write_text("https://a.example/x,http://a.example/x,307\n")
    one, other = load_layer(edge), load_layer(app)
    loops = [f for f in check_layers((one, other), NOW) if f.check == "redirect-loop"]
    assert [str(f.span.file if f.span else "") for f in loops] == [str(edge)]
    for alone in (one, other):
        assert "redirect-loop" not in {f.check for f in check_layers((alone,), NOW)}


def test_at_least_90_of_100_seeded_faults_are_found(tmp_path: Path) -> None:
    data_file("gateway-api-site-_redirects", "_redirects")
    hits = Counter[bool]()
    for mutant in mutants():
        findings = found(tmp_path, mutant.twin.dialect, mutant.text)
        lines = {one.span.line for one in findings if one.check == mutant.check and one.span}
        hits[bool(lines & set(mutant.lines))] += 1
    assert hits.total() == 100
    assert hits[True] >= 90


# What is found above a note in the files as they are; each was looked at and is so.
TRUE_OF_TWINS = {
    ("simple_multiple", "duplicate-rule"): "/one stands there twice",
    ("kolla_ansible-22.2.0", "dropped-query"): "Apache puts the query behind the Location's fragment",
}


def test_what_is_found_in_the_twins_is_true(tmp_path: Path) -> None:
    data_file("gateway-api-site-_redirects", "_redirects")
    told = [
        (twin.name, one.check)
        for twin in twins()
        for one in at_least("warning", found(tmp_path, twin.dialect, twin.text))
    ]
    assert len(told) <= len(TRUE_OF_TWINS)
    assert set(told) <= set(TRUE_OF_TWINS)


def test_what_becomes_of_each_method_is_what_the_own_layer_of_a_rule_answers(tmp_path: Path) -> None:
    edge, app = tmp_path / "edge.csv", tmp_path / "app.csv"
    edge.write_text("http://a.example/api/x,https://a.example/api/x,307\n")
    app.write_text("http://a.example/api/x,http://b.example/api/x,302\n")
    layers = load_layer(edge), load_layer(app)
    [lost] = [one for one in check_layers(layers, NOW) if one.check == "method-loss"]
    told = {one.request.partition(" ")[0]: one.becomes for one in lost.per_method}
    assert told["POST"] == "302 to http://b.example/api/x, as GET, without its content"
    assert told["PUT"] == "302 to http://b.example/api/x, the method kept"
