"""Other projects' fixtures, by family: `python -m tests.formats.fixtures` prints how many cases hold.

Each case is judged by the test of its dialect. A case fails where Detour answers otherwise than the table
says, and is unsaid where Detour's rules (or the formats of files) cannot hold what it asks; each with its
reason, from the tables of differences in those tests. A failure without one makes `test_fixtures.py` fail.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from detour.core.url import URL
from detour.load import load_layer
from tests.formats import (
    redirectionio,
    test_caddy,
    test_cloudflare_pages,
    test_envoy,
    test_gateway_api,
    test_ingress,
    test_netlify,
    test_netlify_merged,
    test_netlify_toml,
    test_nginx,
    test_redirectionio,
    test_traefik,
    test_transition_config,
    test_vercel,
)
from tests.formats.dialect_data import DATA, data_file
from tests.formats.layers import decide, layer_of

PASS, FAIL, UNSAID = "pass", "fail", "unsaid"
UNEXPLAINED = "not explained"

_CONDITION = "Country, Language, Role or a signature: what Netlify knows of a visitor"
_NO_FILE = "redirects that no file holds: an object of the parser's API, a file that is not there"
_REWRITING = "no redirect: rewrites, headers, names of files"
_HIDDEN = "redirects that Envoy follows itself; the client sees none"
_PAGES = "no redirect of the host: its pages are in a database that is not in the data"

Outcomes = Iterator[tuple[str, str]]  # pass, or fail or unsaid with why


class Family(msgspec.Struct, frozen=True):
    """Cases of one origin; `folder` of $DETOUR_DATA."""

    name: str
    folder: str
    outcomes: Callable[[], Outcomes]


# Folders whose tables are no rules: the test that reads each.
ELSEWHERE = {
    "crossplane": "formats/test_nginx.py",
    "curl-redirect-tests": "core/test_published_curl.py",
    "gateway-api-site-_redirects": "formats/test_netlify.py",
    "gixy": "formats/test_nginx.py",
    "http-clients": "core/test_published_clients.py",
    "httpd-tests": "formats/test_apache.py",
    "url-pattern": "core/test_pattern_standard.py",
    "url-resolution": "core/test_location.py",
    "wpt-redirect-cases": "core/test_published_wpt.py",
}


def table(*parts: str) -> Any:
    return json.loads(data_file(*parts).read_text("utf-8"))


def held(test: Callable[..., None], *given: Any) -> bool:
    """Whether a test of one case holds."""
    try:
        test(*given)
    except AssertionError:
        return False
    return True


def judged(holds: bool, why: str = UNEXPLAINED) -> tuple[str, str]:
    return (PASS, "") if holds else (FAIL, why)


# ---- the families


def _netlify() -> Outcomes:
    for name, redirects in test_netlify.parsed_files():
        holds = held(test_netlify.test_a_file_says_what_netlifys_parser_reads_in_it, name, redirects)
        unknown = any({"conditions", "signed"} & one.keys() for one in redirects)
        yield (UNSAID, _CONDITION) if holds and unknown else judged(holds)
    for name, fact in test_netlify.refused_files():
        yield judged(
            held(test_netlify.test_a_file_that_netlify_refuses_has_faults_and_nothing_else, name, fact)
        )
    yield judged(held(test_netlify.test_45000_lines_are_45000_rules_within_seconds))
    yield from [(UNSAID, _NO_FILE)] * 2  # non_existing, invalid_dir


def _netlify_toml() -> Outcomes:
    for case in test_netlify_toml.CASES:
        why = test_netlify_toml.DIFFERENCES.get(case[1]["netlifyConfigPath"])
        holds = held(test_netlify_toml.test_the_parsers_own_cases, case)
        listed = case[2] if isinstance(case[2], list) else []
        if why is not None and holds:
            yield FAIL, why
        elif holds and any({"conditions", "signed"} & one.keys() for one in listed):
            yield UNSAID, _CONDITION
        else:
            yield judged(holds)
    yield UNSAID, _NO_FILE  # non_existing


def _netlify_merged() -> Outcomes:
    for case in test_netlify_merged.CASES:
        if "configRedirects" in case[1]:
            yield UNSAID, _NO_FILE
        else:
            yield judged(
                held(test_netlify_merged.test_the_files_of_a_site_are_read_one_behind_the_other, case)
            )


def _cloudflare() -> Outcomes:
    for case in table("cloudflare-redirects", "cases.json")["parse"]:
        if case["id"] in test_cloudflare_pages.LEFT_OUT:
            yield UNSAID, test_cloudflare_pages.LEFT_OUT[case["id"]]
        elif "generate" in case:
            yield judged(held(test_cloudflare_pages.test_cloudflares_limits_hold, case))
        else:
            yield judged(
                held(test_cloudflare_pages.test_a_file_says_what_cloudflares_parser_reads_in_it, case)
            )


def _cloudflare_engine() -> Outcomes:
    asked = list(test_cloudflare_pages.match_requests())
    for parameters in asked:
        yield judged(
            held(
                test_cloudflare_pages.test_each_rule_answers_what_cloudflares_engine_answers,
                *parameters.values,
            )
        )
    every = sum(len(case["requests"]) for case in table("cloudflare-redirects", "cases.json")["match"])
    yield from [(UNSAID, "a URL of a scheme that is not HTTP's")] * (every - len(asked))


def _vercel() -> Outcomes:
    for case in test_vercel.redirects():
        holds = held(test_vercel.test_a_redirect_answers_as_its_compiled_route, case)
        if holds and case[0] in test_vercel.DIFFERENCES:
            yield UNSAID, test_vercel.DIFFERENCES[case[0]]
        else:
            yield judged(holds)
    for name, steps in test_vercel.CASES.items():
        if name in test_vercel.SETTINGS:
            yield judged(held(test_vercel.test_clean_urls_and_trailing_slashes_match_what_they_must, name))
        elif name == "convertCleanUrls false":
            yield judged(held(test_vercel.test_what_is_off_redirects_nobody))
        elif name != "convertRedirects":
            yield from [(UNSAID, _REWRITING)] * len(steps[0]["expect"])


def _gateway_api() -> Outcomes:
    for case in test_gateway_api.CASES:
        why = test_gateway_api.DIFFERENCES.get(case["test"])
        holds = held(test_gateway_api.test_the_conformance_cases, case)
        yield (FAIL, why) if holds and why else judged(holds)


def _prefixes() -> Outcomes:
    for one in test_gateway_api.PREFIXES:
        yield judged(held(test_gateway_api.test_the_table_of_replaced_prefixes, *one))


def _ingress() -> Outcomes:
    yield from (judged(held(test_ingress.test_ingress_nginx_own_cases, case)) for case in test_ingress.CASES)


def _redirectionio() -> Outcomes:
    counts, differing = redirectionio.tally()
    for outcome, count in counts.items():
        if outcome == "held":
            yield from [(PASS, "")] * count
        elif outcome != "differs":
            yield from [(UNSAID, outcome)] * count
    yield from ((FAIL, test_redirectionio.DIFFERENCES.get(name, UNEXPLAINED)) for name in differing)


def _traefik() -> Outcomes:
    [rows] = table("traefik", "cases.json").values()
    for row in rows:
        known = row["desc"] in test_traefik.WITH_DEFAULT_PORT
        why = "it asks for a URL with its default port, which no URL of Detour's shows"
        yield judged(test_traefik._holds(row), why if known else UNEXPLAINED)


def _caddy() -> Outcomes:
    for case in table("caddy", "redir_syntax.json"):
        yield judged(held(test_caddy.judge_syntax, case))
    for name in test_caddy.FILES:
        yield judged(held(test_caddy.judge_adapted, name))


def _nginx() -> Outcomes:
    text = data_file("nginx-tests", "rewrite.nginx.conf").read_text()
    layer = layer_of("nginx", re.sub("%%TEST_GLOBALS.*%%", "", text))
    for case in table("nginx-tests", "cases.json"):
        url, wanted = f"http://localhost:8080{case['request']}", case["expect"].get("location")
        expected = wanted and (case["expect"]["status"], str(URL.parse(wanted.partition(" ")[0], url)))
        holds, why = decide(layer, "GET", url) == expected, test_nginx.UNSAID.get(case["request"])
        yield (UNSAID, why) if why and not holds else judged(holds)


def _openstack() -> Outcomes:
    for case in table("openstack-htaccess", "cases.json"):
        layer = load_layer(data_file("openstack-htaccess", case["project"], "htaccess"))
        found = decide(layer, "GET", f"https://docs.test{case['request']}")
        redirects = case["location"] is not None and case["status"] < 400
        yield judged(
            found == ((case["status"], f"https://docs.test{case['location']}") if redirects else None)
        )


def _envoy() -> Outcomes:
    layer = layer_of("envoy", data_file("envoy-route-tests", "direct_response.yaml").read_text())
    for case in table("envoy-route-tests", "cases.json"):
        yield judged(test_envoy._answer(layer, case) == test_envoy._expected(case))
    yield from [(UNSAID, _HIDDEN)] * len(table("envoy-route-tests", "internal_redirect.json"))


def _transition() -> Outcomes:
    outcomes = test_transition_config.outcomes()
    for kind, count in outcomes.items():
        if kind == "held":
            yield from [(PASS, "")] * count
        else:
            yield from [(UNSAID, _PAGES) if kind == "no redirect" else (FAIL, UNEXPLAINED)] * count


FAMILIES = (
    Family("Netlify: _redirects, parser", "netlify-redirect-parser", _netlify),
    Family("Netlify: netlify.toml, parser", "netlify-redirect-parser", _netlify_toml),
    Family("Netlify: both files of a site", "netlify-redirect-parser", _netlify_merged),
    Family("Cloudflare: _redirects, parser", "cloudflare-redirects", _cloudflare),
    Family("Cloudflare: rules engine", "cloudflare-redirects", _cloudflare_engine),
    Family("Vercel: compiled routes", "vercel-routing-utils", _vercel),
    Family("Gateway API: conformance", "gateway-api-conformance", _gateway_api),
    Family("Gateway API: replaced prefixes", "gateway-api-conformance", _prefixes),
    Family("ingress-nginx: annotations", "ingress-nginx", _ingress),
    Family("redirection.io: router", "redirectionio", _redirectionio),
    Family("Traefik: redirectRegex", "traefik", _traefik),
    Family("Caddy: redir, adapted files", "caddy", _caddy),
    Family("nginx: rewrite.t", "nginx-tests", _nginx),
    Family("OpenStack: .htaccess", "openstack-htaccess", _openstack),
    Family("Envoy: route table", "envoy-route-tests", _envoy),
    Family("transition-config: hosts", "transition-config", _transition),
)


class Row(msgspec.Struct, frozen=True):
    """A family's cases: how many of each outcome, and how many of each reason."""

    name: str
    counts: Counter[str]
    reasons: Counter[tuple[str, str]]


def row(family: Family) -> Row:
    found = list(family.outcomes())
    return Row(
        family.name, Counter(kind for kind, _ in found), Counter(one for one in found if one[0] != PASS)
    )


def printed(rows: Iterable[Row]) -> Iterator[str]:
    yield f"{'family':<32} {'cases':>6} {'pass':>5} {'fail':>5} {'unsaid':>7}"
    total: Counter[str] = Counter()
    for one in rows:
        total += one.counts
        yield _line(one.name, one.counts)
        yield from (f"    {kind} {count}: {why}" for (kind, why), count in sorted(one.reasons.items()))
    yield _line("all", total)


def _line(name: str, counts: Counter[str]) -> str:
    return f"{name:<32} {counts.total():>6} {counts[PASS]:>5} {counts[FAIL]:>5} {counts[UNSAID]:>7}"


def main() -> None:
    rows = [row(family) for family in FAMILIES if (DATA / family.folder).is_dir()]
    folders = dict.fromkeys(family.folder for family in FAMILIES)
    absent = [f"no {folder} in {DATA}" for folder in folders if not (DATA / folder).is_dir()]
    sys.stdout.write("\n".join((*printed(rows), *absent)) + "\n")


if __name__ == "__main__":
    main()
