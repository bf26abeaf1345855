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
        ('http.request.method ne "POST"', f"{H}/", True),
        ('not http.host in {"o.example" "p.example"}', f"{H}/", True),
        ('not http.host in {"o.example" "h.example"}', f"{H}/", False),
        ('not (http.host eq "h.example")', f"{H}/", False),
        ('http.host != "o.example" and http.request.uri.path ne "/a"', f"{H}/ab", True),
        ('http.host != "o.example" and http.request.uri.path ne "/a"', f"{H}/a", False),
        ('not starts_with(http.request.uri.path, "/a")', f"{H}/ab", False),
        ('not starts_with(http.request.uri.path, "/a")', f"{H}/b/a", True),
        ('http.request.uri.path matches "^/[a-z]{2}/"', f"{H}/de/x", True),
        ('http.request.uri.path ~ "^/[a-z]{2}/"', f"{H}/deu/x", False),
        ('http.request.uri.path matches r"/b$"', f"{H}/a/b", True),
        ("ip.src in {192.0.2.0/24 2001:db8::/32}", f"{H}/", True),
        ("ip.src eq 192.0.2.9", f"{H}/", False),
        ("not ip.src in {192.0.2.0/24}", f"{H}/", False),
        ("not ip.src eq 192.0.2.9", f"{H}/", True),
    ],
)
def test_what_an_expression_asks_for(expression: str, url: str, matches: bool) -> None:
    layer = layer_of("cloudflare-rules", text(rule(expression)))
    assert layer.not_understood == ()
    assert (decide(layer, "GET", url, client="192.0.2.1") is not None) is matches


def regex_rule(condition: str, target: str) -> dict[str, Any]:
    expression = f'http.request.uri.path matches "{condition}"'
    return rule(expression, {"expression": target}, preserve_query_string=True)


def wildcard_rule(wildcard: str, to: str) -> dict[str, Any]:
    target = f'wildcard_replace(http.request.full_uri, r"{wildcard}", r"{to}")'
    said = {"expression": target} if "$" in to else {"value": to}
    return rule(f'http.request.full_uri wildcard r"{wildcard}"', said, preserve_query_string=to[-1] != "/")


COUNTRY = '(ip.src.country eq "GB" or ip.src.country eq "FR") and http.request.uri.path eq "/"'
MOBILE = 'not http.host in {"m.example.com"} and (http.user_agent contains "mobi")'

# cloudflare/cloudflare-docs, src/content/docs/rules/url-forwarding: every Single Redirect of its examples, of
# create-api and of terraform-example, with the requests and answers that the pages list.
DOCUMENTED: dict[str, tuple[dict[str, Any], dict[str, str | None]]] = {
    "redirect-admin-https": (
        rule(
            '(not ssl and http.host eq "store.example.com" and starts_with(http.request.uri.path, "/admin"))',
            {"expression": 'concat("https://", http.host, http.request.uri.path)'},
            preserve_query_string=True,
        ),
        {
            "http://store.example.com/admin/products/": "https://store.example.com/admin/products/",
            "https://store.example.com/admin/products/": None,
            "http://store.example.com/admin/?logged_out=true": "https://store.example.com/admin/?logged_out=true",
            "http://store.example.com/?all_items=true": None,
            "http://example.com/admin/": None,
        },
    ),
    "redirect-all-another-domain": (
        wildcard_rule("http*://example.com/*", "https://example.net/${2}"),
        {
            "http://example.com/": "https://example.net/",
            "https://example.com/my/path/to/page.htm": "https://example.net/my/path/to/page.htm",
            "https://example.com/search?q=term": "https://example.net/search?q=term",
        },
    ),
    "redirect-all-different-domain-root": (
        wildcard_rule("http*://*example.com/*", "https://example.net/"),
        {
            "http://example.com/": "https://example.net/",
            "https://subdomain.example.com/": "https://example.net/",
            "https://example.com/search?q=term": "https://example.net/",
        },
    ),
    "redirect-all-different-hostname": (
        wildcard_rule("http*://smallshop.example.com/*", "https://globalstore.example.net/${2}"),
        {
            "https://smallshop.example.com/?all_items=1": "https://globalstore.example.net/?all_items=1",
            "http://example.com/about/": None,
        },
    ),
    "redirect-new-url": (
        rule('http.request.uri.path eq "/contact-us/"', {"value": "/contacts/"}, preserve_query_string=True),
        {
            "https://example.com/contact-us/?state=TX": "https://example.com/contacts/?state=TX",
            "https://example.com/team/": None,
        },
    ),
    "redirect-root-to-www": (
        wildcard_rule("https://example.com/*", "https://www.example.com/${1}"),
        {
            "https://example.com/admin/?logged_out=true": "https://www.example.com/admin/?logged_out=true",
            "https://store.example.com/products/": None,
            "http://example.com/?all_items=true": None,
        },
    ),
    "redirect-www-to-root": (
        wildcard_rule("https://www.*", "https://${1}"),
        {
            "https://www.example.com/products/": "https://example.com/products/",
            "https://www.store.example.com/products/": "https://store.example.com/products/",
            "https://store.example.com/products/": None,
            "https://www.example.com/admin/?logged_out=true": "https://example.com/admin/?logged_out=true",
            "http://www.example.com/?all_items=true": None,
        },
    ),
    "remove-locale-url": (
        regex_rule(
            "^/[A-Za-z]{2}-[A-Za-z]{2}/",
            'regex_replace(http.request.uri.path, "^/[A-Za-z]{2}-[A-Za-z]{2}/(.*)", "/${1}")',
        ),
        {
            "https://example.com/en-us/meet-our-team": "https://example.com/meet-our-team",
            "https://example.com/pt-BR/meet-our-team": "https://example.com/meet-our-team",
            "https://example.com/en-us/calendar?view=month": "https://example.com/calendar?view=month",
            "https://example.com/robots.txt": None,
        },
    ),
    "create-api: contacts": (
        rule('http.request.uri.path eq "/contacts.html"', {"value": "https://example.com/contact-us/"}),
        {"https://example.com/contacts.html": "https://example.com/contact-us/"},
    ),
    "terraform-example": (
        rule('(http.request.uri.path matches "^/contact-us/")', {"value": "/contacts/"}),
        {
            "https://example.com/contact-us/x?y": "https://example.com/contacts/",
            "https://example.com/a/contact-us/": None,
        },
    ),
    "perform-mobile-redirects: dropping the path": (rule(MOBILE), {}),
    "perform-mobile-redirects: keeping the path": (
        rule(MOBILE, {"expression": 'concat("https://m.example.com", http.request.uri.path)'}),
        {},
    ),
    "redirect-country-subdomains": (rule(COUNTRY), {}),
    "create-api: country": (rule(COUNTRY.replace("ip.src", "ip.geoip")), {}),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_rules_answer_as_their_pages_say(name: str) -> None:
    said, answers = DOCUMENTED[name]
    layer = layer_of("cloudflare-rules", text(said))
    assert len(layer.not_understood) == (not answers)
    for url, location in answers.items():
        assert decide(layer, "GET", url) == (None if location is None else (301, location)), url


def test_ten_of_the_fourteen_documented_rules_are_read() -> None:
    assert (len(DOCUMENTED), sum(bool(answers) for _, answers in DOCUMENTED.values())) == (14, 10)


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
        (rule('ip.src eq "192.0.2.1"'), "'\"192.0.2.1\"' is no address and no network"),
        (rule('ip.src.country eq "GB"'), "the expression at 'ip.src.country' is not understood"),
        (rule('http.user_agent contains "x"'), "the expression at 'contains' is not understood"),
        (rule('not http.host wildcard "x"'), "the expression at 'wildcard' is not understood"),
        (
            regex_rule("^/a", 'regex_replace(http.request.uri.path, "^/b(.*)", "/${1}")'),
            "is not the condition's",
        ),
        (regex_rule("a", 'regex_replace(http.request.uri.path, "a", "b")'), "a part of the path is replaced"),
        (
            regex_rule("^/(a|b)$", 'regex_replace(http.request.uri.path, "^/(a|b)$", "/${2}")'),
            "has no group 2",
        ),
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
    [found] = layer_of("cloudflare-rules", text(said)).not_understood
    assert fact in found.fact


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


@pytest.mark.parametrize("key", ["values", "planned_values"])
def test_what_terraform_shows_reads_alike(key: str) -> None:
    shown = rule("true")
    value = shown["action_parameters"]["from_value"]
    blocks = {"from_list": [], "from_value": [{**value, "target_url": [value["target_url"]]}]}
    ruleset = {"rules": [{**shown, "action_parameters": [blocks]}]}
    module = {"resources": [{"type": "cloudflare_ruleset", "name": "r", "values": ruleset}]}
    text = json.dumps({key: {"root_module": {"child_modules": [module]}}})
    assert detect(text)
    layer = layer_of("cloudflare-rules", text)
    assert layer.not_understood == ()
    assert decide(layer, "GET", H) == (301, "https://n.example/")


@given(st.text(), st.text('()"{}, aeqor.htpsiun/*!&|'))
def test_any_text_and_any_expression_yield_drafts_and_faults(anything: str, expression: str) -> None:
    whole = text(rule(expression), rule("true", {"expression": expression}))
    for one in (anything, whole, whole[:-4]):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))
