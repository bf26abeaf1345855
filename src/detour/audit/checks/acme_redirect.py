"""acme-redirect: a certificate authority's challenge is sent away from where its answer is."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.audit.witness import HOST
from detour.core.keys import ONE, REST
from detour.core.location import resolve
from detour.core.url import URL

_CHALLENGE = "/.well-known/acme-challenge/"


def over_rule(place: Place) -> Iterator[Finding]:
    if place.rule.template is None or not _matches(place):
        return
    host = URL.parse(place.urls[0]).authority if place.urls else HOST
    url = f"http://{host}{_CHALLENGE}token"
    request = place.request(url, "GET")
    answer = None if request is None else place.survey.ask(request)
    if answer is None or answer.rule.name != place.rule.name or answer.layer is not place.layer:
        return
    to = resolve(answer.decision.location or "", URL.parse(url))
    if to is None or not to.path.endswith(f"{_CHALLENGE}token"):
        message = f"an ACME challenge is sent to {to or answer.decision.location}, where its answer is not"
        remedy = remedies.passing(place, _CHALLENGE, "acme-challenge", "Let the challenge pass")
        yield at(CHECK, place, message, remedy, witness=f"GET {url}")


def _matches(place: Place) -> bool:
    """Cheaply: whether its pattern can match a challenge at all."""
    if place.scheme == "https":
        return False
    texts = [key.text[key.text.index("/") :] for key in place.keys]
    return not texts or any(
        REST in text and _CHALLENGE.startswith(text.split(ONE)[0].rstrip(REST)) for text in texts
    )


CHECK = Check(
    name="acme-redirect",
    severity="error",
    finds="A request for /.well-known/acme-challenge/ is redirected to another path.",
    why=(
        "The authority follows redirects, but the answer is not there: certificates are not "
        "renewed, and in some weeks TLS fails."
    ),
    instead=(
        'Let the challenge pass ahead of all other rules: pattern "/.well-known/acme-challenge/*" '
        "with pass = true, or a location of its own in nginx."
    ),
    references=("RFC 8555 §8.3", "Let's Encrypt: HTTP-01"),
    over_rule=over_rule,
)
