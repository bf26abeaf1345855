"""unstated-status: a redirect without a status is what the program makes it, and drops content."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.audit import edits, remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place

# The status of a redirect that names none (301, 302), and where the program says so.
DEFAULTS: dict[str, tuple[int, str]] = {
    "haproxy": (302, "HAProxy: http-request redirect, code"),
    "gateway-api": (302, "Gateway API: HTTPRequestRedirectFilter, statusCode"),
    "envoy": (301, "Envoy: RedirectAction, response_code"),
    "istio": (301, "Istio: HTTPRedirect, redirectCode"),
    "cloudflare-rules": (301, "Cloudflare: single redirects, status_code"),
    "caddy": (302, "Caddy: redir"),
    "apache": (302, "Apache: Redirect, RewriteRule [R]"),
    "nginx": (302, "nginx: return URL, rewrite to http(s)://"),
}
_KEEPING = {301: 308, 302: 307}
_URL = r"[\"']?(?:https?://|\$scheme)"
_NGINX = re.compile(rf"\breturn\s+{_URL}|\brewrite\s+\S+\s+{_URL}[^\s;]*\s*;")


def over_rule(place: Place) -> Iterator[Finding]:
    rule, (default, _) = place.rule, DEFAULTS.get(place.layer.dialect, (0, ""))
    if rule.template is None or rule.status != default or place.layer.implicit.get(rule.span):
        return
    nginx = place.layer.dialect == "nginx"
    if nginx and _NGINX.search(place.text) is None:
        return
    if not nginx and edits.states_status(place) is not False:
        return
    message = f"no status is written: {place.layer.dialect} answers {default}, which makes a POST a GET"
    yield at(CHECK, place, message, _remedy(place, _KEEPING[default]))


def _remedy(place: Place, status: int) -> remedies.Remedy:
    words = "Say which status is meant"
    if place.layer.dialect == "nginx":
        return remedies.replaced(place, "return ", f"return {status} ", words)
    return remedies.status(place, status, words)


CHECK = Check(
    name="unstated-status",
    severity="note",
    finds="A redirect names no status, and the program's own is 301 or 302.",
    why="Nobody chose it: a POST becomes a GET without content, and a 301 is kept by browsers.",
    instead="Write the status that is meant: 307 or 308 keep method and content.",
    references=tuple(sorted(source for _, source in DEFAULTS.values())),
    over_rule=over_rule,
)
