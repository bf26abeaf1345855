"""The certificate a server showed, in a few words; libcurl tells it once for each connection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pycurl

from detour.core.chain import Certificate

_MOST_REMEMBERED = 4096
_WRITTEN = "%b %d %H:%M:%S %Y GMT"  # as OpenSSL prints times


class Certificates:
    """The certificates of the origins asked so far, for requests on connections that were open already."""

    def __init__(self) -> None:
        self._seen: dict[str, Certificate] = {}

    def of(self, curl: Any, origin: str) -> Certificate | None:
        """The certificate that `origin` showed to the request `curl` has just sent, or to one before."""
        chain = curl.getinfo_raw(pycurl.INFO_CERTINFO)
        if not chain:
            return self._seen.get(origin)
        if len(self._seen) >= _MOST_REMEMBERED:
            self._seen.pop(next(iter(self._seen)))
        self._seen[origin] = found = summary(chain[0])
        return found


def summary(pairs: Any) -> Certificate:
    """What libcurl tells of one certificate, as (name, value) pairs or `name:value` texts, in a few words."""
    told = dict(_pair(one) for one in pairs)
    names = told.get("X509v3 Subject Alternative Name", "")
    return Certificate(
        subject=told.get("Subject", ""),
        issuer=told.get("Issuer", ""),
        not_before=_iso(told.get("Start date", "")),
        not_after=_iso(told.get("Expire date", "")),
        names=tuple(name.partition(":")[2].strip() for name in names.split(",") if name.strip()),
    )


def _pair(one: Any) -> tuple[str, str]:
    if isinstance(one, tuple):
        return _text(one[0]), _text(one[1])
    name, _, value = _text(one).partition(":")
    return name, value


def _text(octets: bytes | str) -> str:
    return octets if isinstance(octets, str) else octets.decode("utf-8", "replace")


def _iso(written: str) -> str:
    """`2026-11-24T00:00:00Z`; what is not a time of OpenSSL's stays as it is."""
    try:
        return datetime.strptime(written, _WRITTEN).replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return written
