"""The recipes as the tests run them.

Either verbatim: the rules stay as they are, and `curl --connect-to` reaches shop.example.com and its like
on loopback, so that every name and port a rule sees is the one it is written for. Or localized, for clients
that cannot be told where a host is: the hosts in patterns become Detour's own address, those in Locations
the origin's. Windows are moved so that today lies in them, whatever the day; the examples beside the rules
are left out (`detour test` runs those on the verbatim files), and [defaults] let scripts of every origin
in, which browsers ask for.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from tests.examples.running import EXAMPLES

NAMES = ("start", "api-moved", "https-for-now", "form-action", "load-balancer")
CORS = '[defaults]\ncors = { headers = "*" }\n\n'


class Recipe(msgspec.Struct, frozen=True):
    """An example: where a request for it goes, and the methods it redirects (empty: all)."""

    name: str
    path: str
    methods: frozenset[str] = frozenset()
    origin: str = "plain"  # which origin gets the request: plain or tls

    @property
    def file(self) -> Path:
        return EXAMPLES / self.name / "detours.toml"


RECIPES = (
    Recipe("start", "/echo/orders"),
    Recipe("api-moved", "/v1/orders/7"),
    Recipe("https-for-now", "/cart", origin="tls"),
    Recipe("form-action", "/apply", methods=frozenset({"POST"})),
    Recipe("load-balancer", "/files/7"),
)


def in_force(text: str, until: datetime | None = None) -> str:
    """The rules with windows that hold now: from yesterday, until `until` or for six days more."""
    now = datetime.now(UTC)
    text = re.sub(r"(?m)^from = .*", f"from = {now - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", text)
    end = until or now + timedelta(days=6)
    return re.sub(r"(?m)^until = .*", f"until = {end.isoformat()}", text)


def localized(recipe: Recipe, authority: str, plain: str, tls: str, status: int = 307) -> str:
    """The recipe with `authority` for Detour and the origins' URLs `plain` and `tls` for the rest."""
    text = in_force(recipe.file.read_text())
    text = re.sub(r"(?m)^  \[\[rule\.expect\]\].*\n(  .*\n?)*", "", text)
    text = re.sub(r"(?ms)^\[\[listener\]\].*?\n\n", "", text)
    text = re.sub(r'(?m)^(pattern = "(?:http:)?//)[a-z.]+', rf"\g<1>{authority}", text)
    text = re.sub(r'(?m)^(location = ")https?://[a-z0-9.:]+(?=/)', rf"\g<1>{plain}", text)
    tls_port = tls.rpartition(":")[2]
    text = text.replace("https://{url.hostname}/", f"https://{{url.hostname}}:{tls_port}/")
    if status != 307:
        text = re.sub(
            r"(?m)^(location = .*)", rf"\1\nstatus = {status}", re.sub(r"(?m)^status = .*\n", "", text)
        )
    return CORS + text
