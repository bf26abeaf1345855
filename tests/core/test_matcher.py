from __future__ import annotations

import pickle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detour import Decision, Pattern, Request, RuleSet
from tests.core.rules import ask, rules

TWO = """
[[rule]]
name = "first"
pattern = "/a/*"
location = "/one/{0}"
[[rule]]
name = "second"
pattern = "/a/b"
location = "/two"
"""


def test_the_first_rule_in_file_order_answers() -> None:
    assert ask(rules(TWO), "GET http://h/a/b").location == "/one/b"


def test_a_rule_set_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(rules(TWO)))
    assert ask(again, "GET http://h/a/b?x=1") == ask(rules(TWO), "GET http://h/a/b?x=1")


def test_no_rule_is_404_and_not_stored() -> None:
    decision = ask(rules(TWO), "GET http://h/c")
    assert (decision.status, decision.rule, decision.fields) == (404, None, (("Cache-Control", "no-store"),))


@pytest.mark.parametrize(("status", "expected"), [("", 404), ("status = 410", 410), ("status = 451", 451)])
def test_a_pass_rule_ends_the_search(status: str, expected: int) -> None:
    text = f'[[rule]]\nname = "stop"\npattern = "/a/b"\npass = true\n{status}\n{TWO}'
    decision = ask(rules(text), "GET http://h/a/b")
    assert (decision.status, decision.location) == (expected, None)


def test_status_is_307_unless_said_otherwise() -> None:
    assert ask(rules(TWO), "POST http://h/a/b").status == 307


# --- methods ---------------------------------------------------------------------------------------

METHODS = """
[[rule]]
name = "reads"
pattern = "/a"
location = "/b"
methods = ["GET", "PUT"]
[[rule]]
name = "dead"
pattern = "/a"
location = "/c"
methods = ["DELETE"]
until = 1970-01-01T00:00:10Z
"""


def test_get_includes_head() -> None:
    assert ask(rules(METHODS), "HEAD http://h/a").location == "/b"


def test_head_stands_alone() -> None:
    assert ask(rules(METHODS.replace('"GET", "PUT"', '"HEAD"')), "GET http://h/a").status == 405


def test_only_the_method_in_the_way_is_405_with_exactly_the_methods_that_would_be_redirected() -> None:
    late = ask(rules(METHODS), "POST http://h/a", now=20)
    assert (late.status, late.fields[0]) == (405, ("Allow", "GET, HEAD, PUT"))
    early = ask(rules(METHODS), "POST http://h/a", now=0)
    assert early.fields[0] == ("Allow", "DELETE, GET, HEAD, PUT")


def test_a_pass_rule_met_first_gives_its_status_instead_of_405() -> None:
    text = METHODS + '[[rule]]\nname = "stop"\npattern = "/a"\npass = true\nstatus = 410\n'
    assert ask(rules(text), "POST http://h/a").status == 410


def test_options_that_is_no_preflight_is_an_ordinary_method() -> None:
    assert ask(rules(TWO), "OPTIONS http://h/a/b").status == 307


# --- conditions ------------------------------------------------------------------------------------

CONDITIONS = """
[[rule]]
name = "beta"
pattern = "/a"
location = "/beta"
[rule.when]
header = { X-Beta = ["1", "2"] }
cookie = { seen = true }
query = { v = "1" }
client = ["10.0.0.0/8"]
[rule.unless]
header = { X-Robot = true }
"""
GOOD = {"x_beta": "2", "cookie": "a=b; seen=yes"}


def condition(changes: dict[str, str], client: str = "10.1.2.3", query: str = "?v=1") -> int:
    return ask(rules(CONDITIONS), f"GET http://h/a{query}", 0, client, **(GOOD | changes)).status


def test_all_of_when_must_hold() -> None:
    assert condition({}) == 307


@pytest.mark.parametrize("changes", [{"x_beta": "3"}, {"cookie": "seen"}, {"x_robot": ""}])
def test_one_field_that_fails_is_enough(changes: dict[str, str]) -> None:
    assert condition(changes) == 404


def test_a_client_outside_the_network_fails() -> None:
    assert condition({}, client="192.0.2.1") == 404


def test_a_mapped_address_is_its_ipv4_address() -> None:
    assert condition({}, client="::ffff:10.1.2.3") == 307


def test_any_one_of_repeated_values_counts() -> None:
    ruleset = rules(CONDITIONS)
    fields = (("x-beta", "no"), ("X-Beta", "1"), ("cookie", "seen=1"))
    request = Request.of("GET", "http://h/a?v=0&v=1", fields, "10.0.0.1")
    assert ruleset.decide(request, 0).status == 307


def test_vary_names_every_field_that_was_looked_at() -> None:
    assert ("Vary", "Cookie, X-Beta, X-Robot") in ask(rules(CONDITIONS), "GET http://h/a").fields


# --- share -----------------------------------------------------------------------------------------

SHARE = """
[[rule]]
name = "tenth"
pattern = "/*"
location = "https://new.example.com/{0}"
share = 0.1
[[rule]]
name = "rest"
pattern = "/*"
location = "https://old.example.com/{0}"
"""


def test_a_share_is_about_its_part_of_all_clients() -> None:
    ruleset = rules(SHARE)
    chosen = sum(
        "new." in (ask(ruleset, "GET http://h/x", 0, f"10.0.{i // 256}.{i % 256}").location or "")
        for i in range(4000)
    )
    assert 320 <= chosen <= 480


def test_a_share_is_sticky_for_an_ipv6_network_of_64_bits() -> None:
    ruleset = rules(SHARE.replace("0.1", "0.5"))
    answers = {ask(ruleset, "GET http://h/x", 0, f"2001:db8:1:2::{i:x}").location for i in range(50)}
    assert len(answers) == 1


def test_without_the_cookie_a_client_is_not_in_a_cookie_share() -> None:
    ruleset = rules(SHARE.replace("0.1", '{ of = 0.999, cookie = "sid" }'))
    assert "old." in (ask(ruleset, "GET http://h/x").location or "")
    assert "new." in (ask(ruleset, "GET http://h/x", cookie="sid=1").location or "")


def test_a_preflight_is_let_through_to_a_cookie_share() -> None:
    ruleset = rules(SHARE.replace("0.1", '{ of = 0.1, cookie = "sid" }\ncors = true'))
    asked = {"origin": "https://a.test", "access_control_request_method": "PUT"}
    assert ask(ruleset, "OPTIONS http://h/x", **asked).status == 204


def test_the_lines_of_an_import_share_their_share() -> None:
    text = '[[rule]]\nname = "i"\nimport = "f"\ndialect = "netlify"\nshare = 0.5\n'
    ruleset = rules(text, f="/a /x\n/b /y\n")
    for i in range(50):
        one, two = (ask(ruleset, f"GET http://h/{p}", 0, f"10.0.0.{i}").status for p in "ab")
        assert one == two


def test_shares_of_two_rules_are_independent() -> None:
    text = SHARE.replace("0.1", "0.5") + SHARE.replace("0.1", "0.5").replace('"tenth"', '"other"').replace(
        '"rest"', '"rest2"'
    )
    ruleset = rules(text)
    first, _, second, _ = ruleset.rules
    both = neither = 0
    for i in range(400):
        request = Request.of("GET", "http://h/x", (), f"10.0.{i // 256}.{i % 256}")
        one = RuleSet.of([first]).decide(request, 0).location is not None
        two = RuleSet.of([second]).decide(request, 0).location is not None
        both += one and two
        neither += not one and not two
    assert both > 50
    assert neither > 50


def test_a_share_is_never_cached() -> None:
    decision = ask(rules(SHARE.replace("share = 0.1", 'share = 0.1\ncache = "1h"')), "GET http://h/x")
    assert ("Cache-Control", "no-store") in decision.fields


# --- windows and caching ---------------------------------------------------------------------------

WINDOW = """
[[rule]]
name = "before"
pattern = "/a"
location = "/soon"
from = 1970-01-01T00:01:40Z
until = 1970-01-01T00:03:20Z
[[rule]]
name = "now"
pattern = "/a"
location = "/b"
cache = "60s"
"""


def cache_of(decision: Decision) -> str:
    return dict(decision.fields)["Cache-Control"]


@pytest.mark.parametrize(
    ("now", "location", "cache"),
    [
        (0, "/b", "max-age=60"),
        (40, "/b", "max-age=60"),
        (40.5, "/b", "max-age=59"),
        (99, "/b", "max-age=1"),
        (99.5, "/b", "no-store"),
        (100, "/soon", "no-store"),
        (199.9, "/soon", "no-store"),
        (200, "/b", "max-age=60"),
    ],
)
def test_nothing_cached_outlives_the_next_start_or_end(now: float, location: str, cache: str) -> None:
    decision = ask(rules(WINDOW), "GET http://h/a", now)
    assert (decision.location, cache_of(decision)) == (location, cache)


@example(40.0, 40.0)
@given(st.floats(0, 250), st.floats(0, 250))
def test_a_decision_holds_until_its_until(now: float, later: float) -> None:
    ruleset = rules(WINDOW)
    decision = ask(ruleset, "GET http://h/a", now)
    assert decision.until > now
    if now <= later < decision.until:
        assert ask(ruleset, "GET http://h/a", later) == decision


def test_the_next_edge_is_the_next_start_or_end_of_any_rule() -> None:
    ruleset = rules(WINDOW)
    assert [ruleset.next_edge(now) for now in (0, 100, 199, 200)] == [100, 200, 200, None]


# --- query, self -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "query", "expected"),
    [
        ("/b", "?x=1&y=%2f", "/b?x=1&y=%2f"),
        ("/b?t=1", "?x=1", "/b?t=1&x=1"),
        ("/b?t={url.query}", "?x=1", "/b?t=x=1"),
        ("/b#f", "?x=1", "/b?x=1#f"),
        ("/b", "", "/b"),
        ("/b", "?", "/b"),
    ],
)
def test_a_kept_query_is_the_octets_received(location: str, query: str, expected: str) -> None:
    text = f'[[rule]]\nname = "r"\npattern = "/a"\nlocation = "{location}"\n'
    assert ask(rules(text), f"GET http://h/a{query}").location == expected


def test_a_dropped_query_is_dropped() -> None:
    text = '[[rule]]\nname = "r"\npattern = "/a"\nlocation = "/b?t=1"\nquery = "drop"\n'
    assert ask(rules(text), "GET http://h/a?x=1").location == "/b?t=1"


def test_a_captured_query_is_not_appended_again() -> None:
    text = '[[rule]]\nname = "r"\npattern = \'/a\\?id=:id\'\nlocation = "/b/{id}"\n'
    assert ask(rules(text), "GET http://h/a?id=7").location == "/b/7"


@pytest.mark.parametrize(
    "location", ["/a/{0}", "http://h/a/{0}", "//h/a/{0}", "http://h:80/a/{0}#x", "/a/./{0}"]
)
def test_a_rule_that_points_at_its_own_target_does_not_answer(location: str) -> None:
    text = f'[[rule]]\nname = "r"\npattern = "/a/*"\nlocation = "{location}"\n'
    text += '[[rule]]\nname = "next"\npattern = "/a/*"\nlocation = "/elsewhere"\n'
    assert ask(rules(text), "GET http://h/a/b").location == "/elsewhere"


@pytest.mark.parametrize(
    ("pattern", "location", "url"),
    [
        ("/k", "/k", "http://h/k?x='"),
        ("/k", "/k", "http://h/k?x=%27&y=<"),
        ("/k", "/k?x='", "http://h/k?x='"),
        ("/d/b", "/d/c/%2e%2e/b", "http://h/d/b"),
        ("/d/b", "/d/%2E/b", "http://h/d/b"),
        ("/%7ek", "/~k", "http://h/~k"),
        ("//:h/k", "http://{h}:0080/k", "http://eu.example.com/k"),
    ],
)
def test_no_spelling_of_the_target_itself_is_a_redirect(pattern: str, location: str, url: str) -> None:
    text = f"""[[rule]]
name = "r"
pattern = "{pattern}"
location = "{location}"
query = "{"drop" if "?" in location else "keep"}"
location_hosts = ["eu.example.com"]
"""
    assert ask(rules(text), f"GET {url}").status == 404


def test_http_to_https_of_the_same_host_is_no_self_loop() -> None:
    text = '[[rule]]\nname = "r"\npattern = "http://h/*"\nlocation = "https://{url.hostname}/{0}"\n'
    assert ask(rules(text), "GET http://h/b").location == "https://h/b"


# --- CORS ------------------------------------------------------------------------------------------

CORS = """
[[rule]]
name = "open"
pattern = "/open"
location = "/b"
cors = true
when = { header = { X-Beta = true }, cookie = { sid = true } }
unless = { header = { X-Robot = true } }
[[rule]]
name = "closed"
pattern = "/closed"
location = "/b"
[[rule]]
name = "app"
pattern = "/app"
location = "/b"
methods = ["GET", "PUT"]
until = 1970-01-01T00:01:40Z
[rule.cors]
origins = ["https://app.example.com"]
credentials = true
headers = "*"
expose = ["ETag"]
max_age = "10m"
[[rule]]
name = "stop"
pattern = "/stop"
pass = true
status = 410
"""


def preflight(path: str, method: str = "PUT", origin: str = "https://app.example.com") -> Decision:
    return ask(
        rules(CORS),
        f"OPTIONS http://h{path}",
        0,
        origin=origin,
        access_control_request_method=method,
        access_control_request_headers="x-one, x-two",
    )


@pytest.mark.parametrize(
    ("path", "status"), [("/open", 204), ("/closed", 403), ("/app", 204), ("/stop", 410), ("/none", 404)]
)
def test_a_preflight_is_never_redirected(path: str, status: int) -> None:
    decision = preflight(path)
    assert (decision.status, decision.location) == (status, None)


def test_a_preflight_says_what_the_rule_allows() -> None:
    fields = dict(preflight("/app").fields)
    assert fields["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert fields["Access-Control-Allow-Methods"] == "GET, HEAD, PUT"
    assert fields["Access-Control-Allow-Headers"] == "x-one, x-two"
    assert fields["Access-Control-Allow-Credentials"] == "true"
    assert fields["Access-Control-Max-Age"] == "100"  # cut from ten minutes to the end of the window
    assert "Origin" in fields["Vary"]


def test_a_preflight_near_the_end_of_a_window_says_how_long_it_holds() -> None:
    text = CORS.replace(', max_age = "10m"', "").replace('max_age = "10m"\n', "")
    request = ("OPTIONS http://h/app", 97.5)
    asked = {"origin": "https://app.example.com", "access_control_request_method": "PUT"}
    assert dict(ask(rules(text), *request, **asked).fields)["Access-Control-Max-Age"] == "2"


def test_a_preflight_of_an_origin_that_is_not_listed_is_403() -> None:
    assert preflight("/app", origin="https://evil.example").status == 403


def test_a_preflight_for_another_method_is_405() -> None:
    assert preflight("/app", method="DELETE").status == 405


def test_the_redirect_itself_lets_the_origin_follow() -> None:
    decision = ask(rules(CORS), "PUT http://h/app", origin="https://app.example.com")
    fields = dict(decision.fields)
    assert decision.status == 307
    assert fields["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert fields["Access-Control-Expose-Headers"] == "ETag"
    assert fields["Vary"] == "Origin"


def test_another_origin_gets_the_redirect_without_leave_to_follow() -> None:
    fields = dict(ask(rules(CORS), "PUT http://h/app", origin="https://evil.example").fields)
    assert "Access-Control-Allow-Origin" not in fields


# --- explain ---------------------------------------------------------------------------------------


def reasons(text: str, request: str) -> list[tuple[str, str]]:
    method, url = request.split(" ", 1)
    _, skipped = rules(text).explain(Request.of(method, url), 0)
    return [(one.rule.name, one.reason) for one in skipped]


@pytest.mark.parametrize(
    ("pattern", "request_", "reason"),
    [
        ("/v1/*", "GET http://h/v1", "near-miss"),
        ("/v1", "GET http://h/v1/", "near-miss"),
        ("/v1", "GET http://h/V1", "near-miss"),
        ("//h/v1", "GET http://h:8080/v1", "near-miss"),
        ("https://h/v1", "GET http://h/v1", "scheme"),
        ("http://h/v1", "GET https://h/v1", "scheme"),
    ],
)
def test_explain_names_near_misses(pattern: str, request_: str, reason: str) -> None:
    text = f'[[rule]]\nname = "r"\npattern = "{pattern}"\nlocation = "/x"\n'
    assert reasons(text, request_) == [("r", reason)]


def test_explain_is_silent_on_rules_after_the_answer() -> None:
    text = TWO + '[[rule]]\nname = "third"\npattern = "/A/b"\nlocation = "/x"\n'
    assert reasons(text, "GET http://h/a/b") == []


# --- the oracle ------------------------------------------------------------------------------------

SEGMENT = st.sampled_from(["a", "b", "*", ":id", "(a|b)", "a{/}?", "x*"])
HOST = st.sampled_from(["", "//h", "http://h", "https://*.h"])
PATTERN = st.tuples(HOST, st.lists(SEGMENT, min_size=1, max_size=3)).map(
    lambda found: (
        found[0] + "".join(f"/{segment}{i if segment == ':id' else ''}" for i, segment in enumerate(found[1]))
    )
)
METHOD_LISTS = st.sampled_from(["", 'methods = ["GET"]', 'methods = ["POST", "PUT"]'])
WINDOWS = st.sampled_from(["", "from = 1970-01-01T00:00:50Z", "until = 1970-01-01T00:00:50Z"])
CONDITION = st.sampled_from(["", "when = { header = { X-A = true } }", 'unless = { query = { q = "1" } }'])
FOLD = st.sampled_from(["", "ignore_case = true"])
KIND = st.sampled_from(
    ["pass = true", 'location = "/z"', 'location = "/a/b"', 'location = "https://other/z"']
)
RULE = st.tuples(PATTERN, METHOD_LISTS, WINDOWS, CONDITION, FOLD, KIND)
REQUEST = st.tuples(
    st.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
    st.sampled_from(["http://h", "https://h", "https://x.h", "http://h:8080"]),
    st.lists(st.sampled_from(["a", "b", "c", "", "B"]), min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "?q=1", "?q=2"]),
    st.sampled_from([(), (("x-a", "1"),)]),
    st.sampled_from([0.0, 49.9, 50.0, 100.0]),
)


def first_match(ruleset: RuleSet, request: Request, now: float) -> str | None:
    """The slow, obvious matcher: the name of the first rule whose pattern and conditions match."""
    for rule in ruleset.rules:
        captures = Pattern.parse(rule.pattern, ignore_case=rule.ignore_case).match(request)
        conditions = all(c.holds(request) for c in rule.terms.when) and not any(
            c.holds(request) for c in rule.terms.unless
        )
        if captures is None or not conditions or not rule.terms.start <= now < rule.terms.end:
            continue
        if rule.terms.methods is not None and request.method not in rule.terms.methods:
            continue
        if rule.template is not None and _itself(
            rule.template.location(request, captures, request.received_query), request
        ):
            continue
        return rule.name
    return None


def _itself(location: str | None, request: Request) -> bool:
    return location in (None, request.path + (f"?{request.query}" if request.query else ""))


@settings(max_examples=300, deadline=None)
@given(st.lists(RULE, min_size=1, max_size=8), st.lists(REQUEST, min_size=1, max_size=8))
def test_the_matcher_agrees_with_the_obvious_one(
    written: list[tuple[str, ...]], asked: list[tuple[object, ...]]
) -> None:
    text = "\n".join(
        f"[[rule]]\nname = \"r{i}\"\npattern = '{pattern}'\n" + "\n".join(rest)
        for i, (pattern, *rest) in enumerate(written)
    )
    ruleset = rules(text)
    for method, origin, path, query, fields, now in asked:
        request = Request.of(str(method), f"{origin}/{path}{query}", fields, "192.0.2.1")  # type: ignore[arg-type]
        decision = ruleset.decide(request, float(now))  # type: ignore[arg-type]
        assert (decision.rule.name if decision.rule else None) == first_match(ruleset, request, float(now))  # type: ignore[arg-type]
