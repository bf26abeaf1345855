"""Caddyfiles and Caddy's JSON: what is read, what is not, and whether the real program answers the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.caddy import detect, includes, read
from detour.formats.caddy.order import stable
from detour.formats.dialects import Files
from detour.formats.draft import Draft, LineFault
from detour.formats.layer import Layer
from detour.load import load_layer
from tests.examples.running import free_port, plain_environment, program
from tests.formats import caddy_configurations as configurations
from tests.formats.dialect_data import DATA, data_file
from tests.formats.layers import Answer, decide, layer_of
from tests.formats.real_servers import Server, differences


def _written(name: str, folder: Path) -> tuple[str, int]:
    port = free_port()
    text = configurations.OPTIONS + configurations.CONFIGURATIONS[name].replace("PORT", str(port))
    (folder / "Caddyfile").write_text(text)
    return text, port


def _faults(layer: Layer) -> list[tuple[int, str]]:
    return [(fault.span.line, fault.fact) for fault in layer.not_understood]


@pytest.mark.parametrize("name", configurations.CONFIGURATIONS)
def test_the_real_program_answers_as_the_rules_that_were_read(name: str, tmp_path: Path) -> None:
    text, port = _written(name, tmp_path)
    layer = layer_of("caddy", text)
    expected = configurations.NOT_UNDERSTOOD.get(name, [])
    assert len(_faults(layer)) == len(expected)
    for (line, fact), (known, why) in zip(_faults(layer), expected, strict=True):
        assert (line, fact[: len(why)]) == (known, why)
    argv = [program("caddy"), "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    with Server(argv, port, tmp_path) as server:
        assert differences(server, layer, configurations.requests(name, port)) == []


@pytest.mark.parametrize("name", configurations.CONFIGURATIONS)
def test_what_caddy_makes_json_of_decides_the_same(name: str, tmp_path: Path) -> None:
    text, port = _written(name, tmp_path)
    layer, adapted = layer_of("caddy", text), layer_of("caddy", _adapted(tmp_path / "Caddyfile"))
    asked = configurations.requests(name, port)
    for method, url, fields in asked:
        one = decide(layer, method, url, fields, "127.0.0.1")
        assert one == decide(adapted, method, url, fields, "127.0.0.1"), (method, url, fields)


def _adapted(file: Path) -> str:
    argv = [program("caddy"), "adapt", "--config", str(file), "--adapter", "caddyfile"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=plain_environment())
    return done.stdout


@pytest.mark.parametrize(
    ("line", "url", "answer"),
    [
        ("redir https://n.test{uri}", "https://h.test/a?b=1", (302, "https://n.test/a?b=1")),
        ("redir https://n.test{path}", "https://h.test/a?b=1", (302, "https://n.test/a")),
        ("redir https://n.test{uri} permanent", "https://h.test/a", (301, "https://n.test/a")),
        ("redir https://n.test{uri} temporary", "https://h.test/a", (302, "https://n.test/a")),
        ("redir https://n.test{uri} 308", "https://h.test/a", (308, "https://n.test/a")),
        ("redir https://n.test{uri} 401", "https://h.test/a", None),
        ("redir /a /b", "https://h.test/a/", None),
        ("redir /a/* /b", "https://h.test/a/x", (302, "https://h.test/b")),
        ("redir {path}/", "https://h.test/a", (302, "https://h.test/a/")),
        ("redir https://{labels.1}.test/", "https://h.test/a", (302, "https://h.test/")),
        ("redir https://{labels.1}.net{uri}", "https://h.test/a", (302, "https://h.net/a")),
        ("@m {\n\t\thost h.test\n\t}\n\tredir @m /x", "https://h.test/a", (302, "https://h.test/x")),
        ("@m host i.test\n\tredir @m /x", "https://h.test/a", None),
        ("@m protocol http\n\tredir @m /x", "https://h.test/a", None),
        ("redir * /x\\{y\\}", "https://h.test/a", (302, "https://h.test/x%7By%7D")),
        ("redir * `/x y`", "https://h.test/a", (302, "https://h.test/x%20y")),
        ('redir * "/quoted\\"x"', "https://h.test/a", (302, "https://h.test/quoted%22x")),
        (
            "@m expression `path('/a*') && method('GET')`\n\tredir @m /x",
            "https://h.test/ab",
            (302, "https://h.test/x"),
        ),
        ("@m expression `path('/a*') && !method('GET')`\n\tredir @m /x", "https://h.test/ab", None),
        (
            "@m expression `{path} == '/a' || {path}.startsWith('/b/')`\n\tredir @m /x",
            "https://h.test/b/c",
            (302, "https://h.test/x"),
        ),
        (
            "@m expression `{path} in ['/a', '/c'] && {query} != 'q'`\n\tredir @m /x",
            "https://h.test/c",
            (302, "https://h.test/x"),
        ),
        (
            "@m expression `{path} != '/a' && (host('h.test') || host('i.test'))`\n\tredir @m /x",
            "https://h.test/a",
            None,
        ),
        (
            "@m `path_regexp('p', '^/a/([0-9]+)$')`\n\tredir @m /x/{re.p.1}",
            "https://h.test/a/7",
            (302, "https://h.test/x/7"),
        ),
        (
            "@m expression `header({'X-A': '1'}) || query({'k': ['1', '2']})`\n\tredir @m /x",
            "https://h.test/?k=2",
            (302, "https://h.test/x"),
        ),
        (
            '@m vars_regexp m {uri} "^(/a/([^?]*))(?:\\?.*)?$"\n\tredir @m /b/{re.m.2}?was={re.m.1}',
            "https://h.test/a/x%20y?q",
            (302, "https://h.test/b/x%20y?was=/a/x%20y"),
        ),
        (
            '@m vars_regexp m {uri} "^/a\\?.+$"\n\tredir @m /b',
            "https://h.test/a?q",
            (302, "https://h.test/b"),
        ),
        ('@m vars_regexp m {uri} "^/a\\?.+$"\n\tredir @m /b', "https://h.test/a", None),
        ("redir /a https://n.test/{?query}#end", "https://h.test/a?b=1", (302, "https://n.test/?b=1#end")),
    ],
)
def test_a_line_answers(line: str, url: str, answer: Answer) -> None:
    assert decide(layer_of("caddy", f"h.test {{\n\t{line}\n}}\n"), "GET", url) == answer


@pytest.mark.parametrize(
    ("address", "pattern"),
    [
        ("h.test", "https://h.test/*"),
        ("http://h.test", "http://h.test/*"),
        ("h.test:8080", "https://h.test:8080/*"),
        (":8080", "http://*:8080/*"),
        (":80", "http://*:*/*"),
        (":443", "https://*:*/*"),
        ("*.h.test", "https://([^\\.]+).h.test:*/*"),
        ("https://", "https://*:*/*"),
        ("H.Test:443", "https://h.test/*"),
    ],
)
def test_an_address_says_scheme_host_and_port(address: str, pattern: str) -> None:
    text = f"{{\n\tauto_https disable_redirects\n}}\n{address} {{\n\tredir * /x\n}}\n"
    layer = layer_of("caddy", text)
    assert [rule.pattern for rule in layer.rules if rule.template] == [pattern]


def test_all_expressions_of_fields_must_match() -> None:
    lines = 'header_regexp h Host ^h\\.\n\t\theader_regexp X-A "^(?:1|b c)$"'
    layer = layer_of("caddy", f"h.test {{\n\t@m {{\n\t\t{lines}\n\t}}\n\tredir @m /x\n}}\n")
    assert decide(layer, "GET", "https://h.test/", (("X-A", "b c"),)) == (302, "https://h.test/x")
    assert decide(layer, "GET", "https://h.test/") is None


def test_a_host_of_no_site_is_redirected_to_https_behind_all_of_them() -> None:
    layer = layer_of("caddy", "h.test {\n\tredir /a /b\n}\n:80 {\n\tredir /c /d\n}\n")
    assert decide(layer, "GET", "http://else.test/c") == (302, "http://else.test/d")
    assert decide(layer, "GET", "http://else.test/e?f") == (308, "https://else.test/e?f")
    assert decide(layer, "GET", "https://else.test/e") is None


def test_automatic_https_is_implicit_for_named_hosts() -> None:
    text = """\
h.test, i.test:8443 {
	redir /a /b
}
http://plain.test {
	respond "hello"
}
:80 {
	redir https://any.test{uri}
}
"""
    layer = layer_of("caddy", text)
    assert decide(layer, "POST", "http://h.test/x?y") == (308, "https://h.test/x?y")
    assert decide(layer, "GET", "http://i.test/x") == (308, "https://i.test:8443/x")
    assert decide(layer, "GET", "http://plain.test/x") is None
    assert decide(layer, "GET", "http://else.test/x") == (302, "https://any.test/x")
    assert decide(layer, "GET", "https://h.test/a") == (302, "https://h.test/b")
    assert set(layer.implicit.values()) == {"Caddy's automatic HTTPS"}


@pytest.mark.parametrize("option", ["off", "disable_redirects"])
def test_automatic_https_can_be_turned_off(option: str) -> None:
    layer = layer_of("caddy", f"{{\n\tauto_https {option}\n}}\nh.test {{\n\tredir /a /b\n}}\n")
    assert not layer.implicit
    assert decide(layer, "GET", "http://h.test/x") is None


def test_a_file_without_braces_is_one_site() -> None:
    layer = layer_of("caddy", "h.test\n\nredir /a /b\nredir /c /d 307\n")
    assert decide(layer, "GET", "https://h.test/c") == (307, "https://h.test/d")


def test_an_order_of_its_own() -> None:
    text = "{\n\torder respond before redir\n}\nh.test {\n\tredir /a /b\n\trespond /a no\n}\n"
    assert decide(layer_of("caddy", text), "GET", "https://h.test/a") is None


def test_imports_are_read_with_their_arguments(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "one.caddy").write_text("h.test {\n\timport ../moved /old /new\n}\n")
    (tmp_path / "moved").write_text("redir {args[0]} {args[1]} 307\n")
    (tmp_path / "Caddyfile").write_text("import sites/*.caddy\nimport missing\n")
    layer = load_layer(tmp_path / "Caddyfile")
    assert layer.dialect == "caddy"
    assert decide(layer, "GET", "https://h.test/old") is None  # ../moved is beside the file that imports it
    assert "the file missing is not at hand" in [fault.fact for fault in layer.not_understood]
    (tmp_path / "sites" / "one.caddy").write_text("h.test {\n\timport moved /old /new\n}\n")
    layer = load_layer(tmp_path / "Caddyfile")
    assert decide(layer, "GET", "https://h.test/old") == (307, "https://h.test/new")
    spans = [rule.span for rule in layer.rules if rule.template and rule.status == 307]
    assert [(Path(span.file).name, span.line) for span in spans] == [("moved", 1)]


def test_imports_that_import_themselves_end() -> None:
    text = "(a) {\n\timport a\n\tredir /x /y\n}\nh.test {\n\timport a\n}\n"
    layer = layer_of("caddy", text)
    assert decide(layer, "GET", "https://h.test/x") == (302, "https://h.test/y")
    assert [fault.fact for fault in layer.not_understood] == ["an import of nothing, or of too much"]
    assert list(includes("(a) {\n}\nimport a\nimport b/*\n")) == ["b/*"]


@pytest.mark.parametrize(
    ("lines", "fact"),
    [
        ("@m expression `{tls.version} == 'x'`\n\tredir @m /x", "the expression \"{tls.version} == 'x'\""),
        ("@m expression `size(path) > 3`\n\tredir @m /x", "the expression 'size(path) > 3'"),
        ("@m expression `path('/a') &&`\n\tredir @m /x", "the expression \"path('/a') &&\""),
        ('@m vars_regexp m {uri} "^/a/(.*)$"\n\tredir @m /x', "an expression of `{uri}`"),
        ('@m vars_regexp m {http.vars.x} "^/a$"\n\tredir @m /x', "an expression of `{http.vars.x}`"),
        ("@m file /a\n\tredir @m /x", "the matcher `file` looks at what"),
        ("redir @missing /x", "the matcher @missing is not defined"),
        ("redir /a /b html", "`html` answers 200"),
        ("redir /a /b 302x", "the status '302x'"),
        ("redir /a /b 304", "'304' is no status"),
        ("redir /a b", "begins with neither"),
        ("redir /a", "`redir` without a target"),
        ("@m file\n\thandle @m {\n\t\trespond x\n\t}\n\thandle {\n\t\tredir * /y\n\t}", "the matcher `file`"),
        ("redir /a /{re.x.1}", "no expression of that name"),
        ("redir /a /{cookie.x}", "the placeholder `{cookie.x}`"),
        ("redir /a {$TARGET}/b", "a variable of the environment"),
        ("redir /a https://n.test{uri}/x", "behind `{uri}`"),
        ("route {\n\t\trewrite /b\n\t\tredir https://n.test{uri}\n\t}", "`rewrite` changes the path before"),
        ("handle_errors {\n\t\tredir /x\n\t}", "errors are answered with a redirect"),
        ("reverse_proxy b {\n\t\thandle_response {\n\t\t\tredir /x\n\t\t}\n\t}", "what a server answered"),
        ("@m not path *x*\n\tredir @m /y", "all that an expression does not match"),
        ("@m header_regexp X-A ^a\n\tredir @m /y", "the header x-a is matched by an expression"),
        ("invoke nothing", "`invoke` of a route that there is not"),
    ],
)
def test_what_cannot_be_expressed_is_named(lines: str, fact: str) -> None:
    [found] = layer_of("caddy", f"http://h.test {{\n\t{lines}\n}}\n").not_understood
    assert fact in found.fact
    assert found.span.line in range(2, 6)


# TestRedirDirectiveSyntax: what Caddy takes and no rule says, a Location that is no path, and a page (200).
REFUSED = (":8081", " html")


def test_caddys_own_table_of_redir() -> None:
    cases = json.loads(data_file("caddy", "redir_syntax.json").read_text())
    assert len(cases) == 19
    for case in cases:
        judge_syntax(case)


def judge_syntax(case: dict[str, Any]) -> None:
    """Whether Caddy's parser refuses it, and whether something of it is not understood here."""
    layer = layer_of("caddy", case["caddyfile"])
    found = [fault.fact for fault in layer.not_understood]
    if case["expect_error"]:
        assert len(found) == 1, case
        assert found[0].startswith("the status "), case
    elif any(word in case["caddyfile"] for word in REFUSED):
        assert len(found) == ("401" not in case["caddyfile"]), case
    else:
        assert found == [], case


# Files of caddytest: rules that are read, what is not understood.
FILES = {
    "auto_https_disable_redirects.caddyfiletest": (0, 0),
    "error_example.caddyfiletest": (7, 0),
    "forward_auth_authelia.caddyfiletest": (5, 0),
    "forward_auth_copy_headers_strip.caddyfiletest": (0, 0),
    "forward_auth_duplicate_uri.caddyfiletest": (5, 0),
    "forward_auth_rename_headers.caddyfiletest": (0, 0),
    "log_filters.caddyfiletest": (0, 0),
    "php_fastcgi_expanded_form.caddyfiletest": (0, 1),  # `redir` where a file is there
    "php_fastcgi_handle_response.caddyfiletest": (1, 0),
    "replaceable_upstream.caddyfiletest": (8, 0),
    "replaceable_upstream_partial_port.caddyfiletest": (8, 0),
    "replaceable_upstream_port.caddyfiletest": (8, 0),
    "reverse_proxy_options.caddyfiletest": (5, 0),
    "rewrite_directive_permutations.caddyfiletest": (0, 0),
    "tls_automation_policies_4.caddyfiletest": (11, 0),
    "uri_query_operations.caddyfiletest": (0, 0),
    "uri_replace_brace_escape.caddyfiletest": (0, 0),
}


def _config(name: str) -> str:
    file = data_file("caddy", "caddytest", "integration", "caddyfile_adapt", name)
    return file.read_text().partition("----------")[0]


def test_every_file_of_the_folder_is_read_and_known_by_its_content() -> None:
    data_file("caddy")
    names = sorted(path.name for path in (DATA / "caddy").rglob("*.caddyfiletest"))
    found = {}
    for name in names:
        layer = layer_of("caddy", _config(name))
        found[name] = (sum(1 for _ in layer.rules), len(layer.not_understood))
    assert found == FILES
    assert [name for name in names if not detect(_config(name))] == []


def test_the_json_that_caddytest_expects_is_read_as_its_caddyfile() -> None:
    names = sorted(path.name for path in (DATA / "caddy").rglob("*.caddyfiletest"))
    if not names:
        pytest.skip(f"caddy is not in $DETOUR_DATA ({DATA})")
    for name in names:
        judge_adapted(name)


def judge_adapted(name: str) -> None:
    """Whether the JSON that Caddy makes of a Caddyfile redirects as the Caddyfile does."""
    file = data_file("caddy", "caddytest", "integration", "caddyfile_adapt", name)
    adapted = file.read_text().partition("----------")[2].strip()
    if adapted.startswith("{"):  # else Caddy refuses it
        assert detect(adapted), name
        assert _locations(layer_of("caddy", adapted)) == _locations(layer_of("caddy", _config(name))), name


def _locations(layer: Layer) -> list[tuple[str, str, int]]:
    return sorted((rule.pattern, rule.template.text, rule.status) for rule in layer.rules if rule.template)


@given(st.lists(st.integers(0, 9)), st.integers(0, 60))
def test_it_sorts_as_any_stable_sort_where_there_is_an_order(numbers: list[int], more: int) -> None:
    pairs = [(number, place) for place, number in enumerate(numbers + [place % 7 for place in range(more)])]
    assert stable(pairs, lambda one, other: one[0] < other[0]) == sorted(pairs, key=lambda pair: pair[0])


def _lines(text: str) -> list[Any]:
    return list(read(Files("conf", {"conf": text})))


WORDS = st.sampled_from(
    [
        *" ".join(configurations.CONFIGURATIONS.values()).split(" "),
        "\n",
        "{",
        "}",
        "*",
        '"',
        "`",
        "<<A",
        "import a",
        "(a)",
    ]
)


@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=80))
def test_any_text_yields_only_drafts_and_faults(text: str) -> None:
    for one in (text, f"http://h.test:PORT {{\n{text}\n}}\n"):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in _lines(one))


@given(
    st.text(), st.integers(0, 3000), st.integers(0, 60), st.sampled_from(list(configurations.CONFIGURATIONS))
)
def test_mutilated_files_yield_only_drafts_and_faults(text: str, cut: int, gap: int, name: str) -> None:
    whole = configurations.CONFIGURATIONS[name]
    assert all(
        isinstance(line, Draft | LineFault) for line in _lines(whole[:cut] + text + whole[cut + gap :])
    )
