"""The recipe `api-moved`, verbatim but for its week: nginx ends TLS and sends Detour what has moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.examples.curl import Answer, curl
from tests.examples.recipes import in_force
from tests.examples.running import EXAMPLES, Detour, EchoOrigin, Nginx, eventually, free_port
from tests.examples.staging import Certificate

RULES = (EXAMPLES / "api-moved" / "detours.toml").read_text()
ORDER = "https://api.example.com/v1/orders/7?notify=yes"

EDGE = """
server {{
  listen 127.0.0.1:{port} ssl;
  ssl_certificate {certificate.cert};
  ssl_certificate_key {certificate.key};
  proxy_set_header Host $host;
  proxy_redirect off;
  location /v1/orders/ {{ proxy_pass {detour}; }}
  location / {{ proxy_pass {origin}; }}
}}
"""


class API(msgspec.Struct):
    """api.example.com as its callers see it."""

    origin: EchoOrigin
    port: int
    ca: Path

    def ask(self, *options: str) -> list[Answer]:
        return curl(ORDER, *options, at={"api.example.com:443": self.port}, ca=self.ca)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[API]:
    rules = tmp_path / "detours.toml"
    rules.write_text(in_force(RULES))
    certificate = Certificate.issue(tmp_path, "api.example.com")
    listen = ("--listen", "http://127.0.0.1:0")
    port = free_port()
    with Detour(rules, tmp_path, *listen) as detour, EchoOrigin(tmp_path) as origin:
        text = EDGE.format(port=port, certificate=certificate, detour=detour.url, origin=origin.url)
        with Nginx(text, port, tmp_path):
            yield API(origin, port, certificate.ca)


def test_an_order_arrives_whole_at_the_new_endpoint(api: API) -> None:
    redirect, answer = api.ask("--location", "--json", '{"pieces": 2}', "-u", "me:secret")
    assert (redirect.status, redirect.location) == (307, "https://api.example.com/v2/orders/7?notify=yes")
    assert redirect.fields["cache-control"] == "no-store"
    assert answer.status == 200
    arrived = api.origin.arrival("/v2/orders/7")
    assert (arrived["method"], arrived["target"]) == ("POST", "/v2/orders/7?notify=yes")
    assert arrived["length"] == len('{"pieces": 2}')
    fields = dict(arrived["fields"])
    assert fields["Content-Type"] == "application/json"
    assert fields["Authorization"].startswith("Basic "), "the origin is the same, so credentials stay"


@pytest.mark.parametrize("method", ["DELETE", "PUT", "OPTIONS"])
def test_other_methods_stay_what_they_are(api: API, method: str) -> None:
    api.ask("--location", "-X", method)
    assert api.origin.arrival("/v2/orders/7")["method"] == method


def test_what_the_new_endpoint_cannot_do_is_answered_405(api: API) -> None:
    (answer,) = api.ask("--location", "-X", "PATCH", "-d", "{}")
    assert answer.status == 405
    assert answer.fields["allow"] == "DELETE, GET, HEAD, OPTIONS, POST, PUT"
    assert api.origin.arrivals() == []


def test_after_the_week_the_rule_is_silent(tmp_path: Path) -> None:
    end = datetime.now(UTC) + timedelta(seconds=6)
    rules = tmp_path / "detours.toml"
    rules.write_text(in_force(RULES, until=end))
    with Detour(rules, tmp_path, "--listen", "http://127.0.0.1:0") as detour:

        def status() -> tuple[int, bool]:
            asked = datetime.now(UTC)
            (answer,) = curl(ORDER.replace("https", "http"), at={"api.example.com:80": detour.port})
            return answer.status, asked >= end

        assert status() == (307, False)
        assert eventually(lambda: (seen := status())[1] and seen, "the end of the week") == (404, True)
