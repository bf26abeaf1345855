"""Every dialect: any text, and real files with parts taken out and put in, are rules and faults, no more."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detour.core.message import Request
from detour.formats.dialects import DIALECTS, Dialect, Files, named
from detour.formats.draft import Draft, LineFault
from detour.formats.layer import read_layer
from tests.formats import (
    apache_configurations,
    caddy_configurations,
    data_table,
    envoy_configurations,
    haproxy_configurations,
    test_alb,
    test_cloudflare_rules,
    test_ingress,
    test_ipfs,
    test_istio,
    test_netlify,
    traefik_configurations,
)
from tests.formats.dialect_data import DATA

EXAMPLES = 60  # of each dialect and test
LONGEST = 20_000  # characters of a real file: more say nothing new, and take time

_REDIRECT = test_istio.redirect("uri: /x, authority: n.example", "{uri: {regex: '/a(b|c)'}}")
_ANNOTATED = test_ingress.annotated(permanent_redirect="http://x.example", app_root="/a")
_CLOUDFLARE = (
    test_cloudflare_rules.rule('http.host eq "h.example" and not ssl', status_code=307),
    test_cloudflare_rules.rule('http.request.full_uri wildcard r"http*://*.example/a/*"'),
)
_SERVER = """\
events {}
http {
    map $host $to { ~^a(.+)$ b$1; default c; }
    server { rewrite ^/a/(.*)$ /b/$1 permanent; location /c { return 302 https://$to.example$request_uri; } }
}
"""

# What there is of each dialect without $DETOUR_DATA.
SAMPLES: dict[str, tuple[str, ...]] = {
    "netlify": tuple(rules for rules, _ in test_netlify.AGREED.values()),
    "cloudflare-pages": ("/a/* /b/:splat 302\n/c/:d/e https://h.example/:d 308\n/x /y 200\n",),
    "ipfs": (test_ipfs.EXAMPLES,),
    "csv": ("from,to,status\n/a,/b,307\n//h.example/c/:d,/e/{d},308\n/old?id=7,/new,301\n",),
    "cloudflare-bulk": (
        "example.com/a,https://n.example/b,302,TRUE,TRUE,TRUE,TRUE\nhttps://o.example/,https://p.example/\n",
    ),
    "vercel-bulk": (
        "source,destination,permanent,statusCode,caseSensitive,query\n/a,/b,true,,t,f\n/c,/d,,307,,true\n",
        '[{"source": "/a", "destination": "/b", "statusCode": 302}]',
    ),
    "gateway-api": (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nspec: {hostnames: ['*.h.example'], "
        "rules: [{matches: [{path: {type: PathPrefix, value: /a}}], filters: [{type: RequestRedirect, "
        "requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}, statusCode: 301}}]}]}\n",
    ),
    "ingress": (test_ingress.ingress(_ANNOTATED, tls="h.example"),),
    "netlify-toml": ('[[redirects]]\nfrom = "/a/*"\nto = "/b/:splat"\nstatus = 302\nquery = {c = ":c"}\n',),
    "vercel": (
        '{"cleanUrls": true, "redirects": [{"source": "/a/:b(\\\\d+)/:c*", "destination": "/d/:b", '
        '"has": [{"type": "host", "value": "(?<x>a|b)\\\\.h"}], "permanent": false}]}',
    ),
    "cloudflare-rules": (test_cloudflare_rules.text(*_CLOUDFLARE),),
    "istio": (test_istio.service(_REDIRECT),),
    "alb": (test_alb.CLOUD_FORMATION, test_alb.rules({"Actions": test_alb.to(Path="/x")})),
    "caddy": tuple(text.replace("PORT", "80") for text in caddy_configurations.CONFIGURATIONS.values()),
    "envoy": tuple(envoy_configurations.CONFIGURATIONS.values()),
    "traefik": tuple(traefik_configurations.CONFIGURATIONS.values()),
    "haproxy": tuple(haproxy_configurations.CONFIGURATIONS.values()),
    "apache": tuple(apache_configurations.CONFIGURATIONS.values()),
    "nginx": (_SERVER,),
}

_MARKS = (
    *(
        "",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\ufeff",
        "\u2028",
        "'",
        '"',
        "`",
        "\\",
        "#",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
    ),
    *(
        "*",
        "?",
        ":",
        "=",
        ",",
        ";",
        "|",
        "&&",
        "!",
        "%",
        "/*",
        "//",
        "$",
        "${",
        "#{",
        "%{",
        "%zz",
        "$1",
        "{0}",
    ),
    *(
        "&a",
        "*a",
        "!!python/object:x",
        "<<: *a",
        "---\n",
        "- ",
        "http://",
        "https://[::1]:x/",
        "http://user@h/",
    ),
    *(
        "9" * 5_000,
        "-1",
        "1e999",
        "0x1f",
        "٣",
        "301",
        "307!",
        "null",
        "true",
        "é",
        "(" * 300,
        "[" * 300,
        "a" * 300,
    ),
)
PIECES = st.sampled_from(_MARKS) | st.text(max_size=20)


@functools.cache
def texts(dialect: str) -> tuple[str, ...]:
    """Real files of a dialect, the shortest first, and samples."""
    names = [name for name in data_table.files() if _is_of(name, dialect)] if DATA.is_dir() else []
    found = [(DATA / name).read_text("utf-8", "replace")[:LONGEST] for name in names]
    return (*SAMPLES[dialect], *sorted(found, key=len))


def _is_of(name: str, dialect: str) -> bool:
    known = data_table.source(name)
    return known is not None and known.dialect == dialect


@st.composite
def mutilated(draw: st.DrawFn, dialect: str) -> str:
    """A file of the dialect of which up to four parts are taken out, doubled or replaced."""
    text = draw(st.sampled_from(texts(dialect)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        part = draw(st.sampled_from(["", text[start:end] * 2]) | PIECES)
        text = text[:start] + part + text[end:]
    return text


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_any_text_of_any_dialect_is_rules_and_faults(dialect: Dialect) -> None:
    prove(dialect, st.text() | st.lists(PIECES, max_size=12).map("".join))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_mutilated_file_of_any_dialect_is_rules_and_faults(dialect: Dialect) -> None:
    prove(dialect, mutilated(dialect.name))


def prove(dialect: Dialect, drawn: st.SearchStrategy[str]) -> None:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    checked: Callable[[str], None] = settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=slow
    )(given(drawn)(lambda text: check(dialect, text)))
    checked()  # type: ignore[call-arg]


def check(dialect: Dialect, text: str) -> None:
    """What a reader yields, that an audit takes it, and that it answers: nothing is raised."""
    files = Files("conf", {"conf": text})
    for one in dialect.read(files):
        assert isinstance(one, Draft | LineFault)
        assert 1 <= one.line <= text.count("\n") + 1
        if isinstance(one, LineFault):
            assert one.fact.strip()
            assert one.remedy.strip()
            assert "\n" not in one.fact + one.remedy
    assert isinstance(dialect.detect(text), bool)
    layer = read_layer("conf", dialect, files)
    for url in ("http://h.example/a", "https://www.h.example/a/b?c=d"):
        layer.ruleset.decide(Request.of("GET", url, (("Cookie", "a=b"),), "192.0.2.1"), now=0.0)


HUGE = "9" * 5_000  # more digits than Python reads
NUMBERS = (
    ("netlify", f"/a /b {HUGE}"),
    ("cloudflare-pages", f"/a /b {HUGE[:1_500]}"),
    ("ipfs", f"/a /b {HUGE}"),
    ("csv", f"/a,/b,{HUGE}"),
    ("cloudflare-bulk", f"a.example/,https://b.example/,{HUGE}"),
    ("vercel-bulk", f"source,destination,statusCode\n/a,/b,{HUGE}"),
    ("vercel-bulk", f'[{{"source": "/a", "destination": "/b", "statusCode": {HUGE}}}]'),
    ("vercel-bulk", f'{{"source": "/a", "destination": "/b", "statusCode": {HUGE}}}'),
    ("netlify-toml", f'[[redirects]]\nfrom = "/a"\nto = "/b"\nstatus = {HUGE}'),
    ("vercel", f'{{"redirects": [{{"source": "/a", "destination": "/b", "statusCode": {HUGE}}}]}}'),
    ("traefik", f'[http.routers.a]\nrule = "x"\npriority = {HUGE}'),
    ("haproxy", f"frontend a\n bind :80\n http-request redirect location /x code {HUGE}"),
    ("caddy", f"http://h.example {{\n\tredir /a /b {HUGE}\n}}"),
    ("apache", f"Redirect {HUGE} /a /b"),
    ("apache", f"RewriteEngine On\nRewriteRule ^/a{{{HUGE}}}$ /b [R={HUGE}]"),
    ("nginx", f"server {{ listen {HUGE}; return {HUGE} /a; error_page 404 ={HUGE} /b; }}"),
)


@pytest.mark.parametrize(("dialect", "text"), NUMBERS, ids=[name for name, _ in NUMBERS])
def test_a_number_of_thousands_of_digits_redirects_nobody(dialect: str, text: str) -> None:
    known = named(dialect)
    assert known is not None
    layer = read_layer("conf", known, Files("conf", {"conf": text}))
    assert [rule for rule in layer.rules if rule.template is not None] == []


def test_every_dialect_has_samples_that_are_read() -> None:
    assert SAMPLES.keys() == {dialect.name for dialect in DIALECTS}
    for dialect in DIALECTS:
        for text in SAMPLES[dialect.name]:
            layer = read_layer("conf", dialect, Files("conf", {"conf": text}))
            assert list(layer.rules), (dialect.name, text)
