"""HAProxy's configuration: what is read, what is not, and whether the real program answers the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.dialects import detected
from detour.formats.draft import Draft, LineFault
from detour.formats.layer import Layer
from tests.examples.running import free_port, program
from tests.formats import haproxy_configurations as configurations
from tests.formats.layers import Answer, decide, layer_of, read_lines
from tests.formats.real_servers import Server, differences

DEFAULTS = configurations.DEFAULTS
CONFIGURATIONS = {
    "rules": configurations.RULES,
    "backends": configurations.BACKENDS,
    "maps": configurations.MAPS,
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_real_program_answers_as_the_rules_that_were_read(name: str, tmp_path: Path) -> None:
    text = DEFAULTS + CONFIGURATIONS[name].replace("{folder}", str(tmp_path))
    files = {str(tmp_path / file): content for file, content in configurations.MAP_FILES.items()}
    for file, content in files.items():
        Path(file).write_text(content)
    layer = layer_of("haproxy", text, files)
    assert not layer.not_understood
    port = free_port()
    written = tmp_path / "haproxy.cfg"
    written.write_text(text.replace("127.0.0.1:80", f"127.0.0.1:{port}"))
    with Server([program("haproxy"), "-db", "-f", str(written)], port, tmp_path) as server:
        assert differences(server, layer, configurations.requests()) == []


def _door(*lines: str) -> str:
    return "\n".join(["frontend door", "  bind :80", *(f"  {line}" for line in lines), ""])


@pytest.mark.parametrize(
    ("line", "url", "answer"),
    [
        ("redirect location /x", "http://h.test/a?b=1", (302, "http://h.test/x")),
        ("redirect prefix https://x.test", "http://h.test/a?b=1", (302, "https://x.test/a?b=1")),
        ("redirect prefix https://x.test drop-query", "http://h.test/a?b=1", (302, "https://x.test/a")),
        ("redirect scheme https code 301", "http://h.test/a?b=1", (301, "https://h.test/a?b=1")),
        ("redirect location /x%HP%HQ", "http://h.test/a?b=1", (302, "http://h.test/x/a?b=1")),
        ("redirect location /x if { hdr_dom(host) h.test }", "http://a.h.test/", (302, "http://a.h.test/x")),
        ("redirect location /x if { path_dir b }", "http://h.test/a/b/c", (302, "http://h.test/x")),
        ("redirect location /x if { path_dir b }", "http://h.test/a/bb/c", None),
        ("redirect location /x unless { path_beg /x }", "http://h.test/x/1", None),
        ("redirect location /x unless { path_beg /x }", "http://h.test/a", (302, "http://h.test/x")),
        ("redirect location /x if { src 10.0.0.0/8 }", "http://h.test/a", None),
        ("redirect location /x if TRUE !FALSE", "http://h.test/a", (302, "http://h.test/x")),
        (r"redirect location /x if { path_reg ^/n/[0-9]+$ }", "http://h.test/n/12", (302, "http://h.test/x")),
        (r"redirect location /x if { path_reg ^/n/[0-9]+$ }", "http://h.test/n/a", None),
    ],
)
def test_a_line_answers(line: str, url: str, answer: tuple[int, str] | None) -> None:
    layer = layer_of("haproxy", _door(line))
    assert not layer.not_understood
    assert decide(layer, "GET", url) == answer


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("http-request redirect location /x if { nbsrv(b) lt 1 }", "which Detour does not know"),
        ("http-request redirect location /x if unheard-of", "which Detour does not know"),
        ("http-request redirect location %[path,regsub(a,b)]", "which Detour does not know"),
        ("http-request redirect location %[path,map(no.map)]", "is not at hand"),
        ("http-request redirect location /x code 305", "names no location or no status"),
        ("http-request redirect location /x if { hdr_sub(user-agent) Mobile }", "a part of the header"),
        ("http-request redirect location /x if !{ path_sub a }", "which no pattern says"),
        ("http-response redirect location /x", "what a server answers"),
        ("errorloc302 503 https://x.test/", "becomes a redirect"),
    ],
)
def test_what_cannot_be_expressed_is_named(line: str, fact: str) -> None:
    [fault] = layer_of("haproxy", _door(line)).not_understood
    assert fact in fault.fact
    assert fault.span.line == 3


def test_a_redirect_behind_a_changed_path_is_not_guessed() -> None:
    text = _door("http-request set-path /x", "http-request redirect location /y if { path /x }")
    [fault] = layer_of("haproxy", text).not_understood
    assert "line 3 changes the path" in fault.fact


def test_frontends_that_differ_in_tls_are_told_apart() -> None:
    text = (
        "frontend plain\n  bind :80\n  redirect scheme https code 301\n"
        "frontend secure\n  bind :443 ssl crt x.pem\n  redirect location /in if { path / }\n"
    )
    layer = layer_of("haproxy", text)
    assert decide(layer, "GET", "http://h.test/") == (301, "https://h.test/")
    assert decide(layer, "GET", "https://h.test/") == (302, "https://h.test/in")


def test_it_is_known_by_its_content() -> None:
    for text in CONFIGURATIONS.values():
        found = detected("unnamed", DEFAULTS + text)
        assert found is not None
        assert found.name == "haproxy"


WORDS = st.sampled_from(
    [
        *" ".join(CONFIGURATIONS.values()).split(),
        "\n  ",
        "\n",
        "{",
        "}",
        "!",
        "if",
        '"',
        "\\",
        "%[",
        "-f",
        "or",
    ]
)


@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=80))
def test_any_text_yields_only_drafts_and_faults(text: str) -> None:
    lines = read_lines("haproxy", f"frontend a\n  bind :80\n  http-request redirect {text}")
    assert all(isinstance(line, (Draft, LineFault)) for line in lines)


def _front(*lines: str) -> Layer:
    return layer_of("haproxy", "\n".join(["frontend f", "    bind :80", *(f"    {line}" for line in lines)]))


@pytest.mark.parametrize(
    ("to", "url", "answer"),
    [
        ("/new%[path,regsub(^/old,)]", "http://h.test/old/a", (302, "http://h.test/new/a")),
        ("%[path,regsub(^/old/,/new/,g)]", "http://h.test/old/a?b", (302, "http://h.test/new/a")),
        ("/n/%[path,bytes(5)]?was=%[path]", "http://h.test/old/a", (302, "http://h.test/n/a?was=/old/a")),
    ],
)
def test_a_path_without_its_beginning(to: str, url: str, answer: Answer) -> None:
    layer = _front(f"http-request redirect location {to} if {{ path_beg /old/ }}")
    assert not layer.not_understood
    assert decide(layer, "GET", url) == answer


@pytest.mark.parametrize(
    "to", ["/n/%[path,bytes(9)]", "/n/%[path,regsub((a+),b)]", "/n/%[path,regsub(^/(.),x)]"]
)
def test_a_path_cut_otherwise_is_named(to: str) -> None:
    layer = _front(f"http-request redirect location {to} if {{ path_beg /old/ }}")
    assert len(layer.not_understood) == 1
    assert decide(layer, "GET", "http://h.test/old/a") is None


def test_the_query_that_a_variable_holds_is_kept() -> None:
    layer = _front(
        "http-request set-var-fmt(txn.asked) ?%[query] if { query -m len ge 1 }",
        "http-request redirect location /b%[var(txn.asked)] if { path /a }",
    )
    assert decide(layer, "GET", "http://h.test/a?x=1") == (302, "http://h.test/b?x=1")
    assert decide(layer, "GET", "http://h.test/a") == (302, "http://h.test/b")


def test_a_variable_that_is_set_on_a_condition_is_not_known() -> None:
    layer = _front(
        "http-request set-var(txn.to) str(/b)",
        "http-request set-var(txn.to) str(/c) if { path_beg /c }",
        "http-request redirect location %[var(txn.to)]",
    )
    assert [fault.span.line for fault in layer.not_understood] == [5]


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("http-request deny if { path_beg /a/ } { sc_http_req_rate(0) gt 10 }", True),
        ("http-request deny if { sc_http_req_rate(0) gt 10 }", False),
        ("http-request return status 200 if { path_beg /a/ } { nbsrv(x) lt 1 }", True),
    ],
)
def test_what_answers_on_a_condition_that_is_not_known_is_listed(line: str, hidden: bool) -> None:
    layer = _front(line, "http-request redirect location /new if { path_beg /a/ } or { path /b }")
    [fault] = layer.not_understood
    assert (fault.span.line, fault.fact[:33]) == (3, "it answers before later redirects")
    assert (decide(layer, "GET", "http://h.test/a/x") is None) == hidden
    assert decide(layer, "GET", "http://h.test/b") == (302, "http://h.test/new")
    assert not _front("http-request redirect location /new", line).not_understood


def test_allow_hides_the_requests_rules_behind_it_and_is_listed_where_others_redirect() -> None:
    allow, redirect = "http-request allow if { path /a }", "http-request redirect location /new"
    layer = _front(allow, redirect)
    assert not layer.not_understood
    assert decide(layer, "GET", "http://h.test/a") is None
    assert decide(layer, "GET", "http://h.test/b") == (302, "http://h.test/new")
    assert not _front(redirect, allow).not_understood
    [fault] = _front(allow, redirect, "redirect scheme https").not_understood
    assert (fault.span.line, fault.fact[:21]) == (3, "what it lets through ")


def test_a_backend_on_a_condition_that_is_not_known_is_listed_where_another_redirects() -> None:
    backends = "backend a\n    server s 127.0.0.1:9\nbackend b\n    http-request redirect location /new\n"
    head = "frontend f\n    bind :80\n    use_backend a if { path_beg /a/ } { nbsrv(x) lt 1 }\n"
    layer = layer_of("haproxy", f"{head}    default_backend b\n{backends}")
    assert [fault.span.line for fault in layer.not_understood] == [3]
    assert decide(layer, "GET", "http://h.test/a/x") is None
    assert decide(layer, "GET", "http://h.test/b") == (302, "http://h.test/new")
