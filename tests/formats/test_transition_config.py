"""The host-level redirects of alphagov's transition-config, through an adapter, as virtual hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml

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


def test_every_global_redirect_answers_under_its_host_and_its_aliases() -> None:
    counts: Counter[str] = Counter()
    text = "<VirtualHost *:80>\n  ServerName none.invalid\n</VirtualHost>\n"
    asked = []
    for site in _sites():
        server = _server(site)
        if server is None:
            counts["no global redirect: its pages are in a database that is not here"] += 1
            continue
        counts[server[1]] += 1
        text += server[0]
        asked += [(name, server[1], server[2]) for name in (site["host"], *(site.get("aliases") or ()))]
    layer = layer_of("apache", text)
    assert not layer.not_understood
    wrong = []
    for name, status, target in asked:
        answer = decide(layer, "GET", f"http://{name}/a")
        right = answer is None if status == "410" else answer is not None and answer[0] == int(status)
        if not right:
            wrong.append((name, status, target, answer))
    assert sum(counts.values()) > 800
    assert counts["301"] > 50
    assert wrong == []
