"""The recipe `load-balancer`, verbatim, with clients at many addresses of 127.0.0.0/8."""

from __future__ import annotations

import contextlib
import http.client
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.curl import curl
from tests.examples.running import EXAMPLES, PATIENCE, Detour, EchoOrigin
from tests.examples.staging import Certificate

RULES = EXAMPLES / "load-balancer" / "detours.toml"
EU, US = "eu.upload.example.com", "us.upload.example.com"


@pytest.fixture
def balancer(tmp_path: Path) -> Iterator[Detour]:
    with Detour(RULES, tmp_path, "--listen", "http://127.0.0.1:0") as detour:
        yield detour


def sent_to(balancer: Detour, client: str) -> str:
    """Where a PUT from this address is sent."""
    asking = http.client.HTTPConnection("127.0.0.1", balancer.port, PATIENCE, source_address=(client, 0))
    with contextlib.closing(asking):
        asking.request("PUT", "/files/7?x=1", b"content", {"Host": "upload.example.com"})
        answer = asking.getresponse()
    assert answer.status == 307
    assert answer.headers["Cache-Control"] == "no-store"
    host, _, rest = answer.headers["Location"].removeprefix("https://").partition("/")
    assert rest == "files/7?x=1"
    return host


def test_half_of_the_clients_go_to_each_host(balancer: Detour) -> None:
    hosts = Counter(sent_to(balancer, f"127.{n % 7}.{n % 5}.{n + 1}") for n in range(240))
    assert set(hosts) == {EU, US}
    # five standard deviations of a fair coin thrown 240 times; the choice is a hash: no chance is in it
    assert abs(hosts[EU] - 120) < 39


def test_a_client_always_goes_to_the_same_host(balancer: Detour) -> None:
    for n in range(20):
        assert len({sent_to(balancer, f"127.1.1.{n + 1}") for _ in range(5)}) == 1


def test_an_upload_arrives_whole_at_the_host_of_its_client(balancer: Detour, tmp_path: Path) -> None:
    clients = {sent_to(balancer, f"127.2.2.{n + 1}"): f"127.2.2.{n + 1}" for n in range(20)}
    certificate = Certificate.issue(tmp_path, EU, US)
    file = tmp_path / "upload.bin"
    file.write_bytes(bytes(range(256)) * 4096)
    with EchoOrigin(tmp_path, str(certificate)) as eu, EchoOrigin(tmp_path, str(certificate)) as us:
        at = {"upload.example.com:80": balancer.port, f"{EU}:443": eu.port, f"{US}:443": us.port}
        for host, origin in ((EU, eu), (US, us)):
            options = ("--location", "-T", str(file), "--interface", clients[host])
            curl("http://upload.example.com/files/7", *options, at=at, ca=certificate.ca)
            arrived = origin.arrival("/files/7")
            assert (arrived["method"], arrived["length"]) == ("PUT", 1024 * 1024)
