"""The recipe `https-for-now`, verbatim: Detour ending TLS itself, and behind an nginx that does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.examples.curl import Answer, curl
from tests.examples.running import EXAMPLES, Detour, EchoOrigin, Nginx, eventually, free_port
from tests.examples.staging import Certificate

FOLDER = EXAMPLES / "https-for-now"
RULES = FOLDER / "detours.toml"
HOST = "shop.example.com"


class Shop(msgspec.Struct):
    """shop.example.com as its visitors see it: a plain port and one with TLS."""

    plain: int
    tls: int
    ca: Path
    detour: Detour
    origin: EchoOrigin | None = None

    def ask(self, url: str, *options: str) -> list[Answer]:
        at = {f"{HOST}:80": self.plain, f"{HOST}:443": self.tls}
        return curl(url, *options, at=at, ca=self.ca)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Shop]:
    """Detour on both ports, as the README starts it."""
    certificate = Certificate.issue(tmp_path, HOST)
    flags = ["--listen", "http://127.0.0.1:0", "--listen", "https://127.0.0.1:0"]
    flags += ["--cert", str(certificate), "--health", "/healthz"]
    with Detour(RULES, tmp_path, *flags) as detour:
        plain, tls = (int(url.rpartition(":")[2]) for url in detour.urls)
        yield Shop(plain, tls, certificate.ca, detour)


@contextlib.contextmanager
def behind_nginx(folder: Path, rules: str) -> Iterator[Shop]:
    """The recipe's nginx.conf with this machine's ports, files and a shop."""
    certificate = Certificate.issue(folder, HOST)
    port, plain, tls = free_port(), free_port(), free_port()
    listen = f"http://127.0.0.1:{port}"
    written = folder / "detours.toml"
    written.write_text(rules.replace("http://127.0.0.1:8307", listen))
    token = folder / "acme" / ".well-known" / "acme-challenge" / "token"
    token.parent.mkdir(parents=True)
    token.write_text("what the authority wants to read")
    with Detour(written, folder) as detour, EchoOrigin(folder) as origin:
        text = (FOLDER / "nginx.conf").read_text()
        for old, new in {
            "http://127.0.0.1:8307": detour.url,
            "http://127.0.0.1:8309": origin.url,
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
            "/var/www/acme": str(folder / "acme"),
            "/etc/ssl/shop.pem": str(certificate.cert),
            "/etc/ssl/shop.key": str(certificate.key),
            "include detour_fields.conf": f"include {FOLDER}/detour_fields.conf",
        }.items():
            assert old in text
            text = text.replace(old, new)
        with Nginx(text, tls, folder):
            yield Shop(plain, tls, certificate.ca, detour, origin)


@pytest.fixture
def trusted(tmp_path: Path) -> Iterator[Shop]:
    with behind_nginx(tmp_path, RULES.read_text()) as shop:
        yield shop


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[Shop]:
    lines = RULES.read_text().splitlines(keepends=True)
    rules = "".join(line for line in lines if not line.startswith(("source", "trusted")))
    with behind_nginx(tmp_path, rules) as shop:
        yield shop


def test_plain_http_is_sent_to_https(alone: Shop) -> None:
    (answer,) = alone.ask(f"http://{HOST}/cart?item=7", "-d", "pieces=2")
    assert (answer.status, answer.location) == (307, f"https://{HOST}/cart?item=7")
    assert answer.fields["cache-control"] == "no-store"


def test_over_tls_it_does_not_redirect_to_itself(alone: Shop) -> None:
    redirect, answer = alone.ask(f"http://{HOST}/cart?item=7", "--location", "-d", "pieces=2")
    assert (redirect.status, answer.status) == (307, 404)


def test_over_tls_other_rules_answer(alone: Shop) -> None:
    (answer,) = alone.ask(f"https://{HOST}/sale/vote", "-d", "for=7")
    assert (answer.status, answer.location) == (307, "/campaigns/winter/vote")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_acme_and_health_are_not_redirected(alone: Shop, scheme: str) -> None:
    (challenge,) = alone.ask(f"{scheme}://{HOST}/.well-known/acme-challenge/token")
    (health,) = alone.ask(f"{scheme}://{HOST}/healthz")
    assert (challenge.status, challenge.location) == (404, None)
    assert (health.status, health.location) == (200, None)


def test_behind_nginx_a_post_to_http_arrives_over_https(trusted: Shop) -> None:
    redirect, answer = trusted.ask(f"http://{HOST}/cart?item=7", "--location", "-d", "pieces=2")
    assert (redirect.status, redirect.location) == (307, f"https://{HOST}/cart?item=7")
    assert answer.status == 200
    assert trusted.origin is not None
    arrived = trusted.origin.arrival("/cart")
    assert (arrived["method"], arrived["target"], arrived["length"]) == ("POST", "/cart?item=7", 8)


def test_behind_nginx_detour_knows_https_when_it_is_asked_over_it(trusted: Shop) -> None:
    redirects = trusted.ask(f"http://{HOST}/sale/vote", "--location", "-d", "for=7")
    assert [answer.location for answer in redirects] == [
        f"https://{HOST}/sale/vote",
        "/campaigns/winter/vote",
        None,
    ]
    assert trusted.origin is not None
    assert trusted.origin.arrival("/campaigns/winter/vote")["length"] == 5


def test_behind_nginx_acme_and_health_are_not_redirected(trusted: Shop) -> None:
    (challenge,) = trusted.ask(f"http://{HOST}/.well-known/acme-challenge/token")
    assert (challenge.status, challenge.content) == (200, "what the authority wants to read")
    (health,) = trusted.ask(f"http://{HOST}/healthz")
    assert (health.status, health.location) == (200, None)


def test_an_untrusted_proxy_makes_no_loop_but_a_500_that_names_the_setting(untrusted: Shop) -> None:
    (answer,) = untrusted.ask(f"https://{HOST}/sale/vote", "--location", "--max-redirs", "5", "-d", "for=7")
    assert (answer.status, answer.location) == (500, None)
    assert answer.fields["cache-control"] == "no-store"
    line = eventually(
        lambda: [one for one in untrusted.detour.log.splitlines() if "trusted" in one], "a line"
    )
    assert len(line) == 1
    assert 'source = "x-forwarded"' in line[0]


def test_untrusted_it_still_redirects_what_was_asked_over_http(untrusted: Shop) -> None:
    (answer,) = untrusted.ask(f"http://{HOST}/cart")
    assert (answer.status, answer.location) == (307, f"https://{HOST}/cart")
