"""Gateway API: its own conformance cases, its truth table of prefixes, listeners and precedence."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.draft import Draft, LineFault
from detour.formats.gateway_api import detect, read
from tests.formats.dialect_data import DATA, data_file
from tests.formats.layers import Answer, counted, decide, dialects_of, layer_of

FOLDER = "gateway-api-conformance"
CASES: list[dict[str, Any]] = (
    json.loads(file.read_text("utf-8")) if (file := DATA / FOLDER / "cases.json").exists() else []
)
SELF = "the route redirects to its own URL, a loop that Detour never sends"
DIFFERENCES = {
    "httproute-303-redirect": SELF,
    "httproute-307-redirect": SELF,
    "httproute-308-redirect": SELF,
}


def route(rules: str, hosts: str = "", parents: str = "", name: str = "r") -> str:
    return f"""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: n}}
spec:
  hostnames: [{hosts}]
  parentRefs: [{parents}]
  rules: {rules}
"""


def redirect(said: str, match: str = "") -> str:
    matches = f"matches: [{match}], " if match else ""
    return f"{{{matches}filters: [{{type: RequestRedirect, requestRedirect: {{{said}}}}}]}}"


def prefix(path: str) -> str:
    return f"{{path: {{type: PathPrefix, value: {path}}}}}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["test"] + case["request"]["path"])
def test_the_conformance_cases(case: dict[str, Any]) -> None:
    text = data_file(FOLDER, "manifests", case["test"] + ".yaml").read_text("utf-8")
    layer = layer_of("gateway-api", text)
    wanted = case["redirect"]
    got = decide(layer, case["request"]["method"], f"http://gw.invalid{case['request']['path']}")
    if case["test"] in DIFFERENCES:
        assert got is None
        assert {rule.status for rule in layer.rules} == {case["status"]}
        return
    assert got is not None
    to = urlsplit(got[1])
    assert (got[0], to.scheme, to.hostname, to.port, to.path) == (
        case["status"],
        wanted["scheme"] or "http",
        wanted["host"] or "gw.invalid",
        int(wanted["port"]) if wanted["port"] else None,
        wanted["path"] or case["request"]["path"],
    )


def test_all_nineteen_conformance_cases_are_there() -> None:
    data_file(FOLDER, "cases.json")
    assert len(CASES) == 19
    assert sum(case["test"] in DIFFERENCES for case in CASES) == 3


# apis/v1/httproute_types.go, HTTPPathModifier.ReplacePrefixMatch: path, prefix, replacement, new path.
PREFIXES = (
    ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
    ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
    ("/foo/bar", "/foo/", "/xyz", "/xyz/bar"),
    ("/foo/bar", "/foo/", "/xyz/", "/xyz/bar"),
    ("/foo", "/foo", "/xyz", "/xyz"),
    ("/foo/", "/foo", "/xyz", "/xyz/"),
    ("/foo/bar", "/foo", "''", "/bar"),
    ("/foo/", "/foo", "''", "/"),
    ("/foo", "/foo", "''", "/"),
    ("/foo/", "/foo", "/", "/"),
    ("/foo", "/foo", "/", "/"),
)
FURTHER = (
    ("/a/b", "/", "/xyz", "/xyz/a/b"),
    ("/foo//evil.example", "/foo", "''", "/evil.example"),
)


@pytest.mark.parametrize(("path", "match", "new", "location"), [*PREFIXES, *FURTHER])
def test_the_table_of_replaced_prefixes(path: str, match: str, new: str, location: str) -> None:
    said = f"path: {{type: ReplacePrefixMatch, replacePrefixMatch: {new}}}"
    layer = layer_of("gateway-api", route(f"[{redirect(said, prefix(match))}]"))
    assert decide(layer, "GET", f"http://h.example{path}") == (302, f"http://h.example{location}")
    assert decide(layer, "GET", "http://h.example/foobar/x") is None or match == "/"


GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: n}
spec:
  listeners:
  - {name: web, protocol: HTTP, port: 80}
  - {name: websecure, protocol: HTTPS, port: 443, hostname: '*.example.com'}
  - {name: alt, protocol: HTTP, port: 8080}
  - {name: tcp, protocol: TCP, port: 99}
---
"""


@pytest.mark.parametrize(
    ("said", "parent", "url", "answer"),
    [
        ("scheme: https", "sectionName: web", "http://h.example/a?b=1", (302, "https://h.example/a?b=1")),
        ("scheme: https", "sectionName: web", "https://h.example/a", None),
        ("scheme: https", "sectionName: alt", "http://h.example:8080/a", (302, "https://h.example/a")),
        ("hostname: o.example", "port: 8080", "http://h.example:8080/a", (302, "http://o.example:8080/a")),
        ("hostname: o.example", "port: 80", "http://h.example/a", (302, "http://o.example/a")),
        (
            "hostname: o.example",
            "sectionName: websecure",
            "https://x.example.com/",
            (302, "https://o.example/"),
        ),
        ("hostname: o.example", "sectionName: websecure", "https://h.example/", None),
        ("port: 443, scheme: https", "sectionName: web", "http://h.example/", (302, "https://h.example/")),
        (
            "port: 8443",
            "sectionName: websecure",
            "https://x.example.com/",
            (302, "https://x.example.com:8443/"),
        ),
    ],
)
def test_ports_and_schemes_come_from_the_listener(said: str, parent: str, url: str, answer: Answer) -> None:
    layer = layer_of("gateway-api", GATEWAY + route(f"[{redirect(said)}]", "", f"{{name: g, {parent}}}"))
    assert decide(layer, "GET", url) == answer


def test_without_its_gateway_a_redirect_to_https_is_for_http_alone() -> None:
    layer = layer_of("gateway-api", route(f"[{redirect('scheme: https, statusCode: 301')}]", "h.example"))
    assert decide(layer, "POST", "http://h.example/a") == (301, "https://h.example/a")
    assert decide(layer, "POST", "https://h.example/a") is None
    assert [rule.pattern for rule in layer.rules] == ["http://h.example/:rest(.*)"]


BACKEND = "backendRefs: [{name: s, port: 80}]"


def test_the_most_exact_match_answers_whatever_the_order() -> None:
    rules = ", ".join(
        (
            redirect("hostname: slash.example", prefix("/")),
            redirect("hostname: short.example", prefix("/a")),
            redirect("hostname: long.example", prefix("/a/b")),
            redirect("hostname: post.example", "{path: {value: /a/b}, method: POST}"),
            redirect("hostname: field.example", "{path: {value: /a/b}, headers: [{name: X-A, value: '1'}]}"),
            redirect(
                "hostname: query.example", "{path: {value: /a/b}, queryParams: [{name: q, value: '1'}]}"
            ),
            redirect("hostname: exact.example", "{path: {type: Exact, value: /a/b}}"),
            f"{{matches: [{prefix('/a/b/c')}], {BACKEND}}}",
        )
    )
    layer = layer_of("gateway-api", route(f"[{rules}]"))

    def host(method: str, path: str, *fields: tuple[str, str]) -> str | None:
        answer = decide(layer, method, f"http://h.example{path}", fields)
        return None if answer is None else urlsplit(answer[1]).hostname

    assert host("GET", "/") == "slash.example"
    assert host("GET", "/ab") == "slash.example"
    assert host("GET", "/a/x") == "short.example"
    assert host("GET", "/a/b") == "exact.example"
    assert host("GET", "/a/b/") == "long.example"
    assert host("POST", "/a/b/") == "post.example"
    assert host("GET", "/a/b/", ("X-A", "1")) == "field.example"
    assert host("GET", "/a/b/?q=1") == "query.example"
    assert host("GET", "/a/b/c/d") is None


def test_a_hostname_that_a_route_names_answers_from_its_own_rules_or_not_at_all() -> None:
    text = route(f"[{redirect('hostname: o.example', prefix('/'))}]", name="any")
    text += "---\n" + route(f"[{{matches: [{prefix('/v1')}], {BACKEND}}}]", "api.example.com", name="api")
    text += "---\n" + route(f"[{redirect('hostname: w.example')}]", "'*.example.com'", name="wild")
    layer = layer_of("gateway-api", text)
    assert decide(layer, "GET", "http://api.example.com/v1/x") is None
    assert decide(layer, "GET", "http://api.example.com/other") is None
    assert decide(layer, "GET", "http://a.b.example.com/other") == (302, "http://w.example/other")
    assert decide(layer, "GET", "http://else.example/other") == (302, "http://o.example/other")


def test_a_get_match_takes_head_too() -> None:
    layer = layer_of("gateway-api", route(f"[{redirect('hostname: o.example', '{method: GET}')}]"))
    assert [decide(layer, method, "http://h.example/") is not None for method in ("GET", "HEAD", "POST")] == [
        True,
        True,
        False,
    ]


def test_a_regular_expression_matches_the_whole_path() -> None:
    match = "{path: {type: RegularExpression, value: '/v[0-9]+/.*'}}"
    layer = layer_of("gateway-api", route(f"[{redirect('hostname: o.example', match)}]"))
    assert decide(layer, "GET", "http://h.example/v2/x") == (302, "http://o.example/v2/x")
    assert decide(layer, "GET", "http://h.example/a/v2/x") is None


@pytest.mark.parametrize(
    ("rules", "fact"),
    [
        (redirect("statusCode: 300"), "300 is no status to redirect with here"),
        (redirect("scheme: ftp"), "a redirect to the scheme 'ftp'"),
        (redirect("port: x"), "'x' where a whole number belongs"),
        (
            redirect("path: {type: ReplaceFullPath, replaceFullPath: x}"),
            "the path 'x' does not begin with a slash",
        ),
        (
            redirect(
                "path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}", "{path: {type: Exact, value: /y}}"
            ),
            "`ReplacePrefixMatch` with a path matched by Exact",
        ),
        (redirect("path: {type: Other}"), "`Other` with a path matched by PathPrefix"),
        (redirect("", "{path: {type: Other, value: /x}}"), "the path match `Other` is unknown"),
        (
            redirect("", "{headers: [{name: X-A, type: RegularExpression, value: 'a|b'}]}"),
            "X-A is matched by a regular expression",
        ),
    ],
)
def test_what_cannot_be_expressed_is_listed_with_its_line(rules: str, fact: str) -> None:
    layer = layer_of("gateway-api", route(f"[{rules}]"))
    assert [(one.span.line, one.fact) for one in layer.not_understood] == [(7, fact)]


def test_a_header_that_may_have_any_value_is_one_that_is_there() -> None:
    match = "{headers: [{name: X-A, type: RegularExpression, value: .+}]}"
    layer = layer_of("gateway-api", route(f"[{redirect('hostname: o.example', match)}]"))
    assert decide(layer, "GET", "http://h.example/", (("X-A", "v"),)) == (302, "http://o.example/")
    assert decide(layer, "GET", "http://h.example/") is None


def test_lists_are_read_and_resources_of_other_dialects_named() -> None:
    rules = json.dumps(
        [{"filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "o.example"}}]}]
    )
    items = [
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "spec": {"rules": json.loads(rules)},
        },
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}},
        {"apiVersion": "v1", "kind": "Service"},
    ]
    layer = layer_of("gateway-api", json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    assert decide(layer, "GET", "http://h.example/x") == (302, "http://o.example/x")
    assert [one.fact for one in layer.not_understood] == [
        "Ingress web is read as ingress, not as gateway-api"
    ]


def test_every_file_of_the_data_is_read_and_detected() -> None:
    data_file(FOLDER, "manifests")
    assert counted("gateway-api", FOLDER, "manifests") == {
        "httproute-303-redirect.yaml": (2, 0),
        "httproute-307-redirect.yaml": (2, 0),
        "httproute-308-redirect.yaml": (2, 0),
        "httproute-redirect-host-and-status.yaml": (4, 0),
        "httproute-redirect-path.yaml": (12, 0),
        "httproute-redirect-port.yaml": (8, 0),
        "httproute-redirect-scheme.yaml": (8, 0),
    }
    assert set(dialects_of(FOLDER, "manifests").values()) == {"gateway-api"}


@given(st.text() | st.sampled_from(CASES or [{"test": ""}]).map(lambda case: case["test"]), st.data())
def test_any_text_and_mutilated_manifests_yield_drafts_and_faults(text: str, data: st.DataObject) -> None:
    file = DATA / FOLDER / "manifests" / f"{text}.yaml"
    if text.startswith("httproute") and file.exists():
        text = file.read_text("utf-8")
        cut = data.draw(st.integers(0, len(text)))
        text = text[:cut] + data.draw(st.text(max_size=5)) + text[cut + data.draw(st.integers(0, 30)) :]
    assert isinstance(detect(text), bool)
    assert all(isinstance(one, Draft | LineFault) for one in read(text))
