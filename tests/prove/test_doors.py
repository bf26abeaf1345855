"""Ports that a configuration does not open are not waited for."""

from __future__ import annotations

import pytest

from detour.formats.dialects import Files, named
from detour.formats.layer import read_layer
from detour.formats.writers import writer_for
from detour.prove.proof import prove
from detour.prove.servers import server_for
from tests.examples.running import program

NOW = 1_790_000_000.0


@pytest.mark.parametrize("name", ["caddy", "nginx"])
@pytest.mark.parametrize(
    "line", ["/a /b 307\n", "http://shop.example/a /b 307\n", "https://shop.example/a /b 307\n"]
)
def test_rules_of_one_scheme_are_proved(name: str, line: str) -> None:
    program(name)
    netlify, writer, server = named("netlify"), writer_for(name), server_for(name)
    assert netlify is not None
    assert writer is not None
    assert server is not None
    layer = read_layer("rules", netlify, Files("_redirects", {"_redirects": line}))
    written = writer.write(layer.rules, NOW)
    proof = prove(server, written.text, layer.ruleset, NOW)
    assert proof.redirects > 0
    assert proof.unexplained == ()
