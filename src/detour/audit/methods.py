"""What becomes of a request of each method: told where it depends on the method.

301 and 302 make a POST a GET and keep other methods, 303 makes all but HEAD a GET, 307 and 308 keep every
method (RFC 9110 §15.4; Fetch §4.4 step 12).
"""

from __future__ import annotations

from detour.audit.finding import Seen
from detour.audit.survey import Place
from detour.core.location import resolve
from detour.core.url import URL
from detour.errors import URLError

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


def next_method(status: int, method: str) -> str:
    """The method of the request that follows a redirect."""
    to_get = (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD"))
    return "GET" if to_get else method


def _becomes(place: Place, method: str, url: str) -> str:
    request = place.request(url, method)
    answer = None if request is None else place.survey.ask(request)
    if answer is None or answer.decision.location is None:
        return _NOT_REDIRECTED
    status, then = answer.decision.status, next_method(answer.decision.status, method)
    try:
        to = resolve(answer.decision.location, URL.parse(url))
    except URLError:
        to = None
    kept = "the method kept" if then == method else f"as {then}"
    lost = ", without its content" if then != method and method in _CONTENT else ""
    return f"{status} to {to or answer.decision.location}, {kept}{lost}"
