"""The host-level redirects of alphagov's transition-config, through an adapter, as virtual hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml

from detour.core.url import URL
from detour.formats.layer import Layer
from tests.formats.dialect_data import data_file
from tests.formats.layers import decide, layer_of

_GLOBAL = {"301": "permanent", "302": "temp", "410": "gone"}


def _sites() -> Iterator[dict[str, Any]]:
    for file in sorted(data_file("transition-config", "data", "transition-sites").glob("*.yml")):
        site = yaml.safe_load(file.read_text("utf-8"))
        if isinstance(site, dict):
            yield site


def _server(site: dict[str, Any]) -> tuple[str, str, str] | None:
    """A site with a global redirect as a virtual host, with its status and target; None for others."""
    status, _, target = str(site.get("global", "")).removeprefix("=").partition(" ")
    if status not in _GLOBAL:
        return None
    names = "".join(f"  ServerAlias {name}\n" for name in site.get("aliases") or ())
    line = f"RedirectMatch {_GLOBAL[status]} ^/ {target}"
    if site.get("global_redirect_append_path"):
        line = f"Redirect {_GLOBAL[status]} / {target.rstrip('/')}/"
    return (
        f"<VirtualHost *:80>\n  ServerName {site['host']}\n{names}  {line}\n</VirtualHost>\n",
        status,
        target,
    )


def outcomes() -> Counter[str]:
    """How many sites are held, answered otherwise, and without a redirect of the host."""
    sites = [(site, _server(site)) for site in _sites()]
    first = "<VirtualHost *:80>\n  ServerName none.invalid\n</VirtualHost>\n"
    layer = layer_of("apache", first + "".join(server[0] for _, server in sites if server is not None))
    assert not layer.not_understood
    return Counter(_outcome(layer, site, server) for site, server in sites)


def _outcome(layer: Layer, site: dict[str, Any], server: tuple[str, str, str] | None) -> str:
    if server is None:
        return "no redirect"
    _, status, target = server
    for name in (site["host"], *(site.get("aliases") or ())):
        answer = decide(layer, "GET", f"http://{name}/a")
        wanted = target.rstrip("/") + "/a" if site.get("global_redirect_append_path") else target
        right = None if status == "410" else (int(status), str(URL.parse(wanted)))
        if answer != right:
            return "differs"
    return "held"


def test_every_global_redirect_answers_under_its_host_and_its_aliases() -> None:
    data_file("transition-config")
    assert outcomes() == COUNTS


# "no redirect": the site's pages are in a database that is not in the data.
COUNTS = {"held": 412, "no redirect": 443}
