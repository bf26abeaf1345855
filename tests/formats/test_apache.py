"""Apache's configuration: what is read, what is not, and whether the real program answers the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.dialects import detected
from detour.formats.draft import Draft, LineFault
from detour.load import load_layer
from detour.prove.apache_text import modules as modules_of
from tests.examples.running import free_port, program
from tests.formats import apache_configurations as configurations
from tests.formats.dialect_data import data_file
from tests.formats.layers import decide, layer_of, read_lines
from tests.formats.real_servers import Server, differences

CONFIGURATIONS = configurations.CONFIGURATIONS


def _written(name: str, port: int, folder: Path) -> str:
    modules = "\n".join(
        f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so"
        for module in modules_of(CONFIGURATIONS[name])
    )
    root = folder / "root"
    root.mkdir()
    (folder / "root").chmod(0o755)
    text = CONFIGURATIONS[name].replace("*:80", f"*:{port}")
    if name == "htaccess":
        (root / ".htaccess").write_text(text)
        text = f"<Directory {root}>\nAllowOverride All\nRequire all granted\n</Directory>"
    user = "User nobody\nGroup nogroup" if os.geteuid() == 0 else ""
    return (
        f"{modules}\nServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/pid\n"
        f"ErrorLog {folder}/errors\nTypesConfig /dev/null\nServerName localhost\nListen 127.0.0.1:{port}\n"
        f"{user}\nDocumentRoot {root}\n{text}\n"
    )


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_real_program_answers_as_the_rules_that_were_read(name: str, tmp_path: Path) -> None:
    layer = layer_of("apache", CONFIGURATIONS[name])
    assert not layer.not_understood
    port = free_port()
    written = tmp_path / "apache.conf"
    written.write_text(_written(name, port, tmp_path))
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    with Server([program("apache2"), "-X", "-f", str(written)], port, tmp_path) as server:
        assert differences(server, layer, configurations.requests()) == []


def test_every_case_that_openstack_wrote_for_its_htaccess_files() -> None:
    cases = json.loads(data_file("openstack-htaccess", "cases.json").read_text("utf-8"))
    failed = []
    for case in cases:
        layer = load_layer(data_file("openstack-htaccess", case["project"], "htaccess"))
        assert layer.dialect == "apache"
        answer = decide(layer, "GET", f"https://docs.test{case['request']}")
        wanted = None
        if case["location"] is not None and case["status"] < 400:
            wanted = case["status"], f"https://docs.test{case['location']}"
        if answer != wanted:
            failed.append((case["request"], wanted, answer))
    assert len(cases) > 40
    assert failed == []


def test_the_configuration_of_apaches_own_tests() -> None:
    layer = load_layer(data_file("httpd-tests", "extra.conf.in"))
    assert layer.dialect == "apache"
    assert sum(1 for _ in layer.rules) > 20
    assert decide(layer, "GET", "http://h.test/modules/alias/redirect-me") is None  # @SERVERNAME@ is no host


UNKNOWN = "RewriteCond %{SSL:SSL_CIPHER} x"


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("Redirect / https://x.test", "appended to the host"),
        ("Redirect 305 /a /b", "not a redirect status"),
        ("RewriteEngine On\nRewriteMap m txt:x\nRewriteRule ^/(.*)$ ${m:$1} [R]", "asks a map"),
        ("RewriteEngine On\nRewriteRule ^a$ b [R]", "there is no RewriteBase"),
        ("RewriteEngine On\nRewriteCond %{SSL:SSL_CIPHER} x\nRewriteRule ^/a /b [R]", "does not know"),
        ("RewriteEngine On\nRewriteRule ^/a /b\nRewriteRule ^/b /c [R]", "it changes the path"),
        ("RewriteEngine On\nRewriteRule ^/a - [S=1]\nRewriteRule ^/b /c [R]", "depends on another"),
        ("ErrorDocument 404 https://x.test/", "becomes a redirect"),
        ("Header edit Location ^http: https:", "changes the Location"),
        ('<If "-f %{REQUEST_FILENAME}">\nRedirect /a /b\n</If>', "it stands in <if>"),
        ("RewriteEngine On\nRewriteCond %{THE_REQUEST} .php\nRewriteRule ^/a /b [R]", "of the request line"),
        ("<IfVersion < 2.4>\n<Location /x>\nRedirect /a\n</Location>\n</IfVersion>", "taken not to hold"),
        ("<IfModule !mod_rewrite.c>\nRedirectMatch ^/$ /index.php/\n</IfModule>", "taken not to hold"),
        (f"RewriteEngine On\n{UNKNOWN}\nRewriteRule ^/a - [L]\nRewriteRule ^/ /c [R]", "does not know"),
        (f"RewriteEngine On\n{UNKNOWN}\nRewriteRule ^/a - [F]\nRedirect /a /b", "does not know"),
    ],
)
def test_what_cannot_be_expressed_is_named(line: str, fact: str) -> None:
    [fault] = layer_of("apache", line).not_understood
    assert fact in fault.fact


def test_what_a_rule_matches_on_an_unknown_condition_does_not_fall_to_the_redirects_behind_it() -> None:
    rules = f"RewriteEngine On\n{UNKNOWN}\nRewriteRule ^/a - [F]\nRewriteRule ^/ /c [R]"
    layer = layer_of("apache", rules)
    assert decide(layer, "GET", "http://h.test/a/x") is None
    assert decide(layer, "GET", "http://h.test/b") == (302, "http://h.test/c")


def test_what_answers_in_the_rewriting_hides_a_redirect_of_mod_alias() -> None:
    layer = layer_of("apache", "RewriteEngine On\nRewriteRule ^/a - [G]\nRedirect /a /b\nRedirect /b /c")
    assert decide(layer, "GET", "http://h.test/a") is None
    assert decide(layer, "GET", "http://h.test/b") == (302, "http://h.test/c")


def test_a_target_that_several_servers_inherit_is_one_fault() -> None:
    hosts = "".join(f"<VirtualHost *:80>\nServerName {name}.test\n</VirtualHost>\n" for name in "abc")
    layer = layer_of("apache", f"{hosts}Redirect /a http://user@x.test/")
    assert len(layer.not_understood) == 1


def test_it_is_known_by_its_content() -> None:
    for text in CONFIGURATIONS.values():
        found = detected("unnamed", text)
        assert found is not None
        assert found.name == "apache"


WORDS = st.sampled_from(
    [*" ".join(CONFIGURATIONS.values()).split(" "), "\n", '"', "\\\n", "<", "[", "(", "%{", "$1"]
)


@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=80))
def test_any_text_yields_only_drafts_and_faults(text: str) -> None:
    lines = read_lines("apache", f"RewriteEngine On\n{text}")
    assert all(isinstance(line, (Draft, LineFault)) for line in lines)
