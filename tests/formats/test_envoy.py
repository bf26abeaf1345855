"""Envoy's route configurations: what is read, what is not, and whether the real program answers the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.draft import Draft, LineFault
from detour.formats.envoy import detect, read
from tests.examples.running import free_port, program
from tests.formats import envoy_configurations as configurations
from tests.formats.dialect_data import data_file
from tests.formats.layers import Answer, counted, decide, dialects_of, layer_of
from tests.formats.real_servers import Server, differences


def _one(route: str, more: str = "") -> str:
    return f"virtual_hosts:\n- name: v\n  domains: ['*']\n{more}  routes:\n  - {route}\n"


@pytest.mark.parametrize("name", configurations.CONFIGURATIONS)
def test_the_real_program_answers_as_the_rules_that_were_read(name: str, tmp_path: Path) -> None:
    text = configurations.CONFIGURATIONS[name]
    layer = layer_of("envoy", text)
    assert not layer.not_understood
    port = free_port()
    written = tmp_path / "envoy.json"
    written.write_text(configurations.bootstrap(text, port))
    argv = [program("envoy"), "-c", str(written), "--base-id", str(free_port()), "--concurrency", "1"]
    with Server([*argv, "--log-level", "error"], port, tmp_path) as server:
        found = differences(server, layer, configurations.requests(name))
    # Envoy redirects a request to itself where `regex_rewrite` changes nothing; Detour never does
    loops = [one for one in found if one[3] is not None and one[3][1] == one[1] and one[4] is None]
    assert found == loops
    assert {one[1] for one in loops} == configurations.LOOPS.get(name, set())


def test_a_bootstrap_tells_the_scheme_of_its_listeners() -> None:
    routes = json.dumps({"virtual_hosts": [{"name": "v", "domains": ["a.test"], "routes": []}]})
    tls = json.loads(configurations.bootstrap(routes, 443))
    plain = json.loads(
        configurations.bootstrap(
            _one("{match: {prefix: /}, redirect: {https_redirect: true, path_redirect: /x}}"), 80
        )
    )
    [listener] = tls["static_resources"]["listeners"]
    listener["filter_chains"][0]["transport_socket"] = {"name": "tls"}
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    manager["route_config"] = {
        "virtualHosts": [
            {
                "name": "v",
                "domains": ["*"],
                "routes": [{"match": {"path": "/a"}, "redirect": {"pathRedirect": "/b", "responseCode": 3}}],
            }
        ]
    }
    plain["static_resources"]["listeners"].append(listener)
    layer = layer_of("envoy", json.dumps(plain))
    assert layer.not_understood == ()
    assert decide(layer, "GET", "http://h.test/a") == (301, "https://h.test/x")
    assert decide(layer, "GET", "https://h.test/a") == (307, "https://h.test/b")
    assert decide(layer, "GET", "https://h.test/c") is None


def test_listeners_of_one_scheme_are_told_apart_by_port() -> None:
    redirect = "{match: {prefix: /}, redirect: {host_redirect: %s}}"
    both = [
        json.loads(configurations.bootstrap(_one(redirect % host), port))
        for host, port in (("a.test", 8080), ("b.test", 8081))
    ]
    listeners = [one["static_resources"]["listeners"][0] for one in both]
    layer = layer_of("envoy", json.dumps({"static_resources": {"listeners": listeners}}))
    assert decide(layer, "GET", "http://h.test:8081/x") == (301, "http://b.test/x")
    assert decide(layer, "GET", "http://h.test:8080/x") == (301, "http://a.test/x")


def test_routes_fetched_by_name_go_with_their_listener() -> None:
    routes = {
        "name": "r",
        "virtual_hosts": [_host({"match": {"path": "/a"}, "redirect": {"path_redirect": "/b"}})],
    }
    chain = {"filters": [{"typed_config": {"rds": {"route_config_name": "r"}}}], "transport_socket": {}}
    chain["transport_socket"] = {"name": "tls"}
    listeners = [{"filter_chains": [chain]}]
    layer = layer_of(
        "envoy", json.dumps({"static_resources": {"listeners": listeners}, "resources": [routes]})
    )
    assert [rule.pattern for rule in layer.rules] == ["https://*:*/a"]


def _host(*routes: Any) -> dict[str, Any]:
    return {"name": "v", "domains": ["*"], "routes": list(routes)}


def test_without_a_listener_a_change_of_scheme_is_for_the_other_scheme() -> None:
    layer = layer_of("envoy", _one("{match: {prefix: /}, redirect: {https_redirect: true}}"))
    assert decide(layer, "GET", "http://h.test:81/a?b") == (301, "https://h.test:81/a?b")
    assert [rule.pattern for rule in layer.rules] == ["http://*:*/:rest(.*)"]


def test_require_tls_is_implicit() -> None:
    layer = layer_of(
        "envoy", _one("{match: {prefix: /}, route: {cluster: c}}", "  require_tls: EXTERNAL_ONLY\n")
    )
    assert decide(layer, "POST", "http://h.test/a?b") == (301, "https://h.test/a?b")
    assert decide(layer, "POST", "http://h.test/a", (("x-envoy-internal", "true"),)) is None
    assert list(layer.implicit.values()) == ["the virtual host's `require_tls`"]


@pytest.mark.parametrize(
    ("route", "fact"),
    [
        ("{match: {prefix: /}, redirect: {response_code: 305}}", "'305' is no status to redirect with"),
        ("{match: {prefix: /}, redirect: {prefix_rewrite: x}}", "a path that begins with 'x'"),
        ("{match: {prefix: /}, redirect: {unheard_of: x}}", "`unheard_of` is not known to Detour"),
        ("{match: {path: a}, redirect: {path_redirect: /}}", "no path begins with 'a'"),
        ("{match: {prefix: /}, redirect: {scheme_redirect: ftp}}", "a redirect to the scheme 'ftp'"),
        ("{match: {prefix: /, grpc: {}}, redirect: {path_redirect: /a}}", "`grpc`"),
        (
            "{match: {prefix: /, headers: [{name: a, range_match: {}}]}, redirect: {}}",
            "not matched as a whole",
        ),
        ("{match: {safe_regex: {regex: '/(?=a)'}}, redirect: {}}", "look"),
        ("{match: {prefix: /}, direct_response: {status: 302}}", "redirects to the request itself"),
        (
            "{match: {prefix: /}, redirect: {regex_rewrite: {pattern: {regex: a}, substitution: b}}}",
            "may replace several parts",
        ),
        ("{redirect: {path_redirect: /}}", "a route without a match"),
    ],
)
def test_what_cannot_be_expressed_is_listed_with_its_line(route: str, fact: str) -> None:
    [found] = layer_of("envoy", _one(route)).not_understood
    assert fact in found.fact
    assert found.span.line == 5


def test_a_backend_that_hides_nothing_is_passed_over() -> None:
    assert list(layer_of("envoy", _one("{match: {prefix: /, grpc: {}}, route: {cluster: c}}")).rules) == []


def test_envoys_own_route_table() -> None:
    """RouteMatcherTest.DirectResponse; `expect` of what is no redirect is null or says the status."""
    layer = layer_of("envoy", data_file("envoy-route-tests", "direct_response.yaml").read_text())
    cases = json.loads(data_file("envoy-route-tests", "cases.json").read_text())
    wrong = [case for case in cases if _answer(layer, case) != _expected(case)]
    assert len(cases) == 16
    assert wrong == []


def _answer(layer: Any, case: dict[str, Any]) -> Answer:
    fields = (("x-envoy-internal", "true"),) if case["x_envoy_internal"] else ()
    url = f"{case['x_forwarded_proto']}://{case['authority']}{case['path']}"
    return decide(layer, "GET", url, fields)


def _expected(case: dict[str, Any]) -> Answer:
    wanted = case["expect"]
    return (301, wanted) if wanted and wanted.startswith("http") else None


def test_every_file_of_the_folder_is_read() -> None:
    data_file("envoy-route-tests")
    found = counted("envoy", "envoy-route-tests")
    assert found["direct_response.yaml"] == (13, 0)
    assert dialects_of("envoy-route-tests") == {
        "SOURCE.txt": None,
        "cases.json": None,
        "direct_response.yaml": "envoy",
        "internal_redirect.json": None,
    }


@given(
    st.text(), st.integers(0, 4000), st.integers(0, 60), st.sampled_from(list(configurations.CONFIGURATIONS))
)
def test_any_text_and_mutilated_configurations_yield_drafts_and_faults(
    text: str, cut: int, gap: int, name: str
) -> None:
    whole = configurations.CONFIGURATIONS[name]
    for one in (text, whole[:cut] + text + whole[cut + gap :]):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))
