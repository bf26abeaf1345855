"""What servers and proxies leave in a redirect; a certain row rests on a capture, as in `applications`."""

from __future__ import annotations

from detour.follow.fingerprint import Fingerprint
from detour.follow.fingerprints.proxies import PROXIES
from detour.follow.fingerprints.servers import SERVERS

EDGES: tuple[Fingerprint, ...] = (*SERVERS, *PROXIES)
