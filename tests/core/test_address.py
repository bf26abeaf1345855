"""How public an address is: rows of the registries, and addresses that hide another."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.core.address import BLOCKS, Publicness, block_of, is_metadata_name, publicness

METADATA, LOOPBACK, LINK_LOCAL = Publicness.METADATA, Publicness.LOOPBACK, Publicness.LINK_LOCAL
RESERVED, PRIVATE, SHARED, PUBLIC = (
    Publicness.RESERVED,
    Publicness.PRIVATE,
    Publicness.SHARED,
    Publicness.PUBLIC,
)

# By hand from the IANA registries and the clouds' documentation: both edges of a block, and just outside.
KNOWN = {
    "0.0.0.0": LOOPBACK,
    "0.255.255.255": LOOPBACK,
    "1.0.0.0": PUBLIC,
    "9.255.255.255": PUBLIC,
    "10.0.0.0": PRIVATE,
    "10.255.255.255": PRIVATE,
    "11.0.0.0": PUBLIC,
    "100.63.255.255": PUBLIC,
    "100.64.0.0": SHARED,
    "100.127.255.255": SHARED,
    "100.128.0.0": PUBLIC,
    "100.100.100.200": METADATA,
    "126.255.255.255": PUBLIC,
    "127.0.0.1": LOOPBACK,
    "127.255.255.255": LOOPBACK,
    "168.63.129.16": METADATA,
    "168.63.129.17": PUBLIC,
    "169.254.0.1": LINK_LOCAL,
    "169.254.169.254": METADATA,
    "169.254.169.253": LINK_LOCAL,
    "169.254.170.2": METADATA,
    "172.15.255.255": PUBLIC,
    "172.16.0.0": PRIVATE,
    "172.31.255.255": PRIVATE,
    "172.32.0.0": PUBLIC,
    "192.0.0.1": RESERVED,
    "192.0.0.9": PUBLIC,
    "192.0.0.192": METADATA,
    "192.0.2.1": RESERVED,
    "192.88.99.1": RESERVED,
    "192.168.255.255": PRIVATE,
    "192.169.0.0": PUBLIC,
    "198.18.0.1": PRIVATE,
    "198.51.100.1": RESERVED,
    "203.0.113.1": RESERVED,
    "223.255.255.255": PUBLIC,
    "224.0.0.1": RESERVED,
    "255.255.255.255": RESERVED,
    "8.8.8.8": PUBLIC,
    "::": LOOPBACK,
    "::1": LOOPBACK,
    "100::1": RESERVED,
    "2001:db8::1": RESERVED,
    "2001:20::1": PUBLIC,
    "2600::1": PUBLIC,
    "2a00:1450:4001::1": PUBLIC,
    "3fff::1": RESERVED,
    "4000::1": RESERVED,
    "5f00::1": PRIVATE,
    "fc00::1": PRIVATE,
    "fd00:ec2::254": METADATA,
    "fd00:ec2::253": PRIVATE,
    "fd20:ce::254": METADATA,
    "fe80::1": LINK_LOCAL,
    "fe80::1%eth0": LINK_LOCAL,
    "fec0::1": PRIVATE,
    "ff02::1": RESERVED,
}

# 169.254.169.254 = a9fe:a9fe, 127.0.0.1 = 7f00:1, 8.8.8.8 = 808:808.
HIDING = {
    "::ffff:169.254.169.254": METADATA,  # IPv4-mapped
    "::ffff:127.0.0.1": LOOPBACK,
    "::ffff:8.8.8.8": PUBLIC,
    "::ffff:0:169.254.169.254": METADATA,  # IPv4-translated
    "::169.254.169.254": METADATA,  # IPv4-compatible
    "::127.0.0.1": LOOPBACK,
    "64:ff9b::a9fe:a9fe": METADATA,  # NAT64
    "64:ff9b::7f00:1": LOOPBACK,
    "64:ff9b::808:808": PUBLIC,
    "64:ff9b:1::1": LOOPBACK,  # local-use NAT64: its low 32 bits are 0.0.0.1
    "64:ff9b:1::a00:1": PRIVATE,
    "64:ff9b:1::808:808": PRIVATE,  # never more public than its own row
    "64:ff9b:1::a9fe:a9fe": METADATA,
    "64:ff9b:1:a9fe:a9:fe00::": METADATA,  # RFC 6052 §2.2, a /48 prefix: bits 64 to 71 are skipped
    "2002:a9fe:a9fe::": METADATA,  # 6to4
    "2002:a9fe:a9fe:1::1": METADATA,
    "2002:c0a8:1::1": PRIVATE,
    "2002:808:808::1": PUBLIC,
    "2001::5601:5601": METADATA,  # Teredo: the client's address has its bits flipped, a9fe:a9fe ^ ffff:ffff
    "2001:0:808:808::80ff:fffe": LOOPBACK,
    "2001:0:7f00:1::f7f7:f7f7": LOOPBACK,  # a server at 127.0.0.1
    "2001:0:808:808::f7f7:f7f7": PUBLIC,
}


@pytest.mark.parametrize(("address", "expected"), (KNOWN | HIDING).items())
def test_each_address_is_as_public_as_its_registry_says(address: str, expected: Publicness) -> None:
    assert publicness(address) is expected


@pytest.mark.parametrize("name", ["", "localhost", "1.2.3", "127.1", "0x7f000001", "::g", "1.2.3.4.5"])
def test_what_is_no_address_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        publicness(name)


def longest_row(address: IPv4Address | IPv6Address) -> Publicness:
    """The oracle: every row that holds the address, the longest prefix of them."""
    rows = [(ip_network(block.prefix), block.publicness) for block in BLOCKS]
    holding = [
        (net.prefixlen, kind) for net, kind in rows if net.version == address.version and address in net
    ]
    return max(holding)[1] if holding else PUBLIC


@given(st.ip_addresses(v=4))
def test_the_longest_prefix_decides_for_ipv4(address: IPv4Address) -> None:
    assert publicness(str(address)) is longest_row(address)


@given(st.ip_addresses(v=4), st.sampled_from([0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96]))
def test_an_address_is_as_public_as_the_one_it_carries(inner: IPv4Address, prefix: int) -> None:
    assert publicness(str(IPv6Address(prefix | int(inner)))) is longest_row(inner)


@given(st.ip_addresses(v=4), st.integers(0, 2**80 - 1))
def test_6to4_is_as_public_as_its_router(router: IPv4Address, rest: int) -> None:
    assert publicness(str(IPv6Address(0x2002 << 112 | int(router) << 80 | rest))) is longest_row(router)


@given(st.ip_addresses(v=6))
def test_outside_of_2000_3_nothing_is_public_that_hides_nothing_public(address: IPv6Address) -> None:
    if int(address) >> 125 != 1 and int(address) >> 32 not in (0xFFFF, 0xFFFF0000, 0, 0x64FF9B << 64):
        assert publicness(str(address)) is not PUBLIC


def test_every_row_says_where_it_is_written_and_is_a_network_of_its_own() -> None:
    networks = [ip_network(block.prefix) for block in BLOCKS]
    assert len(set(networks)) == len(networks)
    assert all(block.name and block.source for block in BLOCKS)


def test_the_row_names_what_the_address_is() -> None:
    assert block_of("64:ff9b::a9fe:a9fe").name == "instance metadata"
    assert ip_address("169.254.169.254") in ip_network(block_of("169.254.169.254").prefix)


@pytest.mark.parametrize("name", ["metadata.google.internal", "METADATA.google.internal.", "metadata.goog"])
def test_metadata_services_are_known_by_name(name: str) -> None:
    assert is_metadata_name(name)


@pytest.mark.parametrize("name", ["metadata.example.com", "google.internal", "xmetadata.google.internal"])
def test_other_names_are_not_metadata(name: str) -> None:
    assert not is_metadata_name(name)
