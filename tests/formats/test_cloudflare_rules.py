"""Cloudflare's single redirects: expressions of conditions and of targets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.cloudflare_rules import detect, read
from detour.formats.draft import Draft, LineFault
from tests.formats.layers import Answer, decide, layer_of

H = "https://h.example"


def rule(expression: str, target: dict[str, str] | None = None, **said: Any) -> dict[str, Any]:
    value = {"target_url": target or {"value": "https://n.example/"}, **said}
    return {"action": "redirect", "expression": expression, "action_parameters": {"from_value": value}}


def text(*rules: dict[str, Any]) -> str:
    return json.dumps({"result": {"phase": "http_request_dynamic_redirect", "rules": rules}})


@pytest.mark.parametrize(
    ("expression", "url", "matches"),
    [
        ("true", f"{H}/", True),
        ('http.host eq "h.example"', f"{H}/x", True),
        ('(http.host eq "o.example")', f"{H}/x", False),
        ('http.host eq "h.example" and http.request.uri.path eq "/a"', f"{H}/a", True),
        ('http.host eq "h.example" && http.request.uri.path eq "/a"', f"{H}/b", False),
        ('http.host eq "o.example" or starts_with(http.request.uri.path, "/a")', f"{H}/ab", True),
        ('(http.host eq "o.example" or http.host eq "h.example") and not ssl', f"{H}/", False),
        ('http.host in {"o.example" "h.example"}', f"{H}/", True),
        ('http.request.full_uri wildcard r"http*://h.example/a/*"', f"{H}/A/b", True),
        ('http.request.full_uri strict wildcard r"https://*.example/a/*"', f"{H}/A/b", False),
        ('http.request.uri.path wildcard "/a/*"', f"{H}/a/b", True),
        ('http.request.method eq "POST"', f"{H}/", False),
    ],
)
def test_what_an_expression_asks_for(expression: str, url: str, matches: bool) -> None:
    layer = layer_of("cloudflare-rules", text(rule(expression)))
    assert layer.not_understood == ()
    assert (decide(layer, "GET", url) is not None) is matches


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (rule("true"), (301, "https://n.example/")),
        (rule("true", status_code=307, preserve_query_string=True), (307, "https://n.example/?q")),
        (
            rule("true", {"expression": 'concat("https://n.example", http.request.uri.path)'}),
            (301, "https://n.example/a"),
        ),
        (
            rule("true", {"expression": 'concat("https://www.", http.host, http.request.uri.path)'}),
            (301, "https://www.h.example/a"),
        ),
        ({**rule("true"), "enabled": False}, None),
        ({**rule("true"), "action": "block"}, None),
    ],
)
def test_where_a_rule_leads(said: dict[str, Any], answer: Answer) -> None:
    layer = layer_of("cloudflare-rules", text(said))
    assert layer.not_understood == ()
    assert decide(layer, "GET", f"{H}/a?q") == answer


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        (rule('ip.src eq "192.0.2.1"'), "the expression at 'ip.src' is not understood"),
        (rule('http.host matches "a"'), "the expression at 'matches' is not understood"),
        (rule("true", status_code=300), "300 is no status to redirect with here"),
        (rule("true", {"expression": "lower(http.host)"}), "the expression at 'lower' is not understood"),
        (
            {"action": "redirect", "action_parameters": {"from_list": {"name": "l"}}},
            "the redirects stand in a bulk list",
        ),
    ],
)
def test_what_is_not_understood_is_listed(said: dict[str, Any], fact: str) -> None:
    assert [one.fact for one in layer_of("cloudflare-rules", text(said)).not_understood] == [fact]


def test_a_wildcards_parts_are_put_where_the_target_says() -> None:
    wildcard = 'r"http*://*.example/old/*"'
    target = f'wildcard_replace(http.request.full_uri, {wildcard}, r"https://n.test/${{2}}/${{3}}")'
    said = rule(f"http.request.full_uri wildcard {wildcard}", {"expression": target})
    layer = layer_of("cloudflare-rules", text(said))
    assert layer.not_understood == ()
    assert decide(layer, "GET", "http://a.example/OLD/b/c") == (301, "https://n.test/a/b/c")


def test_terraforms_json_and_a_bare_list_read_alike() -> None:
    for whole in ([rule("true")], {"resource": {"cloudflare_ruleset": {"r": {"rules": [rule("true")]}}}}):
        assert detect(json.dumps(whole))
        assert decide(layer_of("cloudflare-rules", json.dumps(whole)), "GET", H) == (
            301,
            "https://n.example/",
        )


@given(st.text(), st.text('()"{}, aeqor.htpsiun/*!&|'))
def test_any_text_and_any_expression_yield_drafts_and_faults(anything: str, expression: str) -> None:
    whole = text(rule(expression), rule("true", {"expression": expression}))
    for one in (anything, whole, whole[:-4]):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))
