"""hsts-contradicted: Strict-Transport-Security where browsers ignore it, or a way back to http beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.url import URL

_FIELD = "strict-transport-security"
_SENT = re.compile(r"strict-transport-security\W[^\n]*max-age\s*=\s*[\"']?[1-9]", re.IGNORECASE)


def over_rule(place: Place) -> Iterator[Finding]:
    template, to = place.rule.template, place.location_url
    if template is None or to is None:
        return
    asked = URL.parse(place.urls[0])
    sends = any(name.lower() == _FIELD for name, _ in place.rule.terms.headers)
    if sends and asked.scheme == "http":
        yield at(CHECK, place, "Strict-Transport-Security over http: browsers ignore it", severity="note")
    back = asked.scheme == "https" and to.scheme == "http" and to.hostname == asked.hostname
    if back and (file := _sending(place)):
        message = f"{asked} is redirected to {to}; {file} sends Strict-Transport-Security: browsers go back"
        remedy = remedies.replaced(place, "http://", "https://", "Say https")
        yield at(CHECK, place, message, remedy, confidence="suggests")


def _sending(place: Place) -> str:
    """A file of the layers that sends the field; "" if none does."""
    for layer in place.survey.layers:
        for file, text in layer.texts.items():
            if _sends(text, layer.comment):
                return file
    return ""


@lru_cache(maxsize=64)
def _sends(text: str, comment: str) -> bool:
    begins = (text.rfind("\n", 0, one.start()) + 1 for one in _SENT.finditer(text))
    lines = (text[begin:].partition("\n")[0] for begin in begins)
    return any(not comment or not line.lstrip().startswith(comment) for line in lines)


CHECK = Check(
    name="hsts-contradicted",
    severity="error",
    finds="A host that sends Strict-Transport-Security redirects to http, or sends it over http (a note).",
    why=(
        "A browser that has seen the field asks with https again, without a request that anybody sees: "
        "the redirect to http is a circle. Over http the field is ignored, so it protects nobody."
    ),
    instead="Redirect to https only, and send the field with answers over https.",
    references=("RFC 6797 §7.2", "RFC 6797 §8.1", "RFC 6797 §8.3"),
    over_rule=over_rule,
)
