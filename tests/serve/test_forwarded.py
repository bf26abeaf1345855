"""Who asks, over what, according to proxies."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.serve.forwarded import Asker, believe, claimed_schemes, is_trusted, plain_address

OWN = Asker("http", "shop.example.com", "10.0.0.1")
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))


def forwarded(*lines: str, trust_host: bool = False) -> Asker:
    return believe("forwarded", tuple(("forwarded", line) for line in lines), OWN, TRUSTED, trust_host)


def x_forwarded(
    *clients: str, proto: str | None = None, host: str | None = None, trust_host: bool = False
) -> Asker:
    fields = [("x-forwarded-for", line) for line in clients]
    fields += [("x-forwarded-proto", proto)] if proto is not None else []
    fields += [("x-forwarded-host", host)] if host is not None else []
    return believe("x-forwarded", fields, OWN, TRUSTED, trust_host)


def test_a_peer_that_says_nothing_asks_for_itself() -> None:
    assert forwarded() == OWN
    assert x_forwarded() == OWN
    assert forwarded("") == OWN
    assert x_forwarded("", " , ") == OWN


def test_the_other_family_is_not_read() -> None:
    fields = (("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https"))
    assert believe("forwarded", fields, OWN, TRUSTED, True) == OWN
    assert believe("x-forwarded", (("forwarded", "for=192.0.2.1;proto=https"),), OWN, TRUSTED, True) == OWN


def test_the_first_untrusted_address_from_the_right_is_the_client() -> None:
    assert x_forwarded("203.0.113.9, 192.0.2.1, 10.1.1.1").client == "192.0.2.1"
    assert x_forwarded("203.0.113.9, 192.0.2.1", "10.1.1.1, 10.2.2.2").client == "192.0.2.1"
    assert forwarded("for=203.0.113.9, for=192.0.2.1", "for=10.1.1.1").client == "192.0.2.1"


def test_when_all_are_trusted_the_leftmost_is_the_client() -> None:
    assert x_forwarded("10.9.9.9, 10.1.1.1").client == "10.9.9.9"


def test_scheme_and_host_come_from_the_rightmost_element() -> None:
    asker = forwarded("for=192.0.2.9;proto=http;host=evil.example, for=192.0.2.1;PROTO=HTTPS;host=a.example")
    assert asker == Asker("https", "shop.example.com", "192.0.2.1")
    assert x_forwarded("192.0.2.1", proto="http, https").scheme == "https"


def test_the_host_is_believed_only_where_the_listener_says_so() -> None:
    assert forwarded('host="a.example:8443"').host == "shop.example.com"
    assert forwarded('host="a.example:8443"', trust_host=True).host == "a.example:8443"
    assert x_forwarded(host="evil.example, a.example", trust_host=True).host == "a.example"


def test_a_scheme_that_is_none_of_ours_is_not_believed() -> None:
    assert forwarded("proto=gopher").scheme == "http"
    assert x_forwarded(proto="wss").scheme == "http"


@pytest.mark.parametrize(
    ("node", "client"),
    [
        ("192.0.2.43", "192.0.2.43"),
        ('"192.0.2.43:47011"', "192.0.2.43"),
        ('"192.0.2.43:_port"', "192.0.2.43"),
        ('"[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('"[2001:DB8:cafe:0::17]"', "2001:db8:cafe::17"),
        ('"[fe80::1%25eth0]"', "fe80::1"),
        ('"[::ffff:192.0.2.43]"', "192.0.2.43"),
        ('"192.0\\.2.43"', "192.0.2.43"),
        ("unknown", ""),
        ("_hidden", ""),
        ('"_SEVKISEK:_x"', ""),
        ("999.0.2.43", ""),
        ('""', ""),
    ],
)
def test_a_node_is_an_address_or_nobody(node: str, client: str) -> None:
    assert forwarded(f"for={node};proto=https") == Asker("https", "shop.example.com", client)


@pytest.mark.parametrize(
    "line",
    [
        'for="192.0.2.1',
        "for=192.0.2.1;for=192.0.2.2",
        "for=[2001:db8::1]",
        "for = 192.0.2.1",
        "for=192.0.2.1;proto=https x",
        "for=192.0.2.1;=",
        "garbage",
    ],
)
def test_a_malformed_line_leaves_scheme_and_host_and_makes_the_client_unknown(line: str) -> None:
    assert forwarded(line, trust_host=True) == Asker("http", "shop.example.com", "")


def test_a_garbled_line_cannot_swallow_what_the_proxy_adds_in_its_own() -> None:
    assert forwarded('for="open', "for=192.0.2.1;proto=https") == Asker(
        "https", "shop.example.com", "192.0.2.1"
    )


def test_an_unknown_hop_ends_the_walk_with_an_unknown_client() -> None:
    assert x_forwarded("192.0.2.1, unknown, 10.1.1.1").client == ""
    assert forwarded("for=192.0.2.1, proto=https, for=10.1.1.1").client == ""


@pytest.mark.parametrize(
    ("node", "client"),
    [
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("192.0.2.1:5000", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.1:port", ""),
    ],
)
def test_x_forwarded_for_is_read_as_it_is_written_in_the_wild(node: str, client: str) -> None:
    assert x_forwarded(node).client == client


def test_empty_elements_and_parameters_are_skipped() -> None:
    asker = forwarded(" , for=192.0.2.1 ; ;proto=https ,\t,")
    assert (asker.client, asker.scheme) == ("192.0.2.1", "https")


def test_claims_of_every_family_but_the_believed_one_are_evidence() -> None:
    fields = (("forwarded", "proto=https"), ("x-forwarded-proto", "http"), ("x-forwarded-proto", "spdy"))
    assert claimed_schemes(fields) == {"http", "https"}
    assert claimed_schemes(fields, "forwarded") == {"http"}
    assert claimed_schemes(fields, "x-forwarded") == {"https"}
    assert claimed_schemes((("accept", "https"),)) == frozenset()


def test_an_address_is_trusted_by_network_whatever_its_spelling() -> None:
    assert is_trusted(plain_address("::ffff:10.1.2.3"), TRUSTED)
    assert is_trusted(plain_address("2001:DB8:1::7%eth0"), TRUSTED)
    assert not is_trusted(plain_address("192.0.2.1"), TRUSTED)
    assert not is_trusted("", TRUSTED)
    assert not is_trusted("10.0.0.1", ())


@given(st.lists(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"))))
def test_nothing_a_client_writes_raises(lines: list[str]) -> None:
    for asker in (forwarded(*lines, trust_host=True), x_forwarded(*lines)):
        assert asker.scheme in ("http", "https")
        assert asker.client == plain_address(asker.client)


NODES = st.ip_addresses().map(str)


@given(st.lists(NODES, min_size=1, max_size=6))
def test_both_families_find_the_same_client(nodes: list[str]) -> None:
    quoted = [f'for="[{node}]"' if ":" in node else f"for={node}" for node in nodes]
    assert forwarded(", ".join(quoted)).client == x_forwarded(", ".join(nodes)).client


@given(st.lists(NODES, min_size=1, max_size=6))
def test_the_walk_agrees_with_a_plain_one(nodes: list[str]) -> None:
    addresses = [plain_address(node) for node in nodes]
    untrusted = [address for address in addresses if not is_trusted(address, TRUSTED)]
    assert x_forwarded(*nodes).client == (untrusted[-1] if untrusted else addresses[0])
