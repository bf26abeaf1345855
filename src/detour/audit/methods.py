"""What becomes of a request of each method: told where it depends on the method.

301 and 302 make a POST a GET and keep other methods, 303 makes all but HEAD a GET, 307 and 308 keep every
method (RFC 9110 §15.4; Fetch §4.4 step 12).
"""

from __future__ import annotations

from detour.audit.finding import Seen
from detour.audit.survey import Place
from detour.core.location import resolve
from detour.core.policy import FETCH
from detour.core.url import URL

ASKED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_CONTENT = frozenset({"POST", "PUT", "PATCH"})
_NOT_REDIRECTED = "is not redirected"


def per_method(place: Place, url: str) -> tuple[Seen, ...]:
    """A request of each method with its outcome; () where the outcome is the same for all."""
    template, methods = place.rule.template, place.rule.terms.methods
    if template is None or not url or (place.rule.status in (307, 308) and methods is None):
        return ()
    seen = tuple(Seen(f"{method} {url}", _becomes(place, method, url)) for method in ASKED)
    return () if all(one.becomes == _NOT_REDIRECTED for one in seen) else seen


def _becomes(place: Place, method: str, url: str) -> str:
    """What its own layer answers: another one in front may answer before, which is no matter of this rule."""
    request = place.request(url, method)
    decision = None if request is None else place.layer.ruleset.decide(request, place.survey.now)
    if decision is None or decision.location is None:
        return _NOT_REDIRECTED
    sends = method in _CONTENT
    change = FETCH.rewriting(decision.status, method, sends)
    then = method if change is None else change.method or method
    to = resolve(decision.location, URL.parse(url)) or decision.location
    kept = "the method kept" if then == method else f"as {then}"
    lost = ", without its content" if change is not None and sends else ""
    return f"{decision.status} to {to}, {kept}{lost}"
