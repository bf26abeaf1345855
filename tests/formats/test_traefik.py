"""Traefik's configurations: what is read, what is not, and whether the real program answers the same."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.draft import Draft, LineFault
from detour.formats.layer import Layer
from detour.formats.traefik import detect, read
from tests.examples.running import free_port, program
from tests.formats import traefik_configurations as configurations
from tests.formats.dialect_data import data_file
from tests.formats.layers import Answer, decide, dialects_of, layer_of
from tests.formats.real_servers import Server, differences


class Traefik(Server):
    """Traefik: up when it has read its routers."""

    def ready(self) -> bool:
        with contextlib.suppress(OSError):
            asked = f"http://h.test{configurations.READY}"
            return super().ready() and self.answer("GET", asked) == (302, "http://ready.test/")
        return False


def _running(text: str, folder: Path, more: str = "") -> Traefik:
    port = free_port()
    for name, content in configurations.files(text, port, str(folder), more).items():
        (folder / name).write_text(content)
    return Traefik([program("traefik"), f"--configFile={folder}/traefik.yaml"], port, folder)


@pytest.mark.parametrize("name", configurations.CONFIGURATIONS)
def test_the_real_program_answers_as_the_rules_that_were_read(name: str, tmp_path: Path) -> None:
    text = configurations.CONFIGURATIONS[name]
    layer = layer_of("traefik", text)
    assert not layer.not_understood
    with _running(text, tmp_path) as server:
        assert differences(server, layer, configurations.requests(name)) == []


def test_the_real_entry_point_answers_as_the_one_that_was_read(tmp_path: Path) -> None:
    more = ", http: {redirections: {entryPoint: {to: ':8443', permanent: false, priority: 10}}}"
    with _running(configurations.RULES, tmp_path, more) as server:
        static = (tmp_path / "traefik.yaml").read_text()
        layer = layer_of("traefik", f"{static}{configurations.RULES}")
        assert differences(server, layer, configurations.requests("rules")) == []


ROUTER = "http: {routers: {r: {rule: '%s', middlewares: [m], service: s}}, middlewares: {m: {%s}}}"
SCHEME = "redirectScheme: {scheme: https}"


@pytest.mark.parametrize(
    ("middleware", "answers"),
    [
        (SCHEME, ((302, "https://h.test/a?b"), (307, "https://h.test/a?b"))),
        (
            "redirectScheme: {scheme: https, permanent: true}",
            ((301, "https://h.test/a?b"), (308, "https://h.test/a?b")),
        ),
        (
            "redirectScheme: {scheme: https, port: '8443'}",
            ((302, "https://h.test:8443/a?b"), (307, "https://h.test:8443/a?b")),
        ),
        (
            "redirectRegex: {regex: '^https?://h[.]test/(.*)', replacement: 'https://n.test/$1'}",
            ((302, "https://n.test/a?b"), (307, "https://n.test/a?b")),
        ),
    ],
)
def test_the_method_chooses_the_status(middleware: str, answers: tuple[Answer, Answer]) -> None:
    layer = layer_of("traefik", ROUTER % ("Host(`h.test`)", middleware))
    assert layer.not_understood == ()
    to_get, to_others = answers
    assert decide(layer, "GET", "http://h.test/a?b") == to_get
    for method in ("HEAD", "POST", "PUT", "DELETE"):
        assert decide(layer, method, "http://h.test/a?b") == to_others


def test_the_longer_rule_comes_first_unless_a_priority_says_otherwise() -> None:
    def text(priority: str) -> str:
        return f"""\
http:
  routers:
    short: {{rule: "Host(`h.test`)", middlewares: [short], service: s{priority}}}
    long: {{rule: "Host(`h.test`) && PathPrefix(`/a`)", middlewares: [long], service: s}}
  middlewares:
    short: {{redirectRegex: {{regex: '.*', replacement: 'http://short.test/'}}}}
    long: {{redirectRegex: {{regex: '.*', replacement: 'http://long.test/'}}}}
"""

    assert decide(layer_of("traefik", text("")), "GET", "http://h.test/a") == (302, "http://long.test/")
    layer = layer_of("traefik", text(", priority: 100"))
    assert decide(layer, "GET", "http://h.test/a") == (302, "http://short.test/")


TOML = """\
[entryPoints.web]
  address = ":80"
  [entryPoints.web.http.redirections.entryPoint]
    to = "websecure"
[entryPoints.websecure]
  address = ":8443"
[http.routers.r]
  rule = "Host(`h.test`) && PathPrefix(`/old`)"
  middlewares = ["m"]
  service = "s"
  [http.routers.r.tls]
[http.middlewares.m.redirectRegex]
  regex = "^https?://h\\\\.test/old/(.*)"
  replacement = "https://h.test/new/${1}"
  permanent = true
"""

LABELS = """\
services:
  traefik:
    image: traefik
    command:
      - --entrypoints.web.address=:80
      - --entrypoints.web.http.redirections.entrypoint.to=websecure
      - --entrypoints.websecure.address=:8443
  app:
    labels:
      - traefik.enable=true
      - "traefik.http.routers.r.rule=Host(`h.test`) && PathPrefix(`/old`)"
      - traefik.http.routers.r.tls=true
      - traefik.http.routers.r.middlewares=m@docker
      - traefik.http.middlewares.m.redirectregex.regex=^https?://h\\.test/old/(.*)
      - traefik.http.middlewares.m.redirectregex.replacement=https://h.test/new/$${1}
      - traefik.http.middlewares.m.redirectregex.permanent=true
"""

RESOURCES = """\
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: m, namespace: n}
spec:
  redirectRegex:
    regex: '^https?://h\\.test/old/(.*)'
    replacement: https://h.test/new/${1}
    permanent: true
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: r, namespace: n}
spec:
  entryPoints: [websecure]
  routes:
  - match: Host(`h.test`) && PathPrefix(`/old`)
    kind: Rule
    middlewares: [{name: m}]
    services: [{name: s, port: 80}]
  tls: {}
"""


@pytest.mark.parametrize("text", [TOML, LABELS, RESOURCES])
def test_every_source_says_the_same(text: str) -> None:
    assert detect(text)
    layer = layer_of("traefik", text)
    assert layer.not_understood == ()
    assert decide(layer, "GET", "https://h.test/old/a?b") == (301, "https://h.test/new/a?b")
    assert decide(layer, "POST", "https://h.test/old/a?b") == (308, "https://h.test/new/a?b")
    if text is not RESOURCES:
        assert decide(layer, "PUT", "http://any.test/x") == (308, "https://any.test:8443/x")


def test_spans_name_the_lines_of_the_labels() -> None:
    lines = {rule.span.line for rule in layer_of("traefik", LABELS).rules}
    assert lines == {6, 14}


@pytest.mark.parametrize(
    ("rule", "url", "matches"),
    [
        ("Host(`h.test`, `i.test`)", "http://i.test/", True),
        ("Host(`h.test`)", "http://H.TEST:81/", True),
        ("HostRegexp(`{sub:[a-z]+}.test`)", "http://abc.test/", True),
        ("HostRegexp(`{sub:[a-z]+}.test`)", "http://a1.test/", False),
        ("!Host(`h.test`)", "http://h.test/", False),
        ("!Host(`h.test`)", "http://i.test/", True),
        ("!(Host(`h.test`) || PathPrefix(`/a`))", "http://i.test/a", False),
        ("!(Host(`h.test`) && PathPrefix(`/a`))", "http://h.test/b", True),
        ("PathPrefix(`/a`)", "http://h.test/ab", True),
        ("Path(`/a`)", "http://h.test/a/", False),
        ("Query(`a=1`)", "http://h.test/?a=1", True),
        ("Query(`a`, `1`)", "http://h.test/?a=2", False),
        ("HeaderRegexp(`X-A`, `^(1|2)$`)", "http://h.test/", False),
        ("ClientIP(`10.0.0.0/8`)", "http://h.test/", False),
        ('Host("h.test")', "http://h.test/", True),
    ],
)
def test_what_a_rule_asks_for(rule: str, url: str, matches: bool) -> None:
    layer = layer_of("traefik", ROUTER % (rule, SCHEME))
    assert layer.not_understood == ()
    assert (decide(layer, "GET", url) is not None) is matches


@pytest.mark.parametrize(
    ("rule", "middleware", "fact"),
    [
        ("Host(`h.test`", SCHEME, "a bracket that is not closed"),
        ("Hosts(`h.test`)", SCHEME, "`Hosts` is no condition"),
        ("HeaderRegexp(`X-A`, `a.*`)", SCHEME, "x-a is matched by an expression"),
        ("Path(`/{a}`)", SCHEME, "a path with an expression in braces"),
        ("Host(`h.test`)", "redirectScheme: {scheme: ftp}", "a redirect to the scheme 'ftp'"),
        (
            "Host(`h.test`)",
            "redirectRegex: {regex: 'h.test/a', replacement: b}",
            "does not begin with a scheme",
        ),
        ("Host(`h.test`)", "redirectRegex: {regex: '^(http', replacement: b}", "not a regular expression"),
        (
            "Host(`h.test`)",
            "redirectRegex: {regex: '^https?://h.test/a', replacement: b}",
            "begins with neither",
        ),
        ("Host(`h.test`)", "redirectRegex: {regex: '^http://h:80/(.*)', replacement: b}", "the port 80"),
        ("Host(`h.test`)", "addPrefix: {prefix: /a}, redirectScheme: {scheme: https}", "changes the path"),
        ("Host(`h.test`)", "headers: {sslRedirect: true}", "which Traefik 3 dropped"),
    ],
)
def test_what_cannot_be_expressed_is_named(rule: str, middleware: str, fact: str) -> None:
    [found] = layer_of("traefik", ROUTER % (rule, middleware)).not_understood
    assert fact in found.fact


def test_a_middleware_of_another_file_that_tells_by_its_name_is_named() -> None:
    text = ROUTER.replace("[m]", "[https-redirect@file, auth@file]") % ("Host(`h.test`)", SCHEME)
    [found] = layer_of("traefik", text).not_understood
    assert "https-redirect@file is not in this file" in found.fact


def test_variables_of_the_environment_are_not_guessed() -> None:
    [found] = layer_of("traefik", LABELS.replace("Host(`h.test`)", "Host(`${HOST}`)")).not_understood
    assert found.fact == "the rule holds a variable of the environment"


# Rows of redirect_regex_test.go that ask for URLs with a default port in them, as requests for the port leave
# it out (RFC 9110 §7.2 lets them): no URL of Detour's shows it.
WITH_DEFAULT_PORT = {
    "simple redirection",
    "HTTP to HTTPS",
    "HTTP to HTTPS, with X-Forwarded-Proto",
    "HTTPS to HTTP",
    "HTTP to HTTP",
}


def test_traefiks_own_table() -> None:
    cases = json.loads(data_file("traefik", "cases.json").read_text())
    [rows] = cases.values()
    failed = {row["desc"] for row in rows if not _holds(row)}
    assert len(rows) == 16
    assert failed == WITH_DEFAULT_PORT


def _holds(row: dict[str, Any]) -> bool:
    middleware = {
        "regex": row["Regex"],
        "replacement": row["Replacement"],
        "permanent": row.get("Permanent", False),
    }
    router: dict[str, Any] = {"rule": "PathPrefix(`/`)", "middlewares": ["m"], "service": "s"}
    routers = {"r": {**router, "tls": {}} if row["url"].startswith("https") else router}
    text = json.dumps({"http": {"routers": routers, "middlewares": {"m": {"redirectRegex": middleware}}}})
    layer: Layer = layer_of("traefik", text)
    if row.get("errorExpected"):
        return [fault.fact[:24] for fault in layer.not_understood] == ["not a regular expression"]
    url = row["url"] if row["url"].count("/") > 2 else row["url"] + "/"
    answer = decide(layer, "POST" if "POST" in row["desc"] else "GET", url)
    if "expectedURL" not in row:
        return answer is None
    wanted = row["expectedURL"]
    return answer == (row["expectedStatus"], wanted if wanted.count("/") > 2 else wanted + "/")


def test_every_file_of_the_folder_is_told() -> None:
    data_file("traefik")
    assert dialects_of("traefik") == {"SOURCE.txt": None, "cases.json": None}


SOURCES = [*configurations.CONFIGURATIONS.values(), TOML, LABELS, RESOURCES]


@given(st.text(), st.integers(0, 3000), st.integers(0, 60), st.sampled_from(SOURCES))
def test_any_text_and_mutilated_configurations_yield_drafts_and_faults(
    text: str, cut: int, gap: int, whole: str
) -> None:
    for one in (text, whole[:cut] + text + whole[cut + gap :]):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))


WORDS = r"^ $ http https? :// :\/\/ h \. .* (.*) (.*?) [^/]+ / \? (a|b) ( ) ? (:[0-9]+)? :80 (?:x) + {2} ["
PARTS = st.sampled_from(WORDS.split())


@given(
    st.lists(PARTS, max_size=12).map("".join),
    st.sampled_from(["$1", "https://$1", "/x/${2}", "http://h/$1$2"]),
)
def test_any_expression_yields_drafts_and_faults(regex: str, replacement: str) -> None:
    middleware = {"redirectRegex": {"regex": regex, "replacement": replacement}}
    for rule in ("Host(`h.test`) && PathPrefix(`/a`)", "PathPrefix(`/`)", "!Path(`/a`)"):
        routers = {"r": {"rule": rule, "middlewares": ["m"]}}
        layer = layer_of(
            "traefik", json.dumps({"http": {"routers": routers, "middlewares": {"m": middleware}}})
        )
        assert all(rule.status in (301, 302, 307, 308, 404) for rule in layer.rules)
