"""nginx configurations: what the reader says, and what nginx itself answers."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detour.core.url import URL
from detour.formats.dialects import detected
from detour.formats.draft import Draft, LineFault
from tests.examples.running import Nginx, free_port
from tests.formats.dialect_data import DATA
from tests.formats.layers import decide, layer_of, read_lines
from tests.formats.nginx_configurations import CONFIGURATIONS

REDIRECTING = re.compile(
    r"^[^#\n]*(?:\breturn\s+[\"']?(?:30[12378]\s+\S|https?://|\$scheme://)"
    r"|\brewrite\s.*\s(?:redirect|permanent)\s*;"
    r"|\brewrite\s+\S+\s+[\"']?(?:https?://|\$scheme://)|\berror_page\s[^;]*https?://)",
    re.MULTILINE,
)
NOT_UNDERSTOOD: list[tuple[str, str]] = []
HOSTS = (
    "",
    "evil.example",
    "www.example",
    "www.a.example",
    "x.a.example",
    "y.b.a.example",
    "c.example",
    "d.c.example",
    "mail.q",
    "s.r.example",
    "first.example",
    "q.a.example",
)


def asked(port: int, method: str, path: str, host: str, fields: dict[str, str]) -> tuple[int, str] | None:
    """What nginx answers: status and absolute Location; None where it does not redirect."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": f"{host}:{port}", **fields}.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    to = response.headers.get("Location")
    connection.close()
    if to is None:
        return None
    return response.status, str(URL.parse(urljoin(f"http://{host}:{port}{path}", to)))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_reader_answers_as_the_real_nginx_does(name: str, tmp_path: Path) -> None:
    text, paths = CONFIGURATIONS[name]
    port = free_port()
    text = text.replace("PORT", str(port))
    layer = layer_of("nginx", text)
    assert not layer.not_understood
    differences = []
    with Nginx(text, port, tmp_path):
        for host in [one or "127.0.0.1" for one in HOSTS]:
            for path in paths:
                for method in ("GET", "POST"):
                    for fields in ({}, {"X-A": "on"}):
                        theirs = asked(port, method, path, host, fields)
                        ours = decide(layer, method, f"http://{host}:{port}{path}", tuple(fields.items()))
                        if ours != theirs:
                            differences.append((method, host, path, fields, "nginx", theirs, "Detour", ours))
    assert not differences


# nginx/nginx-tests, rewrite.t: what the reader does not say, and why.
UNSAID = {
    "/error405directory": "a directory in the file system",
}


@pytest.mark.skipif(not DATA.joinpath("nginx-tests").is_dir(), reason="no nginx-tests in $DETOUR_DATA")
def test_the_cases_of_nginx_itself() -> None:
    cases = json.loads(DATA.joinpath("nginx-tests/cases.json").read_text())
    text = DATA.joinpath("nginx-tests/rewrite.nginx.conf").read_text()
    layer = layer_of("nginx", re.sub("%%TEST_GLOBALS.*%%", "", text))
    unsaid = set()
    for case in (one for one in cases if one["conf"] == "rewrite.nginx.conf"):
        url = f"http://localhost:8080{case['request']}"
        wanted = case["expect"].get("location")
        answer = (case["expect"]["status"], wanted and str(URL.parse(wanted.partition(" ")[0], url)))
        if decide(layer, "GET", url) != (answer if wanted else None):
            unsaid.add(case["request"])
    assert unsaid == set(UNSAID)


def test_which_redirecting_lines_of_all_configurations_are_not_understood() -> None:
    files = [
        one for name in ("nginx-tests", "crossplane", "gixy") for one in DATA.joinpath(name).rglob("*.conf")
    ]
    if not files:
        pytest.skip("no nginx configurations in $DETOUR_DATA")
    directives, faults = 0, []
    for file in files:
        text = re.sub("%%TEST_GLOBALS.*%%", "", file.read_text("utf-8", "replace"))
        directives += len(REDIRECTING.findall(text))
        layer = layer_of("nginx", text)
        lines = text.split("\n")
        faults += [
            (file.name, fault.span.line, fault.fact)
            for fault in layer.not_understood
            if REDIRECTING.search(lines[fault.span.line - 1])
        ]
    assert directives > 20
    assert [(name, fact) for name, _, fact in sorted(faults)] == NOT_UNDERSTOOD


@pytest.mark.skipif(not DATA.joinpath("gixy").is_dir(), reason="no gixy in $DETOUR_DATA")
def test_every_configuration_is_known_by_its_content() -> None:
    files = [
        one for name in ("nginx-tests", "crossplane", "gixy") for one in DATA.joinpath(name).rglob("*.conf")
    ]
    strange = {
        file.relative_to(DATA).as_posix().removeprefix("crossplane/tests/configs/")
        for file in files
        if (found := detected("x", file.read_text("utf-8", "replace"))) is None or found.name != "nginx"
    }
    assert strange == {  # no directive of nginx is in them
        "includes-globbed/servers/locations/not-included.conf",
        "includes-regular/conf.d/bar.conf",
        "includes-regular/conf.d/foo.conf",
        "quote-behavior/nginx.conf",
    }


@pytest.mark.skipif(not DATA.joinpath("gixy").is_dir(), reason="no gixy in $DETOUR_DATA")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutilated_configurations_are_drafts_and_faults(data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted(DATA.joinpath("nginx-tests").glob("*.conf"))))
    text = file.read_text()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    cut = text[:start] + data.draw(st.sampled_from(["", "{", "}", ";", '"', "("])) + text[end:]
    assert all(isinstance(one, Draft | LineFault) for one in read_lines("nginx", cut))


def test_bad_files_are_told_by_line_and_read_on() -> None:
    lines = read_lines("nginx", "server {\n listen 80\n location /a { return 301 /b; }\n}\n}")
    faults = [one for one in lines if isinstance(one, LineFault)]
    assert [one.line for one in faults] == [2, 5]
    assert any(isinstance(one, Draft) and one.location == "/b" for one in lines)


def test_what_nginx_alone_knows_is_told_and_hides_nothing() -> None:
    layer = layer_of(
        "nginx", "server { if (!-f $request_filename) {\n return 301 /x; }\n location / { return 302 /y; } }"
    )
    assert [fault.span.line for fault in layer.not_understood] == [2]
    assert decide(layer, "GET", "http://h.example/") == (302, "http://h.example/y")


def test_a_location_that_cannot_be_said_does_not_fall_to_those_behind_it() -> None:
    layer = layer_of(
        "nginx",
        "server { location ~ ^/a/(?!b) { proxy_pass http://127.0.0.1:9; }\n location / { return 302 /y; } }",
    )
    assert [fault.span.line for fault in layer.not_understood] == [1]
    assert decide(layer, "GET", "http://h.example/a/x") is None
    assert decide(layer, "GET", "http://h.example/b") == (302, "http://h.example/y")


def test_a_page_of_a_status_that_nothing_returns_is_no_redirect() -> None:
    layer = layer_of(
        "nginx",
        "server { error_page 404 https://p.example/; location / { proxy_pass http://127.0.0.1:9; } }",
    )
    assert not layer.not_understood
    assert decide(layer, "GET", "http://h.example/a") is None


def test_included_files_are_read_in_their_place() -> None:
    layer = layer_of(
        "nginx", "http { include conf.d/*.conf; }", {"conf.d/a.conf": "server { return 301 /a; }"}
    )
    assert decide(layer, "GET", "http://h.example/") == (301, "http://h.example/a")
    assert {rule.span.file for rule in layer.rules} == {"conf.d/a.conf"}


@settings(max_examples=200, deadline=None)
@given(st.text("{};\"'$~^()/ab \nserver location return 301 if = map set rewrite", max_size=80))
def test_any_text_is_drafts_and_faults(text: str) -> None:
    assert all(isinstance(one, Draft | LineFault) for one in read_lines("nginx", text))
