"""How public an IP address is: the IANA special-purpose registries as a table, and what hides in an address.

The table states the IPv4 and IPv6 Special-Purpose Address Registries as of 2025-10-09, with multicast
(RFC 5771, RFC 4291 §2.7), the deprecated site-local block (RFC 3879) and the addresses of cloud metadata
services, which stand in no registry. Of the rows that hold an address, the one with the longest prefix
says what it is; outside of 2000::/3 no IPv6 address is public (IANA IPv6 Address Space). The standard
library's `is_global` is not asked: on Python 3.11 it calls a NAT64 spelling of 169.254.169.254 global.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import msgspec


class Publicness(IntEnum):
    """Who can reach an address; a greater one is more public."""

    METADATA = 0  # the machine's own credentials, served to whoever asks from it
    LOOPBACK = 1
    LINK_LOCAL = 2
    RESERVED = 3  # nobody's: documentation, multicast, not yet allocated
    PRIVATE = 4
    SHARED = 5  # a carrier's customers
    PUBLIC = 6


class Block(msgspec.Struct, frozen=True):
    """One row: a prefix, how public its addresses are, its name and where that is written."""

    prefix: str
    publicness: Publicness
    name: str
    source: str


_METADATA, _LOOPBACK, _LINK_LOCAL = Publicness.METADATA, Publicness.LOOPBACK, Publicness.LINK_LOCAL
_RESERVED, _PRIVATE, _SHARED, _PUBLIC = (
    Publicness.RESERVED,
    Publicness.PRIVATE,
    Publicness.SHARED,
    Publicness.PUBLIC,
)

BLOCKS: tuple[Block, ...] = (
    # IANA IPv4 Special-Purpose Address Registry
    Block("0.0.0.0/8", _LOOPBACK, "this network", "RFC 1122 §3.2.1.3"),  # connects to oneself
    Block("10.0.0.0/8", _PRIVATE, "private use", "RFC 1918"),
    Block("100.64.0.0/10", _SHARED, "shared address space", "RFC 6598"),
    Block("127.0.0.0/8", _LOOPBACK, "loopback", "RFC 1122 §3.2.1.3"),
    Block("169.254.0.0/16", _LINK_LOCAL, "link local", "RFC 3927"),
    Block("172.16.0.0/12", _PRIVATE, "private use", "RFC 1918"),
    Block("192.0.0.0/24", _RESERVED, "IETF protocol assignments", "RFC 6890 §2.1"),
    Block("192.0.0.9/32", _PUBLIC, "port control protocol anycast", "RFC 7723"),
    Block("192.0.0.10/32", _PUBLIC, "TURN anycast", "RFC 8155"),
    Block("192.0.2.0/24", _RESERVED, "documentation (TEST-NET-1)", "RFC 5737"),
    Block("192.31.196.0/24", _PUBLIC, "AS112-v4", "RFC 7535"),
    Block("192.52.193.0/24", _PUBLIC, "AMT", "RFC 7450"),
    Block("192.88.99.0/24", _RESERVED, "deprecated 6to4 relay anycast", "RFC 7526"),
    Block("192.168.0.0/16", _PRIVATE, "private use", "RFC 1918"),
    Block("192.175.48.0/24", _PUBLIC, "direct delegation AS112", "RFC 7534"),
    Block("198.18.0.0/15", _PRIVATE, "benchmarking", "RFC 2544"),
    Block("198.51.100.0/24", _RESERVED, "documentation (TEST-NET-2)", "RFC 5737"),
    Block("203.0.113.0/24", _RESERVED, "documentation (TEST-NET-3)", "RFC 5737"),
    Block("224.0.0.0/4", _RESERVED, "multicast", "RFC 5771"),
    Block("240.0.0.0/4", _RESERVED, "reserved", "RFC 1112 §4"),
    # IANA IPv6 Special-Purpose Address Registry
    Block("::/128", _LOOPBACK, "unspecified", "RFC 4291 §2.5.2"),  # connects to oneself
    Block("::1/128", _LOOPBACK, "loopback", "RFC 4291 §2.5.3"),
    Block("64:ff9b:1::/48", _PRIVATE, "local-use IPv4/IPv6 translation", "RFC 8215"),
    Block("100::/64", _RESERVED, "discard only", "RFC 6666"),
    Block("100:0:0:1::/64", _RESERVED, "dummy prefix", "RFC 9780"),
    Block("2000::/3", _PUBLIC, "global unicast", "RFC 4291 §2.5.4"),
    Block("2001::/23", _RESERVED, "IETF protocol assignments", "RFC 2928"),
    Block("2001:1::1/128", _PUBLIC, "port control protocol anycast", "RFC 7723"),
    Block("2001:1::2/128", _PUBLIC, "TURN anycast", "RFC 8155"),
    Block("2001:1::3/128", _PUBLIC, "DNS-SD service registration anycast", "RFC 9665"),
    Block("2001:2::/48", _PRIVATE, "benchmarking", "RFC 5180"),
    Block("2001:3::/32", _PUBLIC, "AMT", "RFC 7450"),
    Block("2001:4:112::/48", _PUBLIC, "AS112-v6", "RFC 7535"),
    Block("2001:10::/28", _RESERVED, "deprecated ORCHID", "RFC 4843"),
    Block("2001:20::/28", _PUBLIC, "ORCHIDv2", "RFC 7343"),
    Block("2001:30::/28", _PUBLIC, "drone remote ID", "RFC 9374"),
    Block("2001:db8::/32", _RESERVED, "documentation", "RFC 3849"),
    Block("3fff::/20", _RESERVED, "documentation", "RFC 9637"),
    Block("5f00::/16", _PRIVATE, "segment routing (SRv6) SIDs", "RFC 9602"),
    Block("fc00::/7", _PRIVATE, "unique local", "RFC 4193"),
    Block("fe80::/10", _LINK_LOCAL, "link-local unicast", "RFC 4291 §2.5.6"),
    Block("fec0::/10", _PRIVATE, "deprecated site-local", "RFC 3879"),
    Block("ff00::/8", _RESERVED, "multicast", "RFC 4291 §2.7"),
    Block("::/0", _RESERVED, "not allocated", "IANA IPv6 Address Space"),
    # Cloud metadata, as the clouds document it
    Block("169.254.169.254/32", _METADATA, "instance metadata", "AWS, Azure, Google, OpenStack and others"),
    Block("169.254.170.2/32", _METADATA, "task credentials", "AWS ECS"),
    Block("169.254.170.23/32", _METADATA, "pod identity credentials", "AWS EKS"),
    Block("169.254.0.23/32", _METADATA, "instance metadata", "Tencent Cloud"),
    Block("169.254.42.42/32", _METADATA, "instance metadata", "Scaleway"),
    Block("168.63.129.16/32", _METADATA, "wire server", "Azure"),
    Block("100.100.100.200/32", _METADATA, "instance metadata", "Alibaba Cloud"),
    Block("192.0.0.192/32", _METADATA, "instance metadata", "Oracle Cloud classic"),
    Block("fd00:ec2::254/128", _METADATA, "instance metadata", "AWS"),
    Block("fd00:ec2::23/128", _METADATA, "pod identity credentials", "AWS EKS"),
    Block("fd20:ce::254/128", _METADATA, "instance metadata", "Google Cloud"),
    Block("fd00:42::42/128", _METADATA, "instance metadata", "Scaleway"),
    Block("fd00:a9fe:a9fe::1/128", _METADATA, "instance metadata", "Linode"),
    Block("fd00:c1::a9fe:a9fe/128", _METADATA, "instance metadata", "Oracle Cloud"),
    Block("fe80::a9fe:a9fe/128", _METADATA, "instance metadata", "OpenStack"),
)

# Names that lead to a metadata service wherever they resolve to.
METADATA_NAMES = frozenset(
    {
        "instance-data",  # AWS EC2
        "instance-data.ec2.internal",
        "metadata",  # Google Cloud's search domain
        "metadata.goog",
        "metadata.google.internal",
        "metadata.tencentyun.com",
        "metadata.platformequinix.com",
        "metadata.packet.net",
        "rancher-metadata",
    }
)

_ANY_V4 = Block("0.0.0.0/0", _PUBLIC, "global unicast", "RFC 791")


class _Prefix(msgspec.Struct, frozen=True):
    """A row as numbers."""

    network: int
    mask: int
    block: Block


def _longest_first(version: int) -> tuple[_Prefix, ...]:
    rows = [(ip_network(block.prefix), block) for block in (*BLOCKS, _ANY_V4)]
    mine = [(network, block) for network, block in rows if network.version == version]
    mine.sort(key=lambda row: row[0].prefixlen, reverse=True)
    return tuple(
        _Prefix(int(network.network_address), int(network.netmask), block) for network, block in mine
    )


_ROWS = {4: _longest_first(4), 6: _longest_first(6)}


def block_of(address: str) -> Block:
    """The row that says what `address` is, wrapped addresses unwrapped; raises `ValueError` if it is none."""
    return _judge(ip_address(address.partition("%")[0]))


def publicness(address: str) -> Publicness:
    """How public `address` is, wrapped addresses unwrapped; raises `ValueError` if it is none."""
    return block_of(address).publicness


def is_metadata_name(hostname: str) -> bool:
    """Whether a hostname is one that clouds give to their metadata service."""
    return hostname.lower().removesuffix(".") in METADATA_NAMES


def _judge(address: IPv4Address | IPv6Address) -> Block:
    if address.version == 4:
        return _row(address)
    return min((_row(inner) for inner in _unwrapped(address)), key=lambda block: block.publicness)


def _row(address: IPv4Address | IPv6Address) -> Block:
    number = int(address)
    return next(row.block for row in _ROWS[address.version] if number & row.mask == row.network)


def _unwrapped(address: IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The addresses a packet to `address` may end at: the least public of them counts."""
    number = int(address)
    top96, low = number >> 32, number & 0xFFFFFFFF
    if top96 in _WRAPPED_BY_96 and number > 1:
        yield IPv4Address(low)
    elif number >> 112 == 0x2002:  # 6to4 (RFC 3056 §2)
        yield IPv4Address(number >> 80 & 0xFFFFFFFF)
    elif number >> 96 == 0x20010000:  # Teredo (RFC 4380 §4): the server, and the client with its bits flipped
        yield IPv4Address(number >> 64 & 0xFFFFFFFF)
        yield IPv4Address(low ^ 0xFFFFFFFF)
    elif number >> 80 == 0x64FF9B0001:
        yield address
        yield IPv4Address(low)
        yield from _metadata_of_shorter_prefix(number)
    else:
        yield address


_WRAPPED_BY_96 = {
    0xFFFF,  # ::ffff:0:0/96 IPv4-mapped (RFC 4291 §2.5.5.2)
    0xFFFF0000,  # ::ffff:0:0:0/96 IPv4-translated (RFC 2765 §2.1)
    0,  # ::/96 IPv4-compatible, deprecated (RFC 4291 §2.5.5.1); :: and ::1 are themselves
    0x64FF9B << 64,  # 64:ff9b::/96 NAT64 (RFC 6052 §2.1)
}


def _metadata_of_shorter_prefix(number: int) -> Iterator[IPv4Address]:
    """What 64:ff9b:1::/48 holds where the prefix in use is 48, 56 or 64 long, if that is a metadata service.

    RFC 6052 §2.2: bits 64 to 71 are skipped. Other addresses read so would be chance.
    """
    around_u = (number >> 64) << 56 | (number & (1 << 56) - 1)  # without bits 64 to 71
    for length in (48, 56, 64):
        inner = IPv4Address(around_u >> 120 - length - 32 & 0xFFFFFFFF)
        if _row(inner).publicness is Publicness.METADATA:
            yield inner
