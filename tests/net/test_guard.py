"""The address guard, proven by who was connected to: nothing connects to an address that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from detour.core.chain import End, Outgoing, Response
from detour.core.url import URL
from detour.errors import DetourError
from detour.net.address import Mode, refusal, refusal_of_name
from detour.net.settings import ignored_proxies
from detour.net.transport import Sending, Transport, TransportSettings
from tests.net.origin import keeping, origin

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
PUBLIC, PRIVATE, LOOPBACK, METADATA = "93.184.216.34", "10.0.0.1", "127.0.0.1", "169.254.169.254"

# From contract.md: who may follow whom.
MAY = {
    ("hops", "", METADATA): True,
    ("hops", "", LOOPBACK): True,
    ("hops", PUBLIC, PUBLIC): True,
    ("hops", PUBLIC, PRIVATE): False,
    ("hops", PUBLIC, LOOPBACK): False,
    ("hops", PUBLIC, METADATA): False,
    ("hops", PRIVATE, PUBLIC): True,
    ("hops", PRIVATE, PRIVATE): True,
    ("hops", PRIVATE, LOOPBACK): False,
    ("hops", LOOPBACK, PRIVATE): True,
    ("hops", LOOPBACK, METADATA): False,
    ("hops", METADATA, METADATA): False,
    ("hops", METADATA, LOOPBACK): True,
    ("strict", "", PUBLIC): True,
    ("strict", "", PRIVATE): False,
    ("strict", "", LOOPBACK): False,
    ("strict", "", METADATA): False,
    ("strict", LOOPBACK, LOOPBACK): False,
    ("off", PUBLIC, METADATA): True,
    ("off", PUBLIC, LOOPBACK): True,
}


@pytest.mark.parametrize(("mode", "before", "address"), MAY)
def test_who_may_follow_whom(mode: Mode, before: str, address: str) -> None:
    assert (refusal(mode, before, address) == "") is MAY[mode, before, address]


@pytest.mark.parametrize(
    ("mode", "before", "may"), [("hops", "", 1), ("hops", LOOPBACK, 0), ("strict", "", 0)]
)
def test_metadata_is_refused_by_name(mode: Mode, before: str, may: int) -> None:
    assert (refusal_of_name(mode, before, "metadata.google.internal") == "") is bool(may)


# Spellings of 127.0.0.1 that a Location may hold; each is judged by the address it leads to.
LOOPBACK_HOSTS = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.0.0.1", "127.0.0.1."),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", "0.0.0.0", "0", "１２７.0.0.1"),
]
METADATA_HOSTS = [
    *(
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "0xa9.254.0xa9fe",
    ),
    *("169.254.169.254.", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"),
    *("[2002:a9fe:a9fe::]", "[::a9fe:a9fe]", "[fd00:ec2::254]", "metadata.google.internal", "METADATA.goog."),
    *("①⑥⑨.254.169.254", "100.100.100.200", "168.63.129.16"),
]


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_a_public_hop_does_not_lead_to_loopback_in_any_spelling(host: str) -> None:
    with origin(keeping(ANSWER)) as seen, Transport(TransportSettings(timeout=5)) as transport:
        request = Outgoing("GET", seen.url(host=host))
        end = transport.send(Sending(request, before=PUBLIC))
    assert isinstance(end, End)
    assert (end.name, seen.connections) == ("refused-address", 0)


@pytest.mark.parametrize("host", METADATA_HOSTS)
@pytest.mark.parametrize("before", [PUBLIC, LOOPBACK])
def test_no_hop_leads_to_metadata_in_any_disguise(host: str, before: str) -> None:
    with Transport(TransportSettings(timeout=5)) as transport:
        end = transport.send(Sending(Outgoing("GET", URL.parse(f"http://{host}:1/latest/")), before=before))
    assert isinstance(end, End)
    assert end.name == "refused-address"
    assert "metadata" in end.detail or "wire server" in end.detail


def test_the_first_hop_may_go_to_loopback_and_stay_there() -> None:
    with origin(keeping(ANSWER)) as seen, Transport() as transport:
        first = transport.send(Sending(seen.request()))
        assert isinstance(first, Response)
        assert isinstance(transport.send(Sending(seen.request(), before=first.remote)), Response)
    assert len(seen.heads) == 2


def test_a_name_is_judged_by_the_address_it_resolves_to() -> None:
    with origin(keeping(ANSWER)) as seen:
        settings = TransportSettings(resolve=(f"shop.example:{seen.port}:127.0.0.1",))
        with Transport(settings) as transport:
            url = seen.url(host="shop.example")
            first = transport.send(Sending(Outgoing("GET", url)))
            end = transport.send(Sending(Outgoing("GET", url), before=PUBLIC))
    assert isinstance(first, Response)
    assert first.remote == "127.0.0.1"
    assert seen.heads[0].split(b"\r\n")[1] == f"Host: shop.example:{seen.port}".encode()
    assert isinstance(end, End)
    assert end.name == "refused-address"
    assert len(seen.heads) == 1


def test_an_open_connection_is_judged_again() -> None:
    """A reused connection opens no socket: only the look before the request is sent can refuse it."""
    with origin(keeping(ANSWER)) as seen, Transport() as transport:
        assert isinstance(transport.send(Sending(seen.request())), Response)
        end = transport.send(Sending(seen.request(), before=PUBLIC))
        assert isinstance(end, End)
        assert end.name == "refused-address"
    assert (seen.connections, len(seen.heads)) == (1, 1)


def test_connect_to_does_not_lead_around_the_guard() -> None:
    with origin(keeping(ANSWER)) as seen:
        settings = TransportSettings(connect_to=(f"shop.example:80:127.0.0.1:{seen.port}",))
        with Transport(settings) as transport:
            request = Outgoing("GET", URL.parse("http://shop.example/"))
            assert isinstance(transport.send(Sending(request)), Response)
            end = transport.send(Sending(request, before=PUBLIC))
    assert isinstance(end, End)
    assert end.name == "refused-address"
    assert len(seen.heads) == 1


def test_strict_refuses_the_first_hop_too() -> None:
    with origin(keeping(ANSWER)) as seen, Transport(TransportSettings(guard="strict")) as transport:
        end = transport.send(Sending(seen.request()))
    assert isinstance(end, End)
    assert (end.name, seen.connections) == ("refused-address", 0)


def test_off_refuses_nothing() -> None:
    with origin(keeping(ANSWER)) as seen, Transport(TransportSettings(guard="off")) as transport:
        assert isinstance(transport.send(Sending(seen.request(), before=PUBLIC)), Response)


# -- proxies -------------------------------------------------------------------------------------------------


def test_a_proxy_beside_the_guard_is_refused_with_a_remedy() -> None:
    with pytest.raises(DetourError, match="--guard off"):
        TransportSettings(proxy="http://127.0.0.1:3128")


@pytest.mark.parametrize("path", ["/a?b", "/a%2fb"])
def test_a_proxy_gets_the_whole_target_uri(path: str) -> None:
    with origin(keeping(ANSWER)) as proxy:
        settings = TransportSettings(proxy=f"http://127.0.0.1:{proxy.port}", guard="off")
        with Transport(settings) as transport:
            answer = transport.send(Sending(Outgoing("GET", URL.parse(f"http://shop.example{path}"))))
    assert isinstance(answer, Response)
    assert proxy.heads[0].startswith(f"GET http://shop.example{path} HTTP/1.1\r\n".encode())


def test_a_proxy_that_refuses_a_tunnel_is_a_proxy_end() -> None:
    with origin(keeping(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")) as proxy:
        settings = TransportSettings(proxy=f"http://127.0.0.1:{proxy.port}", guard="off")
        with Transport(settings) as transport:
            end = transport.send(Sending(Outgoing("GET", URL.parse("https://shop.example/"))))
    assert isinstance(end, End)
    assert end.name == "proxy"
    assert proxy.heads[0].startswith(b"CONNECT shop.example:443 HTTP/1.1\r\n")


def test_a_file_that_is_not_there_is_named_before_anything_is_sent() -> None:
    with pytest.raises(DetourError, match=r"--cert /nowhere\.pem: no such file"):
        TransportSettings(client_cert="/nowhere.pem")


@pytest.mark.parametrize(
    "told",
    [
        *("shop.example", "shop.example:443", "shop.example:https:127.0.0.1", "a:1: ", "a:1:b"),
        *("a:0:127.0.0.1", "a:65536:127.0.0.1", "a:1:127.0.0.1,", "a:1:127.1"),
    ],
)
def test_a_resolve_that_is_none_is_refused_with_its_form(told: str) -> None:
    with pytest.raises(DetourError, match="HOST:PORT:ADDRESS"):
        TransportSettings(resolve=(told,))


@pytest.mark.parametrize("told", ["foo://127.0.0.1:1", "http://", "http:// x", "://a"])
def test_a_proxy_that_is_none_is_refused_with_its_form(told: str) -> None:
    with pytest.raises(DetourError, match="socks5h://HOST:PORT"):
        TransportSettings(proxy=told, guard="off")


def test_what_is_not_ascii_goes_to_libcurl_as_it_was_typed(tmp_path: Path) -> None:
    file = tmp_path / "é.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    ways = TransportSettings(
        resolve=("é.example:80:127.0.0.1",), connect_to=("é.example:80:127.0.0.1:1",), ca=str(file), timeout=5
    )
    with origin(keeping(ANSWER)) as seen, Transport(ways) as transport:
        assert isinstance(transport.send(Sending(seen.request())), Response)


@pytest.mark.parametrize("told", ["shop.example:80", "a:b:c:d", "a:1:b:2:c"])
def test_a_connect_to_that_is_none_is_refused_with_its_form(told: str) -> None:
    with pytest.raises(DetourError, match="OTHER_HOST"):
        TransportSettings(connect_to=(told,))


def test_ways_are_written_as_curl_writes_them() -> None:
    resolve = ("a.example:80:127.0.0.1,[::1]", "[::1]:80:127.0.0.1", "*:443:127.0.0.1")
    connect_to = ("a.example:80:[::1]:81", "::b.example:", "[::1]:80:c:1")
    settings = TransportSettings(resolve=resolve, connect_to=connect_to)
    assert (settings.resolve, settings.connect_to) == (resolve, connect_to)


def test_ignored_proxies_are_named() -> None:
    environment = {"HTTPS_PROXY": "http://p:1", "http_proxy": "http://p:1", "no_proxy": "x", "ALL_PROXY": ""}
    assert ignored_proxies(environment) == "HTTPS_PROXY, http_proxy: ignored; use --proxy URL --guard off"
    assert ignored_proxies({"PATH": "/bin"}) == ""
