"""Ingress with ingress-nginx's annotations: its own cases, and what its templates make of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.draft import Draft, LineFault
from detour.formats.ingress import detect, read
from tests.formats.dialect_data import DATA, data_file
from tests.formats.layers import Answer, decide, layer_of

FILE = DATA / "ingress-nginx" / "cases.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8")) if FILE.exists() else []
SITE = "nginx.ingress.kubernetes.io/"


def ingress(
    annotations: str = "", host: str = "h.example", path: str = "/", kind: str = "Prefix", tls: str = ""
) -> str:
    return f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: i
  annotations: {{{annotations}}}
spec:
  ingressClassName: nginx
  tls: [{f"{{hosts: [{tls}]}}" if tls else ""}]
  rules: [{{host: "{host}", http: {{paths: [{{path: '{path}', pathType: {kind}}}]}}}}]
"""


def annotated(**said: str) -> str:
    return ", ".join(f"{SITE}{name.replace('_', '-')}: '{value}'" for name, value in said.items())


@pytest.mark.parametrize("case", CASES, ids=lambda case: ",".join(case["annotations"].values()))
def test_ingress_nginx_own_cases(case: dict[str, Any]) -> None:
    said = ", ".join(f"{name}: '{value}'" for name, value in case["annotations"].items())
    layer = layer_of("ingress", ingress(said))
    got = decide(layer, "GET", "http://h.example/something")
    expected = case["expect"]
    if isinstance(expected, str):
        assert got is None
        assert [one.fact for one in layer.not_understood] == (
            ["'ok.com' is no http(s) URL: ingress-nginx refuses it"] if "error" in expected else []
        )
        return
    assert got is not None
    assert got[0] == expected.get("code", expected.get("status"))
    if wanted := expected.get("url") or expected.get("location"):
        assert got[1] == f"{wanted}/"


def test_all_ten_cases_are_there() -> None:
    data_file("ingress-nginx", "cases.json")
    assert len(CASES) == 10


@pytest.mark.parametrize(
    ("text", "url", "answer"),
    [
        (ingress(tls="h.example"), "http://h.example/a?b=1", (308, "https://h.example/a?b=1")),
        (ingress(tls="h.example"), "http://h.example/a/", (308, "https://h.example/a")),
        (ingress(tls="h.example"), "http://h.example/a/?b", (308, "https://h.example/a/?b")),
        (ingress(tls="h.example"), "https://h.example/a", None),
        # its own certificate is none of the `tls`, so it gets the default one
        (ingress(tls="other.example"), "http://h.example/a", (308, "https://h.example/a")),
        (ingress(host="", tls="h.example"), "http://h.example/a", None),
        (
            ingress(annotated(preserve_trailing_slash="true"), tls="h.example"),
            "http://h.example/a/",
            (308, "https://h.example/a/"),
        ),
        (ingress(annotated(ssl_redirect="false"), tls="h.example"), "http://h.example/a", None),
        (ingress(annotated(force_ssl_redirect="true")), "http://h.example/a", (308, "https://h.example/a")),
        (ingress(path="/foo", tls="h.example"), "http://h.example/foo/", (308, "https://h.example/foo")),
        (ingress(path="/foo", tls="h.example"), "http://h.example/foobar", None),
        (
            ingress(path="/foo", kind="ImplementationSpecific", tls="h.example"),
            "http://h.example/foobar",
            (308, "https://h.example/foobar"),
        ),
        (
            ingress(path="/.well-known/acme-challenge/x", tls="h.example"),
            "http://h.example/.well-known/acme-challenge/x",
            None,
        ),
        (ingress(annotated(app_root="/app")), "https://h.example/?a", (302, "https://h.example/app")),
        (ingress(annotated(app_root="/app")), "https://h.example/x", None),
        (
            ingress(annotated(from_to_www_redirect="true")),
            "https://www.h.example/a/?b",
            (308, "https://h.example/a/?b"),
        ),
        (ingress(annotated(from_to_www_redirect="true")), "https://h.example/a", None),
        (
            ingress(annotated(from_to_www_redirect="true"), host="www.h.example"),
            "http://h.example/a/",
            (308, "http://www.h.example/a"),
        ),
        (
            ingress(annotated(permanent_redirect="https://n.example$request_uri")),
            "http://h.example/a?b=1",
            (301, "https://n.example/a?b=1"),
        ),
        (
            ingress(annotated(permanent_redirect="https://n.example/x?y=1")),
            "http://h.example/a?b=1",
            (301, "https://n.example/x?y=1"),
        ),
        (
            ingress(annotated(permanent_redirect="https://n.example", use_regex="true"), path="/a(/|$)(.*)"),
            "http://h.example/A/b",
            (301, "https://n.example/"),
        ),
        (
            ingress(annotated(permanent_redirect="https://n.example", server_alias="a.example, b.example")),
            "http://b.example/",
            (301, "https://n.example/"),
        ),
    ],
)
def test_what_annotations_mean(text: str, url: str, answer: Answer) -> None:
    layer = layer_of("ingress", text)
    assert layer.not_understood == ()
    assert decide(layer, "GET", url) == answer


@pytest.mark.parametrize("annotation", ["permanent_redirect", "temporal_redirect"])
@pytest.mark.parametrize("force", ["true", "false"])
def test_a_written_redirect_answers_before_the_one_to_https(annotation: str, force: str) -> None:
    """rootfs/etc/nginx/template/nginx.tmpl: `return` in the location; https in Lua, after the rewriting."""
    said = annotated(**{annotation: "https://n.example/x", "force_ssl_redirect": force})
    layer = layer_of("ingress", ingress(said, tls="h.example"))
    status = 301 if annotation == "permanent_redirect" else 302
    for scheme in ("http", "https"):
        assert decide(layer, "GET", f"{scheme}://h.example/a") == (status, "https://n.example/x")


@pytest.mark.parametrize(
    ("hosts", "asked", "redirected"),
    [
        (("h.example", "h.example"), "h.example", True),  # the other Ingress of the host has `tls`
        (("h.example", "*.example"), "h.example", True),  # certificate.lua asks for the wildcard, too
        (("a.h.example", "*.example"), "a.h.example", False),
        (("h.example", "o.example"), "h.example", False),
    ],
)
def test_a_host_has_a_certificate_or_none_whatever_ingress_says_so(
    hosts: tuple[str, str], asked: str, redirected: bool
) -> None:
    text = "---\n".join(
        (ingress(host=hosts[0], path="/a"), ingress(host=hosts[1], path="/b", tls=f"'{hosts[1]}'"))
    )
    answer = decide(layer_of("ingress", text), "GET", f"http://{asked}/a/x")
    assert answer == ((308, f"https://{asked}/a/x") if redirected else None)


def test_an_alias_has_a_certificate_where_tls_lists_it() -> None:
    said = annotated(server_alias="a.example, b.example")
    layer = layer_of("ingress", ingress(said, tls="h.example, a.example"))
    assert decide(layer, "GET", "http://a.example/x") == (308, "https://a.example/x")
    assert decide(layer, "GET", "http://b.example/x") is None


def test_a_temporal_redirect_goes_before_a_permanent_one_and_an_app_root_before_both() -> None:
    said = annotated(
        permanent_redirect="https://p.example", temporal_redirect="https://t.example", app_root="/r"
    )
    layer = layer_of("ingress", ingress(said, tls="h.example"))
    assert decide(layer, "GET", "http://h.example/a") == (302, "https://t.example/")
    assert decide(layer, "GET", "http://h.example/") == (302, "http://h.example/r")


def test_a_redirect_that_nobody_wrote_is_implicit() -> None:
    layer = layer_of("ingress", ingress(tls="h.example"))
    assert set(layer.implicit.values()) == {"ssl-redirect is on unless an annotation says otherwise"}
    assert layer_of("ingress", ingress(annotated(ssl_redirect="true"), tls="h.example")).implicit == {}


def test_the_config_map_of_the_controller_counts() -> None:
    data = "{http-redirect-code: '307', force-ssl-redirect: 'true'}"
    settings = f"kind: ConfigMap\napiVersion: v1\ndata: {data}\n---\n"
    layer = layer_of("ingress", settings + ingress())
    assert decide(layer, "POST", "http://h.example/a") == (307, "https://h.example/a")


def test_an_exact_path_and_a_longer_prefix_go_first() -> None:
    text = "---\n".join(
        ingress(annotated(permanent_redirect=f"https://{name}.example"), path=path, kind=kind)
        for name, path, kind in (
            ("root", "/", "Prefix"),
            ("exact", "/a", "Exact"),
            ("deep", "/a/b", "Prefix"),
        )
    )
    layer = layer_of("ingress", text)
    assert decide(layer, "GET", "http://h.example/a") == (301, "https://exact.example/")
    assert decide(layer, "GET", "http://h.example/a/") == (301, "https://root.example/")
    assert decide(layer, "GET", "http://h.example/a/b/c") == (301, "https://deep.example/")


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        (
            annotated(permanent_redirect="http://x.example", permanent_redirect_code="305"),
            "305 redirects nobody",
        ),
        (
            annotated(temporal_redirect="http://x.example/$cookie_a"),
            "the variable $cookie_a is known to nginx alone",
        ),
        (annotated(app_root="app"), "the path 'app' does not begin with a slash"),
        (
            annotated(configuration_snippet="return 301 /x;"),
            "configuration-snippet holds nginx's own directives",
        ),
        (
            "alb.ingress.kubernetes.io/ssl-redirect: '443'",
            "alb.ingress.kubernetes.io/ssl-redirect is another controller's",
        ),
    ],
)
def test_what_cannot_be_expressed_is_listed_with_its_line(said: str, fact: str) -> None:
    layer = layer_of("ingress", ingress(said))
    assert [(one.span.line, one.fact) for one in layer.not_understood] == [(5, fact)]


@given(st.text(), st.integers(0, 600), st.integers(0, 40))
def test_any_text_and_mutilated_manifests_yield_drafts_and_faults(text: str, cut: int, gap: int) -> None:
    whole = ingress(annotated(permanent_redirect="http://x.example", app_root="/a"), tls="h.example")
    for one in (text, whole[:cut] + text + whole[cut + gap :]):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))
