"""double-slash-location: a path that begins with two slashes becomes a Location that names a host."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.checks.open_location import CANARY
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.template import Slot, Template
from detour.core.url import URL
from detour.formats.layer import Layer


def _keeps_slashes(layer: Layer) -> bool:
    """Whether the program sends a path in a Location as it was asked for, slashes and all."""
    if layer.dialect == "haproxy":  # `path` is the path of the request, not normalized
        return not any("path-merge-slashes" in text for text in layer.texts.values())
    return layer.dialect == "caddy"  # {path} and {uri} are the request's; only its matchers merge slashes


def over_rule(place: Place) -> Iterator[Finding]:
    template = place.rule.template
    if template is None or template.authority or not _keeps_slashes(place.layer):
        return
    first = _first(template)
    if first is None or not place.urls:
        return
    for url in _doubled(place.urls[0]):
        if _begins_with_host(place, first, url):
            message = f"{url} is redirected to //{CANARY}/…: two slashes name a host"
            yield at(CHECK, place, message, _remedy(place), witness=f"{place.method} {url}")
            return


def _remedy(place: Place) -> remedies.Remedy:
    if place.layer.dialect == "haproxy":
        return remedies.passing(place, "//", "", "Leave out paths that begin with two slashes")
    old = next((one for one in (" {path}", " {uri}") if one in place.text), "")
    new = f" {{scheme}}://{{host}}{old.strip()}"
    return remedies.replaced(place, old, new, "Put scheme and host in front")


def _first(template: Template) -> Slot | None:
    """What the request puts at the beginning of the path; None where something is written there."""
    begin = next((part for part in template.path if part not in ("", "/")), None)
    return begin if isinstance(begin, Slot) else None


def _doubled(url: str) -> tuple[str, ...]:
    """URLs with a second slash ahead of the canary: at the beginning, and where `url` ends."""
    asked = URL.parse(url)
    paths = f"//{CANARY}/", f"//{CANARY}{asked.path}", f"{asked.path.rpartition('/')[0]}//{CANARY}/"
    return tuple(f"{asked.scheme}://{asked.authority}{path}" for path in dict.fromkeys(paths))


def _begins_with_host(place: Place, first: Slot, url: str) -> bool:
    """Whether the rule answers `url`, with what makes two slashes at the beginning."""
    request = place.request(url)
    answer = None if request is None else place.survey.ask(request)
    if request is None or answer is None or answer.rule != place.rule:
        return False
    found = next((one for one in place.layer.ruleset.candidates(request) if one[0] == place.number), None)
    taken = request.path if first.name == "url.path" else found[2].get(first.name, "") if found else ""
    return taken.startswith("//") or (first.name != "url.path" and taken.startswith("/"))


CHECK = Check(
    name="double-slash-location",
    severity="error",
    finds="A relative Location begins with the path that was asked for: `//other.example/` leads there.",
    why=(
        "A reference that begins with two slashes names a host (RFC 3986 §4.2): a link that begins with "
        "your host ends at somebody else's."
    ),
    instead=(
        "Put scheme and host in front of the path; or leave out paths that begin with two slashes "
        "(`unless { path_beg // }` in HAProxy)."
    ),
    references=("CWE-601", "RFC 3986 §4.2", "expressjs/serve-static#26", "treeverse/dvc.org#2749"),
    over_rule=over_rule,
)
