"""A slice of `python -m tests.prove.configurations`: what the tests' own configurations and the examples are
read as, their real servers answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from detour.prove.compare import Explanation
from detour.prove.explanations import KNOWN
from detour.prove.nginx_text import http_block, moved
from detour.prove.servers import SERVERS, Server
from tests.examples.running import program
from tests.prove.configurations import proved
from tests.prove.corpus import Configuration, of_examples, of_tests

# The whole is asked by the command; these are quick.
SLICE = {
    "nginx": ("rewrite", "conditions", "pages of redirects, and the query behind a change"),
    "apache": ("rewrites", "htaccess", "locations"),
    "haproxy": ("backends", "maps"),
    "caddy": ("order",),
    "envoy": ("hosts",),
    "traefik": ("rules",),
}


@pytest.mark.timeout(90)
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_the_real_server_answers_as_its_configurations_are_read(server: Server, tmp_path: Path) -> None:
    program(server.program)
    names = {f"tests/{server.name}/{name}" for name in SLICE[server.name]}
    asked = [one for one in (*of_tests(tmp_path), *of_examples()) if _is_asked(one, server.name, names)]
    assert len(asked) >= len(names)
    for one in asked:
        outcome = proved(one)
        assert outcome.not_run == "", one.name
        told = [f"{each.question}: {each.server}, not {each.detour}" for each in outcome.unexplained]
        assert told == [], one.name
        assert outcome.equal > outcome.explained.total(), one.name


def _is_asked(one: Configuration, server: str, names: set[str]) -> bool:
    return one.server == server and (one.name in names or one.name.startswith("examples/"))


def test_what_a_request_alone_explains_is_asked_once_more_without_it() -> None:
    of_requests: list[Explanation] = [one for one in KNOWN if one.name in ("spelling", "empty-query")]
    assert len(of_requests) == 2
    assert all(one.instead is not None for one in of_requests)


def test_nginx_listens_on_loopback_whatever_its_configuration_says() -> None:
    text = """http {
      # server { listen 81; }
      server { listen *:80 default_server; listen [::]:80 ipv6only=on; listen 10.0.0.7:443 ssl; }
      server { server_name b; if ($host ~ "}") { return 302 /b; } }
    }"""
    ports = {80: 50_080, 443: 50_443}
    made = moved(http_block(text), ports.__getitem__)
    assert made.count("listen 127.0.0.1:50080") == 2
    assert made.count("listen 127.0.0.1:50443 ssl;") == 1
    assert "# server { listen 81; }" in made
    assert '$host ~ "}"' in made
