"""Istio: redirects of VirtualServices, and of Gateways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.draft import Draft, LineFault
from detour.formats.istio import detect, read
from tests.formats.layers import Answer, decide, layer_of


def service(*routes: str, hosts: str = "h.example") -> str:
    return f"""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: v}}
spec:
  hosts: [{hosts}]
  http: [{", ".join(routes)}]
"""


def redirect(said: str, match: str = "") -> str:
    return f"{{match: [{match}], redirect: {{{said}}}}}"


BACKEND = "route: [{destination: {host: b}}]"


@pytest.mark.parametrize(
    ("routes", "url", "answer"),
    [
        ("uri: /new", "http://h.example/a?b=1", (301, "http://h.example/new?b=1")),
        ("uri: /new, authority: n.example", "http://h.example/a", (301, "http://n.example/new")),
        ("scheme: https", "http://h.example/a", (301, "https://h.example/a")),
        ("scheme: https", "https://h.example/a", None),
        ("scheme: https, redirectCode: 308", "http://h.example/a", (308, "https://h.example/a")),
        ("port: 8443, scheme: https", "http://h.example/a", (301, "https://h.example:8443/a")),
        (
            "authority: n.example, derivePort: FROM_REQUEST_PORT",
            "http://h.example/a",
            (301, "http://n.example/a"),
        ),
        ("authority: 'n.example:81'", "http://h.example/a", (301, "http://n.example:81/a")),
    ],
)
def test_what_a_redirect_says(routes: str, url: str, answer: Answer) -> None:
    layer = layer_of("istio", service(redirect(routes)))
    assert layer.not_understood == ()
    assert decide(layer, "POST", url) == answer


@pytest.mark.parametrize(
    ("match", "url", "matches"),
    [
        ("{uri: {prefix: /a}}", "http://h.example/ab", True),
        ("{uri: {exact: /a}}", "http://h.example/a/", False),
        ("{uri: {exact: /a}, ignoreUriCase: true}", "http://h.example/A", True),
        ("{uri: {regex: '/v[0-9]+(/.*)?'}}", "http://h.example/v1/x", True),
        ("{uri: {regex: '/v[0-9]+(/.*)?'}}", "http://h.example/v1x", False),
        ("{method: {exact: GET}}", "http://h.example/", True),
        ("{method: {exact: POST}}", "http://h.example/", False),
        ("{headers: {x-a: {exact: '1'}}}", "http://h.example/", True),
        ("{headers: {x-a: {exact: '2'}}}", "http://h.example/", False),
        ("{headers: {x-a: {}}}", "http://h.example/", True),
        ("{withoutHeaders: {x-a: {}}}", "http://h.example/", False),
        ("{queryParams: {q: {exact: z}}}", "http://h.example/?q=z", True),
        ("{authority: {exact: 'h.example:81'}}", "http://h.example:81/", True),
        ("{port: 81}", "http://h.example:81/", True),
        ("{scheme: {exact: https}}", "http://h.example/", False),
    ],
)
def test_what_a_match_asks_for(match: str, url: str, matches: bool) -> None:
    layer = layer_of("istio", service(redirect("authority: n.example", match)))
    assert layer.not_understood == ()
    assert (decide(layer, "GET", url, (("X-A", "1"),)) is not None) is matches


def test_routes_go_as_written_and_a_named_host_answers_alone() -> None:
    api = service(
        f"{{match: [{{uri: {{prefix: /keep}}}}], {BACKEND}}}", redirect("uri: /x", "{uri: {prefix: /}}")
    )
    rest = service(redirect("authority: any.example"), hosts="'*'")
    bare = service(f"{{match: [{{uri: {{prefix: /v1}}}}], {BACKEND}}}", hosts="api.example")
    layer = layer_of("istio", "---\n".join((rest, api, bare)))
    assert decide(layer, "GET", "http://h.example/keep/a") is None
    assert decide(layer, "GET", "http://h.example/a") == (301, "http://h.example/x")
    assert decide(layer, "GET", "http://api.example/other") is None
    assert decide(layer, "GET", "http://else.example/other") == (301, "http://any.example/other")


def test_https_redirect_of_a_gateway_is_implicit() -> None:
    text = """\
apiVersion: networking.istio.io/v1
kind: Gateway
spec:
  servers:
  - {port: {number: 80, protocol: HTTP}, hosts: ['ns/*.example.com', o.example], tls: {httpsRedirect: true}}
  - {port: {number: 443, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE}}
"""
    assert detect(text)
    layer = layer_of("istio", text)
    assert decide(layer, "POST", "http://a.example.com/x?y") == (301, "https://a.example.com/x?y")
    assert decide(layer, "POST", "https://a.example.com/x") is None
    assert set(layer.implicit.values()) == {"the Gateway's `httpsRedirect`"}


@pytest.mark.parametrize(
    ("route", "fact"),
    [
        (redirect("redirectCode: 300"), "300 is no status to redirect with here"),
        (redirect("uri: x"), "the path 'x' does not begin with a slash"),
        (redirect("uri: '%PREFIX()%/x'"), "the uri '%PREFIX()%/x' is Istio's own notation"),
        (redirect("uri: /x", "{headers: {x-a: {prefix: a}}}"), "x-a is not matched exactly"),
        (redirect("uri: /x", "{authority: {regex: a}}"), "`authority` is not matched exactly"),
        (redirect("uri: /x", "{sourceLabels: {app: a}}"), "`sourceLabels` asks who sends the request"),
        ("{delegate: {name: other}}", "the routes are another VirtualService's"),
    ],
)
def test_what_cannot_be_expressed_is_listed_with_its_line(route: str, fact: str) -> None:
    layer = layer_of("istio", service(route))
    assert [(one.span.line, one.fact) for one in layer.not_understood] == [(6, fact)]


@given(st.text(), st.integers(0, 300), st.integers(0, 40))
def test_any_text_and_mutilated_manifests_yield_drafts_and_faults(text: str, cut: int, gap: int) -> None:
    whole = service(redirect("uri: /x, authority: n.example", "{uri: {regex: '/a(b|c)'}}"))
    for one in (text, whole[:cut] + text + whole[cut + gap :]):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))
