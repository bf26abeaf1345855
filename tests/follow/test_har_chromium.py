"""What a real Chromium records: redirects of servers, and the one of its own that no server sent."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from detour.core.chain import Chain
from detour.follow.har import read_har
from detour.follow.trace import judge
from tests.examples.running import free_port
from tests.follow.chromium_recording import Chromium
from tests.follow.staging.stage import Stage

SERVERS = """
server {{ listen 127.0.0.1:{http}; server_name shop.example.test; return 301 https://$host$request_uri; }}
server {{ listen 127.0.0.1:{http}; server_name pay.example.test; port_in_redirect off; default_type text/html;
  location = / {{ return 200 "<body>"; }}
  location = /v1 {{ return 307 /v2; }}
  location = /old {{ return 302 /v2; }}
  location = /v2 {{ return 200 "<body>"; }} }}
server {{ listen 127.0.0.1:{https} ssl; server_name shop.example.test; {{tls}} default_type text/html;
  add_header Strict-Transport-Security "max-age=600" always; return 200 "<body>"; }}
"""


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Chain]]:
    """Two visits to a site with HSTS, and two forms sent through redirects: chains by their first URL."""
    folder = tmp_path_factory.mktemp("recorded")
    http, https = free_port(), free_port()
    with Stage(folder) as stage:
        stage.nginx(SERVERS.format(http=http, https=https))
        doors = {"shop.example.test:80": http, "shop.example.test:443": https, "pay.example.test:80": http}
        trusted = f"--ignore-certificate-errors-spki-list={key_of(stage.certificate.cert)}"
        with Chromium(folder, doors, trusted) as browser:
            browser.visit("http://shop.example.test/first")
            browser.visit("http://shop.example.test/second")
            browser.visit("http://pay.example.test/")
            browser.submit("http://pay.example.test/v1", "7")
            browser.submit("http://pay.example.test/old", "7")
            recording = browser.recording()
    found: dict[str, list[Chain]] = {}
    for chain in read_har(recording):
        found.setdefault(str(chain.hops[0].request.url), []).append(chain)
    return found


def key_of(certificate: Path) -> str:
    """The digest of a certificate's key, as Chromium takes it."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()


def checks(chain: Chain) -> set[str]:
    return {finding.check for finding in judge(chain).findings}


def test_a_redirect_of_a_server_is_a_chain_with_its_address(chains: dict[str, list[Chain]]) -> None:
    (chain,) = chains["http://shop.example.test/first"]
    assert [hop.response.status for hop in chain.hops if hop.response] == [301, 200]
    assert chain.end.name == "arrived"
    first = chain.hops[0].response
    assert first is not None
    assert first.remote == "127.0.0.1"
    assert first.timings.first_byte > 0
    assert "browser-internal" not in checks(chain)


def test_the_second_visit_is_upgraded_by_the_browser_and_said_to_be(chains: dict[str, list[Chain]]) -> None:
    """RFC 6797 §8.3: Chromium shows 307 Internal Redirect, and no server was asked."""
    (chain,) = chains["http://shop.example.test/second"]
    made_up = chain.hops[0].response
    assert made_up is not None
    assert (made_up.status, made_up.reason) == (307, "Internal Redirect")
    assert made_up.first("non-authoritative-reason") == "HSTS"
    assert (str(chain.hops[0].location_url), len(chain.hops)) == ("https://shop.example.test/second", 2)
    assert {"browser-internal", "browser-made"} <= checks(chain)


def test_a_form_keeps_its_content_through_307_and_loses_it_through_302(
    chains: dict[str, list[Chain]],
) -> None:
    (kept,), (lost,) = chains["http://pay.example.test/v1"], chains["http://pay.example.test/old"]
    assert [(hop.request.method, hop.request.content) for hop in kept.hops] == [("POST", "replayable")] * 2
    assert [(hop.request.method, hop.request.content) for hop in lost.hops] == [
        ("POST", "replayable"),
        ("GET", "none"),
    ]
    assert "method-loss" in checks(lost) - checks(kept)
