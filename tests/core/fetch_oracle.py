"""HTTP-redirect fetch (Fetch §4.4) step by step, as the standard goes: slow, obvious, for the tests alone.

It shares nothing with `core`: its own URLs (ada), its own fields, its own counting. What needs a page is left
out: CORS (steps 9 and 10), timing (steps 14 to 16). The numbers are those of the standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ada_url

NETWORK_ERROR = "network error"
RESPONSE = "response"

REDIRECT_STATUSES = [301, 302, 303, 307, 308]
REQUEST_BODY_HEADER_NAMES = ["content-encoding", "content-language", "content-location", "content-type"]
CORS_NON_WILDCARD_REQUEST_HEADER_NAMES = ["authorization"]
# The user agent writes these anew for each request, from what it keeps for that URL (§4.5); what was written
# for one origin is none of another's. Those of framing it makes out of the body.
OF_THE_ORIGIN = ["cookie", "proxy-authorization"]
OF_THE_BODY = ["content-length", "transfer-encoding"]


@dataclass
class Request:
    """A request of the standard; `body`: null, one with a source, one whose source is null."""

    method: str
    url_list: list[str]
    header_list: list[tuple[str, str]]
    body: Literal["null", "with source", "without source"]
    redirect_count: int = 0
    referrer: str | None = None

    @property
    def current_url(self) -> str:
        return self.url_list[-1]


def location_url(locations: list[bytes], status: int, response_url: str, request_fragment: str | None) -> str:
    """Fetch §2.2.6: null, failure, or a URL."""
    # 1. If response's status is not a redirect status, then return null.
    if status not in REDIRECT_STATUSES:
        return "null"
    # 2. Let location be the result of extracting header list values given `Location`: more than one is
    #    failure, because the ABNF of Location allows a single one.
    if len(locations) == 0:
        return "null"
    if len(locations) > 1:
        return "failure"
    try:
        location = locations[0].decode("utf-8")
    except UnicodeDecodeError:
        location = locations[0].decode("iso-8859-1")
    # 3. If location is a header value, then set location to the result of parsing location with response's
    #    URL.
    try:
        url = ada_url.URL(location, base=response_url).href
    except ValueError:
        return "failure"
    # 4. If location is a URL whose fragment is null, then set location's fragment to requestFragment.
    if "#" not in url and request_fragment is not None:
        url = f"{url}#{request_fragment}"
    # 5. Return location.
    return url


def http_redirect_fetch(request: Request, status: int, locations: list[bytes]) -> str | None:
    """What comes of a redirect: a network error, the response itself, or None when `request` goes on."""
    current = request.current_url
    # 3. Let locationURL be internalResponse's location URL given request's current URL's fragment.
    fragment = current.partition("#")[2] if "#" in current else None
    url = location_url(locations, status, current, fragment)
    # 4. If locationURL is null, then return response.
    if url == "null":
        return RESPONSE
    # 5. If locationURL is failure, then return a network error.
    if url == "failure":
        return NETWORK_ERROR
    # 6. If locationURL's scheme is not an HTTP(S) scheme, then return a network error.
    if not url.startswith(("http:", "https:")):
        return NETWORK_ERROR
    # 7. If request's redirect count is 20, then return a network error.
    if request.redirect_count == 20:
        return NETWORK_ERROR
    # 8. Increase request's redirect count by 1.
    request.redirect_count += 1
    # 11. If internalResponse's status is not 303, request's body is non-null, and request's body's source is
    #     null, then return a network error.
    if status != 303 and request.body == "without source":
        return NETWORK_ERROR
    # 12. If one of the following is true, then set request's method to `GET` and its body to null, and delete
    #     each request-body-header name from its header list.
    if (status in [301, 302] and request.method == "POST") or (
        status == 303 and request.method not in ["GET", "HEAD"]
    ):
        request.method = "GET"
        request.body = "null"
        _delete(request, REQUEST_BODY_HEADER_NAMES + OF_THE_BODY)
    # 13. If request's current URL's origin is not same origin with locationURL's origin, then delete each
    #     CORS non-wildcard request-header name from request's header list.
    if _origin(current) != _origin(url):
        _delete(request, CORS_NON_WILDCARD_REQUEST_HEADER_NAMES + OF_THE_ORIGIN)
    # 17. Append locationURL to request's URL list.
    request.url_list.append(url)
    return None


def referrer_to_send(request: Request) -> str | None:
    """Referrer Policy §8.3 for `strict-origin-when-cross-origin`, pages being http or https and not local."""
    if request.referrer is None:
        return None
    url, page = request.current_url, request.referrer
    if _origin(page) == _origin(url):
        return page
    if page.startswith("https:") and not url.startswith("https:"):
        return None
    return _origin(page) + "/"


def _delete(request: Request, names: list[str]) -> None:
    request.header_list = [field for field in request.header_list if field[0].lower() not in names]


def _origin(url: str) -> str:
    parsed = ada_url.URL(url)
    return f"{parsed.protocol}//{parsed.host}"
